// `navarch agent`: serves the member beside which it runs, for a hub that cannot reach it. The hub is only ever called from
// here, so a member behind NAT needs no open port.
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { Command, Option } from 'commander';
import { registerAgent, type AgentRegistration, type ReportedSecret } from '../cli/index.ts';
import {
  OperatingError,
  errorMessage,
  sleep,
  systemClock,
  systemRandom,
  type Logger,
} from '../base/index.ts';
import {
  ConnectionError,
  createClient,
  createHttpsTransport,
  loadKubeconfig,
  loadRotatingKubeconfig,
  type ConnectionSettings,
} from '../client/index.ts';
import { controllerEnabled, type ControllerSettings } from '../controllers/index.ts';
import { startAgent } from '../controlplane/index.ts';
import { validateClusterName } from '../fleet/index.ts';
import { parseDuration } from '../machinery/index.ts';
import { runLeaderElection } from '../runtime/index.ts';
import { keepCertificate } from './agent-certificate.ts';
import { addSettings, settingsFrom } from './flags.ts';
import { createLogger } from './logger.ts';
import { closeParts, stopOnSignals } from './signals.ts';

// COMPAT: upstream's timeout of calls to members.
const MEMBER_TIMEOUT_MS = 32_000;
// A hub that cannot be reached may come; what it refuses, it will refuse again.
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/** Those settings that mean something beside a member. */
const SETTINGS: readonly string[] = [
  'feature-gates',
  'controllers',
  'cluster-status-update-frequency',
  'cluster-probe-timeout',
  'cluster-failure-threshold',
  'cluster-success-threshold',
  'cluster-lease-duration',
  'cluster-lease-renew-interval-fraction',
  'enable-cluster-resource-modeling',
  'concurrent-work-syncs',
  'rate-limiter-base-delay',
  'rate-limiter-max-delay',
];

interface AgentFlags {
  readonly clusterName: string;
  readonly karmadaKubeconfig?: string;
  readonly karmadaContext?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly clusterNamespace: string;
  readonly clusterApiEndpoint: string;
  readonly proxyServerAddress: string;
  readonly reportSecrets: string;
  readonly clusterProvider: string;
  readonly clusterRegion: string;
  readonly clusterZones: string;
  readonly certRotationCheckingInterval: string;
  readonly certRotationRemainingTimeThreshold: string;
  readonly karmadaKubeconfigNamespace: string;
  readonly leaderElect: string | boolean;
  readonly leaderElectResourceNamespace: string;
  readonly logLevel: string;
}

export function agentCommand(exit: (code: number) => void): Command {
  const command = new Command('agent')
    .description('serve the member cluster beside which this runs, in pull mode')
    .requiredOption('--cluster-name <name>', 'name of the cluster on the control plane')
    .option('--karmada-kubeconfig <file>', 'kubeconfig of the control plane; read again when it changes')
    .option('--karmada-context <name>', 'context of the control plane in that file; else its current one')
    .option('--kubeconfig <file>', 'kubeconfig of the member; else $KUBECONFIG, ~/.kube/config or the pod it runs in')
    .option('--context <name>', 'context of the member in that file; else its current one')
    .option('--cluster-namespace <namespace>', 'namespace for accounts and secrets', 'karmada-cluster')
    .option('--cluster-api-endpoint <url>', "where others reach the member's API, for the cluster proxy", '')
    .option('--proxy-server-address <url>', 'through which proxy they do', '')
    .option('--report-secrets <list>', 'what the control plane is given: KubeCredentials, KubeImpersonator, or None', 'KubeCredentials,KubeImpersonator')
    .option('--cluster-provider <name>', 'who provides the cluster', '')
    .option('--cluster-region <name>', 'region the cluster is in', '')
    .option('--cluster-zones <names>', 'zones the cluster is in, separated by commas', '')
    .option('--cert-rotation-checking-interval <time>', 'how often the certificate is looked at, with --controllers=*,certRotation', '5m')
    .option('--cert-rotation-remaining-time-threshold <share>', 'it is renewed when no more than this share of its life is left', '0.2')
    .option('--karmada-kubeconfig-namespace <namespace>', 'where in the member the Secret karmada-kubeconfig is', 'karmada-system')
    .option('--leader-elect [bool]', 'of several agents of a cluster only one acts', 'true')
    .option('--leader-elect-resource-namespace <namespace>', 'where on the control plane the election is held', 'karmada-system')
    .addOption(
      new Option('--log-level <level>', 'what to log')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    )
    .addHelpText(
      'after',
      '\nExample:\n  navarch agent --cluster-name edge1 --karmada-kubeconfig hub.kubeconfig --kubeconfig edge1.kubeconfig',
    ); // prettier-ignore
  addSettings(command, SETTINGS);
  return command.action(async (flags: AgentFlags & Record<string, unknown>) => {
    const { settings, warnings } = await settingsFrom(flags);
    for (const warning of warnings)
      process.stderr.write(`navarch: ${warning}
`);
    exit(await runAgent(flags, settings));
  });
}

/** Runs until SIGINT or SIGTERM; resolves with the exit code. Throws OperatingError for what will not get better. */
async function runAgent(flags: AgentFlags, settings: ControllerSettings): Promise<number> {
  const { clusterName } = flags;
  const [problem] = validateClusterName(clusterName);
  if (problem !== undefined)
    throw new OperatingError(
      'BAD_FLAG',
      `--cluster-name: "${clusterName}" ${problem.message}`,
      'choose another name',
    );
  const reportSecrets = readReportedSecrets(flags.reportSecrets);
  const rotation = rotationOf(flags, settings);
  const logger = createLogger(flags.logLevel);
  const hub = await loadRotatingKubeconfig(selection(flags.karmadaKubeconfig, flags.karmadaContext));
  const member = await loadKubeconfig(selection(flags.kubeconfig, flags.context));
  const stop = stopOnSignals();
  const hubTransport = createHttpsTransport({ ...hub, clock: systemClock, userAgent: 'karmada-agent' });
  const openMember = (): ReturnType<typeof createHttpsTransport> =>
    createHttpsTransport({
      ...member,
      clock: systemClock,
      userAgent: 'karmada-agent',
      timeoutMs: MEMBER_TIMEOUT_MS,
    });
  const memberTransport = openMember();
  const lead = async (signal: AbortSignal): Promise<void> => {
    const agent = startAgent({
      cluster: clusterName,
      hubTransport,
      openMember,
      settings,
      clock: systemClock,
      random: systemRandom,
      logger,
    });
    print(`Serving cluster ${clusterName} (${member.server}) for ${hub.server}`);
    const kept =
      rotation === undefined
        ? undefined
        : keepCertificate(
            {
              ...rotation,
              cluster: clusterName,
              hubClient: createClient(hubTransport, { fieldManager: 'karmada-agent' }),
              memberClient: createClient(memberTransport, { fieldManager: 'karmada-agent' }),
              clock: systemClock,
              logger,
            },
            rotation.everyMs,
            signal,
          );
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    const parts = [
      { name: 'renewal of the certificate', close: () => kept ?? Promise.resolve() },
      { name: 'agent', close: () => agent.close() },
    ];
    await closeParts(parts, logger);
  };
  try {
    await untilRegistered(registration(flags, member, reportSecrets), stop.signal, logger, {
      hubClient: createClient(hubTransport, { fieldManager: 'karmada-agent' }),
      memberClient: createClient(memberTransport, { fieldManager: 'karmada-agent' }),
      clock: systemClock,
      progress: (step) => print(`${step} ...`),
      signal: stop.signal,
    });
    if (/^false$/i.test(String(flags.leaderElect))) await lead(stop.signal);
    else
      await runLeaderElection({
        client: createClient(hubTransport, { fieldManager: 'karmada-agent' }),
        clock: systemClock,
        random: systemRandom,
        logger,
        lease: { namespace: flags.leaderElectResourceNamespace, name: `karmada-agent-${clusterName}` },
        identity: `${os.hostname()}_${randomUUID()}`,
        signal: stop.signal,
        lead,
      });
    print('Stopping ...');
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    throw error;
  } finally {
    await Promise.all([hubTransport.close(), memberTransport.close()]);
  }
}

/** Undefined: the certificate is somebody else's to renew. Throws OperatingError BAD_FLAG. */
function rotationOf(
  flags: AgentFlags,
  { controllers }: ControllerSettings,
): { readonly everyMs: number; readonly threshold: number; readonly namespace: string } | undefined {
  if (!controllerEnabled('certRotation', controllers)) return undefined;
  const threshold = Number(flags.certRotationRemainingTimeThreshold);
  if (!(threshold > 0 && threshold < 1))
    throw new OperatingError(
      'BAD_FLAG',
      `--cert-rotation-remaining-time-threshold: "${flags.certRotationRemainingTimeThreshold}" is no share`,
      'give a number between 0 and 1',
    );
  let everyMs: number;
  try {
    everyMs = parseDuration(flags.certRotationCheckingInterval);
  } catch (error) {
    const why = `--cert-rotation-checking-interval: ${errorMessage(error)}`;
    throw new OperatingError('BAD_FLAG', why, 'write it like 5m', { cause: error });
  }
  return { everyMs: Math.max(everyMs, 1_000), threshold, namespace: flags.karmadaKubeconfigNamespace };
}

async function untilRegistered(
  request: AgentRegistration,
  signal: AbortSignal,
  logger: Logger,
  context: Parameters<typeof registerAgent>[1],
): Promise<void> {
  for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, MAX_RETRY_MS)) {
    try {
      await registerAgent(request, context);
      return;
    } catch (error) {
      if (!(error instanceof ConnectionError) || signal.aborted) throw error;
      logger.warn('Registering failed', { error: errorMessage(error), waitMs: delayMs });
      print(`Cannot register yet: ${errorMessage(error)}. Trying again in ${delayMs / 1000} s ...`);
    }
    await sleep(systemClock, delayMs, signal);
  }
}

function registration(
  flags: AgentFlags,
  member: ConnectionSettings,
  reportSecrets: readonly ReportedSecret[],
): AgentRegistration {
  const given = <K extends string>(key: K, text: string): { readonly [P in K]?: string } =>
    (text === '' ? {} : { [key]: text }) as { readonly [P in K]?: string };
  return {
    name: flags.clusterName,
    clusterNamespace: flags.clusterNamespace,
    insecureSkipTlsVerify: member.insecureSkipTlsVerify === true,
    ...(member.ca === undefined ? {} : { certificateAuthority: member.ca }),
    ...given('apiEndpoint', flags.clusterApiEndpoint),
    ...given('proxyUrl', flags.proxyServerAddress),
    ...given('provider', flags.clusterProvider),
    ...given('region', flags.clusterRegion),
    ...(flags.clusterZones === '' ? {} : { zones: flags.clusterZones.split(',') }),
    reportSecrets,
  };
}

function readReportedSecrets(text: string): readonly ReportedSecret[] {
  const names = text.split(',').filter((name) => name !== '' && name !== 'None');
  const known = (name: string): name is ReportedSecret =>
    name === 'KubeCredentials' || name === 'KubeImpersonator';
  if (text.includes('None') && names.length > 0)
    throw new OperatingError(
      'BAD_FLAG',
      '--report-secrets: None goes with nothing else',
      'name secrets, or None',
    );
  const unknown = names.find((name) => !known(name));
  if (unknown !== undefined)
    throw new OperatingError(
      'BAD_FLAG',
      `--report-secrets: there is no "${unknown}"`,
      'name KubeCredentials, KubeImpersonator, both, or None',
    );
  return names.filter(known);
}

function selection(
  path: string | undefined,
  context: string | undefined,
): Parameters<typeof loadKubeconfig>[0] & object {
  return { ...(path === undefined ? {} : { path }), ...(context === undefined ? {} : { context }) };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

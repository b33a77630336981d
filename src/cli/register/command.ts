// `register`: puts an agent into a cluster that the control plane need not reach, knowing nothing of the control plane but its
// address and a bootstrap token.
import type { Command } from 'commander';
import { errorMessage, sleep, systemClock } from '../../base/index.ts';
import {
  createClient,
  createHttpsTransport,
  isAlreadyExists,
  isNotFound,
  kinds,
  loadKubeconfig,
  type Client,
  type ConnectionSettings,
} from '../../client/index.ts';
import { validateClusterName } from '../../fleet/index.ts';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { keyOf } from '../objects/index.ts';
import { CommandError, listOption, upstreamCommand } from '../shell/index.ts';
import {
  AGENT,
  AGENT_ACCOUNT,
  AGENT_SECRET,
  DEPLOYMENTS,
  agentKubeconfig,
  agentUser,
  hubRights,
  memberObjects,
  type AgentSettings,
  type Placed,
} from './agent-objects.ts';
import { discover, type Discovered } from './discovery.ts';
import { SIGNING_REQUESTS, randomSuffix, requestIdentity, type Identity } from './identity.ts';

interface RegisterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly token?: string;
  readonly discoveryTokenCaCertHash: readonly string[];
  readonly discoveryTokenUnsafeSkipCaVerification?: boolean;
  readonly discoveryTimeout: string;
  readonly clusterName?: string;
  readonly namespace: string;
  readonly clusterNamespace: string;
  readonly clusterProvider: string;
  readonly clusterRegion: string;
  readonly clusterZones: readonly string[];
  readonly karmadaAgentImage: string;
  readonly karmadaAgentReplicas: string;
  readonly enableCertRotation?: boolean;
  readonly certExpirationSeconds: string;
  readonly proxyServerAddress: string;
  readonly wait: string;
  readonly dryRun?: boolean;
}

const EXAMPLES = `
  # With what "token create --print-register-command" printed, in the cluster of the current kubeconfig
  %s register 10.0.0.1:5443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:...

  # Another cluster, by its context, under another name
  %s register 10.0.0.1:5443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:... --context edge1 --cluster-name edge1`;

/** The release's image, as deploy/ builds it. */
const IMAGE = 'navarch:0.1.0';
const YEAR_SECONDS = '31536000';

export function registerCommand(exit: SetExitCode): Command {
  return upstreamCommand('register', { group: 'Cluster registration', examples: EXAMPLES })
    .summary('Register a cluster to the control plane with Pull mode')
    .description('Register a cluster with the control plane in pull mode, by putting an agent into it')
    .argument('[endpoint...]', 'HOST:PORT of the control plane')
    .option(
      '--kubeconfig <file>',
      'kubeconfig of the cluster to register; else $KUBECONFIG, else ~/.kube/config',
    )
    .option('--context <name>', 'context of the cluster in that file')
    .option('--token <token>', 'bootstrap token of the control plane')
    .addOption(
      listOption(
        '--discovery-token-ca-cert-hash <hashes>',
        'public keys of the certificate authority to trust, as sha256:HEX',
      ),
    )
    .option('--discovery-token-unsafe-skip-ca-verification', 'trust whoever answers and knows the token')
    .option('--discovery-timeout <duration>', 'how long to try to find the control plane', '5m0s')
    .option('--cluster-name <name>', 'name the cluster is to have; else that of its kubeconfig')
    .option('-n, --namespace <name>', 'namespace of the agent', 'karmada-system')
    .option('--cluster-namespace <name>', 'namespace for accounts and secrets', 'karmada-cluster')
    .option('--cluster-provider <name>', 'who provides the cluster', '')
    .option('--cluster-region <name>', 'region the cluster is in', '')
    .addOption(listOption('--cluster-zones <names>', 'zones the cluster is in'))
    .option('--karmada-agent-image <image>', 'image of the agent', IMAGE)
    .option('--karmada-agent-replicas <n>', 'how many agents, of which one acts', '1')
    .option('--enable-cert-rotation', 'the agent renews its certificate')
    .option('--cert-expiration-seconds <n>', "how long the agent's certificate is valid", YEAR_SECONDS)
    .option('--proxy-server-address <url>', 'through which proxy others reach the cluster', '')
    .option('--wait <duration>', 'how long to wait until the agent runs; 0 not at all', '2m0s')
    .option('--dry-run', 'only check whether the cluster could be registered')
    .action(async (endpoints: readonly string[], flags: RegisterFlags) => {
      await register(endpoints, flags);
      exit(0);
    });
}

async function register(endpoints: readonly string[], flags: RegisterFlags): Promise<void> {
  const [endpoint, ...others] = endpoints;
  if (endpoint === undefined || others.length > 0)
    throw new CommandError('requires the control plane endpoint HOST:PORT, and nothing else');
  if (flags.token === undefined) throw new CommandError('token is required');
  const settings = await loadKubeconfig({
    ...(flags.kubeconfig === undefined ? {} : { path: flags.kubeconfig }),
    ...(flags.context === undefined ? {} : { context: flags.context }),
  });
  const cluster = flags.clusterName ?? settings.cluster;
  const [problem] = validateClusterName(cluster);
  if (problem !== undefined)
    throw new CommandError(
      `invalid cluster name(${cluster}): ${problem.message}; choose one with --cluster-name`,
    );
  const agent = agentSettings(cluster, settings, flags);
  const member = open(settings);
  try {
    print('[preflight] Running pre-flight checks');
    await preflight(member, agent.namespace);
    print('[preflight] All pre-flight checks were passed');
    if (flags.dryRun === true) return;
    const hub = await discover({
      endpoint: endpoint.replace(/^https:\/\//, ''),
      token: flags.token,
      pins: flags.discoveryTokenCaCertHash,
      skipVerification: flags.discoveryTokenUnsafeSkipCaVerification === true,
      timeoutMs: readDuration('discovery-timeout', flags.discoveryTimeout),
    });
    await bootstrap(
      hub,
      member,
      agent,
      flags.token,
      wholeNumber('cert-expiration-seconds', flags.certExpirationSeconds),
      readDuration('wait', flags.wait),
    );
    print(`\ncluster(${cluster}) is joined successfully`);
  } finally {
    await member.transport.close();
  }
}

function wholeNumber(flag: string, text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new CommandError(`--${flag} must be a whole number: "${text}"`);
}

function agentSettings(cluster: string, settings: ConnectionSettings, flags: RegisterFlags): AgentSettings {
  return {
    cluster,
    namespace: flags.namespace,
    clusterNamespace: flags.clusterNamespace,
    apiEndpoint: settings.server,
    image: flags.karmadaAgentImage,
    replicas: wholeNumber('karmada-agent-replicas', flags.karmadaAgentReplicas),
    provider: flags.clusterProvider,
    region: flags.clusterRegion,
    zones: flags.clusterZones,
    proxyServerAddress: flags.proxyServerAddress,
    certRotation: flags.enableCertRotation === true,
  };
}

function open(settings: Parameters<typeof createHttpsTransport>[0]): Client {
  return createClient(createHttpsTransport({ ...settings, clock: systemClock, userAgent: 'navarch' }), {
    fieldManager: 'navarch',
  });
}

async function preflight(member: Client, namespace: string): Promise<void> {
  const wanted = [
    ['Secret', kinds.secrets, AGENT_SECRET],
    ['ServiceAccount', kinds.serviceAccounts, AGENT_ACCOUNT],
    ['Deployment', DEPLOYMENTS, AGENT],
  ] as const;
  const problems: string[] = [];
  for (const [kind, resource, name] of wanted)
    if ((await member.find(resource, { namespace, name })) !== undefined)
      problems.push(`${kind} ${namespace}/${name} already exists, which an earlier registration has left`);
  if (problems.length === 0) return;
  throw new CommandError(
    `[preflight] Some fatal errors occurred:\n${problems.map((one) => `\t[ERROR]: ${one}`).join('\n')}\n[preflight] Please check the above errors; "navarch unregister" removes what is left`,
  );
}

async function bootstrap(
  hub: Discovered,
  member: Client,
  agent: AgentSettings,
  token: string,
  expirationSeconds: number,
  waitMs: number,
): Promise<void> {
  const address = {
    server: hub.server,
    ...(hub.ca === undefined ? { insecureSkipTlsVerify: true } : { ca: hub.ca }),
  };
  print('[karmada-agent-start] Waiting to perform the TLS Bootstrap');
  const anybody = open({ ...address, bearerToken: token });
  const closers: (() => Promise<void>)[] = [() => anybody.transport.close()];
  try {
    const generator = await requestIdentity(
      anybody,
      `agent-rbac-generator-${agent.cluster}${randomSuffix()}`,
      'system:karmada:agent:rbac-generator',
      expirationSeconds,
    );
    const prepared = open({ ...address, clientCert: generator.certificate, clientKey: generator.key });
    closers.push(() => prepared.transport.close());
    await withRights(prepared, agent, generator, async () => {
      print('[karmada-agent-start] Waiting to construct karmada-agent kubeconfig');
      const identity = await requestIdentity(
        anybody,
        `${agent.cluster}-${randomSuffix()}`,
        agentUser(agent.cluster),
        expirationSeconds,
      );
      print('[karmada-agent-start] Waiting the necessary secret and RBAC');
      const objects = memberObjects(agent, agentKubeconfig(agent.cluster, hub, identity));
      for (const one of objects.slice(0, -1)) await ensure(member, one);
      print('[karmada-agent-start] Waiting karmada-agent Deployment');
      for (const one of objects.slice(-1)) await ensure(member, one);
      await untilRolledOut(member, agent, waitMs);
    });
  } finally {
    for (const close of closers) await close();
  }
}

/** Grants the agent its rights; takes them back when what follows fails. */
async function withRights(
  hub: Client,
  agent: AgentSettings,
  generator: Identity,
  follow: () => Promise<void>,
): Promise<void> {
  const known = await hub.find(kinds.clusters, { name: agent.cluster });
  if (known !== undefined)
    throw new CommandError(`failed to register, cluster(${agent.cluster}) already exists in control plane`);
  const made: Placed[] = [];
  try {
    for (const one of hubRights(agent.cluster, agent.clusterNamespace))
      if (await ensure(hub, one)) made.push(one);
    await hub.delete(SIGNING_REQUESTS, { name: generator.requestName });
    await follow();
  } catch (error) {
    for (const { resource, object } of made.reverse()) {
      // Namespaces may hold what others have put there meanwhile.
      if (object.kind === 'Namespace') continue;
      await hub
        .delete(resource, keyOf({ namespace: object.metadata.namespace, name: object.metadata.name ?? '' }))
        .catch((left: unknown) => {
          if (!isNotFound(left))
            process.stderr.write(
              `${object.kind} ${object.metadata.name ?? ''} stays on the control plane: ${errorMessage(left)}\n`,
            );
        });
    }
    throw error;
  }
}

/** Answers whether it was made now. What an earlier, interrupted run has made is used again, and a Secret renewed. */
async function ensure(client: Client, { resource, object }: Placed): Promise<boolean> {
  try {
    await client.create(resource, object);
    return true;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return false;
  }
}

async function untilRolledOut(
  member: Client,
  { namespace, replicas }: AgentSettings,
  waitMs: number,
): Promise<void> {
  if (waitMs === 0 || replicas === 0) return;
  const deadline = systemClock.now() + waitMs;
  for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 1000)) {
    const { status } = (await member.get(DEPLOYMENTS, { namespace, name: AGENT })) as {
      readonly status?: { readonly availableReplicas?: number };
    };
    if ((status?.availableReplicas ?? 0) >= replicas) return;
    if (systemClock.now() > deadline)
      throw new CommandError(
        `the agent does not run after ${waitMs / 1000} s: see "kubectl describe deployment ${AGENT} -n ${namespace}" in the cluster; "navarch unregister" removes what was made there`,
      );
    await sleep(systemClock, delayMs);
  }
}

// `navarch package-operator`: installs packages in the cluster that a kubeconfig names. Runs beside a member, or wherever it is
// reached from; of several only one acts.
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { Command, Option } from 'commander';
import { PACKAGES_NAMESPACE } from '../api/index.ts';
import { createMetricsRegistry, type MetricsRegistry } from '../apiserver/index.ts';
import { OperatingError, systemClock, systemRandom, type Logger } from '../base/index.ts';
import { shape } from '../cli/index.ts';
import {
  createClient,
  createFileFetcher,
  createHttpsTransport,
  isAlreadyExists,
  kinds,
  loadRotatingKubeconfig,
  type Client,
  type FileFetcher,
  type Transport,
} from '../client/index.ts';
import { parseDuration } from '../machinery/index.ts';
import {
  defaultPackageSettings,
  startPackageOperator,
  type HelmOptions,
  type PackageSettings,
} from '../packages/index.ts';
import { runLeaderElection } from '../runtime/index.ts';
import { helmBinaryOption, helmFrom, helmOption } from './helm-flags.ts';
import { createLogger } from './logger.ts';
import { serveSideEndpoints, type SideEndpoint } from './side-endpoints.ts';
import { closeParts, stopOnSignals } from './signals.ts';

// COMPAT: the Lease of Glasskube's operator, so that both never work on one cluster at the same time.
const LEASE = '2fe03b1d.glasskube.dev';

interface Flags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly leaderElect: string | boolean;
  readonly allowCrossNamespaceReferences?: string | boolean;
  readonly repositorySyncInterval: string;
  readonly resyncInterval: string;
  readonly autoUpdateInterval: string;
  readonly concurrentSyncs: string;
  readonly helm: HelmOptions['mode'];
  readonly helmBinary: string;
  readonly metricsBindAddress: string;
  readonly healthProbeBindAddress: string;
  readonly logLevel: string;
}

export function packageOperatorCommand(exit: (code: number) => void): Command {
  const command = new Command('package-operator')
    .description('install, update and take down packages in the cluster that the kubeconfig names')
    .option('--kubeconfig <file>', 'kubeconfig of the cluster; else $KUBECONFIG, ~/.kube/config or the pod it runs in')
    .option('--context <name>', 'context of the cluster in that file; else its current one')
    .option('--leader-elect [bool]', 'of several operators of a cluster only one acts', 'true')
    .option('--allow-cross-namespace-references [bool]', 'let Packages take values from Secrets and ConfigMaps of other namespaces')
    .option('--repository-sync-interval <duration>', 'how often repositories and manifests are read again', '5m')
    .option('--resync-interval <duration>', 'how often a package is looked at though nothing is known to have changed', '10m')
    .option('--auto-update-interval <duration>', 'how often packages that update themselves are compared with their repository', '10m')
    .option('--concurrent-syncs <n>', 'packages at once, of each kind', '4')
    .addOption(helmOption())
    .addOption(helmBinaryOption())
    .option('--metrics-bind-address <address>', 'address of /metrics, such as :8080; 0: none', '0')
    .option('--health-probe-bind-address <address>', 'address of /healthz and /readyz, such as :8081; 0: none', '0')
    .addOption(
      new Option('--log-level <level>', 'what to log')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    ); // prettier-ignore
  command.action(async (flags: Flags) => exit(await runOperator(flags)));
  return shape(command, {
    group: 'Control plane',
    examples: `
      # Beside a member, until it is stopped; installs the kinds too
      %s package-operator --kubeconfig member.kubeconfig

      # In a pod of the member
      %s package-operator --log-level info`,
  });
}

function settingsOf(flags: Flags): PackageSettings {
  const repositorySyncMs = interval('repository-sync-interval', flags.repositorySyncInterval);
  const concurrency = Number(flags.concurrentSyncs);
  if (!/^\d+$/.test(flags.concurrentSyncs) || concurrency < 1 || concurrency > 100)
    throw new OperatingError(
      'BAD_FLAG',
      `--concurrent-syncs must be a whole number from 1 to 100, not "${flags.concurrentSyncs}"`,
      'give another value',
    );
  return {
    ...defaultPackageSettings,
    repositorySyncMs,
    packageInfoSyncMs: repositorySyncMs,
    resyncMs: interval('resync-interval', flags.resyncInterval),
    autoUpdateMs: interval('auto-update-interval', flags.autoUpdateInterval),
    concurrency,
    allowCrossNamespaceReferences: isTrue(flags.allowCrossNamespaceReferences),
  };
}

function isTrue(value: string | boolean | undefined): boolean {
  return value === true || /^true$/i.test(String(value));
}

// LIMIT: nothing is asked more often than this.
const INTERVAL_MIN_MS = 5_000;

function interval(flag: string, text: string): number {
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch {
    ms = Number.NaN;
  }
  if (ms >= INTERVAL_MIN_MS) return ms;
  throw new OperatingError(
    'BAD_FLAG',
    `--${flag} must be a duration of at least ${INTERVAL_MIN_MS / 1000} s, not "${text}"`,
    'write it like 5m or 1h30m',
  );
}

/** Runs until SIGINT or SIGTERM; resolves with the exit code. */
async function runOperator(flags: Flags): Promise<number> {
  const settings = settingsOf(flags);
  const logger = createLogger(flags.logLevel);
  const helm = await helmFrom(flags.helm, flags.helmBinary);
  const { kubeconfig, context } = flags;
  const cluster = await loadRotatingKubeconfig({
    ...(kubeconfig === undefined ? {} : { path: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const stop = stopOnSignals();
  const transport = createHttpsTransport({
    ...cluster,
    clock: systemClock,
    userAgent: 'navarch-package-operator',
  });
  const fetcher = createFileFetcher({ clock: systemClock, mayReadFiles: true });
  const client = createClient(transport, { fieldManager: 'navarch-package-operator' });
  const metrics = createMetricsRegistry();
  const lead = (signal: AbortSignal): Promise<void> =>
    operate({ transport, fetcher, settings, helm, logger, metrics, server: cluster.server }, signal);
  const sides = await serveSideEndpoints(sideEndpoints(flags, metrics));
  try {
    if (/^false$/i.test(String(flags.leaderElect))) await lead(stop.signal);
    else {
      await ensureNamespace(client);
      await runLeaderElection({
        client,
        clock: systemClock,
        random: systemRandom,
        logger,
        lease: { namespace: PACKAGES_NAMESPACE, name: LEASE },
        identity: `${os.hostname()}_${randomUUID()}`,
        signal: stop.signal,
        lead,
      });
    }
    print('Stopping ...');
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    throw error;
  } finally {
    await closeParts(
      [
        { name: 'connection to the cluster', close: () => transport.close() },
        { name: 'side endpoints', close: () => sides.close() },
        { name: 'connections to repositories', close: () => fetcher.close() },
      ],
      logger,
    );
  }
}

/** An operator that waits for another one to end is well, and ready to take over. */
function sideEndpoints(
  { metricsBindAddress, healthProbeBindAddress }: Flags,
  metrics: MetricsRegistry,
): readonly SideEndpoint[] {
  return [
    {
      flag: 'metrics-bind-address',
      address: metricsBindAddress,
      answer: (path) => (path === '/metrics' ? { status: 200, text: metrics.text() } : undefined),
    },
    {
      flag: 'health-probe-bind-address',
      address: healthProbeBindAddress,
      answer: (path) => (path === '/healthz' || path === '/readyz' ? { status: 200, text: 'ok' } : undefined),
    },
  ];
}

interface Parts {
  readonly transport: Transport;
  readonly fetcher: FileFetcher;
  readonly settings: PackageSettings;
  readonly helm: HelmOptions;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly server: string;
}

async function operate(
  { transport, fetcher, settings, helm, logger, metrics, server }: Parts,
  signal: AbortSignal,
): Promise<void> {
  const operator = startPackageOperator({
    transport,
    fetchFile: fetcher.fetchFile,
    clock: systemClock,
    random: systemRandom,
    logger,
    settings,
    helm,
    observe: (...gauge) => metrics.observed(...gauge),
  });
  try {
    await operator.ready;
    print(`Installing packages in ${server}`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    await operator.close();
  }
}

async function ensureNamespace(client: Client): Promise<void> {
  try {
    await client.create(kinds.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: PACKAGES_NAMESPACE },
    });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

// `navarch estimator`: the accurate estimator of one member, a process of its own beside it. Answers upstream's gRPC
// service, so it serves a Karmada scheduler as well as ours, and its flags are those of karmada-scheduler-estimator.
import { Command, Option } from 'commander';
import { createMetricsRegistry, type MetricsRegistry } from '../apiserver/index.ts';
import {
  OperatingError,
  gatesWithoutEffect,
  parseFeatureGates,
  systemClock,
  systemRandom,
  type FeatureGates,
} from '../base/index.ts';
import { shape } from '../cli/index.ts';
import {
  createClient,
  createHttpsTransport,
  loadKubeconfig,
  type HttpsTransportSettings,
} from '../client/index.ts';
import {
  createMemberEstimator,
  startEstimatorServer,
  type EstimatorCallName,
  type ServerTls,
} from '../estimator/index.ts';
import { createInformerSet } from '../runtime/index.ts';
import { createLogger } from './logger.ts';
import { readPem } from './pem.ts';
import { serveSideEndpoints } from './side-endpoints.ts';
import { closeParts, stopOnSignals, type Part } from './signals.ts';

interface Flags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly master?: string;
  readonly clusterName?: string;
  readonly serverPort: string;
  readonly bindAddress: string;
  readonly grpcAuthCertFile?: string;
  readonly grpcAuthKeyFile?: string;
  readonly grpcClientCaFile?: string;
  readonly insecureSkipGrpcClientVerify?: boolean | string;
  readonly metricsBindAddress: string;
  readonly healthProbeBindAddress: string;
  readonly featureGates: string;
  readonly logLevel: string;
}

const NEEDLESS = ['kube-api-qps', 'kube-api-burst', 'parallelism'] as const;
const DEFAULT_PORT = '10352';

export function estimatorCommand(exit: (code: number) => void): Command {
  const command = new Command('estimator')
    .description('tell schedulers how many replicas fit onto the nodes of a member cluster, by gRPC')
    .option('--kubeconfig <file>', 'kubeconfig of the member; else $KUBECONFIG, ~/.kube/config or the pod')
    .option('--context <name>', 'context of the member in that file')
    .option('--master <url>', 'address of the member, instead of the one in the kubeconfig')
    .requiredOption('--cluster-name <name>', 'name of the member as the control plane knows it')
    .option('--server-port <port>', 'port to serve gRPC on', DEFAULT_PORT)
    .option('--bind-address <address>', 'address to serve gRPC on', '0.0.0.0')
    .option(
      '--grpc-auth-cert-file <file>',
      'certificate of this server, PEM; with its key, gRPC is over TLS 1.3',
    )
    .option('--grpc-auth-key-file <file>', 'key of that certificate, PEM')
    .option('--grpc-client-ca-file <file>', 'authority of the clients to take, PEM; others are turned away')
    .option(
      '--insecure-skip-grpc-client-verify [bool]',
      'take any client, whatever --grpc-client-ca-file says',
    )
    .option('--metrics-bind-address <address>', 'address of /metrics; 0: none', ':8080')
    .option('--health-probe-bind-address <address>', 'address of /healthz and /readyz; 0: none', ':10351')
    .option(
      '--feature-gates <gates>',
      'ResourceQuotaEstimate and SchedulingOvercommitProtection count here',
      '',
    )
    .addOption(
      new Option('--log-level <level>', 'what to log')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    );
  for (const name of NEEDLESS) command.addOption(new Option(`--${name} <value>`).hideHelp());
  command.action(async (flags: Flags & Record<string, unknown>) => exit(await estimator(flags)));
  return shape(command, {
    group: 'Control plane',
    examples: `
      # Beside a member, in the clear
      %s estimator --kubeconfig member1.kubeconfig --cluster-name member1

      # Over TLS, for clients of one authority only
      %s estimator --cluster-name member1 --grpc-auth-cert-file tls.crt --grpc-auth-key-file tls.key --grpc-client-ca-file ca.crt`,
  });
}

/** Runs until SIGINT or SIGTERM. */
async function estimator(flags: Flags & Record<string, unknown>): Promise<number> {
  const gates = readGates(flags);
  const port = readPort(flags.serverPort);
  const tls = await readTls(flags);
  const { clusterName = '' } = flags;
  if (clusterName === '') throw new OperatingError('BAD_FLAG', '--cluster-name is empty', 'name the member');
  const stop = stopOnSignals();
  const logger = createLogger(flags.logLevel).with({ cluster: clusterName });
  const transport = createHttpsTransport({
    ...(await memberSettings(flags)),
    clock: systemClock,
    userAgent: 'karmada-scheduler-estimator',
  });
  const client = createClient(transport);
  const informers = createInformerSet({ client, clock: systemClock, random: systemRandom, logger });
  const member = createMemberEstimator({ client, informers, gates, clock: systemClock });
  const metrics = createMetricsRegistry();
  const served = countCalls(metrics);
  let ready = false;
  const health = { status: 200, text: 'ok' };
  const starting = { status: 503, text: 'the member is not known yet' };
  const parts: Part[] = [
    { name: 'connection to the member', close: () => transport.close() },
    { name: 'caches', close: () => informers.close() },
    { name: 'estimates', close: async () => member.close() },
  ];
  try {
    const sides = await serveSideEndpoints([
      {
        flag: 'metrics-bind-address',
        address: flags.metricsBindAddress,
        answer: (path) => (path === '/metrics' ? { status: 200, text: metrics.text() } : undefined),
      },
      {
        flag: 'health-probe-bind-address',
        address: flags.healthProbeBindAddress,
        answer: (path) =>
          path === '/readyz' ? (ready ? health : starting) : path === '/healthz' ? health : undefined,
      },
    ]);
    parts.push({ name: 'side endpoints', close: () => sides.close() });
    print(`Getting to know the nodes and pods of ${clusterName} ...`);
    await Promise.race([member.synced, stop.requested]);
    if (stop.signal.aborted) return 0;
    const server = await startEstimatorServer({
      clusterName,
      estimator: member,
      host: flags.bindAddress,
      port,
      tls,
      clock: systemClock,
      elapsedMs: () => performance.now(),
      served,
    });
    parts.push({ name: 'gRPC server', close: () => server.close() });
    ready = true;
    print(`Estimating for ${clusterName} on port ${server.port}${tls === undefined ? ', in the clear' : ''}`);
    await stop.requested;
    print('Stopping ...');
    return 0;
  } finally {
    await closeParts(parts, logger);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function readGates(flags: Flags & Record<string, unknown>): FeatureGates {
  const gates = parseFeatureGates(flags.featureGates);
  for (const name of gatesWithoutEffect(gates))
    process.stderr.write(`navarch: feature gate ${name}=${gates[name]} has no effect in this release\n`);
  for (const name of NEEDLESS) {
    const key = name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (flags[key] !== undefined)
      process.stderr.write(
        `navarch: --${name} has no effect: neither requests nor estimates are throttled\n`,
      );
  }
  return gates;
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new OperatingError('BAD_FLAG', `--server-port is no port: "${text}"`, 'give a number up to 65535');
}

async function memberSettings({ kubeconfig, context, master }: Flags): Promise<HttpsTransportSettings> {
  const settings = await loadKubeconfig({
    ...(kubeconfig === undefined ? {} : { path: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  return master === undefined ? settings : { ...settings, server: master };
}

async function readTls(flags: Flags): Promise<ServerTls | undefined> {
  const { grpcAuthCertFile = '', grpcAuthKeyFile = '', grpcClientCaFile = '' } = flags;
  const skip = flags.insecureSkipGrpcClientVerify;
  const anybody = skip === true || (typeof skip === 'string' && /^true$/i.test(skip));
  if (grpcAuthCertFile === '' && grpcAuthKeyFile === '' && grpcClientCaFile === '') return undefined;
  if (grpcAuthCertFile === '' || grpcAuthKeyFile === '') {
    throw new OperatingError(
      'BAD_FLAG',
      'TLS takes both --grpc-auth-cert-file and --grpc-auth-key-file',
      'give both, or neither and no --grpc-client-ca-file',
    );
  }
  return {
    certificate: await readPem('grpc-auth-cert-file', grpcAuthCertFile),
    key: await readPem('grpc-auth-key-file', grpcAuthKeyFile),
    clientAuthority:
      grpcClientCaFile === '' || anybody ? undefined : await readPem('grpc-client-ca-file', grpcClientCaFile),
  };
}

const BUCKETS = Array.from({ length: 10 }, (_, index) => 0.001 * 2 ** index);

/** Upstream's metrics of its estimator. */
function countCalls(
  registry: MetricsRegistry,
): (call: EstimatorCallName, ok: boolean, milliseconds: number) => void {
  const requests = registry.counter(
    'karmada_scheduler_estimator_estimating_request_total',
    'Estimates asked for',
    ['result', 'type'],
  );
  const latency = registry.histogram(
    'karmada_scheduler_estimator_estimating_algorithm_duration_seconds',
    'Time that estimates took, in seconds',
    ['result', 'type', 'step'],
    BUCKETS,
  );
  return (call, ok, milliseconds) => {
    const result = ok ? 'success' : 'error';
    requests.increment([result, call]);
    latency.observe([result, call, 'Total'], milliseconds / 1000);
  };
}

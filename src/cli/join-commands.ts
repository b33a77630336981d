// The commands that talk to a running control plane. Each finds its servers through kubeconfigs, as kubectl does.
import { Command } from 'commander';
import { OperatingError, systemClock } from '../base/index.ts';
import {
  createClient,
  createHttpsTransport,
  loadKubeconfig,
  type Client,
  type HttpsTransportSettings as ConnectionSettings,
} from '../client/index.ts';
import { DurationError, parseDuration } from '../machinery/index.ts';
import { validateClusterName } from '../fleet/index.ts';
import { joinCluster, unjoinCluster, type MemberEndpoint } from './join.ts';

type SetExitCode = (code: number) => void;

interface Connected {
  readonly client: Client;
  readonly settings: ConnectionSettings;
}

async function connect(kubeconfig: string | undefined, context: string | undefined): Promise<Connected> {
  const settings = await loadKubeconfig({
    ...(kubeconfig === undefined ? {} : { path: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const transport = createHttpsTransport({ ...settings, clock: systemClock, userAgent: 'navarch' });
  return { client: createClient(transport, { fieldManager: 'navarch' }), settings };
}

function withHub(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig of the control plane; else $KUBECONFIG, else ~/.kube/config')
    .option('--karmada-context <name>', 'context of the control plane in that file');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function endpointOf(settings: ConnectionSettings): MemberEndpoint {
  return {
    server: settings.server,
    ...(settings.ca === undefined ? {} : { certificateAuthority: settings.ca }),
    ...(settings.insecureSkipTlsVerify === true ? { insecureSkipTlsVerify: true } : {}),
    ...(settings.proxyUrl === undefined ? {} : { proxyUrl: settings.proxyUrl }),
  };
}

interface JoinFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly clusterKubeconfig?: string;
  readonly clusterContext?: string;
  readonly clusterNamespace: string;
  readonly clusterProvider?: string;
  readonly clusterRegion?: string;
  readonly clusterZones?: string;
  readonly dryRun?: boolean;
}

export function joinCommand(exit: SetExitCode): Command {
  return withHub(new Command('join'))
    .description('register a cluster with the control plane, which then pushes to it')
    .argument('<cluster>', 'name the cluster is to have')
    .option(
      '--cluster-kubeconfig <file>',
      'kubeconfig of the cluster to join; else the same as that of the control plane',
    )
    .option('--cluster-context <name>', 'context of the cluster in that file; else its current one')
    .option('--cluster-namespace <namespace>', 'namespace for the accounts and secrets', 'karmada-cluster')
    .option('--cluster-provider <name>', 'who provides the cluster')
    .option('--cluster-region <name>', 'region the cluster is in')
    .option('--cluster-zones <names>', 'zones the cluster is in, separated by commas')
    .option('--dry-run', 'only check whether the cluster could be joined')
    .action(async (name: string, flags: JoinFlags) => {
      const [problem] = validateClusterName(name);
      if (problem !== undefined)
        throw new OperatingError(
          'BAD_CLUSTER_NAME',
          `"${name}" is no name for a cluster: ${problem.message}`,
          'choose another name',
        );
      const hub = await connect(flags.kubeconfig, flags.karmadaContext);
      const member = await connect(flags.clusterKubeconfig ?? flags.kubeconfig, flags.clusterContext);
      try {
        await joinCluster(
          {
            name,
            endpoint: endpointOf(member.settings),
            clusterNamespace: flags.clusterNamespace,
            dryRun: flags.dryRun === true,
            ...(flags.clusterProvider === undefined ? {} : { provider: flags.clusterProvider }),
            ...(flags.clusterRegion === undefined ? {} : { region: flags.clusterRegion }),
            ...(flags.clusterZones === undefined ? {} : { zones: flags.clusterZones.split(',') }),
          },
          contextFor(hub.client, member.client),
        );
        if (flags.dryRun !== true) print(`cluster(${name}) is joined successfully`);
        exit(0);
      } finally {
        await Promise.all([hub.client.transport.close(), member.client.transport.close()]);
      }
    });
}

function contextFor(hubClient: Client, memberClient: Client): Parameters<typeof joinCluster>[1] {
  return {
    hubClient,
    memberClient,
    clock: systemClock,
    progress: (step) => process.stderr.write(`${step} ...\n`),
    signal: new AbortController().signal,
  };
}

interface UnjoinFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly clusterKubeconfig?: string;
  readonly clusterContext?: string;
  readonly clusterNamespace: string;
  readonly wait: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export function unjoinCommand(exit: SetExitCode): Command {
  return withHub(new Command('unjoin'))
    .description('remove a cluster from the control plane, and what the control plane put into it')
    .argument('<cluster>', 'name of the cluster')
    .option('--cluster-kubeconfig <file>', 'kubeconfig of the cluster, to remove what joining created there')
    .option('--cluster-context <name>', 'context of the cluster in that file; default its name')
    .option('--cluster-namespace <namespace>', 'namespace of the accounts and secrets', 'karmada-cluster')
    .option('--wait <duration>', 'how long to wait until the cluster is gone', '1m0s')
    .option('--force', 'drop finalizers when the wait is over; what stays behind in the cluster is listed')
    .option('--dry-run', 'only check whether there is such a cluster')
    .action(async (name: string, flags: UnjoinFlags) => {
      const waitMs = readDuration('wait', flags.wait);
      const hub = await connect(flags.kubeconfig, flags.karmadaContext);
      const member =
        flags.clusterKubeconfig === undefined
          ? undefined
          : await connect(flags.clusterKubeconfig, flags.clusterContext ?? name);
      try {
        const { memberClient: _unused, ...context } = contextFor(hub.client, hub.client);
        await unjoinCluster(
          {
            name,
            clusterNamespace: flags.clusterNamespace,
            waitMs,
            force: flags.force === true,
            dryRun: flags.dryRun === true,
          },
          { ...context, memberClient: member?.client },
        );
        if (flags.dryRun !== true) print(`cluster(${name}) is unjoined successfully`);
        exit(0);
      } finally {
        await Promise.all([hub.client.transport.close(), member?.client.transport.close()]);
      }
    });
}

function readDuration(flag: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new OperatingError(
      'BAD_FLAG',
      `--${flag} is no duration: "${text}"`,
      'write it like 30s, 5m or 1h30m',
    );
  }
}

export function faultCommand(exit: SetExitCode): Command {
  return withHub(new Command('fault'))
    .description(
      'break and mend simulated members: "navarch fault member1 \'{"network":"cut"}\'"; without a fault shows the present ones',
    )
    .argument('<member>', 'name of the simulated member')
    .argument('[fault]', 'what is to be wrong, as JSON; see docs/simulated-members.md')
    .action(
      async (
        member: string,
        fault: string | undefined,
        flags: { readonly kubeconfig?: string; readonly karmadaContext?: string },
      ) => {
        let body: unknown;
        try {
          body = fault === undefined ? {} : JSON.parse(fault);
        } catch {
          throw new OperatingError(
            'BAD_FAULT',
            `"${fault}" is no JSON`,
            'quote the fault for your shell; docs/simulated-members.md lists all of them',
          );
        }
        const hub = await connect(flags.kubeconfig, flags.karmadaContext);
        try {
          const answer = await hub.client.request({
            method: 'POST',
            path: `/simulation/members/${encodeURIComponent(member)}/faults`,
            body,
          });
          print(JSON.stringify(answer, null, 2));
          exit(0);
        } finally {
          await hub.client.transport.close();
        }
      },
    );
}

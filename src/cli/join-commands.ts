// `join` and `unjoin`. Each finds its servers through kubeconfigs, as kubectl does.
import type { Command } from 'commander';
import { systemClock } from '../base/index.ts';
import type { Client } from '../client/index.ts';
import { validateClusterName } from '../fleet/index.ts';
import {
  connect,
  print,
  readDuration,
  withHub,
  type ConnectionSettings,
  type SetExitCode,
} from './command.ts';
import { CommandError, listOption, upstreamCommand } from './shell/index.ts';
import { joinCluster, unjoinCluster, type MemberEndpoint } from './join.ts';

function endpointOf(settings: ConnectionSettings): MemberEndpoint {
  return {
    server: settings.server,
    ...(settings.ca === undefined ? {} : { certificateAuthority: settings.ca }),
    ...(settings.insecureSkipTlsVerify === true ? { insecureSkipTlsVerify: true } : {}),
    ...(settings.proxyUrl === undefined ? {} : { proxyUrl: settings.proxyUrl }),
  };
}

const JOIN_EXAMPLES = `
  # Join the cluster of a kubeconfig as member1
  %s join member1 --cluster-kubeconfig ~/.kube/member1

  # The same, with where it is
  %s join member1 --cluster-kubeconfig ~/.kube/member1 --cluster-region eu --cluster-zones eu-1,eu-2`;

const UNJOIN_EXAMPLES = `
  # Remove a cluster, and what joining created in it
  %s unjoin member1 --cluster-kubeconfig ~/.kube/member1

  # Remove a cluster that will not come back
  %s unjoin member1 --force --wait 10s`;

interface JoinFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly clusterKubeconfig?: string;
  readonly clusterContext?: string;
  readonly clusterNamespace: string;
  readonly clusterProvider?: string;
  readonly clusterRegion?: string;
  readonly clusterZones?: string;
  readonly karmadaAs?: string;
  readonly karmadaAsGroup: readonly string[];
  readonly karmadaAsUid?: string;
  readonly dryRun?: boolean;
}

function oneName(names: readonly string[]): string {
  const [name, ...others] = names;
  if (name === undefined) throw new CommandError('cluster name is required');
  if (others.length > 0) throw new CommandError('more than one cluster name is not supported');
  return name;
}

function impersonated(flags: JoinFlags): ConnectionSettings['impersonate'] {
  if (flags.karmadaAs === undefined) return undefined;
  return {
    user: flags.karmadaAs,
    groups: flags.karmadaAsGroup,
    ...(flags.karmadaAsUid === undefined ? {} : { uid: flags.karmadaAsUid }),
  };
}

export function joinCommand(exit: SetExitCode): Command {
  return withHub(upstreamCommand('join', { group: 'Cluster registration', examples: JOIN_EXAMPLES }))
    .description('register a cluster with the control plane, which then pushes to it')
    .argument('[cluster...]', 'name the cluster is to have')
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
    .option('--karmada-as <user>', 'act on the control plane as this user')
    .addOption(listOption('--karmada-as-group <groups>', 'and as a member of these groups'))
    .option('--karmada-as-uid <uid>', 'and with this uid')
    .action(async (names: readonly string[], flags: JoinFlags) => {
      const name = oneName(names);
      const [problem] = validateClusterName(name);
      if (problem !== undefined) throw new CommandError(`invalid cluster name(${name}): ${problem.message}`);
      const hub = await connect(flags.kubeconfig, flags.karmadaContext, impersonated(flags));
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
    // For people; scripts compare what upstream prints.
    progress: (step) => {
      if (process.stderr.isTTY) process.stderr.write(`${step} ...\n`);
    },
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
  readonly leaveBehind?: boolean;
  readonly dryRun?: boolean;
}

export function unjoinCommand(exit: SetExitCode): Command {
  return withHub(upstreamCommand('unjoin', { group: 'Cluster registration', examples: UNJOIN_EXAMPLES }))
    .description('remove a cluster from the control plane, and what the control plane put into it')
    .argument('[cluster...]', 'name of the cluster')
    .option('--cluster-kubeconfig <file>', 'kubeconfig of the cluster, to remove what joining created there')
    .option('--cluster-context <name>', 'context of the cluster in that file; default its name')
    .option('--cluster-namespace <namespace>', 'namespace of the accounts and secrets', 'karmada-cluster')
    .option('--wait <duration>', 'how long to wait until the cluster is gone', '1m0s')
    .option('--force', 'drop finalizers when the wait is over; what stays behind in the cluster is listed')
    .option(
      '--leave-behind',
      'do not ask the cluster at all: what is there stays, and is listed in a MemberResidue of its name',
    )
    .option('--dry-run', 'only check whether there is such a cluster')
    .action(async (names: readonly string[], flags: UnjoinFlags) => {
      const name = oneName(names);
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
            leaveBehind: flags.leaveBehind === true,
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

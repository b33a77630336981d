// `top pod` and `top node`: what pods and nodes of members use, as their metrics servers say.
import type { Command } from 'commander';
import type { KubeObject } from '../api/index.ts';
import { errorMessage, systemClock } from '../base/index.ts';
import { isNotFound, kinds } from '../client/index.ts';
import { Quantity, StatusError, formatDuration } from '../machinery/index.ts';
import type { SetExitCode } from './command.ts';
import {
  clusterNames,
  completeNames,
  requireClusters,
  withNamespace,
  withSession,
  type HubFlags,
  type Session,
} from './objects/index.ts';
import { formatColumns } from './output/index.ts';
import { CommandError, listOption, throwAll, upstreamCommand } from './shell/index.ts';

interface TopFlags extends HubFlags {
  readonly clusters: readonly string[];
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly sortBy?: string;
  readonly containers?: boolean;
  readonly allNamespaces?: boolean;
  readonly headers: boolean;
  readonly sum?: boolean;
  readonly showCapacity?: boolean;
}

interface Usage {
  readonly cpu: number;
  readonly memory: number;
}

interface PodMetrics extends KubeObject {
  readonly containers?: readonly {
    readonly name: string;
    readonly usage: Readonly<Record<string, string>>;
  }[];
}

interface NodeMetrics extends KubeObject {
  readonly usage?: Readonly<Record<string, string>>;
}

const METRICS = { group: 'metrics.k8s.io', version: 'v1beta1' };
const POD_METRICS = { ...METRICS, resource: 'pods', namespaced: true };
const NODE_METRICS = { ...METRICS, resource: 'nodes', namespaced: false };
/** COMPAT: a younger pod need not have been measured yet. */
const GRACE_MS = 120_000;
const MIB = 1024 * 1024;

export function topCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('top', {
    group: 'Advanced',
    examples: `
      # Pods of all members
      %s top pods -n shop

      # Nodes of one member
      %s top nodes --clusters member1`,
  });
  command.description('Display resource (CPU/memory) usage of member clusters');
  command.addCommand(topPodCommand(exit));
  command.addCommand(topNodeCommand(exit));
  return command;
}

function topPodCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('pod', {
    examples: `
      # By what they use, in two members
      %s top pod -n shop -C member1,member2 --sort-by cpu --sum

      # Each container
      %s top pod -A --containers`,
    complete: completeNames('pods'),
  });
  return withNamespace(command)
    .aliases(['pods', 'po'])
    .description('Display resource (CPU/memory) usage of pods of member clusters')
    .argument('[names...]', 'NAME')
    .addOption(listOption('-C, --clusters <names>', 'members to ask; all when not given'))
    .option('-l, --selector <selector>', 'label selector to filter on')
    .option('--field-selector <selector>', 'field selector to filter on')
    .option('--sort-by <column>', 'sort the list by cpu or memory, largest first')
    .option('--containers', 'print usage of containers within a pod')
    .option('-A, --all-namespaces', 'list the requested objects across all namespaces')
    .option('--no-headers', 'print output without headers')
    .option('--sum', 'print the sum of the resource usage')
    .option('--use-protocol-buffers [bool]', 'accepted; JSON is used')
    .action(async (names: readonly string[], flags: TopFlags) => {
      if (names.length > 1) throw new CommandError('only one NAME can be provided');
      if (names.length === 1 && (flags.selector !== undefined || flags.fieldSelector !== undefined))
        throw new CommandError('only one of NAME or selector can be provided');
      checkSort(flags.sortBy);
      await withSession(flags, (session) => topPods(session, names[0], flags));
      exit(0);
    });
}

function checkSort(sortBy: string | undefined): void {
  if (sortBy !== undefined && !['', 'cpu', 'memory'].includes(sortBy))
    throw new CommandError('--sort-by accepts only cpu or memory');
}

/** Asks members side by side; what one cannot tell does not hide the others. */
async function ofMembers<T>(
  session: Session,
  { clusters }: TopFlags,
  ask: (member: Session, cluster: string) => Promise<readonly T[]>,
): Promise<{ readonly found: readonly T[]; readonly errors: readonly Error[] }> {
  await requireClusters(session, clusters);
  const names = clusters.length > 0 ? [...new Set(clusters)] : await clusterNames(session);
  const errors: Error[] = [];
  const found = await Promise.all(
    [...names].sort().map(async (cluster) => {
      try {
        return await ask(session.member(cluster), cluster);
      } catch (error) {
        errors.push(new CommandError(`cluster(${cluster}): ${errorMessage(error)}`));
        return [];
      }
    }),
  );
  return { found: found.flat(), errors };
}

async function metricsOf<T extends KubeObject>(list: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await list();
  } catch (error) {
    // One object by its name may be missing without the API.
    const named = error instanceof StatusError ? error.status.details?.name : undefined;
    if (isNotFound(error) && named === undefined) throw new CommandError('metrics API not available');
    throw error;
  }
}

interface PodRow extends Usage {
  readonly cluster: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string | undefined;
}

async function topPods(session: Session, name: string | undefined, flags: TopFlags): Promise<void> {
  const namespace = flags.allNamespaces === true ? undefined : session.namespace;
  const selection = { namespace, labelSelector: flags.selector, fieldSelector: flags.fieldSelector };
  const { found, errors } = await ofMembers(session, flags, async ({ client }, cluster) => {
    const metrics = await metricsOf<PodMetrics>(async () =>
      name === undefined
        ? (await client.listAll(POD_METRICS, selection)).items
        : [await client.get(POD_METRICS, { namespace, name })],
    );
    if (metrics.length === 0 && name === undefined)
      refuseUnmeasured((await client.listAll(kinds.pods, selection)).items);
    return metrics.flatMap((one) => podRows(one, cluster, flags.containers === true));
  });
  const rows = [...found].sort(podOrder(flags));
  if (rows.length > 0) process.stdout.write(formatColumns(podLines(rows, flags)));
  else if (errors.length === 0)
    process.stderr.write(
      namespace === undefined ? 'No resources found\n' : `No resources found in ${namespace} namespace.\n`,
    );
  throwAll(errors);
}

function refuseUnmeasured(pods: readonly KubeObject[]): void {
  if (pods.length === 0) return;
  for (const { metadata } of pods) {
    const ageMs = systemClock.now() - Date.parse(metadata.creationTimestamp ?? '');
    if (ageMs > GRACE_MS)
      throw new CommandError(
        `Metrics not available for pod ${metadata.namespace ?? ''}/${metadata.name ?? ''}, age: ${formatDuration(ageMs)}`,
      );
  }
  throw new CommandError('metrics not available yet');
}

function usageOf(amounts: Readonly<Record<string, string>> | undefined): Usage {
  const milli = (text: string | undefined): number =>
    Math.ceil(Quantity.parse(text ?? '0').toNumber() * 1000);
  return { cpu: milli(amounts?.['cpu']), memory: Quantity.parse(amounts?.['memory'] ?? '0').toNumber() };
}

function podRows(metrics: PodMetrics, cluster: string, each: boolean): readonly PodRow[] {
  const { name = '', namespace = '' } = metrics.metadata;
  const base = { cluster, namespace, pod: name };
  const containers = (metrics.containers ?? []).map((one) => ({ name: one.name, ...usageOf(one.usage) }));
  if (each) return containers.map(({ name: container, ...usage }) => ({ ...base, container, ...usage }));
  return [{ ...base, container: undefined, ...sumOf(containers) }];
}

function sumOf(usages: readonly Usage[]): Usage {
  return {
    cpu: usages.reduce((sum, one) => sum + one.cpu, 0),
    memory: usages.reduce((sum, one) => sum + one.memory, 0),
  };
}

function podOrder({ sortBy, allNamespaces }: TopFlags): (a: PodRow, b: PodRow) => number {
  const key = (one: PodRow): string =>
    [one.cluster, ...(allNamespaces === true ? [one.namespace] : []), one.pod, one.container ?? ''].join(
      '\u0000',
    );
  return (a, b) => {
    if (sortBy === 'cpu' && a.cpu !== b.cpu) return b.cpu - a.cpu;
    if (sortBy === 'memory' && a.memory !== b.memory) return b.memory - a.memory;
    return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
  };
}

function cpuText(milli: number): string {
  return `${milli}m`;
}

function memoryText(bytes: number): string {
  return `${Math.floor(bytes / MIB)}Mi`;
}

function podLines(rows: readonly PodRow[], flags: TopFlags): readonly (readonly string[])[] {
  const all = flags.allNamespaces === true;
  const each = flags.containers === true;
  const header = [
    ...(all ? ['NAMESPACE'] : []),
    ...(each ? ['POD'] : []),
    'NAME',
    'CLUSTER',
    'CPU(cores)',
    'MEMORY(bytes)',
  ];
  const lines = rows.map((row) => [
    ...(all ? [row.namespace] : []),
    ...(each ? [row.pod] : []),
    row.container ?? row.pod,
    row.cluster,
    cpuText(row.cpu),
    memoryText(row.memory),
  ]);
  if (flags.sum === true) {
    const total = sumOf(rows);
    const before = header.length - 3;
    const blanks = Array.from({ length: before }, () => '');
    lines.push(
      [...blanks, '', '________', '________'],
      [...blanks, '', cpuText(total.cpu), memoryText(total.memory)],
    );
  }
  return flags.headers ? [header, ...lines] : lines;
}

interface NodeRow {
  readonly cluster: string;
  readonly node: string;
  /** Undefined: not measured. */
  readonly usage: Usage | undefined;
  readonly available: Usage;
}

function topNodeCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('node', {
    examples: '# Nodes of all members\n%s top node',
    complete: completeNames('nodes'),
  });
  return withNamespace(command)
    .aliases(['nodes', 'no'])
    .description('Display resource (CPU/memory) usage of nodes of member clusters')
    .argument('[names...]', 'NAME')
    .addOption(listOption('--clusters <names>', 'members to ask; all when not given'))
    .option('-l, --selector <selector>', 'label selector to filter on')
    .option('--sort-by <column>', 'sort the list by cpu or memory, largest first')
    .option('--no-headers', 'print output without headers')
    .option('--show-capacity', 'print node resources based on Capacity instead of Allocatable')
    .option('--use-protocol-buffers [bool]', 'accepted; JSON is used')
    .action(async (names: readonly string[], flags: TopFlags) => {
      if (names.length > 1) throw new CommandError('only one NAME can be provided');
      if (names.length === 1 && flags.selector !== undefined)
        throw new CommandError('only one of NAME or selector can be provided');
      checkSort(flags.sortBy);
      await withSession(flags, (session) => topNodes(session, names[0], flags));
      exit(0);
    });
}

async function topNodes(session: Session, name: string | undefined, flags: TopFlags): Promise<void> {
  const { found, errors } = await ofMembers<NodeRow>(session, flags, async ({ client }, cluster) => {
    const metrics = await metricsOf<NodeMetrics>(async () =>
      name === undefined
        ? (await client.listAll(NODE_METRICS, { labelSelector: flags.selector })).items
        : [await client.get(NODE_METRICS, { name })],
    );
    const nodes =
      name === undefined
        ? (await client.listAll(kinds.nodes, { labelSelector: flags.selector })).items
        : [await client.get(kinds.nodes, { name })];
    if (metrics.length === 0 && nodes.length > 0) throw new CommandError('metrics not available yet');
    return nodes.map((node): NodeRow => {
      const status = node['status'] as Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
      const measured = metrics.find(({ metadata }) => metadata.name === node.metadata.name);
      return {
        cluster,
        node: node.metadata.name ?? '',
        usage: measured === undefined ? undefined : usageOf(measured.usage),
        available: usageOf(status?.[flags.showCapacity === true ? 'capacity' : 'allocatable']),
      };
    });
  });
  const rows = [...found].sort(nodeOrder(flags.sortBy));
  if (rows.length > 0) process.stdout.write(formatColumns(nodeLines(rows, flags.headers)));
  else if (errors.length === 0) process.stderr.write('No resources found\n');
  throwAll(errors);
}

function nodeOrder(sortBy: string | undefined): (a: NodeRow, b: NodeRow) => number {
  return (a, b) => {
    const field = sortBy === 'cpu' || sortBy === 'memory' ? sortBy : undefined;
    if (field !== undefined && a.usage?.[field] !== b.usage?.[field])
      return (b.usage?.[field] ?? -1) - (a.usage?.[field] ?? -1);
    return a.node < b.node ? -1 : a.node > b.node ? 1 : a.cluster < b.cluster ? -1 : 1;
  };
}

function nodeLines(rows: readonly NodeRow[], headers: boolean): readonly (readonly string[])[] {
  const share = (used: number, of: number): string => (of === 0 ? '0%' : `${Math.floor((used * 100) / of)}%`);
  const unknown = '<unknown>';
  const lines = rows.map(({ node, cluster, usage, available }) =>
    usage === undefined
      ? [node, cluster, unknown, unknown, unknown, unknown]
      : [
          node,
          cluster,
          cpuText(usage.cpu),
          share(usage.cpu, available.cpu),
          memoryText(usage.memory),
          share(usage.memory, available.memory),
        ],
  );
  const header = ['NAME', 'CLUSTER', 'CPU(cores)', 'CPU%', 'MEMORY(bytes)', 'MEMORY%'];
  return headers ? [header, ...lines] : lines;
}

// What scrapers are told of the fleet and its failovers: read from the caches when they ask, so that nothing has to be
// counted in between, and a series goes with its cluster. Names of cluster_* are upstream's.
import type { Cluster, FailoverRecord } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { Quantity } from '../machinery/index.ts';
import type { Series } from '../runtime/index.ts';
import type { Controller } from './context.ts';
import { brakeOf } from './eviction-brake.ts';
import { failoverRecords } from './failover-history.ts';
import { isReady } from './readiness.ts';

function amountOf(
  which: 'allocatable' | 'allocated',
  resource: string,
): (cluster: Cluster) => number | undefined {
  return ({ status }) => Quantity.tryParse(status?.resourceSummary?.[which]?.[resource])?.toNumber();
}

const clusterGauges: readonly [
  name: string,
  help: string,
  read: (cluster: Cluster) => number | undefined,
][] = [
  ['cluster_ready_state', 'Whether the cluster is ready.', (cluster) => Number(isReady(cluster))],
  ['cluster_node_number', 'Nodes.', ({ status }) => status?.nodeSummary?.totalNum],
  ['cluster_ready_node_number', 'Ready nodes.', ({ status }) => status?.nodeSummary?.readyNum],
  ['cluster_memory_allocatable_bytes', 'Memory of the nodes.', amountOf('allocatable', 'memory')],
  ['cluster_memory_allocated_bytes', 'Memory that pods request.', amountOf('allocated', 'memory')],
  ['cluster_cpu_allocatable_number', 'CPUs of the nodes.', amountOf('allocatable', 'cpu')],
  ['cluster_cpu_allocated_number', 'CPUs that pods request.', amountOf('allocated', 'cpu')],
  ['cluster_pod_allocatable_number', 'Pods the nodes take.', amountOf('allocatable', 'pods')],
  ['cluster_pod_allocated_number', 'Pods there are.', amountOf('allocated', 'pods')],
]; // prettier-ignore

/** One value a cluster; none for a cluster that does not say. Pure. */
export function clusterSeries(
  clusters: Iterable<Cluster>,
  read: (cluster: Cluster) => number | undefined,
): Series {
  return [...clusters].flatMap((cluster) => {
    const value = read(cluster);
    return value === undefined ? [] : [[[cluster.metadata.name ?? ''], value] as const];
  });
}

/** How many failovers are kept of each cause and outcome. Pure. */
export function failoverSeries(records: Iterable<FailoverRecord>): Series {
  const counts = new Map<string, number>();
  for (const { spec, status } of records) {
    const key = `${spec.cause} ${status?.outcome ?? 'Running'}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => [key.split(' '), count] as const);
}

/** Workloads of failovers that are not over, by cluster and by what is with them. Pure. */
export function moveSeries(records: Iterable<FailoverRecord>): Series {
  return [...records]
    .filter(({ status }) => status !== undefined && status.finishTime === undefined)
    .flatMap(({ spec, status }) =>
      (['total', 'moved', 'held'] as const).map(
        (what) => [[spec.cluster, what], status?.[what] ?? 0] as const,
      ),
    );
}

/** COMPAT: switched on and off together with the cluster status controller, which reports the cluster_* ones upstream. */
export const fleetMetrics: Controller = {
  name: 'clusterStatus',
  async run(context) {
    const { informers, observe } = context;
    if (observe === undefined) return;
    const clusters = informers.informer(kinds.clusters);
    const records = informers.informer(failoverRecords);
    await Promise.all([clusters.synced, records.synced]);
    for (const [name, help, read] of clusterGauges)
      observe(name, help, () => clusterSeries(clusters.store.values(), read), ['member_cluster']);
    observe('navarch_failovers', 'Failovers that are kept.', () => failoverSeries(records.store.values()), [
      'cause',
      'outcome',
    ]);
    observe(
      'navarch_failover_workloads',
      'Workloads of failovers under way.',
      () => moveSeries(records.store.values()),
      ['member_cluster', 'state'],
    );
    const brake = brakeOf(context);
    observe(
      'navarch_eviction_brake_engaged',
      'Whether evictions are held.',
      () => [[[], Number(brake.engaged)]],
      [],
    );
    const fleet = (): Series => [[[], brake.fleet().lost]];
    observe('navarch_lost_clusters', 'Clusters that are not ready or were given up.', fleet, []);
  },
};

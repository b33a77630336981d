// All clusters as one decision sees them: frozen, in order of name, with what decisions ask most often worked out
// once per version of a Cluster object. A new snapshot after one cluster changed costs little, since views are kept.
import type { Cluster } from '../api/index.ts';
import { saysSuspended } from '../fleet/index.ts';
import { Quantity } from '../machinery/index.ts';

type Taint = NonNullable<Cluster['spec']['taints']>[number];

export interface ClusterView {
  readonly cluster: Cluster;
  readonly name: string;
  readonly terminating: boolean;
  /** Nothing is written to it for now, so nothing new belongs there. */
  readonly suspended: boolean;
  /** Taints that keep templates away: NoSchedule and NoExecute. */
  readonly repellingTaints: readonly Taint[];
  servesApi(apiVersion: string, kind: string): boolean;
  /**
   * What is neither allocated nor being allocated, in milli for cpu and whole units otherwise. Undefined when the
   * cluster offers none of the resource; may be negative.
   */
  free(resource: string): number | undefined;
}

export interface FleetSnapshot {
  /** In order of name. */
  readonly clusters: readonly ClusterView[];
  byName(name: string): ClusterView | undefined;
}

/** Amounts are compared per resource: cpu in thousandths, everything else in whole units, both rounded up. */
export function amountOf(resource: string, quantity: string | number): number {
  const parsed = Quantity.tryParse(quantity);
  if (parsed === undefined) return 0;
  return resource === 'cpu' ? parsed.milliValue() : parsed.value();
}

const views = new WeakMap<Cluster, ClusterView>();
const NO_TAINTS: readonly Taint[] = [];

class View implements ClusterView {
  readonly cluster: Cluster;
  readonly name: string;
  readonly terminating: boolean;
  readonly suspended: boolean;
  readonly repellingTaints: readonly Taint[];
  #apis: Map<string, Set<string>> | undefined;
  readonly #free = new Map<string, number | undefined>();

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.name = cluster.metadata.name ?? '';
    this.terminating = cluster.metadata.deletionTimestamp !== undefined;
    this.suspended = saysSuspended(cluster);
    const taints = cluster.spec.taints ?? NO_TAINTS;
    const repelling = taints.filter(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute');
    this.repellingTaints = repelling.length === 0 ? NO_TAINTS : repelling;
  }

  servesApi(apiVersion: string, kind: string): boolean {
    this.#apis ??= new Map(
      (this.cluster.status?.apiEnablements ?? []).map(({ groupVersion, resources }) => [
        groupVersion,
        new Set(resources?.map((resource) => resource.kind)),
      ]),
    );
    return this.#apis.get(apiVersion)?.has(kind) === true;
  }

  free(resource: string): number | undefined {
    if (!this.#free.has(resource)) this.#free.set(resource, this.#computeFree(resource));
    return this.#free.get(resource);
  }

  #computeFree(resource: string): number | undefined {
    const { allocatable, allocated, allocating } = this.cluster.status?.resourceSummary ?? {};
    const amount = (amounts: typeof allocatable): number | undefined => {
      if (amounts === undefined || !Object.hasOwn(amounts, resource)) return undefined;
      return amountOf(resource, amounts[resource] ?? 0);
    };
    const offered = amount(allocatable);
    return offered === undefined ? undefined : offered - (amount(allocated) ?? 0) - (amount(allocating) ?? 0);
  }
}

/** The view of a cluster, made once per frozen object. */
export function clusterView(cluster: Cluster): ClusterView {
  const known = views.get(cluster);
  if (known !== undefined) return known;
  const view = new View(cluster);
  if (Object.isFrozen(cluster)) views.set(cluster, view);
  return view;
}

export function fleetSnapshot(clusters: Iterable<Cluster>): FleetSnapshot {
  const all = Array.from(clusters, clusterView).sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : 0,
  );
  const byName = new Map(all.map((view) => [view.name, view]));
  return { clusters: all, byName: (name) => byName.get(name) };
}

// What decisions have taken that no cache shows yet: room in clusters (gate SchedulingOvercommitProtection) and places
// of workload groups (gate WorkloadAffinity). Taken in the very step of the decision, so that of two decisions in a row
// the second knows the first; given back when the write fails.
import { every, type Cancel } from '../../base/index.ts';
import { keyOf, kinds } from '../../client/index.ts';
import type { Cluster, ResourceBinding, TargetCluster } from '../../api/index.ts';
import { deepEqual } from '../../machinery/index.ts';
import type { Binding } from '../../propagation/index.ts';
import type { Informer } from '../../runtime/index.ts';
import {
  createAssumptions,
  groupKeys,
  isAssignmentSettled,
  newestOf,
  newlyHealthy,
  peersOf,
  type ScheduleInput,
} from '../../scheduling/index.ts';
import type { ControllerContext } from '../context.ts';

const BY_AFFINITY_GROUP = 'affinity-group';
const SWEEP_MS = 60_000;

export class Reservations {
  private readonly context: ControllerContext;
  private readonly bindings: Informer<Binding>;
  private readonly settled: () => void;
  private readonly assumptions = createAssumptions();
  /** Decided and on its way to the API server. */
  private readonly underWay = new Map<string, ResourceBinding>();
  /** Stored, and maybe not in the cache yet. */
  private readonly stored = new Map<string, ResourceBinding>();

  /** @param settled told when room that counted as taken may have become free */
  constructor(context: ControllerContext, bindings: Informer<Binding>, settled: () => void) {
    this.context = context;
    this.settled = settled;
    this.bindings = bindings;
    if (context.settings.gates.WorkloadAffinity) bindings.addIndex(BY_AFFINITY_GROUP, groupKeys);
  }

  /** COMPAT: cluster-scoped bindings take nothing and are in no group. */
  private concerns(binding: Binding): binding is ResourceBinding {
    return binding.kind === 'ResourceBinding';
  }

  /** What a decision about `binding` has to know. */
  inputFor(binding: Binding): Pick<ScheduleInput, 'assumed' | 'peers'> {
    const { gates } = this.context.settings;
    return {
      ...(gates.SchedulingOvercommitProtection
        ? { assumed: this.assumptions.byCluster(this.context.clock.now()) }
        : {}),
      ...(gates.WorkloadAffinity && this.concerns(binding)
        ? { peers: peersOf(binding, (group) => this.members(group)) }
        : {}),
    };
  }

  /** The bindings of a group as they are, or will be when what is under way arrives. */
  private *members(group: string): Iterable<ResourceBinding> {
    const seen = new Set<string>();
    for (const observed of this.bindings.store.byIndex(BY_AFFINITY_GROUP, group)) {
      if (!this.concerns(observed)) continue;
      const key = keyOf(observed);
      seen.add(key);
      yield this.underWay.get(key) ?? newestOf(this.stored.get(key), observed);
    }
  }

  /** In the step of the decision. Returns how to give it back. */
  take(binding: Binding, clusters: readonly TargetCluster[]): () => void {
    const { gates } = this.context.settings;
    if (!this.concerns(binding)) return () => undefined;
    const key = keyOf(binding);
    const undo = gates.SchedulingOvercommitProtection
      ? this.assumptions.record(key, binding, clusters, this.context.clock.now())
      : undefined;
    if (gates.WorkloadAffinity && groupKeys(binding).length > 0)
      this.underWay.set(key, { ...binding, spec: { ...binding.spec, clusters } });
    return () => {
      undo?.();
      this.underWay.delete(key);
    };
  }

  /** What was taken is stored as `binding`. */
  keep(binding: Binding): void {
    const key = keyOf(binding);
    if (!this.underWay.delete(key) || !this.concerns(binding)) return;
    const observed = this.bindings.store.get(key);
    if (observed !== undefined && this.concerns(observed) && !isAssignmentSettled(binding, observed))
      this.stored.set(key, binding);
  }

  /** The cache has a newer version. */
  observe(before: Binding, after: Binding): void {
    if (!this.concerns(after) || !this.concerns(before)) return;
    const key = keyOf(after);
    if (before.status?.aggregatedStatus !== after.status?.aggregatedStatus)
      for (const cluster of newlyHealthy(before, after)) this.confirm(key, cluster);
    const stored = this.stored.get(key);
    if (stored !== undefined && isAssignmentSettled(stored, after)) this.stored.delete(key);
  }

  /** A cluster has changed; `after` may hold a newer report of its room. */
  clusterChanged(before: Cluster, after: Cluster): void {
    if (deepEqual(before.status?.resourceSummary, after.status?.resourceSummary)) return;
    this.assumptions.reported(after.metadata.name ?? '');
  }

  private confirm(key: string, cluster: string): void {
    const { informers, settings, clock } = this.context;
    if (!settings.gates.SchedulingOvercommitProtection) return;
    const known = informers.informer(kinds.clusters).store.get(cluster);
    if (known?.status?.resourceSummary === undefined) return this.assumptions.release(key, cluster);
    const withinMs = settings.clusterStatusUpdateFrequencyMs + settings.clusterProbeTimeoutMs;
    this.assumptions.settle(key, cluster, clock.now() + withinMs);
    // Nothing else may bring back those who wait for room, when the report had it before.
    clock.after(withinMs, this.settled);
  }

  forget(binding: Binding): void {
    if (!this.concerns(binding)) return;
    const key = keyOf(binding);
    this.assumptions.forget(key);
    this.underWay.delete(key);
    this.stored.delete(key);
  }

  /** Drops what nobody has confirmed for long, now and then. */
  sweepRegularly(): Cancel {
    const { clock, settings } = this.context;
    if (!settings.gates.SchedulingOvercommitProtection) return () => undefined;
    return every(clock, SWEEP_MS, () => this.assumptions.sweep(clock.now()));
  }
}

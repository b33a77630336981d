// Which clusters a wave takes, and which it has to pass over.
import type { Cluster, PackageRevision, RolloutClusterState, RolloutStep } from '../../api/index.ts';
import { labelSelectorFor } from '../../machinery/index.ts';
import { wantedIn, type FleetPackageSpec } from './revision.ts';

export interface WaveInput {
  readonly step: RolloutStep;
  readonly spec: FleetPackageSpec;
  readonly target: PackageRevision;
  /** All clusters that are to have the package, with how far they are, in the order of their names. */
  readonly clusters: readonly { readonly cluster: Cluster; readonly state: RolloutClusterState }[];
  /** Whether somebody there suspended the package. */
  readonly isSuspendedThere: (name: string) => boolean;
}

export interface Wave {
  readonly chosen: ReadonlySet<string>;
  /** Suspended and lost clusters, with the reason in a word and in a sentence; they count as not updated. */
  readonly skipped: ReadonlyMap<string, readonly [reason: string, message: string]>;
}

export function chooseWave({ step, spec, target, clusters, isSuspendedThere }: WaveInput): Wave {
  const { names, labelSelector, percentage = 100 } = step.clusters ?? {};
  const selector = labelSelector === undefined ? undefined : labelSelectorFor(labelSelector);
  const updated = clusters.filter(({ state }) => state.revision === target.name).length;
  const room = Math.ceil((percentage * clusters.length) / 100) - updated;
  const chosen = new Set<string>();
  const skipped = new Map<string, readonly [string, string]>();
  for (const { cluster, state } of clusters) {
    if (state.revision === target.name) continue;
    if (names !== undefined && !names.includes(state.name)) continue;
    if (selector !== undefined && !selector.matches(cluster.metadata.labels)) continue;
    // What the hub itself suspended is not passed over: that is stale when the roll-out goes on.
    if (!isReady(cluster)) skipped.set(state.name, ['ClusterNotReady', 'the cluster is not ready']);
    else if (wantedIn(cluster, spec, target).suspend === true)
      skipped.set(state.name, ['Suspended', 'an override suspends the package there']);
    else if (isSuspendedThere(state.name))
      skipped.set(state.name, ['Suspended', 'the package was suspended there']);
    else if (chosen.size < room) chosen.add(state.name);
  }
  return { chosen, skipped };
}

export function isReady({ status }: Cluster): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}

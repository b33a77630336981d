// What the Works of a binding add up to (propagation.md §7.1).
import {
  APPLIED_CONDITION,
  FULLY_APPLIED_CONDITION,
  clusterOfExecutionNamespace,
  type AggregatedStatusItem,
  type Condition,
  type KubeObject,
  type ResourceBindingSpec,
  type Work,
} from '../api/index.ts';
import { deepEqual, isBeingDeleted } from '../machinery/index.ts';
import type { Binding } from './kinds.ts';
import { withCondition } from './work-status.ts';

/** Where a binding's template is or may still be: its targets, those of what needs it, and where it is being evicted from. */
export function existingClusters(spec: ResourceBindingSpec): ReadonlySet<string> {
  const names = new Set((spec.clusters ?? []).map(({ name }) => name));
  for (const { clusters } of spec.requiredBy ?? []) for (const { name } of clusters ?? []) names.add(name);
  for (const { fromCluster, purgeMode } of spec.gracefulEvictionTasks ?? []) {
    if (purgeMode !== 'Directly') names.add(fromCluster);
  }
  return names;
}

/**
 * The manifest of a Work that stands for the binding's template. An override may have given the object in the member
 * another name; the one manifest of the Work is of this binding all the same. Upstream reports nothing then.
 */
function manifestOf(
  work: Work,
  { apiVersion, kind, namespace, name }: ResourceBindingSpec['resource'],
): KubeObject | undefined {
  const manifests = (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  const same = manifests.find(
    (manifest) =>
      manifest.apiVersion === apiVersion &&
      manifest.kind === kind &&
      (manifest.metadata.namespace ?? '') === (namespace ?? '') &&
      manifest.metadata.name === name,
  );
  return same ?? (manifests.length === 1 ? manifests[0] : undefined);
}

function itemOf(work: Work, manifest: KubeObject): AggregatedStatusItem {
  const clusterName = clusterOfExecutionNamespace(work.metadata.namespace ?? '') ?? '';
  const applied = work.status?.conditions?.find(({ type }) => type === APPLIED_CONDITION);
  if (applied?.status !== 'True') {
    const message = applied?.message ?? '';
    return { clusterName, ...(message === '' ? {} : { appliedMessage: message }), health: 'Unknown' };
  }
  const { namespace = '', name = '' } = manifest.metadata;
  const found = work.status?.manifestStatuses?.find(
    ({ identifier }) =>
      identifier.kind === manifest.kind &&
      (identifier.namespace ?? '') === namespace &&
      identifier.name === name,
  );
  return {
    clusterName,
    applied: true,
    ...(found?.status === undefined ? {} : { status: found.status }),
    health: found?.health ?? 'Unknown',
  };
}

export interface BindingStatusDecision {
  /** The status to write; the same object when nothing changes. */
  readonly status: Binding['status'];
  /** For the template's status. */
  readonly items: readonly AggregatedStatusItem[];
}

/**
 * @param now for conditions that change
 * @param more conditions to write beside
 */
export function aggregateWorks(
  binding: Binding,
  works: readonly Work[],
  now: string,
  more: readonly Omit<Condition, 'lastTransitionTime'>[] = [],
): BindingStatusDecision {
  const { spec } = binding;
  const items = works
    .filter((work) => !isBeingDeleted(work))
    .flatMap((work) => {
      const manifest = manifestOf(work, spec.resource);
      return manifest === undefined ? [] : [itemOf(work, manifest)];
    })
    .sort((a, b) => (a.clusterName < b.clusterName ? -1 : a.clusterName > b.clusterName ? 1 : 0));
  const condition = fullyApplied(existingClusters(spec), items);
  const before = binding.status ?? {};
  const conditions = [condition, ...more].reduce(
    (all, one) => withCondition(all, one, now),
    before.conditions as readonly Condition[],
  );
  if (conditions === before.conditions && deepEqual(before.aggregatedStatus ?? [], items)) {
    return { status: binding.status, items };
  }
  const { aggregatedStatus: _old, ...rest } = before;
  return {
    status: {
      ...rest,
      conditions,
      ...(items.length === 0 ? {} : { aggregatedStatus: items }),
    },
    items,
  };
}

/** Whether a cluster has still to say for the first time what became of the template there. */
export function awaitsFirstReport({ spec }: Pick<Binding, 'spec'>, works: readonly Work[]): boolean {
  if (works.some((work) => work.status?.conditions === undefined && !isBeingDeleted(work))) return true;
  const clusters = new Set(
    works.map(({ metadata }) => clusterOfExecutionNamespace(metadata.namespace ?? '')),
  );
  for (const name of existingClusters(spec)) if (!clusters.has(name)) return true;
  return false;
}

function fullyApplied(
  wanted: ReadonlySet<string>,
  items: readonly AggregatedStatusItem[],
): Omit<Condition, 'lastTransitionTime'> {
  const all =
    items.length > 0 &&
    items.length === wanted.size &&
    items.every(({ applied, clusterName }) => applied === true && wanted.has(clusterName));
  return all
    ? {
        type: FULLY_APPLIED_CONDITION,
        status: 'True',
        reason: 'FullyAppliedSuccess',
        message: 'All works have been successfully applied',
      }
    : {
        type: FULLY_APPLIED_CONDITION,
        status: 'False',
        reason: 'FullyAppliedFailed',
        message: 'Failed to apply all works, see status.aggregatedStatus for details',
      };
}

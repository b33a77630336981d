// What happens when a Cluster is deleted, from its execution namespace to its last trace on the hub.
// INVARIANT: what stays in a member that could not be cleaned up is written down before the Works that tell of it go.
import {
  CLUSTER_FINALIZER,
  EXECUTION_FINALIZER,
  LEAVE_BEHIND_ANNOTATION,
  executionNamespace,
  type Cluster,
  type KubeObject,
  type MemberResidue,
  type Namespace,
  type Work,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isAlreadyExists, isNotFound, kinds, resource } from '../client/index.ts';
import { hasFinalizer, isBeingDeleted, parseTime, withoutFinalizer } from '../machinery/index.ts';
import type { Binding } from '../propagation/index.ts';
import { done, requeueAfter, type Outcome } from '../runtime/index.ts';
import type { ControllerContext } from './context.ts';
import { BINDING_SCOPES, writeEviction } from './evictions.ts';
import { isReady } from './readiness.ts';

// Deletion waits for others (namespace contents, rescheduling); their events mostly come first.
const DELETION_POLL_MS = 1_000;
// How long schedulers have to move bindings off a cluster that is gone; some bindings have none that would.
const RESCHEDULE_MS = 5_000;
// LIMIT: objects that a MemberResidue names.
const NAMED_OBJECTS = 1_000;

const memberResidues = resource<MemberResidue>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'memberresidues',
  namespaced: false,
});

/** Whether the member is not to be asked any more. */
export function isLeftBehind({ metadata }: Cluster): boolean {
  return (
    metadata.deletionTimestamp !== undefined && metadata.annotations?.[LEAVE_BEHIND_ANNOTATION] === 'true'
  );
}

/** @param bindingsIn those that name the cluster, by scope as BINDING_SCOPES */
export async function removeCluster(
  context: ControllerContext,
  cluster: Cluster,
  namespace: Namespace | undefined,
  bindingsIn: () => readonly (readonly Binding[])[],
  signal: AbortSignal,
): Promise<Outcome> {
  const { hubClient, members } = context;
  const { name = '' } = cluster.metadata;
  if (!hasFinalizer(cluster, CLUSTER_FINALIZER)) return done;
  const lost = !isReady(cluster) || isLeftBehind(cluster);
  if (namespace !== undefined) {
    const works = context.informers.informer(kinds.works).store.list(executionNamespace(name));
    if (lost) {
      await recordResidue(context, cluster, works, signal);
      // No agent will do it.
      if (cluster.spec.syncMode === 'Pull') await dropFinalizers(context, works, signal);
    }
    if (!isBeingDeleted(namespace)) await removeExecutionNamespace(context, cluster, signal);
    return requeueAfter(DELETION_POLL_MS, 'the execution namespace is still there');
  }
  const left = bindingsIn();
  if (left.some((bindings) => bindings.length > 0)) {
    const sinceMs = parseTime(cluster.metadata.deletionTimestamp ?? '') ?? 0;
    if (lost && context.clock.now() >= sinceMs + RESCHEDULE_MS) await strip(context, name, left, signal);
    return requeueAfter(DELETION_POLL_MS, 'bindings still name the cluster');
  }
  await hubClient.update(kinds.clusters, withoutFinalizer(cluster, CLUSTER_FINALIZER), { signal });
  members.drop(name);
  return done;
}

async function removeExecutionNamespace(
  { hubClient, recorder }: ControllerContext,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<void> {
  const { name = '' } = cluster.metadata;
  try {
    await hubClient.delete(kinds.namespaces, { name: executionNamespace(name) }, { signal });
    recorder.event(
      cluster,
      'Normal',
      'RemoveExecutionSpaceSucceed',
      `Removed execution space for cluster(${name}).`,
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** What its Works put into the member. Pure. */
export function residueOf(cluster: Cluster, works: readonly Work[], now: string): MemberResidue {
  const { metadata, spec } = cluster;
  const objects = works
    .flatMap(({ spec: { workload } }) => (workload?.manifests ?? []) as unknown as readonly KubeObject[])
    // Works that people write may hold what no member can have.
    .filter(({ apiVersion, metadata }) => [apiVersion, metadata.name].every(Boolean))
    .map(({ apiVersion, kind, metadata: { name = '', namespace } }) => ({
      apiVersion,
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
    }));
  return {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'MemberResidue',
    metadata: { name: metadata.name ?? '' },
    spec: {
      cluster: metadata.name ?? '',
      unjoinedAt: metadata.deletionTimestamp ?? now,
      reason: isReady(cluster) ? 'Requested' : 'Unreachable',
      total: objects.length,
      ...(spec.id === undefined ? {} : { id: spec.id }),
      ...(spec.apiEndpoint === undefined ? {} : { apiEndpoint: spec.apiEndpoint }),
      ...(objects.length === 0 ? {} : { objects: objects.slice(0, NAMED_OBJECTS) }),
    },
  };
}

/** Once for each departure: later there are fewer Works to tell of it. */
async function recordResidue(
  { hubClient, clock, recorder }: ControllerContext,
  cluster: Cluster,
  works: readonly Work[],
  signal: AbortSignal,
): Promise<void> {
  const residue = residueOf(cluster, works, formatTime(clock.now()));
  if (residue.spec.total === 0) return;
  const { name = '' } = residue.metadata;
  try {
    await hubClient.create(memberResidues, residue, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const old = await hubClient.get(memberResidues, { name }, { signal });
    if (old.spec.unjoinedAt === residue.spec.unjoinedAt) return;
    await hubClient.update(memberResidues, { ...residue, metadata: old.metadata }, { signal });
  }
  recorder.event(
    cluster,
    'Warning',
    'ResidueLeft',
    `${residue.spec.total} objects stay in the cluster; see MemberResidue ${name}.`,
  );
}

async function dropFinalizers(
  { hubClient }: ControllerContext,
  works: readonly Work[],
  signal: AbortSignal,
): Promise<void> {
  for (const work of works) {
    if (!hasFinalizer(work, EXECUTION_FINALIZER)) continue;
    try {
      await hubClient.update(kinds.works, withoutFinalizer(work, EXECUTION_FINALIZER), { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Bindings that no scheduler has moved off the cluster in time. */
async function strip(
  context: ControllerContext,
  name: string,
  left: readonly (readonly Binding[])[],
  signal: AbortSignal,
): Promise<void> {
  for (const [index, { resource: scope }] of BINDING_SCOPES.entries()) {
    for (const binding of left[index] ?? []) {
      const clusters = (binding.spec.clusters ?? []).filter((target) => target.name !== name);
      await writeEviction(context, scope, binding, { clusters }, signal);
    }
  }
}

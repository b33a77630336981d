// What goes on when a suspension ends: the difference between what each cluster has and what is wanted there now. Works
// follow their templates while nothing is dispatched, so they hold what is wanted; what is there is read from the members.
import {
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  PROPAGATION_POLICY_ID_LABEL,
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  RESOURCE_BINDING_ID_LABEL,
  clusterOfExecutionNamespace,
  executionNamespace,
  type Cluster,
  type KubeObject,
  type Work,
} from '../../api/index.ts';
import { errorMessage, systemClock } from '../../base/index.ts';
import { kinds } from '../../client/index.ts';
import { isSuspendedCluster } from '../../fleet/index.ts';
import type { Interpreter } from '../../interpreter/index.ts';
import {
  changedFields,
  decideUpdate,
  stoppedBy,
  type Binding,
  type Suspendable,
} from '../../propagation/index.ts';
import type { Session } from '../objects/index.ts';
import { WorldReader } from '../world.ts';

export interface PendingChange {
  readonly cluster: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** `unknown`: the member could not be asked; `refused`: there is an object that is not ours. */
  readonly what: 'create' | 'update' | 'refused' | 'unknown';
  /** Fields that change, for an update; why, for what is refused or unknown. */
  readonly fields: readonly string[];
}

export interface Pending {
  readonly changes: readonly PendingChange[];
  /** Objects that are as they are wanted. */
  readonly unchanged: number;
  /** Objects that were not looked at. */
  readonly skipped: number;
}

// LIMIT: objects that are compared for one resumption, and members that are asked at once.
const COMPARED_MAX = 500;
const AT_ONCE = 8;

/** @param clusters of a policy: only these go on */
export async function pendingChanges(
  session: Session,
  object: Suspendable,
  clusters: readonly string[] | undefined,
): Promise<Pending> {
  const works = await heldWorks(session, object, clusters);
  const interpreter = await new WorldReader(session.client, systemClock).interpreter();
  const manifests = works.flatMap((work) =>
    ((work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[]).map((manifest) => ({
      work,
      manifest,
    })),
  );
  const compared = manifests.slice(0, COMPARED_MAX);
  const queue = compared.values();
  const changes: (PendingChange | undefined)[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const { work, manifest } of queue)
        changes.push(await changeOf(session, interpreter, work, manifest));
    }),
  );
  const real = changes.filter((change) => change !== undefined);
  return {
    changes: real.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    unchanged: compared.length - real.length,
    skipped: manifests.length - compared.length,
  };
}

function keyOf({ cluster, kind, namespace = '', name }: PendingChange): string {
  return [cluster, kind, namespace, name].join('/');
}

/** The Works that are held back by this object, and by nothing else. */
async function heldWorks(
  { client }: Session,
  object: Suspendable,
  clusters: readonly string[] | undefined,
): Promise<readonly Work[]> {
  const nowMs = systemClock.now();
  if (object.kind === 'Cluster') {
    const { items } = await client.listAll(kinds.works, {
      namespace: executionNamespace(object.metadata.name ?? ''),
    });
    return items.filter(({ spec }) => spec.suspendDispatching !== true);
  }
  const stopped = stoppedBy(object);
  if (stopped === undefined || stopped.what === 'scheduling') return [];
  const suspended = new Set(
    (await client.listAll(kinds.clusters)).items
      .filter((cluster: Cluster) => isSuspendedCluster(cluster, nowMs))
      .map(({ metadata }) => metadata.name),
  );
  const works = await Promise.all(
    (await bindingsOf({ client }, object)).map((binding) => worksOf({ client }, binding)),
  );
  return works.flat().filter((work) => {
    const cluster = clusterOfExecutionNamespace(work.metadata.namespace ?? '') ?? '';
    return (
      work.spec.suspendDispatching === true &&
      !suspended.has(cluster) &&
      (clusters === undefined || clusters.includes(cluster))
    );
  });
}

async function bindingsOf(
  { client }: Pick<Session, 'client'>,
  policy: Suspendable,
): Promise<readonly Binding[]> {
  const label =
    policy.kind === 'PropagationPolicy' ? PROPAGATION_POLICY_ID_LABEL : CLUSTER_PROPAGATION_POLICY_ID_LABEL;
  const id = policy.metadata.labels?.[label];
  if (id === undefined) return [];
  const labelSelector = `${label}=${id}`;
  const namespaced = await client.listAll(kinds.resourceBindings, { labelSelector });
  const wide = await client.listAll(kinds.clusterResourceBindings, { labelSelector });
  return [...namespaced.items, ...wide.items];
}

async function worksOf({ client }: Pick<Session, 'client'>, binding: Binding): Promise<readonly Work[]> {
  const label =
    binding.kind === 'ResourceBinding' ? RESOURCE_BINDING_ID_LABEL : CLUSTER_RESOURCE_BINDING_ID_LABEL;
  const id = binding.metadata.labels?.[label];
  return id === undefined
    ? []
    : (await client.listAll(kinds.works, { labelSelector: `${label}=${id}` })).items;
}

/** Undefined: it is there as it is wanted. */
async function changeOf(
  session: Session,
  interpreter: Interpreter,
  work: Work,
  manifest: KubeObject,
): Promise<PendingChange | undefined> {
  const cluster = clusterOfExecutionNamespace(work.metadata.namespace ?? '') ?? '';
  const { namespace, name = '' } = manifest.metadata;
  const told = (what: PendingChange['what'], fields: readonly string[]): PendingChange => ({
    cluster,
    kind: manifest.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    what,
    fields,
  });
  try {
    const member = session.member(cluster);
    const resource = await member.mapper.resourceForObject(manifest);
    if (resource === undefined)
      return told('unknown', [`${cluster} does not serve ${manifest.apiVersion} ${manifest.kind}`]);
    const live = await member.client.find<KubeObject>(resource, { namespace, name });
    if (live === undefined) return told('create', []);
    const decision = await decideUpdate(
      manifest,
      live,
      async (desired) => interpreter.retain(desired, live),
      cluster,
    );
    if (decision.action === 'none') return undefined;
    if (decision.action === 'refuse') return told('refused', [decision.why]);
    return told('update', changedFields(live, decision.object));
  } catch (error) {
    return told('unknown', [errorMessage(error)]);
  }
}

// What a Work on its way out leaves in its member for the next one: where its objects are wanted again, they stay. That is
// how a cluster that comes back is compared with what is desired now before anything there is deleted.
// INVARIANT: from before a Work may leave objects until the next one is there, the binding says so. Should the cluster not be
// wanted after all, the objects go, whatever died in between.
import {
  AT_MOST_ONCE_ANNOTATION,
  LEAVE_OBJECTS_ANNOTATION,
  LEFT_OBJECTS_ANNOTATION,
  type Cluster,
  type KubeObject,
  type Work,
} from '../api/index.ts';
import { isNotFound, kinds, type Resource } from '../client/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { decideRemoval, isAtMostOnce, removalWork, type Binding } from '../propagation/index.ts';
import type { Informer } from '../runtime/index.ts';
import type { ControllerContext } from './context.ts';

/** By cluster, the objects as far as they must be known to be removed. */
type Left = Readonly<Record<string, readonly KubeObject[]>>;

export class LeftObjects {
  private readonly context: ControllerContext;
  private readonly clusters: Informer<Cluster>;

  constructor(context: ControllerContext, clusters: Informer<Cluster>) {
    this.context = context;
    this.clusters = clusters;
  }

  /** Lets a Work that is being deleted leave its objects. */
  async leave(binding: Binding, cluster: string, work: Work, signal: AbortSignal): Promise<void> {
    if (work.metadata.annotations?.[LEAVE_OBJECTS_ANNOTATION] === 'true') return;
    const left = leftBy(binding);
    if (left[cluster] === undefined)
      await this.remember(binding, { ...left, [cluster]: objectsOf(work) }, signal);
    await this.mark(work, 'true', signal);
  }

  /** The next Works are there. */
  async taken(binding: Binding, clusters: readonly string[], signal: AbortSignal): Promise<void> {
    const left = leftBy(binding);
    const rest = Object.entries(left).filter(([cluster]) => !clusters.includes(cluster));
    if (rest.length < Object.keys(left).length)
      await this.remember(binding, Object.fromEntries(rest), signal);
  }

  /** Has the objects removed where they are not wanted after all. */
  async giveUp(
    binding: Binding,
    wanted: ReadonlySet<string>,
    workIn: (cluster: string) => Work | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const unwanted = Object.entries(leftBy(binding)).filter(([cluster]) => !wanted.has(cluster));
    for (const [cluster, objects] of unwanted) {
      const work = workIn(cluster);
      if (work === undefined) await this.remove(binding, cluster, objects, signal);
      else if (isBeingDeleted(work)) await this.mark(work, null, signal);
    }
    const clusters = unwanted.map(([cluster]) => cluster);
    if (!isBeingDeleted(binding)) await this.taken(binding, clusters, signal);
  }

  /** By a Work that is there only to be deleted, as any other is. */
  private async remove(
    binding: Binding,
    cluster: string,
    objects: readonly KubeObject[],
    signal: AbortSignal,
  ): Promise<void> {
    const known = this.clusters.store.get(cluster);
    // What leaves a cluster leaves everything there.
    if (known === undefined || isBeingDeleted(known)) return;
    for (const object of objects) {
      const { metadata } = await this.context.hubClient.create(
        kinds.works,
        removalWork(binding, cluster, object),
        { signal },
      );
      const { namespace, name = '', uid = '' } = metadata;
      await this.context.hubClient.delete(
        kinds.works,
        { namespace, name },
        { preconditions: { uid }, signal },
      );
    }
  }

  private async mark(work: Work, value: 'true' | null, signal: AbortSignal): Promise<void> {
    const { namespace, name = '', uid } = work.metadata;
    const body = { metadata: { uid, annotations: { [LEAVE_OBJECTS_ANNOTATION]: value } } };
    try {
      await this.context.hubClient.patch(
        kinds.works,
        { namespace, name },
        { type: 'merge', body },
        { signal },
      );
    } catch (error) {
      // Gone with its objects left: the binding is looked at again when the cache shows it.
      if (value === null || !isNotFound(error)) throw error;
    }
  }

  private async remember(binding: Binding, left: Left, signal: AbortSignal): Promise<void> {
    const { namespace, name = '', uid, resourceVersion } = binding.metadata;
    const text = Object.keys(left).length === 0 ? null : JSON.stringify(left);
    const body = { metadata: { uid, resourceVersion, annotations: { [LEFT_OBJECTS_ANNOTATION]: text } } };
    const resource = (
      binding.kind === 'ResourceBinding' ? kinds.resourceBindings : kinds.clusterResourceBindings
    ) as Resource<Binding>;
    await this.context.hubClient.patch(resource, { namespace, name }, { type: 'merge', body }, { signal });
  }
}

function leftBy({ metadata }: Binding): Left {
  const text = metadata.annotations?.[LEFT_OBJECTS_ANNOTATION];
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Left;
  } catch {
    return {};
  }
}

/** Those that would have gone with the Work; what is to be preserved stays in any case. */
function objectsOf(work: Work): readonly KubeObject[] {
  const manifests = (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  const going = manifests.filter((manifest) => decideRemoval(work, manifest, false).how.startsWith('Delete'));
  return going.map((manifest) => {
    const { apiVersion, kind, metadata } = manifest;
    const { namespace, name = '' } = metadata;
    return {
      apiVersion,
      kind,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(isAtMostOnce(manifest) ? { annotations: { [AT_MOST_ONCE_ANNOTATION]: 'true' } } : {}),
      },
    };
  });
}

// Writes manifests into one member and remembers what it wrote, so that its own writes coming back through the watch
// are told from other people's.
import type { KubeObject, Work } from '../../api/index.ts';
import { gvkOf } from '../../api/index.ts';
import { isAlreadyExists, isConflict, isNotFound, type ApiResource } from '../../client/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { decideUpdate, isAtMostOnce, isManaged, releasedManifest } from '../../propagation/index.ts';
import type { ControllerContext } from '../context.ts';
import type { MemberConnection } from '../member-connections.ts';
import type { WorkObjects } from '../work-objects.ts';

// LIMIT: how often a write that lost a race is decided anew before the Work is tried again as a whole.
const WRITE_TRIES = 5;

interface Written {
  readonly resourceVersion: string;
  readonly generation: number | undefined;
  /** The very manifest that was applied; Works share it by reference until they change. */
  readonly manifest: KubeObject;
}

export class MemberWriter {
  private readonly context: ControllerContext;
  private readonly connection: MemberConnection;
  private readonly objects: WorkObjects;
  private readonly written = new Map<string, Written>();

  constructor(context: ControllerContext, connection: MemberConnection, objects: WorkObjects) {
    this.context = context;
    this.connection = connection;
    this.objects = objects;
  }

  /** Makes the member show `manifest`; resolves with the object as it is there. Throws when it cannot or may not. */
  async apply(manifest: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    const resource = await this.resourceFor(manifest);
    const informer = this.objects.follow(resource);
    const { namespace, name = '' } = manifest.metadata;
    const key = { namespace, name };
    let observed = informer.isSynced ? informer.store.get(key) : undefined;
    if (observed !== undefined && this.isAsWritten(manifest, observed)) return observed;
    for (let tries = 1; ; tries++) {
      try {
        const object =
          observed === undefined
            ? await this.connection.memberClient.create(resource, manifest, { signal })
            : await this.update(resource, manifest, observed, signal);
        this.remember(manifest, object);
        return object;
      } catch (error) {
        const raced =
          isConflict(error) || isAlreadyExists(error) || (isNotFound(error) && observed !== undefined);
        if (!raced || tries >= WRITE_TRIES) throw error;
        // The cache was behind, or shows only what is ours: ask the member itself.
        observed = await this.connection.memberClient.find(resource, key, { signal });
        if (observed === undefined && isAlreadyExists(error)) throw error;
      }
    }
  }

  private async update(
    resource: ApiResource,
    manifest: KubeObject,
    observed: KubeObject,
    signal: AbortSignal,
  ): Promise<KubeObject> {
    const { interpreter } = this.context;
    const retained = (desired: KubeObject): Promise<KubeObject | undefined> =>
      Promise.resolve(interpreter.retain(desired, observed));
    const decision = await decideUpdate(manifest, observed, retained, this.connection.cluster);
    if (decision.action === 'refuse') throw new Error(decision.why);
    if (decision.action === 'none') return observed;
    return this.connection.memberClient.update(resource, decision.object, { signal });
  }

  /**
   * Deletes the object if it is ours. Resolves with whether nothing of it is left; mostly nobody has to know, and only
   * what must run at most once is deleted so that it can be told.
   */
  async remove(manifest: KubeObject, signal: AbortSignal): Promise<boolean> {
    const { namespace, name = '' } = manifest.metadata;
    const key = { namespace, name };
    const resource = await this.mappedOrGone(manifest);
    if (resource === undefined) return true;
    const { memberClient } = this.connection;
    const observed = await memberClient.find(resource, key, { signal });
    if (observed === undefined || !isManaged(observed)) return true;
    const last = isAtMostOnce(manifest);
    try {
      const uid = observed.metadata.uid ?? '';
      if (!last || observed.metadata.deletionTimestamp === undefined)
        await memberClient.delete(resource, key, {
          // In the foreground an object goes when its pods have gone.
          propagationPolicy: last ? 'Foreground' : 'Background',
          preconditions: { uid },
          signal,
        });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return true;
    }
    this.written.delete(nameOf(manifest));
    return !last;
  }

  /** Leaves the object in the member, without our marks. */
  async release(manifest: KubeObject, signal: AbortSignal): Promise<void> {
    const resource = await this.mappedOrGone(manifest);
    if (resource === undefined) return;
    const { namespace, name = '' } = manifest.metadata;
    for (let tries = 1; ; tries++) {
      const observed = await this.connection.memberClient.find(resource, { namespace, name }, { signal });
      // What somebody removed, or took over, in the meantime needs no releasing.
      if (observed === undefined || !isManaged(observed)) break;
      try {
        await this.update(resource, releasedManifest(manifest), observed, signal);
        break;
      } catch (error) {
        if (!isConflict(error) || tries >= WRITE_TRIES) throw error;
      }
    }
    this.written.delete(nameOf(manifest));
  }

  forget(work: Work): void {
    for (const manifest of (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[])
      this.written.delete(nameOf(manifest));
  }

  isOwnWrite(object: KubeObject): boolean {
    return this.written.get(nameOf(object))?.resourceVersion === object.metadata.resourceVersion;
  }

  /** Nothing but the object's status has moved since this very manifest was applied. */
  private isAsWritten(manifest: KubeObject, observed: KubeObject): boolean {
    const last = this.written.get(nameOf(manifest));
    return last?.manifest === manifest && last.resourceVersion === observed.metadata.resourceVersion;
  }

  private remember(manifest: KubeObject, { metadata }: KubeObject): void {
    const { resourceVersion = '', generation } = metadata;
    this.written.set(nameOf(manifest), { resourceVersion, generation, manifest });
  }

  private async resourceFor(manifest: KubeObject): Promise<ApiResource> {
    const resource = await this.connection.mapper.resourceForObject(manifest);
    if (resource !== undefined) return resource;
    const { group, version, kind } = gvkOf(manifest);
    throw new StatusError(
      404,
      'NotFound',
      `no matches for kind "${kind}" in version "${group === '' ? version : `${group}/${version}`}"`,
    );
  }

  /** A kind that the member no longer serves has no objects there. */
  private async mappedOrGone(manifest: KubeObject): Promise<ApiResource | undefined> {
    return this.connection.mapper.resourceForObject(manifest);
  }
}

function nameOf({ apiVersion, kind, metadata }: KubeObject): string {
  return `${apiVersion}|${kind}|${metadata.namespace ?? ''}|${metadata.name ?? ''}`;
}

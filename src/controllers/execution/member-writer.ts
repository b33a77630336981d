// Writes manifests into one member and remembers what it wrote, so that its own writes coming back through the watch
// are told from other people's.
import type { KubeObject, Work } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { isAlreadyExists, isConflict, isNotFound, type ApiResource } from '../../client/index.ts';
import { deepEqual } from '../../machinery/index.ts';
import {
  DELETED,
  arrived,
  correctionWaitMs,
  decideUpdate,
  isAtMostOnce,
  isManaged,
  opponentOf,
  orphaned,
  releasedManifest,
  withCorrection,
  type Fight,
  type Opponent,
  type RemovalCause,
} from '../../propagation/index.ts';
import type { ControllerContext } from '../context.ts';
import type { UpdateResult } from '../dispatch-metrics.ts';
import { MEMBER_FIELD_MANAGER, type MemberConnection } from '../member-connections.ts';
import type { WorkObjects } from '../work-objects.ts';
import { WritesUnderWay } from '../writes-under-way.ts';

// LIMIT: how often a write that lost a race is decided anew before the Work is tried again as a whole.
const WRITE_TRIES = 5;

interface Written {
  readonly resourceVersion: string;
  readonly generation: number | undefined;
  /** The very manifest that was applied; Works share it by reference until they change. */
  readonly manifest: KubeObject;
}

/** What applying a manifest came to. */
export interface Applied {
  /** As it is in the member; undefined: somebody deleted it, and making it anew has to wait. */
  readonly object: KubeObject | undefined;
  /** Whether anything was written. */
  readonly written: boolean;
  /** With those who undo our writes, as long as it is remembered. */
  readonly fight: Fight | undefined;
  /** A correction that somebody would only undo is put off for so long. */
  readonly waitMs: number;
}

export class MemberWriter {
  private readonly context: ControllerContext;
  private readonly connection: MemberConnection;
  private readonly objects: WorkObjects;
  private readonly written = new Map<string, Written>();
  private readonly writes = new WritesUnderWay();
  /** Of objects that had to be put right. */
  private readonly fights = new Map<string, Fight>();
  /** Names of objects whose fights are from before this process, until they are written again. */
  private readonly resumed = new Set<string>();

  constructor(context: ControllerContext, connection: MemberConnection, objects: WorkObjects) {
    this.context = context;
    this.connection = connection;
    this.objects = objects;
  }

  /** Goes on with a fight about a manifest that was applied before this process. */
  resume(manifest: KubeObject, fight: Fight): void {
    const name = nameOf(manifest);
    if (this.written.has(name) || this.fights.has(name)) return;
    this.fights.set(name, fight);
    this.resumed.add(name);
  }

  /** Makes the member show `manifest`. Throws when it cannot or may not. */
  async apply(manifest: KubeObject, signal: AbortSignal): Promise<Applied> {
    const resource = await this.resourceFor(manifest);
    const informer = this.objects.follow(resource);
    const { namespace, name = '' } = manifest.metadata;
    const key = { namespace, name };
    let observed = informer.isSynced ? informer.store.get(key) : undefined;
    if (observed !== undefined && this.isAsWritten(manifest, observed)) {
      this.updated(manifest, true, 'none');
      return this.settled(manifest, observed);
    }
    for (let tries = 1; ; tries++) {
      const before = observed;
      try {
        const desired =
          observed === undefined
            ? arrived(manifest, undefined, this.now())
            : await this.desired(manifest, observed);
        if (desired === undefined) {
          if (observed !== undefined) this.remember(manifest, observed);
          this.updated(manifest, true, 'none');
          return this.settled(manifest, observed);
        }
        const waitMs = this.waitMs(manifest);
        if (waitMs > 0) return { object: observed, written: false, fight: this.fight(manifest), waitMs };
        const correction = this.opponent(manifest, desired, observed);
        const { memberClient } = this.connection;
        const object = await this.write(manifest, () =>
          observed === undefined
            ? memberClient.create(resource, desired, { signal })
            : memberClient.update(resource, desired, { signal }),
        );
        const moved = object.metadata.resourceVersion !== before?.metadata.resourceVersion;
        if (before === undefined) this.created(manifest, true);
        else this.updated(manifest, true, moved ? 'updated' : 'unchanged');
        // What the member does not take, or writes by itself, is nobody else's doing.
        if (correction !== undefined && moved) this.corrected(manifest, correction);
        return { object, written: true, fight: this.fight(manifest), waitMs: 0 };
      } catch (error) {
        const raced =
          isConflict(error) || isAlreadyExists(error) || (isNotFound(error) && observed !== undefined);
        if (raced && tries < WRITE_TRIES) {
          // The cache was behind, or shows only what is ours: ask the member itself.
          observed = await this.connection.memberClient.find(resource, key, { signal });
          if (observed !== undefined || !isAlreadyExists(error)) continue;
        }
        if (before === undefined) this.created(manifest, false);
        else this.updated(manifest, false, 'none');
        throw error;
      }
    }
  }

  private created(manifest: KubeObject, ok: boolean): void {
    this.context.dispatch.created(ok, manifest, this.connection.cluster);
  }

  private updated(manifest: KubeObject, ok: boolean, result: UpdateResult): void {
    this.context.dispatch.updated(ok, manifest, this.connection.cluster, result);
  }

  private write(manifest: KubeObject, send: () => Promise<KubeObject>): Promise<KubeObject> {
    return this.writes.during(nameOf(manifest), async () => {
      const object = await send();
      this.remember(manifest, object);
      return object;
    });
  }

  /** What is to be written over `observed`; undefined: it is as it should be. */
  private async desired(manifest: KubeObject, observed: KubeObject): Promise<KubeObject | undefined> {
    const { interpreter } = this.context;
    const retained = (desired: KubeObject): Promise<KubeObject | undefined> =>
      Promise.resolve(interpreter.retain(desired, observed));
    const decision = await decideUpdate(
      arrived(manifest, observed, this.now()),
      observed,
      retained,
      this.connection.cluster,
    );
    if (decision.action === 'refuse') throw new Error(decision.why);
    return decision.action === 'none' ? undefined : decision.object;
  }

  private now(): string {
    return formatTime(this.context.clock.now());
  }

  private settled(manifest: KubeObject, object: KubeObject | undefined): Applied {
    return { object, written: false, fight: this.fight(manifest), waitMs: 0 };
  }

  private fight(manifest: KubeObject): Fight | undefined {
    return this.fights.get(nameOf(manifest));
  }

  /** A manifest that has changed is nobody's to wait for. */
  private waitMs(manifest: KubeObject): number {
    return this.isAgain(manifest) ? correctionWaitMs(this.fight(manifest), this.context.clock.now()) : 0;
  }

  /** Whether this manifest was applied before, so that another write of it can only put something right. */
  private isAgain(manifest: KubeObject): boolean {
    const name = nameOf(manifest);
    const last = this.written.get(name)?.manifest;
    if (last === undefined) return this.resumed.has(name);
    return last === manifest || deepEqual(last, manifest);
  }

  /** Who made a correction necessary; undefined: it is none. */
  private opponent(
    manifest: KubeObject,
    desired: KubeObject,
    observed: KubeObject | undefined,
  ): Opponent | undefined {
    if (!this.isAgain(manifest)) return undefined;
    return observed === undefined ? DELETED : opponentOf(desired, observed, MEMBER_FIELD_MANAGER);
  }

  private corrected(manifest: KubeObject, opponent: Opponent): void {
    const name = nameOf(manifest);
    this.fights.set(name, withCorrection(this.fights.get(name), opponent, this.context.clock.now()));
  }

  /**
   * Deletes the object if it is ours. Resolves with whether nothing of it is left; mostly nobody has to know, and only
   * what must run at most once is deleted so that it can be told.
   * @param immediately without the grace that the kind has
   */
  async remove(manifest: KubeObject, immediately: boolean, signal: AbortSignal): Promise<boolean> {
    const { dispatch } = this.context;
    try {
      const gone = await this.removeManaged(manifest, immediately, signal);
      dispatch.deleted(true, manifest, this.connection.cluster);
      return gone;
    } catch (error) {
      dispatch.deleted(false, manifest, this.connection.cluster);
      throw error;
    }
  }

  private async removeManaged(
    manifest: KubeObject,
    immediately: boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
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
          ...(immediately ? { gracePeriodSeconds: 0 } : {}),
          preconditions: { uid },
          signal,
        });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return true;
    }
    this.drop(manifest);
    return !last;
  }

  /**
   * Leaves the object in the member, without our marks.
   * @param cause to be noted on it; undefined: it says nothing of us afterwards
   */
  async release(manifest: KubeObject, cause: RemovalCause | undefined, signal: AbortSignal): Promise<void> {
    const resource = await this.mappedOrGone(manifest);
    if (resource === undefined) return;
    const { namespace, name = '' } = manifest.metadata;
    for (let tries = 1; ; tries++) {
      const observed = await this.connection.memberClient.find(resource, { namespace, name }, { signal });
      // What somebody removed, or took over, in the meantime needs no releasing.
      if (observed === undefined || !isManaged(observed)) break;
      try {
        const released = releasedManifest(manifest, cause !== undefined);
        const left = await this.desired(
          cause === undefined ? released : orphaned(released, cause, this.now()),
          observed,
        );
        if (left !== undefined) await this.connection.memberClient.update(resource, left, { signal });
        break;
      } catch (error) {
        if (!isConflict(error) || tries >= WRITE_TRIES) throw error;
      }
    }
    this.drop(manifest);
  }

  forget(work: Work): void {
    for (const manifest of (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[])
      this.drop(manifest);
  }

  private drop(manifest: KubeObject): void {
    const name = nameOf(manifest);
    this.written.delete(name);
    this.fights.delete(name);
    this.resumed.delete(name);
  }

  /** Calls `foreign`, now or later, when what the watch shows is not our own last write. */
  judge(object: KubeObject, foreign: () => void): void {
    if (this.writes.defers(nameOf(object), object, foreign)) return;
    if (!this.isOwnWrite(object)) foreign();
  }

  private isOwnWrite(object: KubeObject): boolean {
    return this.written.get(nameOf(object))?.resourceVersion === object.metadata.resourceVersion;
  }

  /** Nothing but the object's status has moved since this very manifest was applied. */
  private isAsWritten(manifest: KubeObject, observed: KubeObject): boolean {
    const last = this.written.get(nameOf(manifest));
    return last?.manifest === manifest && last.resourceVersion === observed.metadata.resourceVersion;
  }

  private remember(manifest: KubeObject, { metadata }: KubeObject): void {
    const { resourceVersion = '', generation } = metadata;
    const name = nameOf(manifest);
    this.written.set(name, { resourceVersion, generation, manifest });
    this.resumed.delete(name);
  }

  private async resourceFor(manifest: KubeObject): Promise<ApiResource> {
    const found = await this.locate(manifest);
    if (typeof found === 'string') throw new Error(found);
    return found;
  }

  /** A kind that the member no longer serves has no objects there, nor is there one of a name that it cannot have. */
  private async mappedOrGone(manifest: KubeObject): Promise<ApiResource | undefined> {
    const found = await this.locate(manifest);
    return typeof found === 'string' ? undefined : found;
  }

  /** Where its object is; or why there can be none, mostly in Works that people write themselves. */
  private async locate(manifest: KubeObject): Promise<ApiResource | string> {
    const { apiVersion, kind, metadata } = manifest;
    const { namespace = '', name = '' } = metadata;
    // The API lets any object in; only its kind is looked at.
    if (typeof apiVersion !== 'string' || apiVersion === '')
      return `a manifest of kind ${kind} has no apiVersion`;
    const resource = await this.connection.mapper.resourceForObject(manifest);
    if (resource === undefined) return `no matches for kind "${kind}" in version "${apiVersion}"`;
    if (name === '') return `a manifest of kind ${kind} has no name`;
    if (resource.namespaced && namespace === '') return `${kind} "${name}" needs a namespace`;
    return resource.namespaced || namespace === ''
      ? resource
      : `${kind} "${name}" can have no namespace, and the manifest says "${namespace}"`;
  }
}

function nameOf({ apiVersion, kind, metadata }: KubeObject): string {
  return `${apiVersion}|${kind}|${metadata.namespace ?? ''}|${metadata.name ?? ''}`;
}

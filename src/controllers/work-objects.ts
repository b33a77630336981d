// The objects of a member that Works stand for: one informer for each kind that is in use there, limited to objects
// that carry our mark, and events turned into the keys of their Works.
// Objects of the member that are not ours cost the hub nothing.
import {
  MANAGED_LABEL,
  WORK_NAMESPACE_ANNOTATION,
  WORK_NAME_ANNOTATION,
  executionNamespace,
  type KubeObject,
} from '../api/index.ts';
import type { Cancel } from '../base/index.ts';
import type { ApiResource } from '../client/index.ts';
import type { Informer } from '../runtime/index.ts';
import type { Concerns } from './interpretation-changes.ts';
import type { MemberConnection } from './member-connections.ts';

export interface WorkObjectEvents {
  appeared(workKey: string, object: KubeObject, initial: boolean): void;
  changed(workKey: string, before: KubeObject, after: KubeObject): void;
  vanished(workKey: string, object: KubeObject): void;
}

/**
 * `namespace/name` of the Work for `cluster` that wrote `object`; undefined for what none of them wrote. Two Clusters may
 * stand for one API server, and neither is to touch what the other put there.
 */
function workKeyOf({ metadata }: KubeObject, cluster: string): string | undefined {
  const namespace = metadata.annotations?.[WORK_NAMESPACE_ANNOTATION];
  const name = metadata.annotations?.[WORK_NAME_ANNOTATION];
  return namespace !== executionNamespace(cluster) || name === undefined ? undefined : `${namespace}/${name}`;
}

// One for each connection, shared by execution and work status; gone with the connection.
const perConnection = new WeakMap<MemberConnection, WorkObjects>();

export class WorkObjects {
  private readonly connection: MemberConnection;
  private readonly followed = new Map<string, Informer>();
  private readonly listeners = new Set<WorkObjectEvents>();
  private readonly stops = new Map<WorkObjectEvents, Cancel[]>();

  private constructor(connection: MemberConnection) {
    this.connection = connection;
  }

  static of(connection: MemberConnection): WorkObjects {
    const known = perConnection.get(connection) ?? new WorkObjects(connection);
    perConnection.set(connection, known);
    return known;
  }

  /** Tells of everything followed now and later, beginning with what is known. */
  listen(events: WorkObjectEvents): Cancel {
    this.listeners.add(events);
    const cancels = [...this.followed.values()].map((informer) => this.subscribe(informer, events));
    this.stops.set(events, cancels);
    return () => {
      this.listeners.delete(events);
      for (const cancel of this.stops.get(events) ?? []) cancel();
      this.stops.delete(events);
    };
  }

  /** The informer of our objects of this resource; the first call starts it. */
  follow(resource: ApiResource): Informer {
    const name = `${resource.group}/${resource.version}/${resource.resource}`;
    const known = this.followed.get(name);
    if (known !== undefined) return known;
    const informer = this.connection.informers.informer(resource, { labelSelector: `${MANAGED_LABEL}=true` });
    this.followed.set(name, informer);
    for (const events of this.listeners) this.stops.get(events)?.push(this.subscribe(informer, events));
    return informer;
  }

  /** What is known of the kinds that are meant, each object with the key of its Work. */
  each(concerns: Concerns, tell: (workKey: string, object: KubeObject) => void): void {
    for (const { store } of this.followed.values()) {
      for (const object of store.values()) {
        const key = concerns(object) ? workKeyOf(object, this.connection.cluster) : undefined;
        if (key !== undefined) tell(key, object);
      }
    }
  }

  private subscribe(informer: Informer, events: WorkObjectEvents): Cancel {
    const { cluster } = this.connection;
    return informer.subscribe({
      added(object, initial) {
        const key = workKeyOf(object, cluster);
        if (key !== undefined) events.appeared(key, object, initial);
      },
      updated(before, after) {
        // By the old object: one whose marks were stripped in the member is still found.
        const key = workKeyOf(before, cluster) ?? workKeyOf(after, cluster);
        if (key !== undefined) events.changed(key, before, after);
      },
      deleted(object) {
        const key = workKeyOf(object, cluster);
        if (key !== undefined) events.vanished(key, object);
      },
    });
  }
}

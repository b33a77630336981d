// The kinds in a member in which StatePreservationRules look for state: one informer for each, by the hub in push members and
// by the agent in pull members.
// LIMIT: they are followed in all namespaces of the members that run such workloads; the kinds that rules name, no others.
import type { KubeObject } from '../api/index.ts';
import type { SoughtPiece } from '../failover/index.ts';
import type { Informer } from '../runtime/index.ts';
import type { MemberConnection } from './member-connections.ts';

export interface Related {
  /** Whether all of them that the member serves have been read. */
  readonly complete: boolean;
  /** Undefined: not served, or not read yet. */
  objects(apiVersion: string, kind: string, namespace: string): readonly KubeObject[] | undefined;
}

export class RelatedKinds {
  /** Told of the namespace in which something changed; undefined: a kind has been read for the first time. */
  private readonly changed: (namespace: string | undefined) => void;
  private readonly followed = new WeakSet<Informer>();

  constructor(changed: (namespace: string | undefined) => void) {
    this.changed = changed;
  }

  async follow(connection: MemberConnection, pieces: readonly SoughtPiece[]): Promise<Related> {
    const informers = new Map<string, Informer>();
    let complete = true;
    for (const { from } of pieces) {
      const { apiVersion, kind } = from;
      const found = await connection.mapper.resourceForObject({ apiVersion, kind });
      if (found === undefined) continue;
      const informer = connection.informers.informer(found);
      if (!this.followed.has(informer)) this.listen(informer);
      if (informer.isSynced) informers.set(`${apiVersion} ${kind}`, informer);
      else complete = false;
    }
    return {
      complete,
      objects: (apiVersion, kind, namespace) => informers.get(`${apiVersion} ${kind}`)?.store.list(namespace),
    };
  }

  private listen(informer: Informer): void {
    this.followed.add(informer);
    const wake = ({ metadata }: KubeObject): void => this.changed(metadata.namespace ?? '');
    informer.subscribe({ added: wake, updated: (_before, after) => wake(after), deleted: wake });
    void informer.synced.then(
      () => this.changed(undefined),
      () => undefined,
    );
  }
}

// Roles and bindings in memory, found by who they are for. INVARIANT: a check looks only at the bindings of the
// user and the user's groups, and of these only at those of the namespace asked about and of the whole cluster.
import type { KubeObject } from '../../api/index.ts';
import type { UserInfo } from '../../machinery/index.ts';
import type { FeedHandler } from '../object-feed.ts';
import type { PolicyRule } from './rbac-rules.ts';
import { serviceAccountUserName } from './service-account-tokens.ts';

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface RoleRef {
  readonly kind: string;
  readonly name: string;
}

export interface Binding {
  /** Empty for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly name: string;
  readonly roleRef: RoleRef;
  readonly subjects: readonly Subject[];
}

/** Why a user has a role. */
export interface Grant {
  readonly binding: Binding;
  readonly subject: Subject;
}

type BySubject = Map<string, Set<Binding>>;

export class RbacIndex implements FeedHandler {
  readonly #roles = new Map<string, readonly PolicyRule[]>();
  readonly #bindings = new Map<string, Binding>();
  readonly #cluster: BySubject = new Map();
  readonly #namespaces = new Map<string, BySubject>();

  /** Takes in a Role, ClusterRole, RoleBinding or ClusterRoleBinding; ignores other kinds. */
  put(object: KubeObject): void {
    const { namespace = '', name = '' } = object.metadata;
    if (object.kind === 'Role' || object.kind === 'ClusterRole') {
      this.#roles.set(`${namespace}/${name}`, (object['rules'] ?? []) as readonly PolicyRule[]);
    } else if (object.kind === 'RoleBinding' || object.kind === 'ClusterRoleBinding') {
      this.#removeBinding(namespace, name);
      const binding: Binding = {
        namespace,
        name,
        roleRef: object['roleRef'] as RoleRef,
        subjects: (object['subjects'] ?? []) as readonly Subject[],
      };
      this.#bindings.set(`${namespace}/${name}`, binding);
      const table = this.#tableOf(namespace);
      for (const subject of binding.subjects) {
        const key = keyOfSubject(subject, namespace);
        const set = table.get(key);
        if (set === undefined) table.set(key, new Set([binding]));
        else set.add(binding);
      }
    }
  }

  removed(object: KubeObject): void {
    const { namespace = '', name = '' } = object.metadata;
    if (object.kind === 'Role' || object.kind === 'ClusterRole') this.#roles.delete(`${namespace}/${name}`);
    else if (object.kind.endsWith('Binding')) this.#removeBinding(namespace, name);
  }

  /** Forgets what it knew and takes in these. */
  start(objects: readonly KubeObject[]): void {
    this.#roles.clear();
    this.#bindings.clear();
    this.#cluster.clear();
    this.#namespaces.clear();
    for (const object of objects) this.put(object);
  }

  /** Undefined when there is no such role. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#roles.get(`${roleRef.kind === 'Role' ? namespace : ''}/${roleRef.name}`);
  }

  /** The bindings that count for a user in a namespace; those of the whole cluster come first. */
  *grants(user: UserInfo, namespace: string): Generator<Grant> {
    yield* this.#grantsOf(this.#cluster, user);
    const table = namespace === '' ? undefined : this.#namespaces.get(namespace);
    if (table !== undefined) yield* this.#grantsOf(table, user);
  }

  *#grantsOf(table: BySubject, user: UserInfo): Generator<Grant> {
    const keys = [`User/${user.name}`, ...user.groups.map((group) => `Group/${group}`)];
    for (const key of keys) {
      for (const binding of table.get(key) ?? []) {
        const subject = binding.subjects.find((one) => keyOfSubject(one, binding.namespace) === key)!;
        yield { binding, subject };
      }
    }
  }

  #tableOf(namespace: string): BySubject {
    if (namespace === '') return this.#cluster;
    let table = this.#namespaces.get(namespace);
    if (table === undefined) this.#namespaces.set(namespace, (table = new Map()));
    return table;
  }

  #removeBinding(namespace: string, name: string): void {
    const binding = this.#bindings.get(`${namespace}/${name}`);
    if (binding === undefined) return;
    this.#bindings.delete(`${namespace}/${name}`);
    const table = this.#tableOf(namespace);
    for (const subject of binding.subjects) {
      const key = keyOfSubject(subject, namespace);
      const set = table.get(key);
      set?.delete(binding);
      if (set?.size === 0) table.delete(key);
    }
    if (namespace !== '' && table.size === 0) this.#namespaces.delete(namespace);
  }
}

/** Service accounts are users too. One without a namespace is of the binding's. */
function keyOfSubject({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  return kind === 'ServiceAccount'
    ? `User/${serviceAccountUserName(namespace ?? bindingNamespace, name)}`
    : `${kind}/${name}`;
}

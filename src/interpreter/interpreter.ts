// How the control plane understands kinds it has no code for elsewhere: replicas, health, status, dependencies. An
// interpreter is a stack of layers (customisations in the cluster, webhooks, shipped scripts, native code); for
// each operation and kind the first layer that has it answers, and its error is final.
import type {
  Component,
  GroupVersionKind,
  JsonValue,
  KubeObject,
  ReplicaRequirements,
} from '../api/index.ts';
import { gvkOf } from '../api/index.ts';

/** Upstream's InterpreterOperation. */
export type Operation =
  | 'InterpretReplica'
  | 'InterpretComponent'
  | 'ReviseReplica'
  | 'Retain'
  | 'InterpretStatus'
  | 'AggregateStatus'
  | 'InterpretHealth'
  | 'InterpretDependency';

export interface Replicas {
  readonly replicas: number;
  readonly requirements: ReplicaRequirements | undefined;
}

/** What one member reports of a template. */
export interface StatusItem {
  readonly clusterName: string;
  readonly status?: JsonValue | undefined;
  readonly applied?: boolean;
  readonly appliedMessage?: string;
  readonly health?: string;
}

/** Something a template needs beside it: by name, or all that a selector matches. */
export interface Dependency {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly labelSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  /** The template can do without it: that it is missing is no fault. */
  readonly optional?: boolean;
}

type Answer<T> = T | Promise<T>;

/** The operations of one layer. Each is asked only for what `has` says yes to. */
export interface InterpreterLayer {
  has(kind: GroupVersionKind, operation: Operation): boolean;
  replicas(object: KubeObject): Answer<Replicas>;
  components(object: KubeObject): Answer<readonly Component[]>;
  /** With another number of replicas in one component; undefined: nothing says where it stands. Goes with `components`. */
  withComponent?(object: KubeObject, name: string, replicas: number): KubeObject | undefined;
  revise(object: KubeObject, replicas: number): Answer<KubeObject>;
  retain(desired: KubeObject, observed: KubeObject): Answer<KubeObject>;
  /** The part of the status worth reporting; undefined: nothing. */
  status(observed: KubeObject): Answer<JsonValue | undefined>;
  aggregate(template: KubeObject, items: readonly StatusItem[]): Answer<KubeObject>;
  health(observed: KubeObject): Answer<boolean>;
  dependencies(object: KubeObject): Answer<readonly Dependency[]>;
}

/** Every answer is undefined when no layer has the operation for the kind, except `status`, which always is. */
export interface Interpreter {
  has(object: KubeObject, operation: Operation): boolean;
  replicas(object: KubeObject): Answer<Replicas | undefined>;
  components(object: KubeObject): Answer<readonly Component[] | undefined>;
  withComponent(object: KubeObject, name: string, replicas: number): KubeObject | undefined;
  revise(object: KubeObject, replicas: number): Answer<KubeObject | undefined>;
  retain(desired: KubeObject, observed: KubeObject): Answer<KubeObject | undefined>;
  status(observed: KubeObject): Answer<JsonValue | undefined>;
  aggregate(template: KubeObject, items: readonly StatusItem[]): Answer<KubeObject | undefined>;
  health(observed: KubeObject): Answer<boolean | undefined>;
  dependencies(object: KubeObject): Answer<readonly Dependency[] | undefined>;
}

/** @param layers the most particular first */
export function createInterpreter(layers: readonly InterpreterLayer[]): Interpreter {
  const layerFor = (object: KubeObject, operation: Operation): InterpreterLayer | undefined => {
    const kind = gvkOf(object);
    return layers.find((layer) => layer.has(kind, operation));
  };
  return {
    has: (object, operation) => operation === 'InterpretStatus' || layerFor(object, operation) !== undefined,
    replicas: (object) => layerFor(object, 'InterpretReplica')?.replicas(object),
    components: (object) => layerFor(object, 'InterpretComponent')?.components(object),
    withComponent: (object, name, replicas) =>
      layerFor(object, 'InterpretComponent')?.withComponent?.(object, name, replicas),
    revise: (object, replicas) => layerFor(object, 'ReviseReplica')?.revise(object, replicas),
    retain: (desired, observed) => layerFor(desired, 'Retain')?.retain(desired, observed),
    status: (observed) => {
      const layer = layerFor(observed, 'InterpretStatus');
      return layer === undefined ? (observed['status'] as JsonValue | undefined) : layer.status(observed);
    },
    aggregate: (template, items) => layerFor(template, 'AggregateStatus')?.aggregate(template, items),
    health: (observed) => layerFor(observed, 'InterpretHealth')?.health(observed),
    dependencies: (object) => layerFor(object, 'InterpretDependency')?.dependencies(object),
  };
}

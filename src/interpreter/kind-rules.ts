// What is known of one kind, as functions, and the layer that such rules make. A rule that is absent leaves the
// operation to the layers behind.
import {
  formatApiVersion,
  type Component,
  type GroupVersionKind,
  type JsonObject,
  type JsonValue,
  type KubeObject,
} from '../api/index.ts';
import { assert } from '../base/index.ts';
import { unitedDependencies } from './answers.ts';
import type { Dependency, InterpreterLayer, Operation, Replicas, StatusItem } from './interpreter.ts';
import { withValue } from './native/read.ts';

export interface KindRules {
  readonly replicas?: (object: KubeObject) => Replicas;
  readonly components?: (object: KubeObject) => readonly Component[];
  /** With another number of replicas in one component; undefined: it always has the same. */
  readonly withComponent?: (object: KubeObject, name: string, replicas: number) => KubeObject | undefined;
  readonly revise?: (object: KubeObject, replicas: number) => KubeObject;
  readonly retain?: (desired: KubeObject, observed: KubeObject) => KubeObject;
  readonly status?: (observed: KubeObject) => JsonObject;
  /**
   * The status of the template; undefined: it stays.
   * @param now RFC 3339, the time of conditions that become true
   */
  readonly aggregate?: (
    template: KubeObject,
    items: readonly StatusItem[],
    now: string,
  ) => JsonObject | undefined;
  readonly health?: (observed: KubeObject) => boolean;
  readonly dependencies?: (object: KubeObject) => readonly Dependency[];
}

/** Which rule each operation is. */
export const RULE_OF: Readonly<Record<Operation, keyof KindRules>> = {
  InterpretReplica: 'replicas',
  InterpretComponent: 'components',
  ReviseReplica: 'revise',
  Retain: 'retain',
  InterpretStatus: 'status',
  AggregateStatus: 'aggregate',
  InterpretHealth: 'health',
  InterpretDependency: 'dependencies',
};

/**
 * @param find the rules of `<apiVersion> <kind>`
 * @param now the time of conditions that an aggregation finds to have become true, RFC 3339
 */
export function rulesLayer(
  find: (kind: string) => KindRules | undefined,
  now: () => string,
): InterpreterLayer {
  const rule = <K extends keyof KindRules>(
    { apiVersion, kind }: KubeObject,
    name: K,
  ): NonNullable<KindRules[K]> => {
    const found = find(`${apiVersion} ${kind}`)?.[name];
    assert(found !== undefined, `there is no rule ${name} for ${apiVersion} ${kind}`);
    return found;
  };
  return {
    has: (kind: GroupVersionKind, operation) =>
      find(`${formatApiVersion(kind)} ${kind.kind}`)?.[RULE_OF[operation]] !== undefined,
    replicas: (object) => rule(object, 'replicas')(object),
    components: (object) => rule(object, 'components')(object),
    withComponent: (object, name, replicas) =>
      find(`${object.apiVersion} ${object.kind}`)?.withComponent?.(object, name, replicas),
    revise: (object, replicas) => rule(object, 'revise')(object, replicas),
    retain: (desired, observed) => rule(desired, 'retain')(desired, observed),
    status: (observed): JsonValue => rule(observed, 'status')(observed),
    aggregate(template, items) {
      const status = rule(template, 'aggregate')(template, items, now());
      return status === undefined ? template : withValue(template, ['status'], status);
    },
    health: (observed) => rule(observed, 'health')(observed),
    dependencies: (object) => unitedDependencies([rule(object, 'dependencies')(object)]),
  };
}

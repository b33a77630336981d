// Kinds of other projects that the control plane understands by itself, behind what users say and before Kubernetes'
// own kinds (propagation.md §8.5). Upstream ships them as scripts; here they are code, so that they are checked, cost no
// more than native kinds, and share their parts.
import { formatApiVersion, type GroupVersionKind, type JsonValue, type KubeObject } from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import { unitedDependencies } from '../answers.ts';
import type { InterpreterLayer, Operation } from '../interpreter.ts';
import { withValue } from '../native/read.ts';
import { withoutEmpty } from './adding-up.ts';
import { batch } from './batch.ts';
import { flux } from './flux.ts';
import type { KindRules } from './kind-rules.ts';
import { kruise } from './kruise.ts';
import { kubeflow } from './kubeflow.ts';
import { ray } from './ray.ts';
import { streaming } from './streaming.ts';

const KINDS: ReadonlyMap<string, KindRules> = new Map(
  Object.entries({ ...kruise, ...batch, ...streaming, ...kubeflow, ...ray, ...flux }),
);

const RULE_OF: Readonly<Record<Operation, keyof KindRules>> = {
  InterpretReplica: 'replicas',
  InterpretComponent: 'components',
  ReviseReplica: 'revise',
  Retain: 'retain',
  InterpretStatus: 'status',
  AggregateStatus: 'aggregate',
  InterpretHealth: 'health',
  InterpretDependency: 'dependencies',
};

function rule<K extends keyof KindRules>(
  { apiVersion, kind }: KubeObject,
  name: K,
): NonNullable<KindRules[K]> {
  const found = KINDS.get(`${apiVersion} ${kind}`)?.[name];
  assert(found !== undefined, `there is no rule ${name} for ${apiVersion} ${kind}`);
  return found;
}

/** @param now the time of conditions that an aggregation finds to have become true, RFC 3339 */
export function thirdPartyLayer(now: () => string): InterpreterLayer {
  return {
    has: (kind: GroupVersionKind, operation) =>
      KINDS.get(`${formatApiVersion(kind)} ${kind.kind}`)?.[RULE_OF[operation]] !== undefined,
    replicas: (object) => rule(object, 'replicas')(object),
    components: (object) => rule(object, 'components')(object),
    revise: (object, replicas) => rule(object, 'revise')(object, replicas),
    retain: (desired, observed) => rule(desired, 'retain')(desired, observed),
    status: (observed): JsonValue => withoutEmpty(rule(observed, 'status')(observed)),
    aggregate(template, items) {
      const status = rule(template, 'aggregate')(template, items, now());
      return status === undefined ? template : withValue(template, ['status'], withoutEmpty(status));
    },
    health: (observed) => rule(observed, 'health')(observed),
    dependencies: (object) => unitedDependencies([rule(object, 'dependencies')(object)]),
  };
}

/** What is understood, as `<apiVersion> <kind>`. */
export function thirdPartyKinds(): readonly string[] {
  return [...KINDS.keys()];
}

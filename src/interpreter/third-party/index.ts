// Kinds of other projects that the control plane understands by itself, behind what users say and before Kubernetes'
// own kinds (propagation.md §8.5). Upstream ships them as scripts; here they are code, so that they are checked, cost no
// more than native kinds, and share their parts.
import type { InterpreterLayer } from '../interpreter.ts';
import { rulesLayer, type KindRules } from '../kind-rules.ts';
import { withoutEmpty, withoutEmptyLeaves } from './adding-up.ts';
import { batch } from './batch.ts';
import { flux } from './flux.ts';
import { kruise } from './kruise.ts';
import { kubeflow } from './kubeflow.ts';
import { packages } from './packages.ts';
import { ray } from './ray.ts';
import { streaming } from './streaming.ts';

/** COMPAT: results of upstream's scripts hold nothing that is empty. */
function withoutEmptyResults(rules: KindRules): KindRules {
  const { status, aggregate } = rules;
  return {
    ...rules,
    ...(status === undefined ? {} : { status: (observed) => withoutEmptyLeaves(status(observed)) }),
    ...(aggregate === undefined
      ? {}
      : {
          aggregate: (template, items, now) => {
            const made = aggregate(template, items, now);
            return made === undefined ? undefined : withoutEmpty(made);
          },
        }),
  };
}

const KINDS: ReadonlyMap<string, KindRules> = new Map(
  Object.entries({ ...kruise, ...batch, ...streaming, ...kubeflow, ...ray, ...flux, ...packages }).map(
    ([kind, rules]) => [kind, withoutEmptyResults(rules)],
  ),
);

/** @param now the time of conditions that an aggregation finds to have become true, RFC 3339 */
export function thirdPartyLayer(now: () => string): InterpreterLayer {
  return rulesLayer((kind) => KINDS.get(kind), now);
}

/** What is understood, as `<apiVersion> <kind>`. */
export function thirdPartyKinds(): readonly string[] {
  return [...KINDS.keys()];
}

// Kinds that users expect a cluster to act on and that this one does not: they are told so, by an event on the object.
import type { KubeObject } from '../api/index.ts';
import { resource } from '../client/index.ts';
import { informerSource, type Informer, type InformerSet } from '../runtime/index.ts';
import { runLoop, type LoopContext } from './loop.ts';
import { planOf, type Plan } from './plan.ts';

const kinds = [
  resource({ group: '', version: 'v1', resource: 'replicationcontrollers', namespaced: true }),
  resource({ group: 'autoscaling', version: 'v2', resource: 'horizontalpodautoscalers', namespaced: true }),
];

export function decideNotSimulated(object: KubeObject): Plan {
  const message = `the simulated cluster does not act on a ${object.kind}`;
  return planOf([], [{ about: object, type: 'Warning', reason: 'NotSimulated', message }]);
}

/** Runs until the signal aborts. */
export async function runRefusals(context: LoopContext, informers: InformerSet): Promise<void> {
  await Promise.all(
    kinds.map((kind) => {
      const informer: Informer = informers.informer(kind);
      return runLoop(
        {
          name: 'simulation',
          sources: [informerSource(informer, { changed: () => false })],
          gather: (key) => informer.store.get(key),
          decide: decideNotSimulated,
        },
        context,
      );
    }),
  );
}

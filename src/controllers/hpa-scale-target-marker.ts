// hpa-scale-target-marker: marks what a propagated HorizontalPodAutoscaler scales, so that the members keep their
// own replicas. Off unless named by `--controllers`.
// Reads: HorizontalPodAutoscalers. Writes: one label of the templates they scale.
import type { KubeObject } from '../api/index.ts';
import { isNotFound, resource } from '../client/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { markedTarget, withRetainedReplicas, type ScaleTarget } from '../propagation/index.ts';
import { done, informerSource, runController, type Outcome } from '../runtime/index.ts';
import type { Controller, ControllerContext } from './context.ts';

const autoscalers = resource({
  group: 'autoscaling',
  version: 'v2',
  resource: 'horizontalpodautoscalers',
  namespaced: true,
});

/** The objects that are scaled, by apiVersion, kind and place. */
const TARGETS = 'scale target';
const targetKey = ({ apiVersion, kind, namespace, name }: ScaleTarget): string =>
  `${apiVersion}|${kind}|${namespace}|${name}`;

function targetsOf(autoscaler: KubeObject): string[] {
  const target = isBeingDeleted(autoscaler) ? undefined : markedTarget(autoscaler);
  return target === undefined ? [] : [targetKey(target)];
}

export const hpaScaleTargetMarker: Controller = {
  name: 'hpaScaleTargetMarker',
  async run(context) {
    const { informers, clock, logger, metrics, signal } = context;
    const informer = informers.informer(autoscalers, { indexes: { [TARGETS]: targetsOf } });
    await runController({
      name: 'hpa-scale-target-marker',
      // Keys are targets: one that two autoscalers name stays marked until both let go of it.
      sources: [
        // Any change of an autoscaler looks again: its target may have been made meanwhile.
        informerSource(informer, { map: targetsOf }),
      ],
      clock,
      logger,
      metrics,
      signal,
      reconcile: (key, { signal: reconcileSignal }) =>
        mark(context, key, informer.store.byIndex(TARGETS, key).length > 0, reconcileSignal),
    });
  },
};

async function mark(
  { hubClient, mapper }: ControllerContext,
  key: string,
  retained: boolean,
  signal: AbortSignal,
): Promise<Outcome> {
  const [apiVersion = '', kind = '', namespace = '', name = ''] = key.split('|');
  const target = await mapper.resourceForObject({ apiVersion, kind });
  if (target === undefined) return done;
  const place = { ...(target.namespaced ? { namespace } : {}), name };
  const template = await hubClient.find(target, place, { signal });
  // One that is made later is marked when the next status of its autoscaler is added up.
  if (template === undefined) return done;
  const marked = withRetainedReplicas(template, retained);
  if (marked === template) return done;
  try {
    await hubClient.update(target, marked, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return done;
}

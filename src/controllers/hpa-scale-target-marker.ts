// hpa-scale-target-marker: marks what a propagated HorizontalPodAutoscaler scales, so that the members keep their
// own replicas. Off unless named by `--controllers`.
// Reads: HorizontalPodAutoscalers, what they scale. Writes: one label of the templates they scale.
import type { KubeObject } from '../api/index.ts';
import type { Cancel } from '../base/index.ts';
import { isNotFound, resource, type ApiResource } from '../client/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { markedTarget, withRetainedReplicas, type ScaleTarget } from '../propagation/index.ts';
import { WorkQueue, done, informerSource, runController, type Outcome } from '../runtime/index.ts';
import type { Controller, ControllerContext } from './context.ts';

const autoscalers = resource({
  group: 'autoscaling',
  version: 'v2',
  resource: 'horizontalpodautoscalers',
  namespaced: true,
});

const NAME = 'hpa-scale-target-marker';

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
    const queue = new WorkQueue({ name: NAME, clock, metrics });
    const isScaled = (key: string): boolean => informer.store.byIndex(TARGETS, key).length > 0;
    const arrivals = new Arrivals(context, (key) => {
      if (isScaled(key)) queue.add(key);
    });
    try {
      await runController({
        name: NAME,
        queue,
        // Keys are targets: one that two autoscalers name stays marked until both let go of it.
        sources: [
          informerSource(informer, {
            map: targetsOf,
            changed: (before, after) => targetsOf(before)[0] !== targetsOf(after)[0],
          }),
        ],
        clock,
        logger,
        metrics,
        signal,
        reconcile: (key, { signal: reconcileSignal }) =>
          mark(context, key, isScaled(key), arrivals, reconcileSignal),
      });
    } finally {
      arrivals.close();
    }
  },
};

/** Tells of targets that are made after their autoscalers, of the kinds of which one was missing. */
class Arrivals {
  private readonly context: ControllerContext;
  private readonly tell: (key: string) => void;
  /** By apiVersion and kind. */
  private readonly followed = new Map<string, Cancel>();

  constructor(context: ControllerContext, tell: (key: string) => void) {
    this.context = context;
    this.tell = tell;
  }

  follow(apiVersion: string, kind: string, resource: ApiResource): void {
    const name = `${apiVersion}|${kind}`;
    if (this.followed.has(name)) return;
    const use = this.context.informers.use(resource);
    const unsubscribe = use.informer.subscribe({
      added: ({ metadata }) =>
        this.tell(
          targetKey({ apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }),
        ),
    });
    this.followed.set(name, () => {
      unsubscribe();
      use.release();
    });
  }

  close(): void {
    for (const cancel of this.followed.values()) cancel();
    this.followed.clear();
  }
}

async function mark(
  { hubClient, mapper }: ControllerContext,
  key: string,
  retained: boolean,
  arrivals: Arrivals,
  signal: AbortSignal,
): Promise<Outcome> {
  const [apiVersion = '', kind = '', namespace = '', name = ''] = key.split('|');
  const target = await mapper.resourceForObject({ apiVersion, kind });
  if (target === undefined) return done;
  const place = { ...(target.namespaced ? { namespace } : {}), name };
  const template = await hubClient.find(target, place, { signal });
  if (template === undefined) {
    // What is there when the following begins is told too, so that none is missed in between.
    if (retained) arrivals.follow(apiVersion, kind, target);
    return done;
  }
  const marked = withRetainedReplicas(template, retained);
  if (marked === template) return done;
  try {
    await hubClient.update(target, marked, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return done;
}

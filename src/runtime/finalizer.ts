// Clean-up that cannot be missed. Expected flow, one reconcile per step:
//   1. a new object arrives without our finalizer: it is added, nothing else happens
//   2. the object arrives with it: `apply` runs, on every reconcile from now on
//   3. the object is being deleted and has it: `cleanup` runs, on every reconcile until it succeeds
//   4. after a successful cleanup the finalizer is removed, and the object goes when nobody else holds it
// Guarantees: `apply` never runs before the finalizer is stored. If `apply` ever ran, `cleanup` succeeds before the
// object goes, unless somebody takes the finalizer away by hand. `cleanup` may run more than once, and may run without
// `apply` having run. Other people's finalizers are never touched: both writes hold only for the version that was read.
import type { KubeObject } from '../api/index.ts';
import { isNotFound, type Client, type Resource } from '../client/index.ts';
import { hasFinalizer, isBeingDeleted, withFinalizer, withoutFinalizer } from '../machinery/index.ts';
import { done, type Outcome } from './outcome.ts';
import { act, type Write } from './plan.ts';

/** What is due for an object with regard to a finalizer. */
export type FinalizerPhase =
  | 'add'
  | 'apply'
  | 'cleanup'
  /** It is being deleted and does not have it, or not any more: leave it alone. */
  | 'none';

export function finalizerPhase(object: KubeObject, finalizer: string): FinalizerPhase {
  const has = hasFinalizer(object, finalizer);
  if (isBeingDeleted(object)) return has ? 'cleanup' : 'none';
  return has ? 'apply' : 'add';
}

/** The write that adds or removes a finalizer; undefined when there is nothing to change. */
export function finalizerWrite<T extends KubeObject>(
  resource: Resource<T>,
  object: T,
  finalizer: string,
  present: boolean,
): Write | undefined {
  const changed = present ? withFinalizer(object, finalizer) : withoutFinalizer(object, finalizer);
  if (changed === object) return undefined;
  const { name = '', namespace, uid, resourceVersion } = object.metadata;
  return {
    verb: 'patch',
    resource,
    key: { namespace, name },
    patch: { type: 'merge', body: { metadata: { finalizers: changed.metadata.finalizers ?? null } } },
    preconditions: {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

export interface FinalizerSteps<T extends KubeObject> {
  readonly apply: (object: T) => Promise<Outcome>;
  /** Only `done` removes the finalizer; any other outcome is passed on and cleanup runs again. */
  readonly cleanup: (object: T) => Promise<Outcome>;
}

/** Runs the step that is due for `object`. Adding and removing are followed by an event that brings the key back. */
export async function reconcileFinalizer<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  object: T,
  finalizer: string,
  steps: FinalizerSteps<T>,
): Promise<Outcome> {
  switch (finalizerPhase(object, finalizer)) {
    case 'none':
      return done;
    case 'apply':
      return steps.apply(object);
    case 'add':
      await setFinalizer(client, resource, object, finalizer, true);
      return done;
    case 'cleanup': {
      const outcome = await steps.cleanup(object);
      if (outcome.kind !== 'done') return outcome;
      await setFinalizer(client, resource, object, finalizer, false);
      return done;
    }
  }
}

async function setFinalizer<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  object: T,
  finalizer: string,
  present: boolean,
): Promise<void> {
  const write = finalizerWrite(resource, object, finalizer, present);
  if (write === undefined) return;
  try {
    await act({ writes: [write] }, { client });
  } catch (error) {
    // Gone is what removing wants; gone before adding leaves nothing to guard.
    if (!isNotFound(error)) throw error;
  }
}

// Which keys the events of pods and other owned objects mean work for.
import type { KubeObject, LabelSelector } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { controllerOf, deepEqual, labelSelectorFor } from '../machinery/index.ts';
import { informerSource, type Informer, type Source } from '../runtime/index.ts';
import type { Caches } from './caches.ts';
import type { Pod } from './kinds.ts';
import { isReady } from './pods.ts';

/** Whether an update of a pod can mean anything to the one who owns it. */
export function podMatters(old: Pod, pod: Pod): boolean {
  return (
    old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    !deepEqual(old.metadata.labels, pod.metadata.labels) ||
    !deepEqual(old.metadata.ownerReferences, pod.metadata.ownerReferences) ||
    !deepEqual(old.metadata.finalizers, pod.metadata.finalizers) ||
    old.spec.nodeName !== pod.spec.nodeName ||
    old.status?.phase !== pod.status?.phase ||
    old.status?.podIP !== pod.status?.podIP ||
    isReady(old) !== isReady(pod) ||
    restartsOf(old) !== restartsOf(pod)
  );
}

function restartsOf(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}

interface Selecting extends KubeObject {
  readonly spec: { readonly selector?: LabelSelector };
}

/** The key of the controlling owner; for orphans the keys of all owners that select them. */
export function ownerKeys<T extends Selecting>(
  kind: string,
  owners: Informer<T>,
): (object: KubeObject) => readonly string[] {
  return (object) => {
    const { namespace = '' } = object.metadata;
    const controller = controllerOf(object);
    if (controller !== undefined) return controller.kind === kind ? [`${namespace}/${controller.name}`] : [];
    return owners.store
      .list(namespace)
      .filter(
        ({ spec }) =>
          spec.selector !== undefined &&
          labelSelectorFor(spec.selector).matches(object.metadata.labels ?? {}),
      )
      .map(keyOf);
  };
}

export function podsOf<T extends Selecting>(kind: string, owners: Informer<T>, caches: Caches): Source {
  return informerSource(caches.pods, { map: ownerKeys(kind, owners), changed: podMatters });
}

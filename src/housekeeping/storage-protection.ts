// Lets claims and volumes go that nobody uses, where no volume controller does: on a hub they are templates, and their
// protection would hold them for ever.
// Reads: claims, volumes, pods. Writes: removes their protection finalizers when they are being deleted.
// INVARIANT: a claim that a pod of this API server uses keeps its protection until the pod is gone.
import type { KubeObject } from '../api/index.ts';
import { isConflict, isNotFound, kinds, type Resource } from '../client/index.ts';
import { isBeingDeleted, withoutFinalizer } from '../machinery/index.ts';
import { act, done, informerSource, runController, type Plan } from '../runtime/index.ts';
import { resources } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection';
const VOLUME_PROTECTION = 'kubernetes.io/pv-protection';

type Pod = KubeObject & {
  readonly spec?: {
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
  };
};

export function claimsOf({ metadata, spec }: Pod): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
    claim === undefined ? [] : [`${metadata.namespace ?? ''}/${claim.claimName}`],
  );
}

export function decideProtection(object: KubeObject, resource: Resource, inUse: boolean): Plan {
  if (!isBeingDeleted(object) || inUse) return {};
  const freed = withoutFinalizer(withoutFinalizer(object, CLAIM_PROTECTION), VOLUME_PROTECTION);
  return freed === object ? {} : { writes: [{ verb: 'update', resource, object: freed }] };
}

export async function runStorageProtection(settings: HousekeepingSettings): Promise<void> {
  const { informers } = settings;
  const pods = informers.informer<Pod>(kinds.pods);
  await pods.synced;
  const isUsed = (key: string): boolean => pods.store.list().some((pod) => claimsOf(pod).includes(key));
  await Promise.all([
    protect(settings, resources.persistentVolumeClaims, isUsed, [
      informerSource(pods, { map: claimsOf, changed: () => false }),
    ]),
    protect(settings, resources.persistentVolumes, () => false, []),
  ]);
}

async function protect(
  settings: HousekeepingSettings,
  resource: Resource,
  isUsed: (key: string) => boolean,
  sources: Parameters<typeof runController>[0]['sources'],
): Promise<void> {
  const { client, informers } = settings;
  const objects = informers.informer(resource);
  await runController({
    ...settings,
    name: `${resource.resource}-protection`,
    concurrency: 2,
    sources: [informerSource(objects, { filter: isBeingDeleted }), ...sources],
    async reconcile(key, { signal }) {
      const object = objects.store.get(key);
      if (object === undefined) return done;
      try {
        return await act(decideProtection(object, resource, isUsed(key)), { client, signal });
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) return done;
        throw error;
      }
    },
  });
}

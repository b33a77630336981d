// Which events wake the controllers of claims and volumes, and what each gathers from the caches.
import { keyOf } from '../../client/index.ts';
import { informerSource } from '../../runtime/index.ts';
import type { Caches } from '../caches.ts';
import { runLoop, type LoopContext, type LoopSpec } from '../loop.ts';
import { isTerminal } from '../pods.ts';
import { decideClaim, decideVolume } from './volume-binding.ts';

/** Runs until the signal aborts. */
export async function runVolumeLoops(context: LoopContext): Promise<void> {
  const { caches } = context;
  await Promise.all([runLoop(claimLoop(caches), context), runLoop(volumeLoop(caches), context)]);
}

function claimLoop(caches: Caches): LoopSpec<Parameters<typeof decideClaim>[0]> {
  const { persistentVolumeClaims: claims, persistentVolumes: volumes, storageClasses, pods } = caches;
  const unbound = (): string[] =>
    claims.store
      .list()
      .filter(({ status }) => status?.phase !== 'Bound')
      .map(keyOf);
  return {
    name: 'persistentvolume-controller',
    sources: [
      informerSource(claims),
      informerSource(volumes, {
        map: ({ spec: { claimRef } }) =>
          claimRef === undefined ? unbound() : [`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`],
      }),
      informerSource(storageClasses, { map: unbound }),
      informerSource(pods, {
        changed: (old, pod) => isTerminal(old) !== isTerminal(pod),
        map: ({ metadata, spec }) =>
          (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
            persistentVolumeClaim === undefined
              ? []
              : [`${metadata.namespace}/${persistentVolumeClaim.claimName}`],
          ),
      }),
    ],
    gather(key) {
      const claim = claims.store.get(key);
      if (claim === undefined) return undefined;
      return {
        claim,
        volumes: volumes.store.list(),
        classes: storageClasses.store.list(),
        isUsed: caches.podsWithClaim(key).some((pod) => !isTerminal(pod)),
      };
    },
    decide: decideClaim,
  };
}

function volumeLoop(caches: Caches): LoopSpec<Parameters<typeof decideVolume>[0]> {
  const { persistentVolumeClaims: claims, persistentVolumes: volumes } = caches;
  return {
    name: 'persistentvolume-protection',
    sources: [
      informerSource(volumes),
      informerSource(claims, { map: ({ spec: { volumeName } }) => volumeName }),
    ],
    gather(key) {
      const volume = volumes.store.get(key);
      if (volume === undefined) return undefined;
      const { claimRef } = volume.spec;
      const claim =
        claimRef === undefined
          ? undefined
          : claims.store.get(`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`);
      return { volume, claim };
    },
    decide: decideVolume,
  };
}

// What every Work gets on its way into the store: an id, and manifests that carry nothing of the hub's own and say
// which keys are ours. The controllers write Works that are complete already, so that this changes nothing.
import { WORK_ID_LABEL, type KubeObject, type Work } from '../api/index.ts';
import type { Random } from '../base/index.ts';
import { prune, withManagedKeys } from '../propagation/index.ts';

export function completeWork(object: KubeObject, random: Random): KubeObject {
  const work = object as Work;
  const known = work.metadata.labels?.[WORK_ID_LABEL] ?? '';
  const id = known === '' ? random.uuid() : known;
  const identified: Work =
    known === ''
      ? { ...work, metadata: { ...work.metadata, labels: { ...work.metadata.labels, [WORK_ID_LABEL]: id } } }
      : work;
  const manifests = work.spec?.workload?.manifests as readonly KubeObject[] | undefined;
  if (manifests === undefined) return identified;
  const completed = manifests.map((manifest) =>
    isObject(manifest) ? withManagedKeys(prune(manifest, false), id) : manifest,
  );
  if (completed.every((manifest, index) => manifest === manifests[index])) return identified;
  return {
    ...identified,
    spec: { ...work.spec, workload: { ...work.spec.workload, manifests: completed } },
  };
}

function isObject(manifest: unknown): boolean {
  return (
    typeof manifest === 'object' && manifest !== null && typeof (manifest as KubeObject).metadata === 'object'
  );
}

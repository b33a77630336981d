// What every Work gets on its way into the store: an id, and manifests that carry nothing of the hub's own and say
// which keys are ours. The controllers write Works that are complete already, so that this changes nothing.
import { WORK_ID_LABEL, type KubeObject, type Work } from '../api/index.ts';
import type { Random } from '../base/index.ts';
import { StatusError, goJson } from '../machinery/index.ts';
import { prune, withManagedKeys } from '../propagation/index.ts';

/** Throws a StatusError, 500 as upstream's, when a manifest is no object of any kind. */
export function completeWork(object: KubeObject, random: Random): KubeObject {
  const work = object as Work;
  const known = work.metadata.labels?.[WORK_ID_LABEL] ?? '';
  const id = known === '' ? random.uuid() : known;
  const identified: Work =
    known === ''
      ? { ...work, metadata: { ...work.metadata, labels: { ...work.metadata.labels, [WORK_ID_LABEL]: id } } }
      : work;
  const manifests = work.spec?.workload?.manifests as readonly unknown[] | undefined;
  // COMPAT: upstream's typed webhook writes a workload that says nothing, and no empty list in it.
  if (isMap(work.spec) && (manifests ?? []).length === 0 && isMap(work.spec.workload ?? {})) {
    const { manifests: _none, ...workload } = work.spec.workload ?? {};
    return { ...identified, spec: { ...work.spec, workload } };
  }
  // What is no list of objects is refused by the schema, which is checked later.
  if (!Array.isArray(manifests) || !manifests.every(isMap)) return identified;
  const completed = manifests.map((manifest) => withManagedKeys(prune(whole(manifest), true), id));
  if (completed.every((manifest, index) => manifest === manifests[index])) return identified;
  return {
    ...identified,
    spec: { ...work.spec, workload: { ...work.spec.workload, manifests: completed } },
  };
}

type Fields = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function whole(manifest: Fields): KubeObject {
  const { kind, metadata } = manifest;
  if (typeof kind !== 'string' || kind === '') {
    const why = `Object 'Kind' is missing in '${goJson(manifest)}'`;
    throw new StatusError(500, '', `admission webhook "work.karmada.io" denied the request: ${why}`);
  }
  if (!isMap(metadata)) return { ...manifest, metadata: {} } as unknown as KubeObject;
  // COMPAT: what should be a map of keys and is none is as good as not there, and gives way to ours.
  const odd = ['labels', 'annotations'].filter(
    (field) => Object.hasOwn(metadata, field) && !isMap(metadata[field]),
  );
  if (odd.length === 0) return manifest as unknown as KubeObject;
  const kept = Object.fromEntries(Object.entries(metadata).filter(([field]) => !odd.includes(field)));
  return { ...manifest, metadata: kept } as unknown as KubeObject;
}

// What an object of a member was before it came under the hub, and how it becomes that again.
// INVARIANT: what others changed meanwhile stays as they left it; only what taking over wrote is taken back.
import type { JsonObject, KubeObject } from '../../api/index.ts';
import { deepEqual } from '../../machinery/index.ts';
import { prune } from '../prune.ts';

type Keys = Readonly<Record<string, string>> | undefined;

const CONFIDENTIAL: readonly string[] = ['data', 'stringData'];

/** The object as it is kept for later: without what its API server writes for itself, and without secrets. */
export function keptOriginal(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  const { status: _status, ...rest } = object;
  const fields = Object.entries(rest).filter(
    ([name]) => object.kind !== 'Secret' || !CONFIDENTIAL.includes(name),
  );
  return { ...(Object.fromEntries(fields) as KubeObject), metadata };
}

/** What it declares, apart from metadata and from what its API server fills in. */
export function contentOf(object: KubeObject): JsonObject {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...content } = prune(object, false);
  return content as JsonObject;
}

/** Whether a label or annotation is the control plane's word rather than the object's. */
function isOurs(key: string): boolean {
  const [domain = ''] = key.split('/');
  return key.includes('/') && /(^|\.)(karmada|navarch)\.io$/.test(domain);
}

function restoredKeys(before: Keys, current: Keys): Keys {
  const others = Object.entries(current ?? {}).filter(([key]) => !isOurs(key));
  const former = Object.entries(before ?? {}).filter(([key]) => isOurs(key));
  const restored = Object.fromEntries([...others, ...former]);
  return Object.keys(restored).length === 0 && before === undefined ? undefined : restored;
}

/**
 * `current` as it was before the hub took it over, ready to be written with its resourceVersion; undefined when it is
 * so already.
 */
export function restoredOriginal(before: KubeObject, current: KubeObject): KubeObject | undefined {
  const { labels: _labels, annotations: _annotations, ...metadata } = current.metadata;
  const labels = restoredKeys(before.metadata.labels, current.metadata.labels);
  const annotations = restoredKeys(before.metadata.annotations, current.metadata.annotations);
  const same =
    deepEqual(labels ?? {}, current.metadata.labels ?? {}) &&
    deepEqual(annotations ?? {}, current.metadata.annotations ?? {});
  if (same) return undefined;
  return {
    ...current,
    metadata: {
      ...metadata,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

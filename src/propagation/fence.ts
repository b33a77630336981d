// What keeps a workload that must never run twice from doing so. Its pods carry the name of a lease in their member and
// a scheduling gate; the member's fencing agent opens the gate while the lease is good, and stops the pods when it is
// not. The control plane renews the lease only where the workload is to run, and starts no other copy before the lease
// of the last one has run out or that copy is known to be gone.
import {
  AT_MOST_ONCE_ANNOTATION,
  FENCE_GATE,
  FENCE_LABEL,
  POD_TEMPLATE_PATH_ANNOTATION,
  type KubeObject,
} from '../api/index.ts';
import { fnv1a32, safeEncode } from '../machinery/index.ts';

export interface Fence {
  /** Of the lease, in the namespace of the workload. */
  readonly lease: string;
}

export function isAtMostOnce({ metadata }: Pick<KubeObject, 'metadata'>): boolean {
  return metadata.annotations?.[AT_MOST_ONCE_ANNOTATION] === 'true';
}

/** The lease that fences a workload; short enough for a label, however long its name is. */
export function fenceOf({ kind, metadata }: KubeObject): Fence {
  return {
    lease: `fence-${safeEncode(String(fnv1a32(`${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`)))}`,
  };
}

/** The manifest with its pods behind the gate. Where no pods are made from it, its controller has to look at the lease. */
export function fencedManifest(manifest: KubeObject, { lease }: Fence): KubeObject {
  const annotations = { ...manifest.metadata.annotations, [FENCE_LABEL]: lease };
  const named = { ...manifest, metadata: { ...manifest.metadata, annotations } };
  const path = manifest.metadata.annotations?.[POD_TEMPLATE_PATH_ANNOTATION] ?? 'spec.template';
  return (atPath(named, path.split('.'), (template) => fencedTemplate(template, lease)) ??
    named) as KubeObject;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** Undefined when there is no object at the path. */
function atPath(
  value: unknown,
  [key, ...rest]: readonly string[],
  change: (at: Fields) => Fields,
): Fields | undefined {
  const fields = fieldsOf(value);
  if (fields === undefined) return undefined;
  if (key === undefined) return change(fields);
  const inner = Object.hasOwn(fields, key) ? atPath(fields[key], rest, change) : undefined;
  return inner === undefined ? undefined : { ...fields, [key]: inner };
}

function fencedTemplate(template: Fields, lease: string): Fields {
  const metadata = fieldsOf(template['metadata']) ?? {};
  const spec = fieldsOf(template['spec']) ?? {};
  const gates = Array.isArray(spec['schedulingGates'])
    ? (spec['schedulingGates'] as { readonly name: string }[])
    : [];
  return {
    ...template,
    metadata: { ...metadata, labels: { ...fieldsOf(metadata['labels']), [FENCE_LABEL]: lease } },
    spec: {
      ...spec,
      schedulingGates: [...gates.filter(({ name }) => name !== FENCE_GATE), { name: FENCE_GATE }],
    },
  };
}

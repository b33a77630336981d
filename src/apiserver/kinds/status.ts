// The status of an object, written by whoever observes it; nothing else changes by it.
import type { KubeObject } from '../../api/index.ts';
import type { FieldError } from '../../machinery/index.ts';
import type { Subresource, WriteContext } from '../resource.ts';

interface StatusOptions {
  /** COMPAT: for some kinds (nodes, pods) a write of the status may change labels too. */
  readonly changesLabels?: boolean;
  /** What else a write of the status takes over or fills in. */
  prepare?(next: KubeObject, old: KubeObject, context: WriteContext): KubeObject;
  validate?(next: KubeObject, old: KubeObject): readonly FieldError[];
}

function withStatusOf(next: KubeObject, old: KubeObject, changesLabels: boolean): KubeObject {
  const { status: _, metadata: oldMetadata, ...rest } = old;
  const { labels: _labels, ...metadata } = next.metadata;
  const labels = (changesLabels ? next.metadata : oldMetadata).labels;
  return Object.freeze({
    ...(rest as Omit<KubeObject, 'metadata'>),
    metadata: Object.freeze({ ...metadata, ...(labels === undefined ? {} : { labels }) }),
    ...(next['status'] === undefined ? {} : { status: next['status'] }),
  }) as KubeObject;
}

export function statusSubresource(options: StatusOptions = {}): Subresource {
  return {
    verbs: ['get', 'patch', 'update'],
    part: {
      prepareForUpdate(given, old, context) {
        const next = withStatusOf(given, old, options.changesLabels === true);
        return options.prepare?.(next, old, context) ?? next;
      },
      validateUpdate: (next, old) => options.validate?.(next, old) ?? [],
      ignoredFields: options.changesLabels === true ? ['spec'] : ['spec', 'metadata.labels'],
    },
  };
}

// autoscaling/v1 Scale: the replicas of a workload without the rest of it.
import type { KubeObject, LabelSelector, Scale } from '../../api/index.ts';
import { labelSelectorFor } from '../../machinery/index.ts';
import type { Projection, Subresource } from '../resource.ts';
import { notNegative } from './checks.ts';
import { typedDecode } from './typed-decode.ts';

const KIND = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const;

interface Scalable {
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: LabelSelector | Readonly<Record<string, string>>;
  };
  readonly status?: { readonly replicas?: number };
}

function selectorText(selector: Readonly<Record<string, unknown>> | undefined): string {
  if (selector === undefined) return '';
  // A replication controller's selector is a plain map of labels.
  const structured = 'matchLabels' in selector || 'matchExpressions' in selector;
  const full = structured ? (selector as LabelSelector) : { matchLabels: selector as Record<string, string> };
  return labelSelectorFor(full).toString();
}

const decode = typedDecode(KIND);

const projection: Projection = {
  kind: KIND,
  read(object) {
    const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
    const { spec = {}, status = {} } = object as unknown as Scalable;
    const selector = selectorText(spec.selector);
    return Object.freeze({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: spec.replicas === undefined || spec.replicas === 0 ? {} : { replicas: spec.replicas },
      status: { replicas: status.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
    }) as KubeObject;
  },
  write(object, shown) {
    const replicas = (shown as unknown as Scale).spec?.replicas ?? 0;
    const spec = Object.freeze({ ...(object['spec'] as object), replicas });
    return Object.freeze({ ...object, spec });
  },
  decode: (value, report) => decode(value, report),
  definition: 'io.k8s.api.autoscaling.v1.Scale',
  validate: (shown) => notNegative((shown as unknown as Scale).spec?.replicas, 'spec.replicas'),
};

export const scaleSubresource: Subresource = {
  kind: KIND,
  verbs: ['get', 'patch', 'update'],
  projection,
};

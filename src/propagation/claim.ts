// The claim of a policy on a template and its binding: a label with the policy's id, annotations with its name.
// INVARIANT: an object is claimed by a PropagationPolicy or by a ClusterPropagationPolicy, never by both.
import {
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION,
  PROPAGATION_POLICY_ID_LABEL,
  PROPAGATION_POLICY_NAMESPACE_ANNOTATION,
  PROPAGATION_POLICY_NAME_ANNOTATION,
  type KubeObject,
  type ObjectMeta,
} from '../api/index.ts';
import type { Policy } from './kinds.ts';

export interface Claim {
  readonly kind: 'PropagationPolicy' | 'ClusterPropagationPolicy';
  /** Empty for a ClusterPropagationPolicy. */
  readonly namespace: string;
  readonly name: string;
  /** The policy's permanent id. */
  readonly id: string;
}

type Marked = { readonly metadata: ObjectMeta };

/** The claim that an object carries; a PropagationPolicy's comes first. */
export function claimOf({ metadata }: Marked): Claim | undefined {
  const { labels, annotations } = metadata;
  const namespace = annotations?.[PROPAGATION_POLICY_NAMESPACE_ANNOTATION] ?? '';
  const name = annotations?.[PROPAGATION_POLICY_NAME_ANNOTATION] ?? '';
  const id = labels?.[PROPAGATION_POLICY_ID_LABEL] ?? '';
  if (namespace !== '' && name !== '' && id !== '') return { kind: 'PropagationPolicy', namespace, name, id };
  const clusterName = annotations?.[CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION] ?? '';
  const clusterId = labels?.[CLUSTER_PROPAGATION_POLICY_ID_LABEL] ?? '';
  if (clusterName === '' || clusterId === '') return undefined;
  return { kind: 'ClusterPropagationPolicy', namespace: '', name: clusterName, id: clusterId };
}

export function isNamespacedPolicy(policy: Policy): boolean {
  return policy.kind === 'PropagationPolicy';
}

/** The permanent id that admission gave the policy; empty for one that never passed it. */
export function policyId(policy: Policy): string {
  const label = isNamespacedPolicy(policy)
    ? PROPAGATION_POLICY_ID_LABEL
    : CLUSTER_PROPAGATION_POLICY_ID_LABEL;
  return policy.metadata.labels?.[label] ?? '';
}

export function claimFor(policy: Policy): Claim {
  const { namespace = '', name = '' } = policy.metadata;
  return isNamespacedPolicy(policy)
    ? { kind: 'PropagationPolicy', namespace, name, id: policyId(policy) }
    : { kind: 'ClusterPropagationPolicy', namespace: '', name, id: policyId(policy) };
}

/** The labels and annotations by which a claim is known. */
export function claimMarks(claim: Claim): {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
} {
  return claim.kind === 'PropagationPolicy'
    ? {
        labels: { [PROPAGATION_POLICY_ID_LABEL]: claim.id },
        annotations: {
          [PROPAGATION_POLICY_NAMESPACE_ANNOTATION]: claim.namespace,
          [PROPAGATION_POLICY_NAME_ANNOTATION]: claim.name,
        },
      }
    : {
        labels: { [CLUSTER_PROPAGATION_POLICY_ID_LABEL]: claim.id },
        annotations: { [CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION]: claim.name },
      };
}

const MARKS_OF = {
  PropagationPolicy: {
    label: PROPAGATION_POLICY_ID_LABEL,
    annotations: [PROPAGATION_POLICY_NAMESPACE_ANNOTATION, PROPAGATION_POLICY_NAME_ANNOTATION],
  },
  ClusterPropagationPolicy: {
    label: CLUSTER_PROPAGATION_POLICY_ID_LABEL,
    annotations: [CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION],
  },
} as const;

/** The same object with the claim of `policy` on it; that of a PropagationPolicy drives out a cluster policy's. */
export function withClaim<T extends KubeObject>(object: T, policy: Policy): T {
  const claim = claimFor(policy);
  const cleared = claim.kind === 'PropagationPolicy' ? clear(object, 'ClusterPropagationPolicy') : object;
  if (cleared === object && carries(object, claim)) return object;
  const { labels, annotations } = claimMarks(claim);
  const { metadata } = cleared;
  return {
    ...cleared,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...labels },
      annotations: { ...metadata.annotations, ...annotations },
    },
  };
}

/** The same object without the marks of `claim`. An object whose id label says otherwise is not touched. */
export function withoutClaim<T extends KubeObject>(object: T, claim: Pick<Claim, 'kind' | 'id'>): T {
  if (object.metadata.labels?.[MARKS_OF[claim.kind].label] !== claim.id) return object;
  return clear(object, claim.kind);
}

function carries({ metadata }: Marked, claim: Claim): boolean {
  const { labels, annotations } = claimMarks(claim);
  return holdsAll(metadata.labels, labels) && holdsAll(metadata.annotations, annotations);
}

function holdsAll(
  map: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => map?.[key] === value);
}

/** Takes all marks of one kind of claim away. */
/** The same object as no policy has claimed it. */
export function withoutClaims<T extends KubeObject>(object: T): T {
  return clear(clear(object, 'PropagationPolicy'), 'ClusterPropagationPolicy');
}

function clear<T extends KubeObject>(object: T, kind: Claim['kind']): T {
  const marks = MARKS_OF[kind];
  const labels = withoutKeys(object.metadata.labels, [marks.label]);
  const annotations = withoutKeys(object.metadata.annotations, marks.annotations);
  if (labels === object.metadata.labels && annotations === object.metadata.annotations) return object;
  const { labels: _labels, annotations: _annotations, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

/** The same map without some keys: itself when it has none of them, undefined when nothing is left. */
export function withoutKeys(
  map: Readonly<Record<string, string>> | undefined,
  keys: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (map === undefined || !keys.some((key) => Object.hasOwn(map, key))) return map;
  const left = Object.entries(map).filter(([key]) => !keys.includes(key));
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

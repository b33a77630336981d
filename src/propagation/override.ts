// Which override policies change a manifest for a cluster, and in which order (propagation.md §4.3, §4.6). Whoever comes
// later wins: namespaced policies after cluster policies, exact selectors after weak ones, late names after early.
import {
  APPLIED_CLUSTER_OVERRIDES_ANNOTATION,
  APPLIED_OVERRIDES_ANNOTATION,
  type Cluster,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type Overriders,
} from '../api/index.ts';
import { clusterMatchesAffinity } from '../fleet/index.ts';
import type { AnyOverridePolicy } from './kinds.ts';
import { applyOverriders, OverrideError } from './overriders.ts';
import { selectorsRank } from './policy-match.ts';

/** One rule that was applied. */
export interface AppliedOverride {
  /** `namespace/name`, or the name of a cluster policy; for events. */
  readonly policy: string;
  readonly policyName: string;
  readonly overriders: Overriders;
}

export interface OverrideInput {
  readonly manifest: KubeObject;
  readonly cluster: Cluster;
  readonly clusterPolicies: readonly AnyOverridePolicy[];
  /** Those of the manifest's namespace; none for what has no namespace. */
  readonly policies: readonly AnyOverridePolicy[];
}

export type OverrideResult =
  | {
      readonly ok: true;
      /** The same object when nothing was changed. */
      readonly manifest: KubeObject;
      /** For the Work: what was applied, as `policy.karmada.io/applied-overrides` and its cluster form. */
      readonly annotations: Readonly<Record<string, string>>;
      readonly applied: readonly AppliedOverride[];
    }
  | {
      readonly ok: false;
      readonly policy: string;
      readonly error: string;
      /** What was applied before that, and is not sent. */
      readonly applied: readonly AppliedOverride[];
    };

/** How strongly a policy means an object; 0: not at all. Without selectors it means everything, weakly. */
function strength(policy: AnyOverridePolicy, object: KubeObject): number {
  const { resourceSelectors = [] } = policy.spec;
  return resourceSelectors.length === 0 ? 1 : selectorsRank(resourceSelectors, object);
}

export function overridePolicySelects(policy: AnyOverridePolicy, object: KubeObject): boolean {
  return strength(policy, object) > 0;
}

/** The policies that mean the manifest, weakest first, names ascending. */
function inOrder(manifest: KubeObject, policies: readonly AnyOverridePolicy[]): readonly AnyOverridePolicy[] {
  const ranked = policies
    .map((policy) => ({ policy, name: policy.metadata.name ?? '', rank: strength(policy, manifest) }))
    .filter(({ rank }) => rank > 0);
  ranked.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return ranked.map(({ policy }) => policy);
}

type Rule = NonNullable<AnyOverridePolicy['spec']['overrideRules']>[number];

/** COMPAT: the deprecated pair counts only while there are no rules, and then counts as one even where it says nothing. */
function rulesOf({ spec }: AnyOverridePolicy): readonly Rule[] {
  const { overrideRules = [], overriders = {}, targetCluster } = spec;
  if (overrideRules.length > 0) return overrideRules;
  return [{ overriders, ...(targetCluster === undefined ? {} : { targetCluster }) }];
}

const NONE: readonly AppliedOverride[] = [];

interface Scope {
  readonly manifest: KubeObject;
  readonly applied: readonly AppliedOverride[];
}

/** Applies the policies of one scope. All are matched against the manifest as it is before the first of them. */
function applyScope(
  manifest: KubeObject,
  cluster: Cluster,
  policies: readonly AnyOverridePolicy[],
): Scope | (Scope & { readonly policy: string; readonly error: string }) {
  if (policies.length === 0) return { manifest, applied: NONE };
  const applied: AppliedOverride[] = [];
  let next = manifest;
  for (const policy of inOrder(manifest, policies)) {
    const { name = '', namespace = '' } = policy.metadata;
    const called = namespace === '' ? name : `${namespace}/${name}`;
    for (const { targetCluster, overriders } of rulesOf(policy)) {
      if (targetCluster !== undefined && !clusterMatchesAffinity(cluster, targetCluster)) continue;
      try {
        next = applyOverriders(next, overriders);
      } catch (error) {
        if (!(error instanceof OverrideError)) throw error;
        return { manifest, applied, policy: called, error: error.message };
      }
      applied.push({ policy: called, policyName: name, overriders });
    }
  }
  return { manifest: next, applied };
}

export function applyOverrides(input: OverrideInput): OverrideResult {
  const { cluster } = input;
  const first = applyScope(input.manifest, cluster, input.clusterPolicies);
  if ('error' in first)
    return { ok: false, policy: first.policy, error: first.error, applied: first.applied };
  const second = applyScope(first.manifest, cluster, input.policies);
  const applied = [...first.applied, ...second.applied];
  if ('error' in second) return { ok: false, policy: second.policy, error: second.error, applied };
  return {
    ok: true,
    manifest: second.manifest,
    annotations: {
      ...annotation(APPLIED_CLUSTER_OVERRIDES_ANNOTATION, first.applied),
      ...annotation(APPLIED_OVERRIDES_ANNOTATION, second.applied),
    },
    applied,
  };
}

// ---- what the Work says about it

/** COMPAT: values that are absent are written as null, as upstream's type has it (ovr-plaintext, ovr-field-json). */
function withNullValues(operations: readonly { readonly value?: JsonValue }[]): JsonValue {
  return operations.map((operation) => ({ ...operation, value: operation.value ?? null }));
}

/** COMPAT: values that are empty are left out, of images and words. */
function withoutEmptyValue(item: JsonObject): JsonObject {
  const { value, ...rest } = item;
  const isEmpty =
    typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : value === '';
  return isEmpty ? rest : item;
}

function written(overriders: Overriders): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const [key, list] of Object.entries(overriders)) {
    if (!Array.isArray(list) || list.length === 0) continue;
    if (key === 'plaintext') result[key] = withNullValues(overriders.plaintext ?? []);
    else if (key === 'fieldOverrider') {
      result[key] = (overriders.fieldOverrider ?? []).map(({ fieldPath, json, yaml }) => ({
        fieldPath,
        ...(json === undefined || json.length === 0 ? {} : { json: withNullValues(json) }),
        ...(yaml === undefined || yaml.length === 0 ? {} : { yaml: withNullValues(yaml) }),
      }));
    } else if (key === 'labelsOverrider' || key === 'annotationsOverrider') result[key] = list as JsonValue;
    else result[key] = (list as readonly JsonObject[]).map(withoutEmptyValue);
  }
  return result;
}

function annotation(key: string, applied: readonly AppliedOverride[]): Readonly<Record<string, string>> {
  if (applied.length === 0) return {};
  const sorted = applied.toSorted((a, b) =>
    a.policyName < b.policyName ? -1 : a.policyName > b.policyName ? 1 : 0,
  );
  const items = sorted.map(({ policyName, overriders }) => ({ policyName, overriders: written(overriders) }));
  return { [key]: JSON.stringify(items) };
}

// What the detector does with a template: whether an update matters, and what follows from the policies
// (scheduling.md §4.4–4.5). Reading and writing is the controller's part.
import { CLAIMED_BY_LABEL, SKIP_AUTO_PROPAGATION_LABEL, type KubeObject } from '../api/index.ts';
import { deepEqual, isBeingDeleted } from '../machinery/index.ts';
import { claimOf, withClaim, type Claim } from './claim.ts';
import { choosePolicy, policyMatches, type Contest } from './policy-match.ts';
import type { Policy } from './kinds.ts';

// ---- which updates matter

const NEVER_COMPARED = new Set(['managedFields', 'resourceVersion']);
const NOT_COMPARED_WHEN_LAZY = new Set([...NEVER_COMPARED, 'generation', 'labels', 'annotations']);

function sameMetadata(a: KubeObject, b: KubeObject, skipped: ReadonlySet<string>): boolean {
  const metadataA = a.metadata as Readonly<Record<string, unknown>>;
  const metadataB = b.metadata as Readonly<Record<string, unknown>>;
  const keys = new Set([...Object.keys(metadataA), ...Object.keys(metadataB)]);
  for (const key of keys) {
    if (!skipped.has(key) && !deepEqual(metadataA[key], metadataB[key])) return false;
  }
  return true;
}

function sameBody(a: KubeObject, b: KubeObject): boolean {
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (key !== 'metadata' && key !== 'status' && !deepEqual(a[key], b[key])) return false;
  }
  return true;
}

/** Whether an update may change what is propagated: more than status, managedFields and resourceVersion. */
export function isSignificantUpdate(before: KubeObject, after: KubeObject): boolean {
  return !sameMetadata(before, after, NEVER_COMPARED) || !sameBody(before, after);
}

type StringMap = Readonly<Record<string, string>> | undefined;

function sameUserKeys(a: StringMap, b: StringMap): boolean {
  const isOurs = (key: string): boolean => key.includes('.karmada.io') && key !== SKIP_AUTO_PROPAGATION_LABEL;
  const users = (map: StringMap): [string, string][] =>
    Object.entries(map ?? {}).filter(([key]) => !isOurs(key));
  const left = new Map(users(a));
  const right = users(b);
  return left.size === right.length && right.every(([key, value]) => left.get(key) === value);
}

/** Whether an update shows no hand of a user: only what a control plane itself writes into templates differs. */
export function isControlPlaneUpdate(before: KubeObject, after: KubeObject): boolean {
  return (
    sameMetadata(before, after, NOT_COMPARED_WHEN_LAZY) &&
    sameUserKeys(before.metadata.labels, after.metadata.labels) &&
    sameUserKeys(before.metadata.annotations, after.metadata.annotations) &&
    sameBody(before, after)
  );
}

/** Whether a template's update waits for the user: nothing of his in it, and its policy is lazy. */
export function isHeldBack(before: KubeObject, after: KubeObject, claimedBy: Policy | undefined): boolean {
  return claimedBy?.spec.activationPreference === 'Lazy' && isControlPlaneUpdate(before, after);
}

// ---- what to do

export interface TemplateInput {
  readonly template: KubeObject;
  /** Policies of the template's namespace that may select it, and all cluster policies that may. */
  readonly namespaced: readonly Policy[];
  readonly cluster: readonly Policy[];
  /** The policy that the template's claim names; undefined when it is gone. */
  readonly claimedBy: Policy | undefined;
  /** Whether an override policy exists that `policy` depends on, in the scope of `policy`. */
  overrideExists(policy: Policy, name: string): boolean;
  /** Nothing but the control plane itself caused this look at the template. */
  readonly changedByControlPlane: boolean;
}

export type TemplateDecision =
  /** Another controller propagates it. */
  | { readonly action: 'leave' }
  /** No policy selects it; one that appears later will find it in the waiting list. */
  | { readonly action: 'wait' }
  /** The policy is gone: take the claim off the binding, then off the template. */
  | { readonly action: 'release'; readonly claim: Claim }
  /** COMPAT: claimed but no longer selected; nothing happens until the policy itself changes (pol-template-relabel). */
  | { readonly action: 'freeze'; readonly claim: Claim }
  | { readonly action: 'retry'; readonly why: string }
  | {
      readonly action: 'apply';
      readonly policy: Policy;
      /** The template with the claim; the same object when it carries it already. */
      readonly claimed: KubeObject;
      /** False: a lazy policy waits for the user's next edit. */
      readonly bind: boolean;
      /** Present when the policy was chosen just now. */
      readonly contest?: Contest;
    };

function missingOverrides(input: TemplateInput, policy: Policy): readonly string[] {
  return (policy.spec.dependentOverrides ?? []).filter((name) => !input.overrideExists(policy, name));
}

function apply(input: TemplateInput, policy: Policy, contest?: Contest): TemplateDecision {
  const missing = missingOverrides(input, policy);
  if (missing.length > 0) {
    const why = `${policy.kind} ${policy.metadata.name} waits for the override policies ${missing.join(', ')}`;
    return { action: 'retry', why };
  }
  const lazy = policy.spec.activationPreference === 'Lazy';
  return {
    action: 'apply',
    policy,
    claimed: withClaim(input.template, policy),
    bind: !(lazy && input.changedByControlPlane),
    ...(contest === undefined ? {} : { contest }),
  };
}

export function decideTemplate(input: TemplateInput): TemplateDecision {
  const { template, claimedBy } = input;
  if ((template.metadata.labels?.[CLAIMED_BY_LABEL] ?? '') !== '') return { action: 'leave' };
  const claim = claimOf(template);
  if (claim === undefined) {
    const contest = choosePolicy(template, input.namespaced, input.cluster);
    return contest.winner === undefined ? { action: 'wait' } : apply(input, contest.winner, contest);
  }
  if (claimedBy === undefined) return { action: 'release', claim };
  if (isBeingDeleted(claimedBy)) {
    return { action: 'retry', why: `${claim.kind} ${claim.name} is being deleted` };
  }
  if (!policyMatches(claimedBy, template)) return { action: 'freeze', claim };
  return apply(input, claimedBy);
}

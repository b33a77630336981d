// What a policy selects, and what it holds of that: the question from the policy's side.
import {
  CLAIMED_BY_LABEL,
  type KubeObject,
  type ResourceSelector,
  type TargetCluster,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import {
  choosePolicy,
  claimOf,
  createEligibility,
  policyMatches,
  selectorFault,
  selectorRank,
  type Policy,
} from '../propagation/index.ts';
import { listText, plural } from './finding.ts';
import { LOST, claimCalled, policyCalled } from './policy-findings.ts';
import { objectCalled } from './why.ts';
import { referenceOf, type TemplateReference, type WorldView } from './world.ts';

interface SelectorReach {
  readonly selector: ResourceSelector;
  readonly templates: readonly KubeObject[];
  /** Why it means nothing, whatever there is. */
  readonly fault?: string;
}

function isInScope({ metadata }: Policy, template: KubeObject): boolean {
  return metadata.namespace === undefined || metadata.namespace === template.metadata.namespace;
}

/** The templates of `view` by selector, in order of name. */
export function policyReach(view: WorldView, policy: Policy): readonly SelectorReach[] {
  const { templates, served, settings } = view.world;
  const eligibility = createEligibility({
    skippedApis: settings.skippedPropagatingApis.join(';'),
    skippedNamespaces: settings.skippedPropagatingNamespaces,
  });
  return policy.spec.resourceSelectors.map((selector) => {
    const fault =
      served === undefined
        ? undefined
        : selectorFault(selector, policy.metadata.namespace, served, eligibility);
    return {
      selector,
      templates: templates.filter((one) => isInScope(policy, one) && selectorRank(selector, one) > 0),
      ...(fault === undefined ? {} : { fault }),
    };
  });
}

/** `apps/v1 Deployment shop/web`, `v1 ConfigMap by labels`. */
export function selectorCalled({
  apiVersion,
  kind,
  namespace,
  name,
  labelSelector,
}: ResourceSelector): string {
  const scope = (namespace ?? '') === '' ? '' : `${namespace}/`;
  if ((name ?? '') !== '') return `${apiVersion} ${kind} ${scope}${name}`;
  const which = labelSelector === undefined ? '*' : '(by labels)';
  return `${apiVersion} ${kind} ${scope}${which}`;
}

export interface PolicyObject {
  readonly object: TemplateReference;
  readonly held: boolean;
  /** Where it is, when it is held. */
  readonly clusters: readonly TargetCluster[];
  /** Why it is not held, or what is wrong although it is. */
  readonly says?: string;
}

export interface PolicyExplanation {
  readonly policy: string;
  readonly asOf: string;
  readonly answer: string;
  readonly selectors: readonly {
    readonly selector: string;
    readonly objects: number;
    readonly fault?: string;
  }[];
  readonly objects: readonly PolicyObject[];
}

/** What `policy` of the world selects and holds, and why not more. */
export function whyPolicy(view: WorldView, policy: Policy): PolicyExplanation {
  const reach = policyReach(view, policy);
  const holds = (template: KubeObject): boolean => view.claimant(claimOf(template)) === policy;
  const objects = view.world.templates
    .filter((one) => holds(one) || (isInScope(policy, one) && policyMatches(policy, one)))
    .map((one) => (holds(one) ? heldObject(view, policy, one) : otherObject(view, policy, one)))
    .sort((a, b) => (objectCalled(a.object) < objectCalled(b.object) ? -1 : 1));
  const held = objects.filter((one) => one.held).length;
  const others = objects.length - held;
  const parts = [
    `holds ${held === 0 ? 'nothing' : plural(held, 'object')}`,
    ...(others === 0 ? [] : [`selects ${others}${held === 0 ? '' : ' more'} that it does not hold`]),
  ];
  return {
    policy: policyCalled(policy),
    asOf: formatTime(view.world.nowMs),
    answer: objects.length === 0 ? 'it selects nothing' : `it ${parts.join(' and ')}`,
    selectors: reach.map(({ selector, templates, fault }) => ({
      selector: selectorCalled(selector),
      objects: templates.length,
      ...(fault === undefined ? {} : { fault }),
    })),
    objects,
  };
}

function heldObject(view: WorldView, policy: Policy, template: KubeObject): PolicyObject {
  const object = referenceOf(template);
  const binding = view.bindingOf(object);
  const scheduled = binding?.status?.conditions?.find(({ type }) => type === 'Scheduled');
  const says = !policyMatches(policy, template)
    ? 'it is no longer selected, so edits do not reach the members until the policy is edited'
    : binding === undefined
      ? policy.spec.activationPreference === 'Lazy'
        ? 'the policy is lazy and acts with the next edit of the object'
        : 'its binding is about to be made'
      : scheduled?.status === 'False'
        ? `it could not be placed: ${scheduled.message ?? ''}`
        : undefined;
  return {
    object,
    held: true,
    clusters: binding?.spec.clusters ?? [],
    ...(says === undefined ? {} : { says }),
  };
}

function otherObject(view: WorldView, policy: Policy, template: KubeObject): PolicyObject {
  return {
    object: referenceOf(template),
    held: false,
    clusters: [],
    says: whyNotHeld(view, policy, template),
  };
}

function whyNotHeld(view: WorldView, policy: Policy, template: KubeObject): string {
  const owner = template.metadata.labels?.[CLAIMED_BY_LABEL] ?? '';
  if (owner !== '') return `the label ${CLAIMED_BY_LABEL} leaves it to ${owner}`;
  const today = choosePolicy(
    template,
    view.policiesOf(template.metadata.namespace),
    view.world.clusterPolicies,
  );
  const lostBy = today.contenders.find((one) => one.policy === policy)?.lostBy;
  const claim = claimOf(template);
  const holder = claim === undefined ? today.winner && policyCalled(today.winner) : claimCalled(claim);
  if (lostBy !== undefined) return `${holder ?? 'another'} goes before: ${LOST[lostBy]}`;
  if (claim !== undefined)
    return `${holder ?? 'another'} had it first, and a claim is kept unless the stronger policy has preemption: Always`;
  const missing = (policy.spec.dependentOverrides ?? []).filter((name) => !view.overrideExists(policy, name));
  return missing.length > 0
    ? `the policy waits for the override policies ${listText(missing)}`
    : 'it is about to be claimed';
}

// LIMIT: lines of one kind on a screen; `-o wide` shows all.
const LINES_MAX = 20;

export function policyText(explanation: PolicyExplanation, { wide }: { readonly wide: boolean }): string {
  const { policy, answer, selectors, objects } = explanation;
  const lines = [`${policy}${answer.slice(2)}.`, '', 'SELECTORS'];
  const width = Math.max(...selectors.map(({ selector }) => selector.length));
  for (const { selector, objects: count, fault } of selectors) {
    const found =
      fault ?? (count === 0 ? 'no object now; one that comes will be found' : plural(count, 'object'));
    lines.push(`  ${selector.padEnd(width)}  ${found}`);
  }
  const table = (title: string, rows: readonly PolicyObject[]): void => {
    if (rows.length === 0) return;
    const shown = wide ? rows : rows.slice(0, LINES_MAX);
    const called = Math.max(...shown.map(({ object }) => objectCalled(object).length));
    lines.push('', title);
    for (const row of shown) lines.push(`  ${objectCalled(row.object).padEnd(called)}  ${rowText(row)}`);
    if (rows.length > shown.length) lines.push(`  and ${rows.length - shown.length} more; -o wide shows all`);
  };
  table(
    'HOLDS',
    objects.filter((one) => one.held),
  );
  table('DOES NOT HOLD', objects.filter((one) => !one.held)); // prettier-ignore
  return `${lines.join('\n')}\n`;
}

function rowText({ held, clusters, says }: PolicyObject): string {
  if (!held) return says ?? '';
  const where = listText(
    clusters.map(({ name, replicas }) => (replicas === undefined ? name : `${name} (${replicas})`)),
  );
  return [where === '' ? 'in no cluster' : `in ${where}`, ...(says === undefined ? [] : [says])].join('; ');
}

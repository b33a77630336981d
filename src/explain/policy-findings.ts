// The first steps of a template: whether it may be propagated, which policy it belongs to, whether it has a binding.
import {
  CLAIMED_BY_LABEL,
  gvkOf,
  type BindingSnapshot,
  type KubeObject,
  type PolicyDecision,
  type ResourceSelector,
} from '../api/index.ts';
import {
  choosePolicy,
  claimOf,
  createEligibility,
  type Claim,
  type Ineligible,
  type LostBy,
  type Policy,
} from '../propagation/index.ts';
import { listText, type Finding } from './finding.ts';
import type { Settled } from './settle.ts';
import { calledOf, type WorldView } from './world.ts';

export function policyCalled({ kind, metadata }: Policy): string {
  return calledOf(kind, metadata);
}

export function claimCalled({ kind, namespace, name }: Claim): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

export function templateFindings(view: WorldView, template: KubeObject): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (finding: Omit<Finding, 'step'>): void => void findings.push({ step: 'template', ...finding });
  const { namespace = '', name = '', deletionTimestamp, finalizers = [] } = template.metadata;
  if (deletionTimestamp !== undefined) {
    add({
      code: 'DELETING',
      severity: 'waiting',
      says: `it is being deleted${finalizers.length === 0 ? '' : ` and waits for ${listText(finalizers)}`}`,
      since: deletionTimestamp,
    });
  }
  const { skippedPropagatingApis, skippedPropagatingNamespaces } = view.world.settings;
  const refusal = createEligibility({
    skippedApis: skippedPropagatingApis.join(';'),
    skippedNamespaces: skippedPropagatingNamespaces,
  }).refusal(gvkOf(template), namespace, name);
  if (refusal !== undefined) add(INELIGIBLE[refusal](template.kind, namespace));
  const owner = template.metadata.labels?.[CLAIMED_BY_LABEL] ?? '';
  if (owner !== '') {
    add({
      code: 'CLAIMED_BY_OTHER',
      severity: 'stuck',
      says: `the label ${CLAIMED_BY_LABEL} leaves it to ${owner}, so policies do not apply`,
      next: 'take the label off when policies are to apply',
    });
  }
  return findings;
}

const INELIGIBLE: Readonly<Record<Ineligible, (kind: string, namespace: string) => Omit<Finding, 'step'>>> = {
  'skipped API': (kind) => ({
    code: 'SKIPPED_API',
    severity: 'stuck',
    says: `objects of kind ${kind} are not propagated`,
    next: 'see --skipped-propagating-apis of the control plane',
  }),
  'skipped namespace': (_kind, namespace) => ({
    code: 'SKIPPED_NAMESPACE',
    severity: 'stuck',
    says: `what is in namespace ${namespace} is not propagated`,
    next: 'use another namespace, or change --skipped-propagating-namespaces of the control plane',
  }),
  'reserved namespace': (_kind, namespace) => ({
    code: 'RESERVED_NAMESPACE',
    severity: 'stuck',
    says: `namespace ${namespace} is the control plane's own, and nothing in it is propagated`,
    next: 'use another namespace',
  }),
  'reserved object': () => ({
    code: 'RESERVED_OBJECT',
    severity: 'stuck',
    says: 'it belongs to the control plane itself',
  }),
};

/** Why a selector does not mean a template it may have been written for; undefined when it is not close. */
function nearMiss(selector: ResourceSelector, template: KubeObject, scope: string): string | undefined {
  const { namespace = '', name = '' } = template.metadata;
  if (selector.kind !== template.kind) return undefined;
  if (selector.apiVersion !== template.apiVersion)
    return `it selects ${selector.apiVersion}, and the object is ${template.apiVersion}`;
  const wanted = scope === '' ? (selector.namespace ?? '') : scope;
  if (wanted !== '' && wanted !== namespace) return `it selects in namespace ${wanted}`;
  if ((selector.name ?? '') !== '' && selector.name !== name) return `it selects the name ${selector.name}`;
  if (selector.labelSelector !== undefined)
    return 'its labelSelector does not match the labels of the object';
  return undefined;
}

function nearMisses(view: WorldView, template: KubeObject): readonly string[] {
  const { namespace = '' } = template.metadata;
  const all: readonly Policy[] = [
    ...view.world.policies.filter(({ metadata }) => metadata.namespace === namespace),
    ...view.world.clusterPolicies,
  ];
  return all.flatMap((policy) => {
    const scope = policy.metadata.namespace ?? '';
    const why = policy.spec.resourceSelectors
      .map((selector) => nearMiss(selector, template, scope))
      .find((one) => one !== undefined);
    return why === undefined ? [] : [`${policyCalled(policy)}: ${why}`];
  });
}

// LIMIT: policies named that nearly select the template.
const MISSES_MAX = 3;

export function policyFindings(view: WorldView, template: KubeObject, settled: Settled): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (finding: Omit<Finding, 'step'>): void => void findings.push({ step: 'policy', ...finding });
  const { decision } = settled;
  const bound = view.bindingOf(settled.reference) !== undefined;
  const claim = claimOf(template);
  switch (decision.action) {
    case 'wait': {
      const needed = view.bindingOf(settled.reference)?.spec.requiredBy ?? [];
      add(needed.length > 0 ? follows(needed) : noPolicy(view, template, bound));
      break;
    }
    case 'release':
      add({
        code: 'POLICY_GONE',
        severity: 'waiting',
        says: `${claimCalled(decision.claim)} is gone, and its claim is being taken off`,
      });
      break;
    case 'freeze':
      add({
        code: 'NOT_SELECTED_ANY_MORE',
        severity: 'stuck',
        says: `${claimCalled(decision.claim)} claimed it and no longer selects it, so edits do not reach the members`,
        next: 'make the policy select it again, or edit the policy so that it lets go of the object',
      });
      break;
    case 'retry':
      add(waitingForPolicy(view, decision.why, claim));
      break;
    case 'apply':
      if (!decision.bind) add(lazy(decision.policy, bound));
      else if (claim === undefined)
        add({
          code: 'ABOUT_TO_BE_CLAIMED',
          severity: 'waiting',
          says: `${policyCalled(decision.policy)} is about to claim it`,
        });
      break;
    default:
  }
  findings.push(...contestNotes(view, template, settled));
  return findings;
}

function follows(needed: readonly BindingSnapshot[]): Omit<Finding, 'step'> {
  const names = needed.map(({ namespace, name }) =>
    namespace === undefined ? name : `${namespace}/${name}`,
  );
  return {
    code: 'FOLLOWS',
    severity: 'note',
    says: `no policy selects it; it follows what needs it: ${listText(names)}`,
  };
}

function noPolicy(view: WorldView, template: KubeObject, bound: boolean): Omit<Finding, 'step'> {
  const misses = nearMisses(view, template);
  const near =
    misses.length === 0
      ? ''
      : `; close are ${listText(misses.slice(0, MISSES_MAX))}${misses.length > MISSES_MAX ? ' and others' : ''}`;
  if (bound) {
    return {
      code: 'NO_POLICY_ANY_MORE',
      severity: 'stuck',
      says: `no policy holds it any more, so it stays where it was and edits do not reach the members${near}`,
      next: `make a policy that selects ${calledOf(template.kind, template.metadata)}, or delete the object`,
    };
  }
  return {
    code: 'NO_POLICY',
    severity: 'stuck',
    says: `no policy selects it${near}`,
    next: `make a policy that selects ${template.apiVersion} ${calledOf(template.kind, template.metadata)}`,
  };
}

function waitingForPolicy(view: WorldView, why: string, claim: Claim | undefined): Omit<Finding, 'step'> {
  const holder = view.claimant(claim);
  if (holder?.metadata.deletionTimestamp !== undefined) {
    return {
      code: 'POLICY_DELETING',
      severity: 'waiting',
      says: `${policyCalled(holder)} is being deleted`,
      since: holder.metadata.deletionTimestamp,
    };
  }
  return { code: 'OVERRIDES_MISSING', severity: 'stuck', says: why, next: 'create those override policies' };
}

function lazy(policy: Policy, bound: boolean): Omit<Finding, 'step'> {
  const next = 'edit the object, for instance an annotation of yours, to have the policy act';
  // What is bound already may be as the policy says; only a difference would wait.
  return bound
    ? {
        code: 'LAZY',
        severity: 'note',
        says: `${policyCalled(policy)} is lazy: its own edits take effect with the next edit of the object`,
      }
    : {
        code: 'LAZY_ACTIVATION',
        severity: 'stuck',
        says: `${policyCalled(policy)} is lazy and came after the object: it acts with the next edit of the object`,
        next,
      };
}

export const LOST: Readonly<Record<LostBy, string>> = {
  scope: 'a policy of the namespace goes before a cluster policy',
  priority: 'its priority is lower',
  rank: 'it selects the object less exactly',
  name: 'its name comes later',
  preemption: 'it was preempted',
};

function contestNotes(view: WorldView, template: KubeObject, { policy }: Settled): readonly Finding[] {
  if (policy === undefined) return [];
  const today = choosePolicy(
    template,
    view.policiesOf(template.metadata.namespace),
    view.world.clusterPolicies,
  );
  const { winner } = today;
  const findings: Finding[] = [];
  if (winner !== undefined && policyCalled(winner) !== policyCalled(policy)) {
    findings.push({
      code: 'OUTRANKED',
      step: 'policy',
      severity: 'note',
      says: `${policyCalled(winner)} would win it today, but a claim is kept${
        winner.spec.preemption === 'Always' ? '' : ' unless the stronger policy has preemption: Always'
      }`,
    });
    return findings;
  }
  const losers = today.contenders.flatMap(({ policy: other, lostBy }) =>
    lostBy === undefined ? [] : [`${policyCalled(other)} (${LOST[lostBy]})`],
  );
  if (losers.length > 0) {
    findings.push({
      code: 'WON',
      step: 'policy',
      severity: 'note',
      says: `${policyCalled(policy)} won over ${listText(losers, 3)}`,
    });
  }
  return findings;
}

/** That another policy held the template before, as far as the kept decision tells. */
export function preemptionNote(
  kept: PolicyDecision | undefined,
  policy: Policy | undefined,
): Finding | undefined {
  if (kept === undefined || policy === undefined) return undefined;
  const called = ({ kind, namespace, name }: PolicyDecision['winner']): string =>
    calledOf(kind, { name, ...(namespace === undefined ? {} : { namespace }) });
  const preempted = kept.losers?.find(({ lostBy }) => lostBy === 'preemption');
  const before =
    called(kept.winner) === policyCalled(policy) ? preempted && called(preempted) : called(kept.winner);
  if (before === undefined) return undefined;
  return {
    code: 'PREEMPTED',
    step: 'policy',
    severity: 'note',
    says: `${policyCalled(policy)} took it over from ${before}`,
  };
}

export function bindingFindings(view: WorldView, settled: Settled): readonly Finding[] {
  const { decision, obstacle } = settled;
  if (decision.action !== 'apply' || !decision.bind) return [];
  if (obstacle !== undefined) {
    return [
      {
        code: 'BINDING_BLOCKED',
        step: 'binding',
        severity: 'stuck',
        says: `its binding cannot be made: ${obstacle}`,
        next: obstacle.startsWith('the priority class')
          ? 'create the PriorityClass, or name another one in schedulePriority of the policy'
          : 'give the object another name, or wait until the other object is gone',
      },
    ];
  }
  if (view.bindingOf(settled.reference) !== undefined) return [];
  return [
    {
      code: 'BINDING_MISSING',
      step: 'binding',
      severity: 'waiting',
      says: 'its binding is about to be made',
    },
  ];
}

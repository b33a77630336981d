import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, PropagationPolicy } from '../api/index.ts';
import { claimOf, withClaim, withoutClaim } from './claim.ts';
import { createEligibility } from './eligibility.ts';
import type { Policy } from './kinds.ts';
import { namespaceSkip, namespacesSelectedBy } from './namespace.ts';
import {
  decideTemplate,
  isControlPlaneUpdate,
  isHeldBack,
  isSignificantUpdate,
  type TemplateDecision,
  type TemplateInput,
} from './template.ts';

const conf: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'conf', namespace: 'shop', uid: 'u', resourceVersion: '7' },
  data: { v: '1' },
};
const policy: PropagationPolicy = {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'PropagationPolicy',
  metadata: { name: 'p', namespace: 'shop', labels: { 'propagationpolicy.karmada.io/permanent-id': 'id-p' } },
  spec: { resourceSelectors: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'conf' }] },
};
const clusterPolicy: Policy = {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'ClusterPropagationPolicy',
  metadata: { name: 'c', labels: { 'clusterpropagationpolicy.karmada.io/permanent-id': 'id-c' } },
  spec: { resourceSelectors: [{ apiVersion: 'v1', kind: 'ConfigMap' }] },
};
const lazy: PropagationPolicy = { ...policy, spec: { ...policy.spec, activationPreference: 'Lazy' } };

function decide(input: Partial<TemplateInput>): TemplateDecision {
  return decideTemplate({
    template: conf,
    namespaced: [],
    cluster: [],
    claimedBy: undefined,
    overrideExists: () => true,
    changedByControlPlane: false,
    ...input,
  });
}

test('claim: a policy writes its label and annotations, and finds them again', () => {
  const claimed = withClaim(conf, policy);
  assert.deepEqual(claimed.metadata.labels, { 'propagationpolicy.karmada.io/permanent-id': 'id-p' });
  assert.deepEqual(claimed.metadata.annotations, {
    'propagationpolicy.karmada.io/namespace': 'shop',
    'propagationpolicy.karmada.io/name': 'p',
  });
  assert.deepEqual(claimOf(claimed), { kind: 'PropagationPolicy', namespace: 'shop', name: 'p', id: 'id-p' });
  assert.equal(withClaim(claimed, policy), claimed);
});

test('claim: that of a namespaced policy drives out a cluster policy', () => {
  const claimed = withClaim(withClaim(conf, clusterPolicy), policy);
  assert.deepEqual(claimed.metadata.labels, { 'propagationpolicy.karmada.io/permanent-id': 'id-p' });
  assert.equal(claimed.metadata.annotations?.['clusterpropagationpolicy.karmada.io/name'], undefined);
});

test('claim: taking it off leaves no empty maps behind', () => {
  const claimed = withClaim(conf, policy);
  assert.deepEqual(withoutClaim(claimed, { kind: 'PropagationPolicy', id: 'id-p' }), conf);
  assert.equal(withoutClaim(claimed, { kind: 'PropagationPolicy', id: 'another' }), claimed);
});

test('claim: half a claim is none', () => {
  const half = {
    ...conf,
    metadata: { ...conf.metadata, labels: { 'propagationpolicy.karmada.io/permanent-id': 'x' } },
  };
  assert.equal(claimOf(half), undefined);
});

test('template: unclaimed and selected: claimed and bound', () => {
  const decision = decide({ namespaced: [policy] });
  assert.equal(decision.action, 'apply');
  if (decision.action !== 'apply') return;
  assert.equal(decision.bind, true);
  assert.equal(claimOf(decision.claimed)?.id, 'id-p');
  assert.equal(decision.contest?.contenders.length, 1);
});

test('template: no policy selects it: it waits', () => {
  assert.deepEqual(decide({}), { action: 'wait' });
});

test('template: another controller propagates it', () => {
  const labels = { 'resourcetemplate.karmada.io/claimed-by': 'someone' };
  const template = { ...conf, metadata: { ...conf.metadata, labels } };
  assert.deepEqual(decide({ template, namespaced: [policy] }), { action: 'leave' });
});

test('template: its policy is gone: the claim goes too', () => {
  const template = withClaim(conf, policy);
  const decision = decide({ template, namespaced: [] });
  assert.deepEqual(decision, { action: 'release', claim: claimOf(template) });
});

test('template: its policy is being deleted: later', () => {
  const dying = { ...policy, metadata: { ...policy.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  assert.equal(decide({ template: withClaim(conf, policy), claimedBy: dying }).action, 'retry');
});

test('template: claimed but no longer selected: frozen (pol-template-relabel)', () => {
  const elsewhere = { ...policy, spec: { resourceSelectors: [{ apiVersion: 'v1', kind: 'Secret' }] } };
  const better = { ...policy, metadata: { ...policy.metadata, name: 'better' } };
  const decision = decide({ template: withClaim(conf, policy), claimedBy: elsewhere, namespaced: [better] });
  assert.equal(decision.action, 'freeze');
});

test('template: a claimed one stays with its policy, though a better one has appeared', () => {
  const better = {
    ...policy,
    metadata: { ...policy.metadata, name: 'better' },
    spec: { ...policy.spec, priority: 9 },
  };
  const template = withClaim(conf, policy);
  const decision = decide({ template, claimedBy: policy, namespaced: [better, policy] });
  assert.equal(decision.action === 'apply' && decision.policy, policy);
  assert.equal(decision.action === 'apply' && decision.claimed, template);
});

test('template: it waits for the override policies that the policy names (pol-dependent-overrides)', () => {
  const dependent = { ...policy, spec: { ...policy.spec, dependentOverrides: ['needed'] } };
  assert.equal(decide({ namespaced: [dependent], overrideExists: () => false }).action, 'retry');
  assert.equal(
    decide({ namespaced: [dependent], overrideExists: (_, name) => name === 'needed' }).action,
    'apply',
  );
});

test('template: a lazy policy binds what the user changed and only claims the rest', () => {
  const ofUser = decide({ namespaced: [lazy] });
  assert.equal(ofUser.action === 'apply' && ofUser.bind, true);
  const ofOurs = decide({ namespaced: [lazy], changedByControlPlane: true });
  assert.equal(ofOurs.action === 'apply' && ofOurs.bind, false);
});

const changed = (metadata: object, rest: object = {}): KubeObject => ({
  ...conf,
  ...rest,
  metadata: { ...conf.metadata, ...metadata },
});
const updates: [sentence: string, after: KubeObject, significant: boolean, ours: boolean][] = [
  ['nothing but the version', changed({ resourceVersion: '8', managedFields: [{}] }), false, true],
  ['status', changed({}, { status: { phase: 'x' } }), false, true],
  ['data', changed({}, { data: { v: '2' } }), true, false],
  ['a label of the user', changed({ labels: { tier: 'fe' } }), true, false],
  ['a claim', withClaim(conf, policy), true, true],
  ['the label that keeps a namespace on the hub', changed({ labels: { 'namespace.karmada.io/skip-auto-propagation': 'true' } }), true, false],
  ['the generation', changed({ generation: 2 }), true, true],
  ['finalizers', changed({ finalizers: ['x'] }), true, false],
]; // prettier-ignore
for (const [sentence, after, significant, ours] of updates) {
  test(`update: ${sentence}`, () => {
    assert.equal(isSignificantUpdate(conf, after), significant);
    assert.equal(isSignificantUpdate(after, conf), significant);
    assert.equal(isControlPlaneUpdate(conf, after), ours);
    assert.equal(isHeldBack(conf, after, lazy), ours);
    assert.equal(isHeldBack(conf, after, policy), false);
  });
}

const configMap = { group: '', version: 'v1', kind: 'ConfigMap' };
test('eligibility: what is skipped without any flag', () => {
  const eligibility = createEligibility();
  assert.equal(eligibility.refusal(configMap, 'shop', 'conf'), undefined);
  assert.equal(eligibility.refusal({ ...configMap, kind: 'Event' }, 'shop', 'e'), 'skipped API');
  assert.equal(eligibility.refusal({ group: 'policy.karmada.io', version: 'v1alpha1', kind: 'X' }, 'shop', 'x'), 'skipped API');
  assert.equal(eligibility.refusal({ group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' }, 'a', 'l'), 'skipped API');
  assert.equal(eligibility.refusal({ group: 'navarch.io', version: 'v1alpha1', kind: 'SchedulingDecision' }, 'a', 'b'), 'skipped API');
  assert.equal(eligibility.refusal(configMap, 'kube-public', 'c'), 'skipped namespace');
  assert.equal(eligibility.refusal(configMap, 'my-kube-x', 'c'), undefined);
  assert.equal(eligibility.refusal(configMap, 'karmada-es-member1', 'c'), 'reserved namespace');
  assert.equal(eligibility.refusal({ group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRole' }, '', 'r'), undefined);
}); // prettier-ignore

test('eligibility: kube-system is open when the flag is empty, but for one ConfigMap', () => {
  const eligibility = createEligibility({ skippedNamespaces: [] });
  assert.equal(eligibility.refusal(configMap, 'kube-system', 'c'), undefined);
  assert.equal(
    eligibility.refusal(configMap, 'kube-system', 'extension-apiserver-authentication'),
    'reserved object',
  );
});

test('eligibility: groups, versions and kinds by flag', () => {
  const eligibility = createEligibility({
    skippedApis: 'example.io; apps/v1beta1;v1/Secret,Pod;batch/v1/Job',
  });
  const skips = (group: string, version: string, kind: string): boolean =>
    eligibility.skipsKind({ group, version, kind });
  assert.equal(skips('example.io', 'v9', 'Any'), true);
  assert.equal(skips('apps', 'v1beta1', 'Deployment'), true);
  assert.equal(skips('apps', 'v1', 'Deployment'), false);
  assert.equal(skips('', 'v1', 'Secret'), true);
  assert.equal(skips('', 'v1', 'Pod'), true);
  assert.equal(skips('', 'v1', 'ConfigMap'), false);
  assert.equal(skips('batch', 'v1', 'Job'), true);
  assert.equal(skips('batch', 'v1', 'job'), false);
  assert.throws(() => createEligibility({ skippedApis: 'a/b/c/d' }), /names no API/);
  assert.throws(() => createEligibility({ skippedNamespaces: ['('] }), /no regular expression/);
});

test('eligibility: an expression that matches nothing at all drops cluster scoped objects too', () => {
  const eligibility = createEligibility({ skippedNamespaces: ['.*'] });
  assert.equal(eligibility.refusal({ ...configMap, kind: 'Node' }, '', 'n'), 'skipped namespace');
});

function namespace(name: string, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } };
}
const skips: [sentence: string, namespace: KubeObject, skip: string | undefined][] = [
  ['an ordinary one goes to every member', namespace('shop'), undefined],
  ['the control plane keeps its own', namespace('karmada-system'), 'reserved'],
  ['execution namespaces too', namespace('karmada-es-member1'), 'reserved'],
  ['default is everywhere anyway', namespace('default'), 'default'],
  ['kube- ones by flag', namespace('kube-public'), 'skipped by flag'],
  ['by label, in any case', namespace('a', { labels: { 'namespace.karmada.io/skip-auto-propagation': 'TRUE' } }), 'skipped by label'],
  ['the label must say true', namespace('a', { labels: { 'namespace.karmada.io/skip-auto-propagation': 'no' } }), undefined],
  ['one that is being deleted', namespace('a', { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'being deleted'],
]; // prettier-ignore
for (const [sentence, object, skip] of skips) {
  test(`namespace: ${sentence}`, () => assert.equal(namespaceSkip(object, createEligibility()), skip));
}

test('namespace: which ones a cluster override policy may change', () => {
  const select = (...resourceSelectors: object[]): 'all' | readonly string[] =>
    namespacesSelectedBy({ spec: { resourceSelectors } } as unknown as Parameters<typeof namespacesSelectedBy>[0]);
  assert.equal(select(), 'all');
  assert.deepEqual(select({ apiVersion: 'v1', kind: 'Namespace', name: 'a' }, { apiVersion: 'v1', kind: 'Secret' }), ['a']);
  assert.equal(select({ apiVersion: 'v1', kind: 'Namespace' }), 'all');
  assert.deepEqual(select({ apiVersion: 'v1', kind: 'Secret' }), []);
}); // prettier-ignore

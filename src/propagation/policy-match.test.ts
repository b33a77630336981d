import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ClusterPropagationPolicy,
  KubeObject,
  PropagationPolicy,
  ResourceSelector,
} from '../api/index.ts';
import type { Policy } from './kinds.ts';
import { choosePolicy, decidePreemption, heirsOfLoweredPriority, selectorRank } from './policy-match.ts';

const web: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', labels: { tier: 'fe' } },
};
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment' };
const selectors = {
  all: deployment,
  label: { ...deployment, labelSelector: { matchLabels: { tier: 'fe' } } },
  other: { ...deployment, labelSelector: { matchLabels: { tier: 'be' } } },
  name: { ...deployment, name: 'web' },
} satisfies Record<string, ResourceSelector>;
type Means = keyof typeof selectors;

function namespaced(name: string, priority: number, means: Means, namespace = 'shop'): PropagationPolicy {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { name, namespace, uid: `uid-${name}` },
    spec: { priority, resourceSelectors: [selectors[means]] },
  };
}
function cluster(name: string, priority: number, means: Means): ClusterPropagationPolicy {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'ClusterPropagationPolicy',
    metadata: { name, uid: `uid-${name}` },
    spec: { priority, resourceSelectors: [selectors[means]] },
  };
}

const ranks: [sentence: string, selector: ResourceSelector, rank: number][] = [
  ['a name outranks everything', selectors.name, 3],
  ['labels come next', selectors.label, 2],
  ['an empty label selector still is one', { ...deployment, labelSelector: {} }, 2],
  ['all of a kind is the weakest', selectors.all, 1],
  ['other labels do not match', selectors.other, 0],
  ['another name does not match', { ...deployment, name: 'api' }, 0],
  ['with a name the labels are not looked at', { ...selectors.other, name: 'web' }, 3],
  ['an empty name is no name', { ...deployment, name: '' }, 1],
  ['the namespace must be equal', { ...deployment, namespace: 'other' }, 0],
  ['an empty namespace means any', { ...deployment, namespace: '' }, 1],
  ['the API version is compared as it is written', { ...deployment, apiVersion: 'apps/v1beta1' }, 0],
  ['the kind is compared as it is written', { ...deployment, kind: 'deployment' }, 0],
  [
    'an operator nobody knows means nothing',
    { ...deployment, labelSelector: { matchExpressions: [{ key: 'tier', operator: 'Near' }] } },
    0,
  ],
];
for (const [sentence, selector, rank] of ranks) {
  test(`selector: ${sentence}`, () => assert.equal(selectorRank(selector, web), rank));
}

const contests: [sentence: string, policies: Policy[], winner: string | undefined][] = [
  ['nobody stands', [], undefined],
  ['nobody selects the template', [namespaced('a', 0, 'other')], undefined],
  ['the more exact selector wins', [namespaced('a', 0, 'all'), namespaced('z', 0, 'name')], 'z'],
  ['explicit priority comes first', [namespaced('a', 0, 'name'), namespaced('b', 3, 'all')], 'b'],
  ['then the name', [namespaced('x', 0, 'label'), namespaced('m', 0, 'label')], 'm'],
  ['any namespaced policy beats every cluster policy', [cluster('c', 100, 'name'), namespaced('p', 0, 'all')], 'p'],
  ['a cluster policy takes what no other selects', [cluster('c', 0, 'all'), namespaced('p', 9, 'other')], 'c'],
  ['a policy of another namespace does not count', [namespaced('p', 9, 'name', 'elsewhere'), cluster('c', 0, 'all')], 'c'],
]; // prettier-ignore
for (const [sentence, policies, winner] of contests) {
  test(`contest: ${sentence}`, () => {
    for (const order of [policies, policies.toReversed()]) {
      const own = order.filter(({ kind }) => kind === 'PropagationPolicy');
      const all = order.filter(({ kind }) => kind === 'ClusterPropagationPolicy');
      assert.equal(choosePolicy(web, own, all).winner?.metadata.name, winner);
    }
  });
}

test('contest: says by what each loser lost', () => {
  const { contenders } = choosePolicy(
    web,
    [
      namespaced('w', 2, 'label'),
      namespaced('a', 1, 'name'),
      namespaced('b', 2, 'all'),
      namespaced('z', 2, 'label'),
    ],
    [cluster('c', 9, 'name')],
  );
  assert.deepEqual(
    contenders.map(({ policy, lostBy }) => [policy.metadata.name, lostBy]),
    [
      ['w', undefined],
      ['z', 'name'],
      ['b', 'rank'],
      ['a', 'priority'],
      ['c', 'scope'],
    ],
  );
});

test('contest: a policy that is being deleted does not stand', () => {
  const going = namespaced('a', 9, 'name');
  const dying = { ...going, metadata: { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  assert.equal(choosePolicy(web, [dying, namespaced('b', 0, 'all')], []).winner?.metadata.name, 'b');
});

test('contest: cluster scoped templates are for cluster policies only', () => {
  const node: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } };
  assert.equal(
    choosePolicy(node, [namespaced('p', 9, 'name')], [cluster('c', 0, 'all')]).winner?.metadata.name,
    'c',
  );
});

const always = <T extends Policy>(policy: T): T => ({
  ...policy,
  spec: { ...policy.spec, preemption: 'Always' },
});
const held = (policy: Policy): { kind: Policy['kind']; policy: Policy } => ({ kind: policy.kind, policy });
const preemptions: [sentence: string, policy: Policy, holder: Policy | undefined, takes: boolean][] = [
  ['equal priority takes nothing', always(namespaced('p', 2, 'name')), namespaced('q', 2, 'name'), false],
  ['strictly higher priority takes', always(namespaced('p', 2, 'name')), namespaced('q', 1, 'name'), true],
  ['a namespaced policy takes from a cluster policy of any priority', always(namespaced('p', -5, 'name')), cluster('c', 100, 'name'), true],
  ['never the other way round', always(cluster('c', 100, 'name')), namespaced('p', 0, 'name'), false],
  ['a cluster policy takes from a lower one', always(cluster('c', 2, 'name')), cluster('d', 1, 'name'), true],
  ['without preemption nothing is taken', namespaced('p', 2, 'name'), namespaced('q', 1, 'name'), false],
  ['unclaimed templates are left to the contest', always(namespaced('p', 2, 'name')), undefined, false],
  ['only what it selects', always(namespaced('p', 2, 'other')), namespaced('q', 1, 'name'), false],
]; // prettier-ignore
for (const [sentence, policy, holder, takes] of preemptions) {
  test(`preemption: ${sentence}`, () => {
    const verdict = decidePreemption(policy, web, holder === undefined ? undefined : held(holder), true);
    assert.equal(verdict.take, takes);
    const off = decidePreemption(policy, web, holder === undefined ? undefined : held(holder), false);
    assert.deepEqual(off, { take: false, why: 'off' });
  });
}

test('preemption: who inherits when a priority is lowered, highest first', () => {
  const before = namespaced('p', 5, 'name');
  const changed = namespaced('p', 1, 'name');
  const all = [
    always(namespaced('c', 2, 'name')),
    always(namespaced('b', 4, 'name')),
    always(namespaced('a', 4, 'name')),
    always(namespaced('same', 5, 'name')),
    always(namespaced('low', 1, 'name')),
    namespaced('never', 3, 'name'),
    always(namespaced('elsewhere', 3, 'name', 'other')),
    always(cluster('cluster', 3, 'name')),
  ];
  assert.deepEqual(
    heirsOfLoweredPriority(before, changed, all).map(({ metadata }) => metadata.name),
    ['a', 'b', 'c'],
  );
  assert.deepEqual(heirsOfLoweredPriority(changed, before, all), []);
});

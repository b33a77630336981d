import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ResourceBinding } from '../api/index.ts';
import {
  conflictCondition,
  conflictEventText,
  dependenciesCondition,
  gotText,
  type Needed,
} from './dependency-verdict.ts';
import { selectedServices } from './service-selection.ts';

function binding(more: Partial<ResourceBinding['spec']> = {}, said?: string): ResourceBinding {
  const conditions = [
    { type: said ?? '', status: 'False' as const, reason: 'x', message: '', lastTransitionTime: '' },
  ];
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: 'web-deployment', namespace: 'shop' },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      clusters: [{ name: 'm1' }, { name: 'm2' }],
      ...more,
    },
    ...(said === undefined ? {} : { status: { conditions } }),
  };
}

function needed(
  name: string,
  there: 'missing' | readonly string[],
  more: Partial<Needed['dependency']> = {},
): Needed {
  const dependency = { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name, ...more };
  if (there === 'missing') return { dependency, objects: [], attached: [] };
  const resource = { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name };
  const aggregatedStatus = there.map((clusterName) => ({ clusterName, applied: true }));
  return {
    dependency,
    objects: [{ ...resource, metadata: { name, namespace: 'shop' } }],
    attached: [{ ...binding({ resource }), status: { aggregatedStatus } }],
  };
}

const SAID = 'DependenciesReady';
const moving = { gracefulEvictionTasks: [{ fromCluster: 'm0', reason: 'r', producer: 'p' }] };
const cases: readonly (readonly [name: string, one: ResourceBinding, needed: readonly Needed[], expected: string | undefined])[] = [
  ['nothing needed', binding(), [], undefined],
  ['all there', binding(), [needed('a', ['m1', 'm2'])], undefined],
  ['on its way for the first time', binding(), [needed('a', [])], undefined],
  ['one missing', binding(), [needed('a', 'missing'), needed('b', [])], 'False DependencyMissing Secret shop/a is needed and not on the control plane.'],
  ['many missing', binding(), ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => needed(name, 'missing')), 'False DependencyMissing Secret shop/a, Secret shop/b, Secret shop/c, Secret shop/d, Secret shop/e and 2 more are needed and not on the control plane.'],
  ['one missing that is optional', binding(), [needed('a', 'missing', { optional: true })], undefined],
  ['nothing that a selector means', binding(), [needed('', 'missing', { labelSelector: {} })], undefined],
  ['on its way in a move', binding(moving), [needed('a', ['m1'])], 'False DependencyNotApplied Not there yet: Secret shop/a in m2.'],
  ['arrived in a move that nothing was said of', binding(moving), [needed('a', ['m1', 'm2'])], undefined],
  ['on its way after it was missing', binding({}, SAID), [needed('a', ['m2'])], 'False DependencyNotApplied Not there yet: Secret shop/a in m1.'],
  ['all there after something was missing', binding({}, SAID), [needed('a', ['m1', 'm2'])], 'True AllApplied All that the template needs is where the template is.'],
]; // prettier-ignore
for (const [name, one, needs, expected] of cases) {
  test(`dependencies: ${name}`, () => {
    const found = dependenciesCondition(one, needs);
    assert.equal(found && `${found.status} ${found.reason} ${found.message}`, expected);
  });
}

test('a conflict is said as long as there is one, and its end once', () => {
  assert.equal(conflictCondition(binding(), []), undefined);
  assert.equal(conflictCondition(binding(), ['x'])?.message, 'Those who need this do not agree on x: Overwrite counts before Abort, and true before false.');
  assert.equal(conflictCondition(binding({ placement: {} }), ['x', 'y'])?.message, "Its own policy and those who need this do not agree on x and y: the policy's word counts, in all clusters.");
  assert.equal(conflictCondition(binding({}, 'DependencyConflict'), [])?.status, 'False');
}); // prettier-ignore

// ---- Services

function service(name: string, selector: Record<string, string> | undefined, namespace = 'shop'): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { selector } };
}
const services = [
  service('all', { app: 'web' }),
  service('both', { app: 'web', tier: 'front' }),
  service('more', { app: 'web', color: 'red' }),
  service('none', undefined),
  service('empty', {}),
  service('elsewhere', { app: 'web' }, 'other'),
];
const labels = { app: 'web', tier: 'front' };
const templates: Readonly<Record<string, KubeObject>> = {
  'a workload': { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'shop' }, spec: { template: { metadata: { labels } } } },
  'a Pod': { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', labels } },
  'a CronJob': { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { namespace: 'shop' }, spec: { jobTemplate: { spec: { template: { metadata: { labels } } } } } },
}; // prettier-ignore
for (const [name, template] of Object.entries(templates)) {
  test(`Services lead to ${name} by all of their selector, in its namespace`, () => {
    assert.deepEqual(
      selectedServices(template, services).map((one) => one.name),
      ['all', 'both'],
    );
  });
}

test('no Service leads to what has no pods', () => {
  assert.deepEqual(
    selectedServices({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop' } }, services),
    [],
  );
});

test('events are worded as upstream words them', () => {
  const named = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'cfg' };
  const matchExpressions = [{ key: 'tier', operator: 'In', values: ['a', 'b'] }];
  const labelSelector = { matchLabels: { b: '2', a: '1' }, matchExpressions };
  const selected = { apiVersion: 'v1', kind: 'Secret', labelSelector };
  assert.equal(gotText([]), 'Get dependencies([]) succeed.');
  assert.equal(
    gotText([named, selected]),
    'Get dependencies([{APIVersion:v1 Kind:ConfigMap Namespace:shop Name:cfg LabelSelector:<nil>} ' +
      '{APIVersion:v1 Kind:Secret Namespace: Name: LabelSelector:&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},' +
      'MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:tier,Operator:In,Values:[a b],},},}}]) succeed.',
  );
  assert.equal(
    conflictEventText(binding(), ['conflictResolution', 'preserveResourcesOnDeletion']),
    'Dependency policy conflict detected: ConflictResolution conflicted (Overwrite vs Abort); ' +
      'PreserveResourcesOnDeletion conflicted (true vs false).',
  );
  assert.match(conflictEventText(binding({ placement: {} }), ['conflictResolution']), /its own policy/i);
});

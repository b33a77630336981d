import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze, type Cluster, type ClusterAffinity, type Taint } from '../api/index.ts';
import { affinityMismatch, clusterMatchesAffinity, tolerates, untoleratedTaint } from './index.ts';
import type { Toleration } from './index.ts';

function cluster(name: string, labels: Record<string, string>, spec: Partial<Cluster['spec']> = {}): Cluster {
  return deepFreeze({
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, labels },
    spec: { syncMode: 'Push', ...spec },
  });
}

const clusters = [
  cluster('a', { tier: 'gold', env: 'prod' }, { region: 'north', zones: ['n1', 'n2'], provider: 'alpha' }),
  cluster('b', { tier: 'silver', env: 'prod' }, { region: 'north', zones: ['n3'], provider: 'beta' }),
  cluster('c', { tier: 'gold', env: 'dev' }, { region: 'south', zones: ['s1'], provider: 'alpha' }),
  cluster('d', { env: 'dev' }, { provider: 'beta' }),
];
const field = (key: string, operator: string, ...values: string[]): ClusterAffinity => ({
  fieldSelector: { matchExpressions: [{ key, operator, values }] },
});

const cases: [sentence: string, affinity: ClusterAffinity, expected: string][] = [
  ['no criteria mean every cluster', {}, 'abcd'],
  ['names pick the named ones', { clusterNames: ['a', 'c'] }, 'ac'],
  ['a name of no cluster is ignored', { clusterNames: ['b', 'zz'] }, 'b'],
  ['an empty list of names is no criterion', { clusterNames: [] }, 'abcd'],
  ['labels select', { labelSelector: { matchLabels: { tier: 'gold' } } }, 'ac'],
  ['an empty label selector selects all', { labelSelector: {} }, 'abcd'],
  [
    'NotIn on a label keeps clusters without it',
    { labelSelector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['gold'] }] } },
    'bd',
  ],
  [
    'an operator that nobody knows matches nothing',
    { labelSelector: { matchExpressions: [{ key: 'tier', operator: 'Near', values: ['gold'] }] } },
    '',
  ],
  ['exclude takes named ones out', { labelSelector: { matchLabels: { env: 'prod' } }, exclude: ['a'] }, 'b'],
  ['exclude beats names', { clusterNames: ['a', 'b'], exclude: ['a'] }, 'b'],
  ['provider In', field('provider', 'In', 'alpha'), 'ac'],
  ['region NotIn keeps clusters without a region', field('region', 'NotIn', 'north'), 'cd'],
  ['region Exists', field('region', 'Exists'), 'abc'],
  ['region DoesNotExist', field('region', 'DoesNotExist'), 'd'],
  ['zone In: any overlap', field('zone', 'In', 'n2', 's1'), 'ac'],
  ['zone NotIn: no overlap', field('zone', 'NotIn', 'n1'), 'bcd'],
  ['zone Exists', field('zone', 'Exists'), 'abc'],
  ['zone DoesNotExist', field('zone', 'DoesNotExist'), 'd'],
  ['an unknown field is absent everywhere', field('planet', 'In', 'earth'), ''],
  [
    'all criteria must hold',
    {
      labelSelector: { matchLabels: { tier: 'gold' } },
      ...field('provider', 'In', 'alpha'),
      clusterNames: ['c', 'd'],
    },
    'c',
  ],
];
for (const [sentence, affinity, expected] of cases) {
  test(`cluster affinity: ${sentence}`, () => {
    for (const given of [affinity, deepFreeze(affinity)]) {
      const matching = clusters.filter((one) => clusterMatchesAffinity(one, given));
      assert.equal(matching.map(({ metadata }) => metadata.name).join(''), expected);
    }
  });
}

test('cluster affinity: names the criterion that failed', () => {
  const [a] = clusters;
  assert.equal(affinityMismatch(a!, { exclude: ['a'], clusterNames: ['b'] }), 'exclude');
  assert.equal(affinityMismatch(a!, { labelSelector: { matchLabels: { tier: 'iron' } } }), 'labelSelector');
  assert.equal(affinityMismatch(a!, field('region', 'In', 'south')), 'fieldSelector');
  assert.equal(affinityMismatch(a!, { clusterNames: ['b'] }), 'clusterNames');
  assert.equal(affinityMismatch(a!, {}), undefined);
});

test('cluster affinity: keys like those of prototypes are ordinary keys', () => {
  const named = cluster('constructor', { ['__proto__x']: '1' });
  assert.equal(
    clusterMatchesAffinity(named, { labelSelector: { matchLabels: { constructor: 'x' } } }),
    false,
  );
  assert.equal(clusterMatchesAffinity(named, { clusterNames: ['constructor'] }), true);
  assert.equal(clusterMatchesAffinity(named, { clusterNames: ['toString'] }), false);
});

const taint: Taint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' };
const tolerations: [sentence: string, toleration: Toleration, expected: boolean][] = [
  ['an equal value', { key: 'dedicated', operator: 'Equal', value: 'db', effect: 'NoSchedule' }, true],
  ['no operator means Equal', { key: 'dedicated', value: 'db' }, true],
  ['another value does not', { key: 'dedicated', value: 'web', effect: 'NoSchedule' }, false],
  ['Exists asks for no value', { key: 'dedicated', operator: 'Exists' }, true],
  ['another key does not', { key: 'other', operator: 'Exists' }, false],
  ['no key and Exists tolerates all', { operator: 'Exists' }, true],
  ['another effect does not', { key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }, false],
  ['no effect means every effect', { key: 'dedicated', operator: 'Exists' }, true],
  ['an operator of later versions does not', { key: 'dedicated', operator: 'Gt', value: 'db' }, false],
];
for (const [sentence, toleration, expected] of tolerations) {
  test(`toleration: ${sentence}`, () => assert.equal(tolerates(toleration, taint), expected));
}

test('toleration: the first untolerated taint of the effects asked for', () => {
  const taints: Taint[] = [
    { key: 'soft', effect: 'PreferNoSchedule' },
    taint,
    { key: 'x', effect: 'NoExecute' },
  ];
  assert.equal(untoleratedTaint(taints, [], ['NoSchedule', 'NoExecute']), taint);
  assert.equal(
    untoleratedTaint(taints, [{ key: 'dedicated', operator: 'Exists' }], ['NoSchedule']),
    undefined,
  );
  assert.equal(untoleratedTaint([], [], ['NoSchedule']), undefined);
});

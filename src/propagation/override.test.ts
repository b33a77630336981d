import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deepFreeze,
  type Cluster,
  type KubeObject,
  type Overriders,
  type ResourceSelector,
} from '../api/index.ts';
import type { AnyOverridePolicy } from './kinds.ts';
import { applyOverrides, overridePolicySelects, type OverrideResult } from './override.ts';

const conf = (data: Record<string, string>): KubeObject =>
  deepFreeze({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf', namespace: 'shop' }, data });

const member = (name: string): Cluster => ({
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name },
  spec: { syncMode: 'Push' },
});
const select: ResourceSelector = { apiVersion: 'v1', kind: 'ConfigMap' };
const order = (value: string): Overriders => ({
  plaintext: [{ path: '/data/order', operator: 'replace', value }],
});

function policy(
  name: string,
  resourceSelectors: readonly ResourceSelector[] | undefined,
  rules: readonly [value: string, ...clusters: string[]][],
  namespace = 'shop',
): AnyOverridePolicy {
  const overrideRules = rules.map(([value, ...clusterNames]) => ({
    overriders: order(value),
    ...(clusterNames.length === 0 ? {} : { targetCluster: { clusterNames } }),
  }));
  const spec = { overrideRules, ...(resourceSelectors === undefined ? {} : { resourceSelectors }) };
  const apiVersion = 'policy.karmada.io/v1alpha1';
  return namespace === ''
    ? { apiVersion, kind: 'ClusterOverridePolicy', metadata: { name }, spec }
    : { apiVersion, kind: 'OverridePolicy', metadata: { name, namespace }, spec };
}

function override(
  clusterPolicies: readonly AnyOverridePolicy[],
  policies: readonly AnyOverridePolicy[],
  cluster = 'm1',
): OverrideResult {
  return applyOverrides({
    manifest: conf({ order: 'template' }),
    cluster: member(cluster),
    clusterPolicies,
    policies,
  });
}
const appliedBy = (result: OverrideResult): string =>
  result.ok ? result.applied.map(({ policyName }) => policyName).join(' ') : result.error;

test('override policies: cluster policies first, weak selectors first, then names (ovr-precedence)', () => {
  const named = [{ ...select, name: 'conf' }];
  const labelled = [{ ...select, labelSelector: {} }];
  const result = override(
    [policy('z', named, [['cop-name']], ''), policy('a', [select], [['cop-all']], '')],
    [policy('b', named, [['op-b']]), policy('a', named, [['op-a']]), policy('z', labelled, [['l']]), policy('zz', [select], [['all']])],
  ); // prettier-ignore
  assert.equal(appliedBy(result), 'a z zz z a b');
  assert.equal(result.ok && (result.manifest['data'] as Record<string, string>)['order'], 'op-b');
});

test('override policies: rules by cluster, policies without selectors are the weakest', () => {
  const a = policy('a', [{ ...select, name: 'conf' }], [['r1', 'm1', 'm2'], ['r2', 'm2']]);
  const b = policy('b', undefined, [['r3', 'm1', 'm2']]);
  const values = (cluster: string): unknown => {
    const result = override([], [a, b], cluster);
    return result.ok && result.applied.map(({ overriders }) => overriders.plaintext?.[0]?.value);
  };
  assert.deepEqual(values('m1'), ['r3', 'r1']);
  assert.deepEqual(values('m2'), ['r3', 'r1', 'r2']);
  assert.deepEqual(values('m3'), []);
}); // prettier-ignore

test('override policies: namespaced ones see the labels that cluster policies gave', () => {
  const labels: AnyOverridePolicy = {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'ClusterOverridePolicy',
    metadata: { name: 'c' },
    spec: {
      overrideRules: [{ overriders: { labelsOverrider: [{ operator: 'add', value: { tier: 'fe' } }] } }],
    },
  };
  const picky = policy('p', [{ ...select, labelSelector: { matchLabels: { tier: 'fe' } } }], [['seen']]);
  assert.equal(appliedBy(override([labels], [picky])), 'c p');
  assert.equal(appliedBy(override([], [picky])), '');
});

test('override policies: the deprecated pair counts only without rules', () => {
  const old = policy('o', undefined, []);
  const pair = {
    ...old,
    spec: { overriders: order('old'), targetCluster: { clusterNames: ['m1'] } },
  } as AnyOverridePolicy;
  assert.equal(appliedBy(override([], [pair])), 'o');
  assert.equal(appliedBy(override([], [pair], 'm2')), '');
  const both = {
    ...pair,
    spec: { ...pair.spec, overrideRules: [{ overriders: order('new') }] },
  } as AnyOverridePolicy;
  const result = override([], [both]);
  assert.equal(result.ok && (result.manifest['data'] as Record<string, string>)['order'], 'new');
});

test('override policies: one that overrides nothing is named all the same', () => {
  const idle = policy('idle', undefined, []);
  const result = override([], [{ ...idle, spec: {} }]);
  assert.ok(result.ok);
  assert.equal(
    result.annotations['policy.karmada.io/applied-overrides'],
    '[{"policyName":"idle","overriders":{}}]',
  );
});

test('override policies: values that are empty are not named where upstream leaves them out', () => {
  const overriders: Overriders = {
    imageOverrider: [{ component: 'Tag', operator: 'remove', value: '' }],
    argsOverrider: [{ containerName: 'c', operator: 'add', value: [] }],
    labelsOverrider: [{ operator: 'add', value: {} }],
    plaintext: [{ path: '/data', operator: 'add', value: {} }],
  };
  const idle = policy('idle', undefined, []);
  const result = override([], [{ ...idle, spec: { overrideRules: [{ overriders }] } }]);
  assert.ok(result.ok);
  assert.deepEqual(JSON.parse(result.annotations['policy.karmada.io/applied-overrides'] ?? ''), [
    {
      policyName: 'idle',
      overriders: {
        imageOverrider: [{ component: 'Tag', operator: 'remove' }],
        argsOverrider: [{ containerName: 'c', operator: 'add' }],
        labelsOverrider: [{ operator: 'add', value: {} }],
        plaintext: [{ path: '/data', operator: 'add', value: {} }],
      },
    },
  ]);
});

test('override policies: what the Work says about them, sorted by name, absent values as null', () => {
  const remove: AnyOverridePolicy = {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'OverridePolicy',
    metadata: { name: 'a', namespace: 'shop' },
    spec: {
      resourceSelectors: [{ ...select, name: 'conf' }],
      overrideRules: [
        { overriders: { plaintext: [{ path: '/data/order', operator: 'remove' }], imageOverrider: [] } },
      ],
    },
  };
  const result = override([], [remove, policy('z', undefined, [['x']])]);
  assert.ok(result.ok);
  assert.deepEqual(Object.keys(result.annotations), ['policy.karmada.io/applied-overrides']);
  assert.deepEqual(JSON.parse(result.annotations['policy.karmada.io/applied-overrides'] ?? ''), [
    {
      policyName: 'a',
      overriders: { plaintext: [{ path: '/data/order', operator: 'remove', value: null }] },
    },
    {
      policyName: 'z',
      overriders: { plaintext: [{ path: '/data/order', operator: 'replace', value: 'x' }] },
    },
  ]);
});

test('override policies: one that does not apply stops the cluster and is named (ovr-error)', () => {
  const broken = policy('o', undefined, [['x']]);
  const result = applyOverrides({
    manifest: conf({}),
    cluster: member('m1'),
    clusterPolicies: [],
    policies: [broken],
  });
  assert.deepEqual(result.ok ? undefined : result.policy, 'shop/o');
});

test('override policies: nothing applies: the very same object, and nothing to say', () => {
  const manifest = conf({});
  const result = applyOverrides({ manifest, cluster: member('m1'), clusterPolicies: [], policies: [] });
  assert.ok(result.ok);
  assert.equal(result.manifest, manifest);
  assert.deepEqual(result.annotations, {});
});

test('override policies: whether one selects an object', () => {
  assert.equal(overridePolicySelects(policy('a', undefined, []), conf({})), true);
  assert.equal(overridePolicySelects(policy('a', [select], []), conf({})), true);
  assert.equal(overridePolicySelects(policy('a', [{ ...select, name: 'x' }], []), conf({})), false);
});

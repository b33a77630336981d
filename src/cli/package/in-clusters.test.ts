import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Cluster, OverridePolicy } from '../../api/index.ts';
import type { AnyFleetPackage, AnyPackage } from '../../packaging/index.ts';
import { checkValuesIn, inCluster, type InClusterInput } from './in-clusters.ts';

const P = 'packages.glasskube.dev/v1alpha1';
const target: AnyPackage = {
  apiVersion: P,
  kind: 'Package',
  metadata: { name: 'store', namespace: 'shop' },
  spec: { packageInfo: { name: 'cache', version: 'v1' }, values: { memory: { value: '64mb' } } },
};
const cluster = (name: string): Cluster => ({
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name },
  spec: { syncMode: 'Push' },
});
const override = (path: string, value: unknown, clusters: readonly string[]): OverridePolicy => ({
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'OverridePolicy',
  metadata: { name: 'here', namespace: 'shop' },
  spec: {
    resourceSelectors: [{ apiVersion: P, kind: 'Package', name: 'store' }],
    overrideRules: [
      {
        targetCluster: { clusterNames: clusters },
        overriders: { plaintext: [{ path, operator: 'add', value: value as never }] },
      },
    ],
  },
});
const rollout: AnyFleetPackage = {
  apiVersion: 'navarch.io/v1alpha1',
  kind: 'FleetPackage',
  metadata: { name: 'store', namespace: 'shop', uid: 'f' },
  spec: {
    template: target.spec,
    overrides: [
      { clusterAffinity: { clusterNames: ['b'] }, version: 'v2', values: { memory: { value: 'much' } } },
    ],
  },
};

describe('what one cluster is to have', () => {
  const look = (name: string, rest: Partial<InClusterInput>): unknown => {
    const one = inCluster({
      target,
      fleetPackage: undefined,
      cluster: cluster(name),
      clusterPolicies: [],
      policies: [],
      ...rest,
    });
    return 'problem' in one ? one.problem : [one.wanted.spec.packageInfo.version, one.wanted.spec.values];
  };
  const memory = (value: string): object => ({ memory: { value } });
  const policies = [override('/spec/values/memory', { value: '1gb' }, ['b'])];
  const owned = policies.map((one) => ({
    ...one,
    metadata: { ...one.metadata, ownerReferences: [{ apiVersion: 'a', kind: 'b', name: 'c', uid: 'f' }] },
  }));
  test('the template, where nothing is said', () =>
    assert.deepEqual(look('a', { policies }), ['v1', memory('64mb')]));
  test('what an override policy says', () =>
    assert.deepEqual(look('b', { policies }), ['v1', memory('1gb')]));
  test('what its roll-out says', () =>
    assert.deepEqual(look('b', { fleetPackage: rollout }), ['v2', memory('much')]));
  test('what its roll-out said before counts for nothing', () =>
    assert.deepEqual(look('b', { fleetPackage: rollout, policies: owned }), ['v2', memory('much')]));
  test('an override that cannot be applied', () =>
    assert.match(
      String(look('b', { policies: [override('/spec/nothing/memory', {}, ['b'])] })),
      /^override policy shop\/here cannot be applied: /,
    ));
});

test('values that will not do in some cluster are told with the clusters', async () => {
  const place = (policies: readonly OverridePolicy[]): Parameters<typeof checkValuesIn>[0] =>
    ({
      onHub: true,
      client: {
        listAll: ({ resource }: { readonly resource: string }) =>
          Promise.resolve({
            items:
              resource === 'clusters'
                ? ['a', 'b', 'c'].map(cluster)
                : resource === 'overridepolicies'
                  ? policies
                  : [],
          }),
      },
    }) as never;
  const catalogue = {
    client: () => ({
      manifest: () =>
        Promise.resolve({
          manifest: {
            name: 'cache',
            defaultNamespace: 'cache',
            valueDefinitions: { memory: { type: 'text', constraints: { maxLength: 5 }, targets: [] } },
          },
        }),
    }),
  } as never;
  const check = (...policies: readonly OverridePolicy[]): Promise<void> =>
    checkValuesIn(place(policies), catalogue, target, ['a', 'b', 'c']);
  await check();
  await check(override('/spec/values/memory', { value: '1gb' }, ['b', 'c']));
  await assert.rejects(
    check(override('/spec/values/memory', { value: 'too much' }, ['b', 'c'])),
    /^CommandError: in b, c: value "memory": longer than 5 bytes$/,
  );
  await assert.rejects(
    check(override('/spec/values/size', { value: '1' }, ['c'])),
    /in c: value "size": package "cache" has no such value/,
  );
});

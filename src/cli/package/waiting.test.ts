import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterPackage, PackageInCluster } from '../../api/index.ts';
import type { Binding } from '../../propagation/index.ts';
import { partsOf, type Spread } from './holding.ts';
import { endOfPackage, outcome, type End } from './waiting.ts';

const GENERATION = 2;

function packageIn(clusters: readonly PackageInCluster[], spec: object = {}): ClusterPackage {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'ClusterPackage',
    metadata: { name: 'gateway', generation: GENERATION },
    spec: { packageInfo: { name: 'gateway', version: 'v2' }, ...spec },
    // The hub speaks of what all clusters have seen.
    status: {
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'False',
          reason: 'R',
          message: 'm',
          lastTransitionTime: '2030-01-01T00:00:00Z',
        },
      ],
      clusters,
    },
  };
}

function spread(
  seen: Readonly<Record<string, number>>,
  suspension?: Binding['spec']['suspension'],
  suspendedClusters: readonly string[] = [],
): Spread {
  const aggregatedStatus = Object.entries(seen).map(([clusterName, resourceTemplateGeneration]) => ({
    clusterName,
    status: { resourceTemplateGeneration, generation: 7, observedGeneration: 7 },
  }));
  const binding = {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ClusterResourceBinding',
    metadata: { name: 'gateway-clusterpackage' },
    spec: {
      resource: { apiVersion: 'packages.glasskube.dev/v1alpha1', kind: 'ClusterPackage', name: 'gateway' },
      ...(suspension === undefined ? {} : { suspension }),
    },
    status: { aggregatedStatus },
  } as Binding;
  return { binding, suspendedClusters: new Set(suspendedClusters) };
}

const done = (name: string): PackageInCluster => ({ name, version: 'v2', ready: 'True' });
const old = (name: string): PackageInCluster => ({ name, version: 'v1', ready: 'True', stale: true });

const cases: readonly (readonly [
  what: string,
  one: ClusterPackage,
  where: Spread,
  failedMs: number,
  end: Pick<End, 'how' | 'later'> | undefined,
])[] = [
  [
    'a suspended cluster is not waited for',
    packageIn([done('a'), old('b')]),
    spread({ a: 2, b: 1 }, undefined, ['b']),
    0,
    { how: 'done', later: ['b'] },
  ],
  [
    'nor one that a policy sends nothing to',
    packageIn([done('a'), old('b')]),
    spread({ a: 2, b: 1 }, { dispatchingOnClusters: { clusterNames: ['b'] } }),
    0,
    { how: 'done', later: ['b'] },
  ],
  [
    'nor one where the package was suspended',
    packageIn([done('a'), { ...old('b'), suspended: true }]),
    spread({ a: 2, b: 2 }),
    0,
    { how: 'done', later: ['b'] },
  ],
  [
    'the others are waited for, also where they look ready from before',
    packageIn([done('a'), old('b')]),
    spread({ a: 1, b: 1 }, undefined, ['b']),
    0,
    undefined,
  ],
  [
    'until they have the version',
    packageIn([{ ...done('a'), version: 'v1' }, old('b')]),
    spread({ a: 2, b: 1 }, undefined, ['b']),
    0,
    undefined,
  ],
  [
    'or have failed for a while',
    packageIn([{ ...done('a'), ready: 'False' }, old('b')]),
    spread({ a: 2, b: 1 }, undefined, ['b']),
    60_000,
    { how: 'failed' },
  ],
  [
    'a suspended cluster in which it failed before does not fail it',
    packageIn([
      { ...done('a'), ready: 'Unknown' },
      { ...old('b'), ready: 'False' },
    ]),
    spread({ a: 2, b: 1 }, undefined, ['b']),
    60_000,
    undefined,
  ],
  [
    'where nothing is sent anywhere there is nothing to wait for',
    packageIn([old('a'), old('b')]),
    spread({ a: 1, b: 1 }, { dispatching: true }),
    0,
    { how: 'suspended' },
  ],
];

for (const [what, one, where, failedMs, expected] of cases)
  test(what, () => {
    const end = endOfPackage(one, failedMs, partsOf(one, where));
    assert.deepEqual(
      end && { how: end.how, ...(end.later === undefined ? {} : { later: end.later }) },
      expected,
    );
  });

test('no cluster is suspended: there are no parts', () => {
  assert.equal(partsOf(packageIn([done('a'), old('b')]), spread({ a: 2, b: 1 })), undefined);
});

test('who takes it later is said behind what was done', () => {
  assert.equal(
    outcome('clusterpackage/gateway', 'configured', { how: 'done', message: '', later: ['a', 'b'] }),
    'clusterpackage/gateway configured; a, b are suspended, and take it when they are resumed',
  );
});

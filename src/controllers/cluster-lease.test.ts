import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '../api/index.ts';
import { renewed } from './cluster-lease.ts';

const cluster = {
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name: 'edge', uid: 'u2' },
  spec: { syncMode: 'Pull' },
} as Cluster;
const now = '2026-01-01T00:00:00.000000Z';
const owner = (kind: string, uid: string): NonNullable<Cluster['metadata']['ownerReferences']>[number] => ({
  apiVersion: 'x/v1',
  kind,
  name: 'edge',
  uid,
});

test('a first lease names its holder, its duration and its cluster', () => {
  const lease = renewed(undefined, cluster, 40_500, now);
  assert.deepEqual(lease.spec, { holderIdentity: 'edge', leaseDurationSeconds: 41, renewTime: now });
  assert.deepEqual(
    lease.metadata.ownerReferences?.map(({ uid }) => uid),
    ['u2'],
  );
});

test('the lease of a cluster that was made anew goes over to it; other owners and fields stay', () => {
  const before = {
    ...renewed(undefined, cluster, 40_000, '2025-01-01T00:00:00.000000Z'),
    metadata: {
      name: 'edge',
      resourceVersion: '7',
      ownerReferences: [owner('Cluster', 'u1'), owner('Other', 'o')],
    },
  };
  const after = renewed(
    { ...before, spec: { ...before.spec, strategy: 'x' } as never },
    cluster,
    40_000,
    now,
  );
  assert.equal(after.metadata.resourceVersion, '7');
  assert.deepEqual(
    after.metadata.ownerReferences?.map(({ uid }) => uid),
    ['o', 'u2'],
  );
  assert.deepEqual(after.spec, {
    holderIdentity: 'edge',
    leaseDurationSeconds: 40,
    renewTime: now,
    strategy: 'x',
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterPackage } from '../api/index.ts';
import {
  driftedClusters,
  driftedObjects,
  readyPackages,
  suspendedPackageSeconds,
  suspendedPackages,
} from './suspension-series.ts';

const web: ClusterPackage = {
  apiVersion: 'packages.glasskube.dev/v1alpha1',
  kind: 'ClusterPackage',
  metadata: { name: 'web' },
  spec: { packageInfo: { name: 'web', version: 'v1' } },
};
const now = Date.parse('2026-01-01T00:01:00Z');

test('scrapers hear of suspended packages, for how long, and of what differs', () => {
  const suspended: ClusterPackage = {
    ...web,
    status: {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'UpToDate',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
      suspension: {
        active: true,
        sources: [{ type: 'Window', mode: 'ChangesOnly', since: '2026-01-01T00:00:00Z' }],
        drift: [{ group: '', kind: 'ConfigMap', name: 'a' }],
      },
      clusters: [{ name: 'm1', drifted: true }, { name: 'm2' }],
    },
  };
  const labels = ['ClusterPackage', '', 'web', 'Window', 'ChangesOnly'];
  assert.deepEqual(suspendedPackages([web, suspended]), [[labels, 1]]);
  assert.deepEqual(suspendedPackageSeconds([web, suspended], now), [[labels, 60]]);
  assert.deepEqual(suspendedPackages([{ ...web, spec: { ...web.spec, suspended: true } }]), [
    [['ClusterPackage', '', 'web', 'Spec', 'Full'], 1],
  ]);
  assert.deepEqual(driftedClusters([web, suspended]), [[['ClusterPackage', '', 'web'], 1]]);
  assert.deepEqual(driftedObjects([web, suspended]), [[['ClusterPackage', '', 'web'], 1]]);
  assert.deepEqual(readyPackages([web, suspended]), [
    [['ClusterPackage', '', 'web'], 0],
    [['ClusterPackage', '', 'web'], 1],
  ]);
});

// Works that people write themselves: several manifests, some of which no cluster can take.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, KubeObject, Work } from '../../api/index.ts';
import { kinds, resource } from '../../client/index.ts';
import { silentDispatchMetrics } from '../dispatch-metrics.ts';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.ts';
import { joinReady, startMemberApi } from '../testing/member-api.ts';
import { executionController } from './index.ts';

const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const key = { namespace: 'karmada-es-m1', name: 'by-hand' };

function byHand(...manifests: readonly object[]): Work {
  return {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: { ...key, finalizers: ['karmada.io/execution-controller'] },
    spec: { workload: { manifests: manifests as never } },
  };
}

async function conditionsOf({ client }: ControlPlane): Promise<readonly Condition[]> {
  return (await client.get(kinds.works, key)).status?.conditions ?? [];
}

async function find(plane: ControlPlane, type: string): Promise<Condition | undefined> {
  return (await conditionsOf(plane)).find((one) => one.type === type);
}

const labels = { 'karmada.io/managed': 'true' };
const conf = (metadata: object): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { labels, ...metadata },
});

test('what can be applied is, what cannot is named, and none of it keeps the Work from going', async () => {
  await using member = await startMemberApi();
  const counted: unknown[][] = [];
  await using plane = await startControlPlane({}, undefined, () => member.transport, {
    dispatch: {
      ...silentDispatchMetrics,
      created: (ok, { kind }, cluster) => void counted.push(['created', ok, kind, cluster]),
      updated: (ok, { kind }, cluster, result) => void counted.push(['updated', ok, kind, cluster, result]),
      deleted: (ok, { kind }, cluster) => void counted.push(['deleted', ok, kind, cluster]),
    },
  });
  const { client } = plane;
  await joinReady(plane, 'm1');
  plane.run(executionController);
  const metadata = { labels, name: 'reader' };
  await client.create(
    kinds.works,
    byHand(
      conf({ namespace: 'shop', name: 'good' }),
      { apiVersion: 'example.com/v1', kind: 'Thing', metadata },
      conf({ name: 'nowhere' }),
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { ...metadata, namespace: 'shop' },
      },
      conf({ namespace: 'shop' }),
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { kind: 'ConfigMap', metadata: { namespace: 'shop', name: 'old' } },
    ),
  );
  await plane.until('all were tried', async () => (await find(plane, 'Applied')) !== undefined);
  const applied = await find(plane, 'Applied');
  assert.equal(applied?.reason, 'AppliedFailed');
  assert.equal(
    applied.message,
    'Failed to apply all manifests (1/7): [no matches for kind "Thing" in version "example.com/v1", ' +
      'ConfigMap "nowhere" needs a namespace, ' +
      'ClusterRole "reader" can have no namespace, and the manifest says "shop", ' +
      'a manifest of kind ConfigMap has no name, a manifest of kind ConfigMap has no apiVersion]',
  );
  const inMember = (): Promise<KubeObject | undefined> =>
    member.clientOf('reader').find(configMaps, { namespace: 'shop', name: 'good' });
  assert.notEqual(await inMember(), undefined);
  const again = (): boolean =>
    counted.some(([what, , , , result]) => what === 'updated' && result === 'none');
  await plane.until('what was applied is looked at again', () => Promise.resolve(again()));
  await client.delete(kinds.works, key);
  await plane.until('the Work is gone', async () => (await client.find(kinds.works, key)) === undefined);
  assert.equal(await inMember(), undefined);
  const [first] = counted;
  assert.deepEqual(first, ['created', true, 'ConfigMap', 'm1']);
  assert.equal(counted.filter(([what, ok]) => what === 'deleted' && ok === true).length, 7);
});

test('a Work whose cluster is not ready is dispatched, and not applied yet', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await joinReady(plane, 'm1');
  const cluster = await client.get(kinds.clusters, { name: 'm1' });
  const [ready] = cluster.status?.conditions ?? [];
  assert(ready !== undefined);
  await client.updateStatus(kinds.clusters, {
    ...cluster,
    status: { conditions: [{ ...ready, status: 'False', reason: 'ClusterNotReachable' }] },
  });
  plane.run(executionController);
  await client.create(kinds.works, byHand(conf({ namespace: 'shop', name: 'good' })));
  await plane.until('it is dispatched', async () => (await find(plane, 'Dispatching'))?.status === 'True');
  assert.deepEqual(
    (await conditionsOf(plane)).map(({ type }) => type),
    ['Dispatching'],
  );
});

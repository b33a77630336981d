import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterPackage, ClusterResourceBinding, KubeObject } from '../api/index.ts';
import { formatTime, systemClock } from '../base/index.ts';
import { kinds } from '../client/index.ts';
import { stoppedClusters } from '../propagation/index.ts';
import { fleetSuspensionController, fleetSuspensions } from './fleet-suspension.ts';
import { packageSuspensionController, suspendedForMs } from './package-suspension.ts';
import { startControlPlane, type ControlPlane } from './testing/control-plane.ts';
import { joinReady } from './testing/member-api.ts';

const web: ClusterPackage = {
  apiVersion: 'packages.glasskube.dev/v1alpha1',
  kind: 'ClusterPackage',
  metadata: { name: 'web' },
  spec: { packageInfo: { name: 'web', version: 'v1' } },
};

async function makeBinding({ client }: ControlPlane): Promise<void> {
  const binding: KubeObject = {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ClusterResourceBinding',
    metadata: { name: 'web-clusterpackage' },
    spec: {
      resource: { apiVersion: web.apiVersion, kind: web.kind, name: 'web' },
      clusters: [{ name: 'm1' }, { name: 'm2' }],
    },
  };
  await client.create(kinds.clusterResourceBindings, binding as ClusterResourceBinding);
}

/** What members report of the package, as the interpreter reflects it. */
async function report({ client }: ControlPlane, suspended: readonly string[]): Promise<void> {
  const binding = await client.get(kinds.clusterResourceBindings, { name: 'web-clusterpackage' });
  const aggregatedStatus = ['m1', 'm2'].map((clusterName) => ({
    clusterName,
    applied: true,
    status: {
      suspension: { active: suspended.includes(clusterName), sources: [{ type: 'Fleet', name: 'all' }] },
    },
  }));
  await client.updateStatus(kinds.clusterResourceBindings, {
    ...binding,
    status: { ...binding.status, aggregatedStatus },
  });
}

test('a fleet that is partly suspended says so, and nothing more is sent where it is', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  for (const name of ['m1', 'm2']) await joinReady(plane, name);
  await client.create(kinds.clusterPackages, web);
  await makeBinding(plane);
  plane.run(fleetSuspensionController);
  await client.create(fleetSuspensions, {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'FleetSuspension',
    metadata: { name: 'all' },
    spec: { reason: 'network', stopDispatch: true },
  });
  const status = async () => (await client.get(fleetSuspensions, { name: 'all' })).status ?? {};
  const observed = async (): Promise<string> =>
    ((await status()).clusters ?? []).map(({ name, observed: is }) => `${name} ${is}`).join(', ');
  await plane.until('nobody has confirmed', async () => (await observed()) === 'm1 Pending, m2 Pending');
  const override = await client.get(kinds.clusterOverridePolicies, { name: 'fleet-suspension-all' });
  assert.equal(override.metadata.ownerReferences?.[0]?.kind, 'FleetSuspension');
  const stopped = async (): Promise<unknown> =>
    stoppedClusters(await client.get(kinds.clusterResourceBindings, { name: 'web-clusterpackage' }));
  assert.deepEqual(await stopped(), {});

  await report(plane, ['m1']);
  await plane.until('one has confirmed', async () => (await observed()) === 'm1 Suspended, m2 Pending');
  assert.equal((await status()).suspendedClusters, '1/2');
  await plane.until(
    'nothing more is sent there',
    async () => JSON.stringify(await stopped()) === '{"all":["m1"]}',
  );

  await client.delete(fleetSuspensions, { name: 'all' });
  await plane.until('it is sent again', async () => JSON.stringify(await stopped()) === '{}');
});

test('a template whose suspension is over does not go on saying it', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  const until = formatTime(systemClock.now() + 2000);
  await client.create(kinds.clusterPackages, {
    ...web,
    spec: { ...web.spec, suspend: true, suspension: { until, reason: 'x' } },
  });
  plane.run(packageSuspensionController);
  await plane.until(
    'it is in order',
    async () => (await client.get(kinds.clusterPackages, { name: 'web' })).spec.suspend === undefined,
  );
  assert.equal((await client.get(kinds.clusterPackages, { name: 'web' })).spec.suspension, undefined);
});

test('how long a package is suspended', () => {
  const until = '2026-01-01T00:00:10Z';
  const suspended: ClusterPackage = { ...web, spec: { ...web.spec, suspend: true, suspension: { until } } };
  assert.equal(suspendedForMs(suspended, Date.parse(until) - 10), 10);
  assert.equal(suspendedForMs(suspended, Date.parse(until)), 0);
  assert.equal(suspendedForMs(web, 0), undefined);
  assert.equal(suspendedForMs({ ...web, spec: { ...web.spec, suspend: true } }, 0), undefined);
});

// What suspends packages beside their own switch: windows, namespaces, policies, and what they are a part of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../client/index.ts';
import type { AnyPackage } from '../packaging/index.ts';
import { clusterPackageSuspensions, packageSuspensions } from './resources.ts';
import { configMap, dataOf, MINUTE, one, P, patch, suspend, worldWithApp } from './testing/suspended.ts';
import { conditionOf, create, installed, namespacedPackage, packageWorld, read } from './testing/world.ts';

test('a window suspends what is installed and what comes later, and lets go again', async () => {
  await using world = await worldWithApp();
  // The clock of the world stands at noon.
  await world.client.create(clusterPackageSuspensions, {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'ClusterPackageSuspension',
    metadata: { name: 'lunch' },
    spec: { windows: [{ kind: 'deny', schedule: '10 12 * * *', duration: '20m' }], reason: 'lunch' },
  });
  await world.until(
    'the window has opened',
    async () => conditionOf(await read(world, one), 'Suspended')?.reason === 'SuspendedByWindow',
    11 * MINUTE,
  );
  const opened = await read(world, one);
  assert.equal(opened?.status?.suspension?.until, '2026-11-21T12:30:00Z');
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await world.pass(5 * MINUTE);
  assert.equal((await dataOf(world))?.['level'], '1');
  const policy = await world.client.get(clusterPackageSuspensions, { name: 'lunch' });
  assert.equal(policy.status?.active, true);
  assert.equal(policy.status?.matched, 1);
  assert.equal(policy.status?.nextTransition, '2026-11-21T12:30:00Z');
  await world.until('it closed', async () => (await dataOf(world))?.['level'] === '2', 25 * MINUTE);
});

test('a namespace, a policy and what it is a part of suspend a package, each by itself', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  repository.publish(
    'part',
    'v1.0.0',
    { scope: 'Namespaced', manifests: [{ url: 'p.yaml' }] },
    { 'p.yaml': [configMap('p', { a: '1' })] },
  );
  repository.publish('whole', 'v1.0.0', {
    scope: 'Namespaced',
    components: [{ name: 'part', version: 'v1.0.0' }],
  });
  await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const whole = namespacedPackage('shop', 'web', 'whole', 'v1.0.0');
  const part = namespacedPackage('shop', 'web-part', 'part', 'v1.0.0');
  await create(world, whole);
  await installed(world, whole);
  await installed(world, part);
  const reason = async (which: AnyPackage): Promise<string | undefined> =>
    conditionOf(await read(world, which), 'Suspended')?.reason;

  await suspend(world, {}, whole);
  await world.until(
    'the part is suspended with it',
    async () => (await reason(part)) === 'SuspendedByParent',
  );
  await patch(world, { spec: { suspend: null, suspension: null } }, whole);
  await world.until('and goes on with it', async () => (await reason(part)) === 'Resumed');

  const annotate = async (value: string | null): Promise<void> =>
    void (await client.patch(
      kinds.namespaces,
      { name: 'shop' },
      { type: 'merge', body: { metadata: { annotations: { [`${P}/suspend`]: value } } } },
    ));
  await annotate('true');
  await world.until(
    'the namespace suspends both',
    async () =>
      (await reason(whole)) === 'SuspendedByNamespace' && (await reason(part)) === 'SuspendedByNamespace',
  );
  await annotate(null);
  await world.until(
    'and lets both go',
    async () => (await reason(whole)) === 'Resumed' && (await reason(part)) === 'Resumed',
  );

  await client.create(packageSuspensions, {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'PackageSuspension',
    metadata: { name: 'freeze', namespace: 'shop' },
    spec: { selector: { packageNames: ['part'] } },
  });
  await world.until(
    'the policy suspends the one it means',
    async () => (await reason(part)) === 'SuspendedByPolicy',
  );
  assert.equal(await reason(whole), 'Resumed');
  await client.delete(packageSuspensions, { namespace: 'shop', name: 'freeze' });
  await world.until('and lets it go', async () => (await reason(part)) === 'Resumed');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PACKAGES_GROUP,
  type FleetPackage,
  type JsonObject,
  type Package,
  type ResourceBinding,
} from '../api/index.ts';
import { deepEqual } from '../machinery/index.ts';
import { kinds, resource } from '../client/index.ts';
import { fleetPackageController, fleetPackages } from './fleet-packages.ts';
import { startControlPlane, type ControlPlane } from './testing/control-plane.ts';
import { joinReady } from './testing/member-api.ts';

const packages = resource<Package>({
  group: PACKAGES_GROUP,
  version: 'v1alpha1',
  resource: 'packages',
  namespaced: true,
});
const key = { namespace: 'shop', name: 'web' };
const policyKey = { namespace: 'shop', name: 'fleetpackage-web' };

function web(rollout: FleetPackage['spec']['rollout']): FleetPackage {
  return {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'FleetPackage',
    metadata: key,
    spec: {
      template: { packageInfo: { name: 'web', version: 'v1' } },
      ...(rollout === undefined ? {} : { rollout }),
    },
  };
}

async function fleet(plane: ControlPlane): Promise<FleetPackage> {
  return plane.client.get(fleetPackages, key);
}

/** The clusters that the policy sends it to, by the version that the override policy gives them. */
async function sent(plane: ControlPlane): Promise<Readonly<Record<string, string>>> {
  const policy = await plane.client.find(kinds.propagationPolicies, policyKey);
  const override = await plane.client.find(kinds.overridePolicies, policyKey);
  const placed = policy?.spec.placement?.clusterAffinity?.clusterNames ?? [];
  const rules = override?.spec.overrideRules ?? [];
  return Object.fromEntries(
    rules.flatMap(({ targetCluster, overriders }) => {
      const info = overriders.plaintext?.find(({ path }) => path === '/spec/packageInfo')?.value as {
        readonly version: string;
      };
      const names = (targetCluster?.clusterNames ?? []).filter((name) => placed.includes(name));
      return names.map((name) => [name, info.version] as const);
    }),
  );
}

/** What the members would report: of each cluster its version, and whether it is ready with what it was told last. */
async function report(plane: ControlPlane, states: Readonly<Record<string, boolean>>): Promise<void> {
  const { client } = plane;
  const override = await client.get(kinds.overridePolicies, policyKey);
  const ruleOf = (cluster: string): NonNullable<typeof override.spec.overrideRules>[number] | undefined =>
    override.spec.overrideRules?.find(({ targetCluster }) => targetCluster?.clusterNames?.includes(cluster));
  const aggregatedStatus = Object.entries(states).map(([clusterName, ready]) => {
    const overriders = ruleOf(clusterName)?.overriders;
    const revision = overriders?.annotationsOverrider?.[0]?.value['navarch.io/package-revision'] ?? '';
    const info = overriders?.plaintext?.[0]?.value as { readonly version: string };
    const status: JsonObject = {
      revision,
      version: ready ? info.version : 'v1',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', message: ready ? '' : 'no image' }],
    };
    return { clusterName, applied: true, status };
  });
  const known = await client.find(kinds.resourceBindings, { namespace: 'shop', name: 'web-package' });
  const binding: ResourceBinding =
    known ??
    (await client.create(kinds.resourceBindings, {
      apiVersion: 'work.karmada.io/v1alpha2',
      kind: 'ResourceBinding',
      metadata: { namespace: 'shop', name: 'web-package' },
      spec: { resource: { apiVersion: `${PACKAGES_GROUP}/v1alpha1`, kind: 'Package', ...key } },
    }));
  await client.updateStatus(kinds.resourceBindings, { ...binding, status: { aggregatedStatus } });
}

test('a package reaches its clusters in waves, and the second one that fails stops it', async () => {
  await using plane = await startControlPlane();
  for (const name of ['m1', 'm2', 'm3']) await joinReady(plane, name);
  plane.run(fleetPackageController);
  await plane.client.create(
    fleetPackages,
    web({
      steps: [{ clusters: { names: ['m1'] } }, { clusters: { names: ['m2'] } }],
      progressDeadline: '10m',
    }),
  );
  const comesTo = (what: string, wanted: Readonly<Record<string, string>>): Promise<void> =>
    plane.until(what, async () => deepEqual(await sent(plane), wanted));
  await comesTo('it is installed in the first wave alone', { m1: 'v1' });
  await report(plane, { m1: true });
  await comesTo('then in the second', { m1: 'v1', m2: 'v1' });
  await report(plane, { m1: true, m2: true });
  await comesTo('then in the rest', { m1: 'v1', m2: 'v1', m3: 'v1' });
  await report(plane, { m1: true, m2: true, m3: true });
  await plane.until('it is done', async () => (await fleet(plane)).status?.phase === 'Completed');

  const v2 = { spec: { template: { packageInfo: { version: 'v2' } } } };
  await plane.client.patch(fleetPackages, key, { type: 'merge', body: v2 });
  await comesTo('the first wave gets what is new', { m1: 'v2', m2: 'v1', m3: 'v1' });
  assert.equal((await plane.client.get(packages, key)).spec.packageInfo.version, 'v1');
  await report(plane, { m1: true, m2: true, m3: true });
  await comesTo('then the second', { m1: 'v2', m2: 'v2', m3: 'v1' });
  await report(plane, { m1: true, m2: false, m3: true });
  // No cluster is ever as late as this.
  const deadline = { spec: { rollout: { progressDeadline: '1ms' } } };
  await plane.client.patch(fleetPackages, key, { type: 'merge', body: deadline });
  await plane.until('it stops by itself', async () => (await fleet(plane)).status?.phase === 'Halted');
  const { status } = await fleet(plane);
  assert.equal(status?.message, 'wave 2 of 3: m2 failed');
  assert.deepEqual(
    status?.clusters?.map(({ name, phase, reason }) => [name, phase, reason]),
    [
      ['m1', 'Healthy', undefined],
      ['m2', 'Failed', 'ProgressDeadlineExceeded'],
      ['m3', 'Pending', undefined],
    ],
  );
  assert.deepEqual(Object.keys(await sent(plane)).sort(), ['m1', 'm2', 'm3']);
  assert.equal((await sent(plane))['m3'], 'v1');
  for (const reason of [
    'RolloutStarted',
    'WaveStarted',
    'RolloutCompleted',
    'ClusterFailed',
    'RolloutHalted',
  ])
    await plane.until(`there is an event ${reason}`, async () => {
      const { items } = await plane.client.listAll(kinds.events, { namespace: 'shop' });
      return items.some((one) => one['reason'] === reason);
    });

  await plane.client.patch(fleetPackages, key, {
    type: 'merge',
    body: {
      metadata: { annotations: { 'navarch.io/rollout-continue': status?.awaits ?? '' } },
      spec: { rollout: { progressDeadline: '10m' } },
    },
  });
  await plane.until('it goes on', async () => (await fleet(plane)).status?.phase === 'Progressing');
});

test('what others change in what it made is put right, and their own fields stay', async () => {
  await using plane = await startControlPlane();
  await joinReady(plane, 'm1');
  plane.run(fleetPackageController);
  await plane.client.create(fleetPackages, web(undefined));
  await plane.until('it is sent', async () => (await sent(plane))['m1'] === 'v1');
  await plane.client.patch(packages, key, {
    type: 'merge',
    body: { spec: { packageInfo: { version: 'v7' } } },
  });
  await plane.until(
    'the version is put right',
    async () => (await plane.client.get(packages, key)).spec.packageInfo.version === 'v1',
  );
  await plane.client.patch(packages, key, { type: 'merge', body: { spec: { suspend: true } } });
  const v2 = { spec: { template: { packageInfo: { version: 'v2' } } } };
  await plane.client.patch(fleetPackages, key, { type: 'merge', body: v2 });
  await plane.until('it stands still', async () => (await fleet(plane)).status?.phase === 'Suspended');
  assert.equal((await plane.client.get(packages, key)).spec.suspend, true);
  assert.equal((await sent(plane))['m1'], 'v1');
});

test('a package that is not its own is left alone', async () => {
  await using plane = await startControlPlane();
  const mine: Package = {
    apiVersion: `${PACKAGES_GROUP}/v1alpha1` as 'packages.glasskube.dev/v1alpha1',
    kind: 'Package',
    metadata: key,
    spec: { packageInfo: { name: 'web', version: 'v0' } },
  };
  await joinReady(plane, 'm1');
  await plane.client.create(packages, mine);
  plane.run(fleetPackageController);
  await plane.client.create(fleetPackages, web(undefined));
  await plane.until(
    'it says so',
    async () => (await fleet(plane)).status?.conditions?.[0]?.reason === 'NameTaken',
  );
  assert.equal((await plane.client.get(packages, key)).spec.packageInfo.version, 'v0');
  assert.equal(await plane.client.find(kinds.propagationPolicies, policyKey), undefined);
});

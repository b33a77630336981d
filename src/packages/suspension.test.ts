// Suspended packages in a member: what is written, what is seen, how they go on, and what they survive.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { KubeObject, PackageSpec } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { kinds, resource } from '../client/index.ts';
import type { AnyPackage } from '../packaging/index.ts';
import { clusterPackageSuspensions, packageSuspensions, resourceOf } from './resources.ts';
import {
  clusterPackage,
  conditionOf,
  create,
  installed,
  namespacedPackage,
  packageWorld,
  read,
  remove,
  type PackageWorld,
} from './testing/world.ts';

const P = 'packages.glasskube.dev';
const deployments = { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true };
const place = { namespace: 'n', name: 'settings' };
const one = clusterPackage('app', 'v1.0.0');
const MINUTE = 60_000;

const configMap = (name: string, data: object): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

/** `app` in two versions, installed in the first. */
async function worldWithApp(): Promise<PackageWorld> {
  const world = await packageWorld();
  for (const [version, level] of [
    ['v1.0.0', '1'],
    ['v1.1.0', '2'],
  ] as const)
    world.repository.publish(
      'app',
      version,
      { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] },
      { 'a.yaml': [configMap('settings', { level, mode: 'ours' }), configMap('other', { a: '1' })] },
    );
  await create(world, one);
  await installed(world, one);
  return world;
}

async function patch(world: PackageWorld, body: object, which: AnyPackage = one): Promise<void> {
  const { name = '', namespace } = which.metadata;
  await world.client.patch(resourceOf(which.kind), { name, namespace }, { type: 'merge', body });
}

async function suspend(
  world: PackageWorld,
  suspension: PackageSpec['suspension'] = {},
  which = one as AnyPackage,
): Promise<void> {
  await patch(world, { spec: { suspend: true, suspension } }, which);
  await world.until(
    'it says that it is suspended',
    async () => conditionOf(await read(world, which), 'Suspended')?.status === 'True',
  );
}

async function resume(world: PackageWorld, annotations: Record<string, string> = {}): Promise<void> {
  await patch(world, { metadata: { annotations }, spec: { suspend: null, suspension: null } });
}

async function dataOf(world: PackageWorld, name = 'settings'): Promise<Record<string, string> | undefined> {
  return (await world.client.find(kinds.configMaps, { namespace: 'n', name }))?.['data'] as
    | Record<string, string>
    | undefined;
}

/** Writes that are not into the package's own status, events, or what is kept beside it. */
function writesToObjects({ writes }: PackageWorld): readonly string[] {
  return writes.filter(
    (write) =>
      !/\/events|\/leases|\/status$|packagerepositories|packageinfos|clusterroles|glasskube-system$/.test(
        write,
      ),
  );
}

const inFuture = (world: PackageWorld, ms: number): string => formatTime(world.started.clock.now() + ms);

test('nothing is written to what a suspended package brought; it is still looked at, and what waits is said', async () => {
  await using world = await worldWithApp();
  await suspend(world, { reason: 'migration' });
  world.writes.length = 0;
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { mode: 'by hand' } } });
  await world.client.delete(kinds.configMaps, { namespace: 'n', name: 'other' });
  await world.pass(12 * MINUTE);
  assert.deepEqual(writesToObjects(world), []);
  assert.deepEqual(await dataOf(world), { level: '1', mode: 'by hand' });
  const now = await read(world, one);
  const { suspension, version } = now?.status ?? {};
  assert.equal(version, 'v1.0.0');
  assert.equal(suspension?.pendingGeneration, now?.metadata.generation);
  assert.deepEqual(
    suspension?.pendingChanges?.map(({ kind, name, operation, paths }) => [kind, name, operation, paths]),
    [['ConfigMap', 'settings', 'Update', ['/data/level']]],
    'what waits, without what others changed',
  );
  assert.deepEqual(
    suspension?.drift?.map((change) => [change.kind, change.name, change.class, change.paths]),
    [
      ['ConfigMap', 'settings', 'Modified', ['/data/mode']],
      ['ConfigMap', 'other', 'Missing', undefined],
    ],
  );
  assert.deepEqual(suspension?.drift?.[0]?.managers, ['test']);
  assert.equal(conditionOf(now, 'Drifted')?.reason, 'DriftDetected');
  assert.match(
    conditionOf(now, 'Drifted')?.message ?? '',
    /ConfigMap n\/settings modified at \/data\/mode by test/,
  );
  assert.match(conditionOf(now, 'Suspended')?.message ?? '', /^Suspended by itself: migration\. /);
  assert.match(conditionOf(now, 'Ready')?.message ?? '', /ConfigMap other/, 'what is missing is no secret');

  await resume(world);
  await installed(world, one, 'v1.1.0');
  assert.deepEqual(await dataOf(world), { level: '2', mode: 'ours' });
  assert.deepEqual(await dataOf(world, 'other'), { a: '1' });
  const after = await read(world, one);
  assert.equal(conditionOf(after, 'Suspended')?.reason, 'Resumed');
  assert.equal(conditionOf(after, 'Drifted'), undefined);
  assert.deepEqual(after?.status?.suspension, { active: false });
  assert.deepEqual(
    after?.status?.suspensionHistory?.map(({ action }) => action),
    ['Suspended', 'Resumed'],
  );
  await world.until('events tell of it', async () => {
    const { items } = await world.client.list<KubeObject>(kinds.events);
    const reasons = items.map(({ reason }) => reason);
    return ['Suspended', 'DriftDetected', 'Resumed'].every((reason) => reasons.includes(reason));
  });
});

test('where nobody keeps both names of the switch alike, either turns it on, and one alone does not turn it off', async () => {
  await using world = await worldWithApp();
  const says = (status: string): Promise<void> =>
    world.until(
      `Suspended is ${status}`,
      async () => (conditionOf(await read(world, one), 'Suspended')?.status ?? 'False') === status,
    );
  // What Glasskube's clients write, always.
  await patch(world, { spec: { suspend: false } });
  await patch(world, { spec: { suspended: true } });
  await says('True');
  await patch(world, { metadata: { labels: { team: 'a' } } });
  await patch(world, { spec: { suspended: false } });
  await says('False');
  await patch(world, { spec: { suspend: true, suspended: true } });
  await says('True');
  await assert.rejects(
    patch(world, { spec: { suspend: false } }),
    /it would stay suspended.*set both to false/,
  );
  await patch(world, { spec: { suspend: null, suspended: null } });
  await says('False');
});

test('an outage of a suspended package is seen', async () => {
  await using world = await packageWorld();
  world.repository.publish(
    'app',
    'v1.0.0',
    { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] },
    {
      'a.yaml': [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'web' },
          spec: {
            replicas: 1,
            selector: { matchLabels: { app: 'web' } },
            template: {
              metadata: { labels: { app: 'web' } },
              spec: { containers: [{ name: 'c', image: 'i' }] },
            },
          },
        },
      ],
    },
  );
  await create(world, one);
  await installed(world, one);
  await suspend(world);
  const impossible = {
    spec: {
      strategy: { type: 'Recreate', rollingUpdate: null },
      template: { spec: { nodeSelector: { nowhere: 'true' } } },
    },
  };
  await world.client.patch(deployments, { namespace: 'n', name: 'web' }, { type: 'merge', body: impossible });
  await world.until(
    'it is not ready',
    async () => conditionOf(await read(world, one), 'Ready')?.status !== 'True',
  );
});

test('a suspension ends by itself, after a restart too, and its spec is put in order', async () => {
  await using world = await worldWithApp();
  await suspend(world, { until: inFuture(world, 10 * MINUTE), reason: 'migration' });
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await world.pass(4 * MINUTE);
  await world.restart();
  await world.pass(4 * MINUTE);
  assert.equal((await dataOf(world))?.['level'], '1');
  await world.until('it went on', async () => (await dataOf(world))?.['level'] === '2', 5 * MINUTE);
  await installed(world, one, 'v1.1.0');
  const now = await read(world, one);
  assert.equal(now?.spec.suspend, undefined);
  assert.equal(now?.spec.suspension, undefined);
  assert.equal(conditionOf(now, 'Suspended')?.reason, 'SuspensionExpired');
  assert.deepEqual(
    now?.status?.suspensionHistory?.map(({ action }) => action),
    ['Suspended', 'SuspensionExpired'],
  );
});

test('what is over while nobody is there is over', async () => {
  await using world = await worldWithApp();
  await suspend(world, { until: inFuture(world, 2 * MINUTE) });
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await world.restart();
  await world.pass(3 * MINUTE);
  await installed(world, one, 'v1.1.0');
});

test('where somebody else keeps the spec, it stays as it is', async () => {
  await using world = await worldWithApp();
  await patch(world, { metadata: { labels: { 'karmada.io/managed': 'true' } } });
  await suspend(world, { until: inFuture(world, 2 * MINUTE) });
  await world.until(
    'it is over',
    async () => conditionOf(await read(world, one), 'Suspended')?.reason === 'SuspensionExpired',
    5 * MINUTE,
  );
  assert.equal((await read(world, one))?.spec.suspend, true);
});

test('what was suspended here alone, in a member of a control plane, is over with nothing left of it', async () => {
  await using world = await worldWithApp();
  await patch(world, {
    metadata: {
      labels: { 'karmada.io/managed': 'true' },
      annotations: { [`${P}/local-suspension`]: 'true' },
    },
  });
  await suspend(world, { until: inFuture(world, 2 * MINUTE) });
  await world.until(
    'its spec is in order',
    async () => (await read(world, one))?.spec.suspend === undefined,
    5 * MINUTE,
  );
  const now = await read(world, one);
  assert.equal(now?.spec.suspension, undefined);
  assert.equal(now?.metadata.annotations?.[`${P}/local-suspension`], undefined);
  assert.equal(conditionOf(now, 'Suspended')?.reason, 'SuspensionExpired');
});

test('a suspended package can be deleted, and leaves nothing behind', async () => {
  await using world = await worldWithApp();
  await suspend(world);
  await remove(world, one);
  await world.until('its objects are gone', async () => (await dataOf(world)) === undefined);
  const { items } = await world.client.list<KubeObject>(kinds.secrets);
  await world.until('and what was kept of them', async () =>
    (await world.client.list<KubeObject>(kinds.secrets)).items.every(
      ({ type }) => type !== `${P}/applied.v1`,
    ),
  );
  assert.ok(items.length >= 0);
});

test('where only changes wait, what was applied last is kept as it is', async () => {
  await using world = await worldWithApp();
  await suspend(world, { mode: 'ChangesOnly' });
  await world.restart();
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { mode: 'by hand' } } });
  await world.until('it is put right', async () => (await dataOf(world))?.['mode'] === 'ours', 10 * MINUTE);
  await world.client.delete(kinds.configMaps, place);
  await world.until('it is there again', async () => (await dataOf(world)) !== undefined, 10 * MINUTE);
  assert.equal((await dataOf(world))?.['level'], '1');
  assert.equal((await read(world, one))?.status?.version, 'v1.0.0');
  // And then all of it stands still.
  await patch(world, { spec: { suspension: { mode: 'Full' } } });
  await world.until(
    'the change is noted',
    async () => (await read(world, one))?.status?.suspension?.mode === 'Full',
  );
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { mode: 'by hand' } } });
  await world.pass(6 * MINUTE);
  assert.equal((await dataOf(world))?.['mode'], 'by hand');
  assert.deepEqual(
    (await read(world, one))?.status?.suspensionHistory?.map(({ action }) => action),
    ['Suspended', 'SuspensionChanged'],
  );
});

test('a plan is waited with until it was read, and only that plan is carried out', async () => {
  await using world = await worldWithApp();
  await suspend(world, { onResume: 'Review', until: inFuture(world, 5 * MINUTE) });
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  world.writes.length = 0;
  const pending = async (): Promise<AnyPackage | undefined> => {
    const now = await read(world, one);
    return conditionOf(now, 'ResumePending')?.status === 'True' &&
      now?.status?.suspension?.planHash !== undefined
      ? now
      : undefined;
  };
  await world.until('it waits', async () => (await pending()) !== undefined, 10 * MINUTE);
  const first = await pending();
  assert.deepEqual(
    first?.status?.suspension?.pendingChanges?.map(({ kind, name, operation, paths }) => [
      kind,
      name,
      operation,
      paths,
    ]),
    [['ConfigMap', 'settings', 'Update', ['/data/level']]],
  );
  await world.restart();
  await world.pass(2 * MINUTE);
  // Nothing but its own spec, which is over.
  assert.deepEqual(
    writesToObjects(world).filter(
      (write) => !write.startsWith('PUT') || !write.endsWith('/clusterpackages/app'),
    ),
    [],
  );

  // What was approved is not what would happen any more.
  const hash = first?.status?.suspension?.planHash ?? '';
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { mode: 'by hand' } } });
  await patch(world, { metadata: { annotations: { [`${P}/approved-plan`]: hash } } });
  await world.until(
    'it waits for another approval',
    async () => {
      const now = await pending();
      return now !== undefined && now.status?.suspension?.planHash !== hash;
    },
    15 * MINUTE,
  );
  assert.equal((await dataOf(world))?.['level'], '1');
  assert.match(
    conditionOf(await read(world, one), 'ResumePending')?.message ?? '',
    /is not what would happen now/,
  );

  const next = (await pending())?.status?.suspension?.planHash ?? '';
  await patch(world, { metadata: { annotations: { [`${P}/approved-plan`]: next } } });
  await installed(world, one, 'v1.1.0');
  assert.deepEqual(await dataOf(world), { level: '2', mode: 'ours' });
  const after = await read(world, one);
  assert.equal(conditionOf(after, 'ResumePending')?.reason, 'Approved');
  assert.equal(after?.metadata.annotations?.[`${P}/approved-plan`], undefined);
});

test('suspending and resuming takes no repository', async () => {
  await using world = await worldWithApp();
  const files = new Map(world.repository.files);
  world.repository.files.clear();
  await world.pass(11 * MINUTE);
  await suspend(world);
  await resume(world);
  await world.pass(MINUTE);
  const now = await read(world, one);
  assert.equal(conditionOf(now, 'Failed')?.status, 'False', conditionOf(now, 'Failed')?.message);
  assert.equal(now?.status?.version, 'v1.0.0');
  for (const [url, file] of files) world.repository.files.set(url, file);
  await world.until(
    'it is carried out when the repository is there again',
    async () => (await read(world, one))?.status?.suspension?.resuming === undefined,
    30 * MINUTE,
  );
});

test('what waits follows the package, is told of no value, and is gone when nothing waits', async () => {
  await using world = await worldWithApp();
  world.repository.publish(
    'app',
    'v2.0.0',
    { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] },
    {
      'a.yaml': [
        configMap('third', { a: '1' }),
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { key: 'hush' } },
        configMap('settings', { level: '1', mode: 'ours' }),
      ],
    },
  );
  await suspend(world);
  const waiting = async (version: string): Promise<readonly unknown[] | undefined> => {
    await patch(world, { spec: { packageInfo: { version } } });
    const { metadata } = (await read(world, one))!;
    await world.until(
      'it has been looked at',
      async () => {
        const { suspension } = (await read(world, one))?.status ?? {};
        return version === 'v1.0.0'
          ? suspension?.pendingGeneration === undefined
          : suspension?.pendingGeneration === metadata.generation;
      },
      MINUTE,
    );
    const now = await read(world, one);
    assert.doesNotMatch(JSON.stringify(now?.status), /hush|aHVzaA/);
    return now?.status?.suspension?.pendingChanges?.map(({ kind, name, operation }) => [
      kind,
      name,
      operation,
    ]);
  };
  assert.deepEqual(await waiting('v2.0.0'), [
    ['ConfigMap', 'other', 'Delete'],
    ['ConfigMap', 'third', 'Create'],
    ['Secret', 'key', 'Create'],
  ]);
  world.writes.length = 0;
  assert.deepEqual(await waiting('v1.1.0'), [['ConfigMap', 'settings', 'Update']]);
  assert.equal(await waiting('v9.9.9'), undefined, 'no repository offers it');
  assert.equal(await waiting('v1.0.0'), undefined);
  assert.deepEqual(writesToObjects(world), []);
});

test('what the repository says is compared at once when a package goes on', async () => {
  await using world = await worldWithApp();
  await suspend(world);
  await world.pass(2 * MINUTE);
  const asked = (): number => world.repository.asked.filter(({ url }) => url.endsWith('package.yaml')).length;
  const before = asked();
  const [info] = (await world.client.list(kinds.packageInfos)).items;
  const was = info?.status?.lastUpdateTimestamp ?? '';
  await resume(world);
  await world.until(
    'its PackageInfo is fresh',
    async () =>
      ((await world.client.list(kinds.packageInfos)).items[0]?.status?.lastUpdateTimestamp ?? '') > was,
    10_000,
  );
  const after = asked();
  assert.ok(after > before);
  await world.pass(MINUTE);
  assert.equal(asked(), after, 'once');
});

test('what would change nothing goes on without anybody', async () => {
  await using world = await worldWithApp();
  await suspend(world, { onResume: 'Review' });
  await resume(world);
  await world.until('it went on', async () => {
    const now = await read(world, one);
    return (
      now?.status?.suspension?.resuming === undefined && conditionOf(now, 'ResumePending')?.status === 'False'
    );
  });
  await installed(world, one);
});

test('fields that others took over are left to them, until they are taken back', async () => {
  await using world = await worldWithApp();
  await suspend(world);
  await world.client.apply(
    kinds.configMaps,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: place, data: { mode: 'theirs' } },
    { fieldManager: 'somebody', force: true },
  );
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await resume(world, { [`${P}/on-drift`]: 'keep' });
  await installed(world, one, 'v1.1.0');
  assert.deepEqual(await dataOf(world), { level: '2', mode: 'theirs' });
  const kept = (await read(world, one))?.status?.keptFields;
  assert.deepEqual(
    kept?.map(({ name, paths, managers }) => [name, paths, managers]),
    [['settings', ['.data.mode'], ['somebody']]],
  );
  assert.equal((await read(world, one))?.metadata.annotations?.[`${P}/on-drift`], undefined);

  // Later passes leave them alone too.
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { level: 'x' } } });
  await world.until('the rest is put right', async () => (await dataOf(world))?.['level'] === '2');
  assert.equal((await dataOf(world))?.['mode'], 'theirs');

  await suspend(world);
  await resume(world, { [`${P}/on-drift`]: 'overwrite' });
  await world.until('it is taken back', async () => (await dataOf(world))?.['mode'] === 'ours');
  await world.until(
    'nothing is kept',
    async () => (await read(world, one))?.status?.keptFields === undefined,
  );
});

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

const releases = resource({
  group: 'helm.toolkit.fluxcd.io',
  version: 'v2',
  resource: 'helmreleases',
  namespaced: true,
});

async function serveFlux({ client, started }: PackageWorld): Promise<void> {
  const definition = (group: string, version: string, kind: string): KubeObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.toLowerCase().replace(/y$/, 'ie')}s.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        plural: `${kind.toLowerCase().replace(/y$/, 'ie')}s`,
        singular: kind.toLowerCase(),
        listKind: `${kind}List`,
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          subresources: { status: {} },
        },
      ],
    },
  });
  await client.create(
    kinds.customResourceDefinitions,
    definition('helm.toolkit.fluxcd.io', 'v2', 'HelmRelease'),
  );
  await client.create(
    kinds.customResourceDefinitions,
    definition('source.toolkit.fluxcd.io', 'v1', 'HelmRepository'),
  );
  await started.clock.advance(1000);
}

/** As Helm keeps what it installed. */
async function keepRelease({ client }: PackageWorld, name: string, object: object): Promise<void> {
  const text = JSON.stringify({ name, manifest: JSON.stringify(object) });
  const packed = gzipSync(text).toString('base64');
  await client.create(kinds.secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${name}.v1`,
      namespace: 'n',
      labels: { owner: 'helm', name, status: 'deployed', version: '1' },
    },
    data: { release: Buffer.from(packed).toString('base64') },
  });
}

test('charts stand still with their package, and a person who stopped one is not overruled', async () => {
  await using world = await packageWorld();
  const { client } = world;
  await serveFlux(world);
  world.repository.publish('app', 'v1.0.0', {
    defaultNamespace: 'n',
    helm: {
      repositoryUrl: 'https://charts.example',
      releases: [
        { chartName: 'web', chartVersion: '1.0.0' },
        { chartName: 'db', chartVersion: '1.0.0' },
      ],
    },
  });
  await create(world, one);
  const all = async (): Promise<readonly KubeObject[]> =>
    (await client.list<KubeObject>(releases, { namespace: 'n' })).items;
  await world.until('the releases are there', async () => (await all()).length === 2);
  const suspended = async (): Promise<readonly unknown[]> =>
    (await all())
      .map((release) => [
        (release['spec'] as { chart?: { spec?: { chart?: string } } }).chart?.spec?.chart,
        (release['spec'] as { suspend?: boolean }).suspend === true,
        release.metadata.ownerReferences?.length ?? 0,
      ])
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  const db = (await all()).find((release) => JSON.stringify(release).includes('"chart":"db"'));
  await client.patch(
    releases,
    { namespace: 'n', name: db?.metadata.name ?? '' },
    { type: 'merge', body: { spec: { suspend: true } } },
  );
  const web = (await all()).find((release) => JSON.stringify(release).includes('"chart":"web"'));
  await keepRelease(world, web?.metadata.name ?? '', configMap('from-chart', { a: '1' }));
  await client.create(kinds.configMaps, {
    ...(configMap('from-chart', { a: 'by hand', b: 'more' }) as KubeObject),
    metadata: { name: 'from-chart', namespace: 'n' },
  });
  await suspend(world);
  await world.until(
    'both stand still',
    async () =>
      JSON.stringify(await suspended()) ===
      JSON.stringify([
        ['db', true, 1],
        ['web', true, 0],
      ]),
  );
  await world.until('what differs of a chart is seen', async () => {
    const drift = (await read(world, one))?.status?.suspension?.drift ?? [];
    return JSON.stringify(drift.map(({ name, paths }) => [name, paths])) === '[["from-chart",["/data/a"]]]';
  });
  await resume(world);
  await world.until(
    'ours goes on',
    async () =>
      JSON.stringify(await suspended()) ===
      JSON.stringify([
        ['db', true, 1],
        ['web', false, 1],
      ]),
  );
  await suspend(world);
  await world.until('ours stands still', async () =>
    JSON.stringify(await suspended()).includes('["web",true,0]'),
  );
  await client.delete(kinds.clusterPackages, { name: 'app' });
  await world.until('nothing is left', async () => (await all()).length === 0);
});

test('charts of a package that is uninstalled without them stay suspended, and nobody resumes them', async () => {
  await using world = await packageWorld();
  const { client } = world;
  await serveFlux(world);
  world.repository.publish('app', 'v1.0.0', {
    defaultNamespace: 'n',
    helm: {
      repositoryUrl: 'https://charts.example',
      releases: [{ chartName: 'web', chartVersion: '1.0.0' }],
    },
  });
  const release = async (): Promise<KubeObject | undefined> =>
    (await client.list<KubeObject>(releases, { namespace: 'n' })).items[0];
  const isStill = (object: KubeObject | undefined): boolean =>
    (object?.['spec'] as { suspend?: boolean } | undefined)?.suspend === true;
  await create(world, one);
  await world.until('the release is there', async () => (await release()) !== undefined);
  await suspend(world);
  await world.until('it stands still', async () => isStill(await release()));
  await patch(world, { metadata: { annotations: { [`${P}/orphan`]: 'true' } } });
  await remove(world, one);
  await world.pass(10_000);
  const left = await release();
  assert.ok(isStill(left));
  assert.deepEqual(left?.metadata.ownerReferences ?? [], []);
  assert.deepEqual(
    [
      left?.metadata.labels?.['app.kubernetes.io/managed-by'],
      left?.metadata.annotations?.[`${P}/suspended-by-package`],
    ],
    [undefined, undefined],
  );
});

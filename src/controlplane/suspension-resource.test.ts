// Who may suspend and resume what, on a whole control plane with its access control.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { memoryVault, objectCodec, openCertificates } from '../apiserver/index.ts';
import { defaultFeatureGates, silentLogger, systemClock, systemRandom } from '../base/index.ts';
import { kinds, resource, type TransportRequest, type TransportResponse } from '../client/index.ts';
import { defaultControllerSettings } from '../controllers/index.ts';
import { createMemoryStorage, type Storage } from '../storage/index.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';

const PACKAGES = '/apis/packages.glasskube.dev/v1alpha1/namespaces/shop/packages';
const FREEZES = '/apis/packages.glasskube.dev/v1alpha1/namespaces/shop/packagesuspensions';
const POLICIES = '/apis/policy.karmada.io/v1alpha1/namespaces/shop/propagationpolicies';
const CLUSTERS = '/apis/cluster.karmada.io/v1alpha1/clusters';

const FLEET_PACKAGES = '/apis/navarch.io/v1alpha1/namespaces/shop/fleetpackages';

const KINDS: Readonly<Record<string, object>> = {
  [PACKAGES]: { apiVersion: 'packages.glasskube.dev/v1alpha1', kind: 'Package' },
  [FREEZES]: { apiVersion: 'packages.glasskube.dev/v1alpha1', kind: 'PackageSuspension' },
  [POLICIES]: { apiVersion: 'policy.karmada.io/v1alpha1', kind: 'PropagationPolicy' },
  [FLEET_PACKAGES]: { apiVersion: 'navarch.io/v1alpha1', kind: 'FleetPackage' },
  [CLUSTERS]: { apiVersion: 'cluster.karmada.io/v1alpha1', kind: 'Cluster' },
};

const roles = resource({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterroles',
  namespaced: false,
});
const bindings = resource({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterrolebindings',
  namespaced: false,
});

let storage: Storage<KubeObject>;
let plane: ControlPlane;

before(async () => {
  storage = createMemoryStorage<KubeObject>(objectCodec);
  plane = await startControlPlane({
    storage,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    settings: { ...defaultControllerSettings, gates: defaultFeatureGates },
    certificates: await openCertificates({
      vault: memoryVault(),
      now: systemClock.now(),
      clusterName: 'test',
    }),
    allowNoExecuteTaintPolicy: false,
    acceptLegacySpellings: false,
    disabledAdmission: ['ServiceAccount'],
    publicUrl: () => 'https://hub.example',
    openMember: () => assert.fail('there are no members'),
  });
  const { hubClient } = plane;
  await hubClient.create(kinds.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
  });
  await role(
    'package-editor',
    ['packages', 'packagesuspensions'],
    ['get', 'create', 'update', 'patch', 'delete'],
  );
  await role('pausers', ['packages'], ['get', 'update', 'patch', 'suspend']);
  await grant('editor', 'package-editor');
  await grant('pauser', 'pausers');
  await grant('operator', 'package-suspender-role');
  await grant('operator', 'navarch:suspender');
  await role('only-suspend', ['packages'], ['get', 'suspend']);
  await grant('night watch', 'only-suspend');
  for (const [name, resources, group] of [
    ['brake-policies', ['propagationpolicies'], 'policy.karmada.io'],
    ['brake-clusters', ['clusters'], 'cluster.karmada.io'],
    ['brake-rollouts', ['fleetpackages'], 'navarch.io'],
  ] as const) {
    await role(name, resources, ['get', 'suspend'], group);
    await grant('brake', name);
  }
  await role('fleet-editor', ['fleetpackages'], ['get', 'create', 'update', 'patch'], 'navarch.io');
  await grant('releaser', 'fleet-editor');
  await grant('pausing releaser', 'fleet-editor');
  await grant('pausing releaser', 'only-suspend');
  await role('blind', ['packages'], ['suspend', 'resume']);
  await grant('blind', 'blind');
});

after(async () => {
  await plane.close();
  await storage.close();
});

async function role(
  name: string,
  resources: readonly string[],
  verbs: readonly string[],
  group: string = 'packages.glasskube.dev',
): Promise<void> {
  await plane.hubClient.create(roles, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [{ apiGroups: [group], resources, verbs }],
  });
}

async function grant(user: string, name: string): Promise<void> {
  await plane.hubClient.create(bindings, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { generateName: `${user}-` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
}

/** Answers of the server to a person; without a name to the administrator. */
async function as(
  user: string,
  method: TransportRequest['method'],
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly message: string; readonly body: KubeObject }> {
  const [plain = '', query = ''] = path.split('?');
  const identity = KINDS[plain];
  const answer: TransportResponse = await plane.hubClient.transport.send({
    method,
    path: plain,
    query: Object.fromEntries(new URLSearchParams(query)),
    ...(body === undefined ? {} : { body: { ...identity, ...body } }),
    ...(method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {}),
    headers: user === '' ? {} : { 'impersonate-user': user },
  });
  return {
    status: answer.status,
    message: (answer.body as { message?: string }).message ?? '',
    body: answer.body as KubeObject,
  };
}

async function makePackage(name: string, spec: object = {}): Promise<void> {
  const made = await as('', 'POST', PACKAGES, {
    metadata: { name },
    spec: { packageInfo: { name: 'nginx', version: 'v1.0.0' }, ...spec },
  });
  assert.equal(made.status, 201, made.message);
}

const specOf = async (name: string): Promise<Record<string, unknown>> =>
  (await as('', 'GET', `${PACKAGES}/${name}`)).body['spec'] as Record<string, unknown>;

test('who may change packages may not suspend them by that, and hears what it takes', async () => {
  await makePackage('web');
  const changed = await as('editor', 'PATCH', `${PACKAGES}/web`, {
    spec: { packageInfo: { version: 'v1.0.1' } },
  });
  assert.equal(changed.status, 200, changed.message);
  const refused = await as('editor', 'PATCH', `${PACKAGES}/web`, { spec: { suspend: true } });
  assert.equal(refused.status, 403);
  assert.match(
    refused.message,
    /user "editor" may not suspend packages\.packages\.glasskube\.dev "web" in the namespace "shop": it takes the verb "suspend", which the role package-suspender-role has/,
  );
  const created = await as('editor', 'POST', PACKAGES, {
    metadata: { name: 'born-suspended' },
    spec: { packageInfo: { name: 'nginx', version: 'v1.0.0' }, suspend: true },
  });
  assert.equal(created.status, 403);
});

test('to suspend and to resume are two rights', async () => {
  await makePackage('api');
  const suspended = await as('pauser', 'PATCH', `${PACKAGES}/api`, {
    spec: { suspended: true, suspension: { reason: 'tests' } },
  });
  assert.equal(suspended.status, 200, suspended.message);
  assert.equal(suspended.body.metadata.annotations?.['packages.glasskube.dev/suspended-by'], 'pauser');
  assert.equal((await specOf('api'))['suspend'], true);
  const resumed = await as('pauser', 'PATCH', `${PACKAGES}/api`, { spec: { suspend: null } });
  assert.match(resumed.message, /may not resume/);
  const longer = await as('pauser', 'PATCH', `${PACKAGES}/api`, {
    spec: { suspension: { until: '2099-01-01T00:00:00Z' } },
  });
  assert.match(longer.message, /may not resume/, 'an end is less than none');
});

test('the subresource takes the verb and no right to change packages', async () => {
  await makePackage('db', { values: { size: { value: '1' } } });
  const { body, status, message } = await as('operator', 'PUT', `${PACKAGES}/db/suspension`, {
    reason: 'migration',
    until: '2099-01-01T00:00:00Z',
    mode: 'ChangesOnly',
  });
  assert.equal(status, 200, message);
  assert.equal((body['suspension'] as { suspended: boolean }).suspended, true);
  const stored = await as('', 'GET', `${PACKAGES}/db`);
  assert.equal(stored.body.metadata.annotations?.['packages.glasskube.dev/suspended-by'], 'operator');
  assert.deepEqual(await specOf('db'), {
    packageInfo: { name: 'nginx', version: 'v1.0.0' },
    values: { size: { value: '1' } },
    suspend: true,
    suspended: true,
    suspension: { reason: 'migration', until: '2099-01-01T00:00:00Z', mode: 'ChangesOnly' },
  });
  const shown = await as('operator', 'GET', `${PACKAGES}/db/suspension`);
  assert.equal(shown.status, 200, 'whoever may read the package may read this');
  assert.equal((await as('operator', 'PATCH', `${PACKAGES}/db`, { spec: { values: null } })).status, 403);
  assert.equal((await as('editor', 'PUT', `${PACKAGES}/db/suspension`, {})).status, 403);
  assert.equal((await as('blind', 'PUT', `${PACKAGES}/db/suspension`, {})).status, 403, 'who may not see it');

  const resumed = await as('operator', 'DELETE', `${PACKAGES}/db/suspension?reason=done&onDrift=keep`);
  assert.equal(resumed.status, 200, resumed.message);
  const after = await as('', 'GET', `${PACKAGES}/db`);
  const { annotations } = after.body.metadata;
  assert.equal(annotations?.['packages.glasskube.dev/resumed-by'], 'operator');
  assert.equal(annotations?.['packages.glasskube.dev/resume-reason'], 'done');
  assert.equal(annotations?.['packages.glasskube.dev/on-drift'], 'keep');
  assert.deepEqual(Object.keys(await specOf('db')).sort(), ['packageInfo', 'values']);
});

const senseless: readonly (readonly [name: string, body: object, code: number, expected: RegExp])[] = [
  [
    'a field that there is not',
    { because: 'x' },
    400,
    /unknown field "because"; there are reason, until, mode/,
  ],
  ['a word that there is not', { mode: 'Half' }, 400, /"mode" must be one of Full, ChangesOnly/],
  ['a number for a text', { reason: 3 }, 400, /"reason" must be a text/],
  ['a time that is over', { until: '2020-01-01T00:00:00Z' }, 422, /is over already/],
  ['no time', { until: 'tonight' }, 422, /"tonight" is no time/],
];
for (const [name, body, code, expected] of senseless)
  test(`the subresource refuses ${name}`, async () => {
    await plane.hubClient.find(kinds.namespaces, { name: 'shop' });
    const made = await as('', 'POST', PACKAGES, {
      metadata: { name: 'odd' },
      spec: { packageInfo: { name: 'a', version: 'v1' } },
    });
    assert.ok(made.status === 201 || made.status === 409);
    const answer = await as('', 'PUT', `${PACKAGES}/odd/suspension`, body);
    assert.equal(answer.status, code);
    assert.match(answer.message, expected);
    assert.equal((await specOf('odd'))['suspend'], undefined);
  });

test('policies that suspend take the verbs too, and know who made them', async () => {
  const freeze = {
    metadata: { name: 'freeze' },
    spec: { windows: [{ kind: 'deny', schedule: '0 22 * * *', duration: '2h' }] },
  };
  assert.equal((await as('editor', 'POST', FREEZES, freeze)).status, 403);
  const made = await as('', 'POST', FREEZES, freeze);
  assert.equal(made.status, 201, made.message);
  assert.equal(made.body.metadata.annotations?.['packages.glasskube.dev/suspended-by'], 'system:admin');
  const removed = await as('editor', 'DELETE', `${FREEZES}/freeze`);
  assert.match(removed.message, /may not resume packagesuspensions\.packages\.glasskube\.dev "freeze"/);
  const broken = await as('', 'PATCH', `${FREEZES}/freeze`, {
    spec: { windows: [{ kind: 'deny', schedule: 'never', duration: '2h' }] },
  });
  assert.match(broken.message, /spec\.windows\[0\]: expected exactly 5 fields/);
  assert.equal((await as('', 'DELETE', `${FREEZES}/freeze`)).status, 200);
});

test('a namespace suspends its packages for who may suspend all of them', async () => {
  await plane.hubClient.create(roles, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'namespace-editor' },
    rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'patch'] }],
  });
  await grant('editor', 'namespace-editor');
  await grant('operator', 'namespace-editor');
  const wish = { metadata: { annotations: { 'packages.glasskube.dev/suspend': 'true' } } };
  const refused = await as('editor', 'PATCH', '/api/v1/namespaces/shop', wish);
  assert.match(
    refused.message,
    /may not suspend all packages\.packages\.glasskube\.dev in the namespace "shop"/,
  );
  const done = await as('operator', 'PATCH', '/api/v1/namespaces/shop', wish);
  assert.equal(done.status, 200, done.message);
  assert.equal(done.body.metadata.annotations?.['packages.glasskube.dev/suspended-by'], 'operator');
  await as('', 'PATCH', '/api/v1/namespaces/shop', {
    metadata: { annotations: { 'packages.glasskube.dev/suspend': null } },
  });
});

test('policies, bindings and clusters are suspended by the same subresource', async () => {
  const made = await as('', 'POST', POLICIES, {
    metadata: { name: 'web' },
    spec: { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] },
  });
  assert.equal(made.status, 201, made.message);
  const some = await as('operator', 'PUT', `${POLICIES}/web/suspension`, {
    clusters: ['m1'],
    reason: 'network',
  });
  assert.equal(some.status, 200, some.message);
  const policy = await as('', 'GET', `${POLICIES}/web`);
  assert.deepEqual((policy.body['spec'] as { suspension: unknown }).suspension, {
    dispatchingOnClusters: { clusterNames: ['m1'] },
  });
  assert.equal(policy.body.metadata.annotations?.['navarch.io/suspended-by'], 'operator');
  assert.equal(policy.body.metadata.generation, 2, 'whoever follows the spec hears of it');
  assert.equal((await as('operator', 'DELETE', `${POLICIES}/web/suspension?clusters=m1`)).status, 200);
  assert.equal(
    ((await as('', 'GET', `${POLICIES}/web`)).body['spec'] as { suspension?: unknown }).suspension,
    undefined,
  );
  // Whoever edits policies by upstream's field needs no verb more than upstream asks.
  const direct = await as('', 'PATCH', `${POLICIES}/web`, { spec: { suspension: { dispatching: true } } });
  assert.equal(direct.status, 200);

  const joined = await as('', 'POST', CLUSTERS, { metadata: { name: 'm1' }, spec: { syncMode: 'Pull' } });
  assert.equal(joined.status, 201, joined.message);
  const away = await as('operator', 'PUT', `${CLUSTERS}/m1/suspension`, { reason: 'new kernel' });
  assert.equal(away.status, 200, away.message);
  const cluster = await as('', 'GET', `${CLUSTERS}/m1`);
  assert.equal(cluster.body.metadata.annotations?.['navarch.io/suspended'], 'true');
  assert.equal((await as('editor', 'DELETE', `${CLUSTERS}/m1/suspension`)).status, 403);
});

test('who may suspend and nothing else does so through the subresource alone', async () => {
  await makePackage('night');
  const suspended = await as('night watch', 'PUT', `${PACKAGES}/night/suspension`, { reason: 'alarm' });
  assert.equal(suspended.status, 200, suspended.message);
  const stored = await as('', 'GET', `${PACKAGES}/night`);
  assert.equal(stored.body.metadata.annotations?.['packages.glasskube.dev/suspended-by'], 'night watch');
  for (const [method, path, body] of [
    ['PATCH', `${PACKAGES}/night`, { spec: { suspend: true } }],
    ['PATCH', `${PACKAGES}/night`, { spec: { packageInfo: { version: 'v2.0.0' } } }],
    ['DELETE', `${PACKAGES}/night`, undefined],
    ['DELETE', `${PACKAGES}/night/suspension`, undefined],
    ['POST', FREEZES, { metadata: { name: 'mine' }, spec: {} }],
  ] as const) {
    const refused = await as('night watch', method, path, body);
    assert.equal(refused.status, 403, `${method} ${path}: ${refused.message}`);
  }
  // An end that comes sooner is a part of resuming.
  const shorter = await as('night watch', 'PUT', `${PACKAGES}/night/suspension`, {
    until: '2099-01-01T00:00:00Z',
  });
  assert.equal(shorter.status, 403, shorter.message);
  assert.deepEqual((await specOf('night'))['suspension'], { reason: 'alarm' });
});

test('to suspend policies, clusters and roll-outs for less than they are is to resume them', async () => {
  const path = (base: string): string => `${base}/limited/suspension`;
  const cluster = await as('', 'POST', CLUSTERS, {
    metadata: { name: 'limited' },
    spec: { syncMode: 'Pull' },
  });
  assert.equal(cluster.status, 201, cluster.message);
  const policy = await as('', 'POST', POLICIES, {
    metadata: { name: 'limited' },
    spec: { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] },
  });
  assert.equal(policy.status, 201, policy.message);
  const rollout = await as('', 'POST', FLEET_PACKAGES, {
    metadata: { name: 'limited' },
    spec: { template: { packageInfo: { name: 'limited', version: 'v1' } } },
  });
  assert.equal(rollout.status, 201, rollout.message);
  const [sooner, later] = ['2098-01-01T00:00:00Z', '2099-01-01T00:00:00Z'];
  for (const base of [CLUSTERS, POLICIES, FLEET_PACKAGES]) {
    // Whoever suspended it, one who may only suspend makes it no shorter.
    const first = await as('operator', 'PUT', path(base), { until: sooner, reason: 'theirs' });
    assert.equal(first.status, 200, first.message);
    const longer = await as('brake', 'PUT', path(base), { until: later });
    assert.equal(longer.status, 200, longer.message);
    const shorter = await as('brake', 'PUT', path(base), { until: sooner });
    assert.equal(shorter.status, 403, base);
    assert.match(
      shorter.message,
      /user "brake" may not resume .* "limited", and this suspends it for less than it is/,
    );
    assert.equal((await as('brake', 'DELETE', path(base))).status, 403);
    assert.equal((await as('brake', 'PUT', path(base), {})).status, 200, 'without an end it is longer');
    assert.equal((await as('brake', 'PUT', path(base), { until: later })).status, 403);
    assert.equal((await as('operator', 'PUT', path(base), { until: sooner })).status, 200);
    assert.equal((await as('operator', 'DELETE', path(base))).status, 200);
  }
  // Everywhere stays everywhere.
  await as('operator', 'PUT', path(POLICIES), {});
  assert.equal((await as('brake', 'PUT', path(POLICIES), { clusters: ['m1'] })).status, 200);
  const { body } = await as('', 'GET', `${POLICIES}/limited`);
  assert.deepEqual((body['spec'] as { suspension: unknown }).suspension, { dispatching: true });
});

test('a roll-out is held and let go on by the subresource, and knows who did it', async () => {
  const made = await as('', 'POST', FLEET_PACKAGES, {
    metadata: { name: 'held' },
    spec: { template: { packageInfo: { name: 'held', version: 'v1' } } },
  });
  assert.equal(made.status, 201, made.message);
  const one = `${FLEET_PACKAGES}/held`;
  const until = '2099-01-01T00:00:00Z';
  const held = await as('operator', 'PUT', `${one}/suspension`, { reason: 'audit', until });
  assert.equal(held.status, 200, held.message);
  const { suspended, by, wanted } = held.body['suspension'] as Record<string, unknown>;
  assert.deepEqual([suspended, by, wanted], [true, 'operator', { reason: 'audit', until }]);
  const stored = await as('', 'GET', one);
  assert.deepEqual(stored.body['spec'], {
    ...(made.body['spec'] as object),
    suspend: true,
    suspension: { reason: 'audit', until },
  });
  assert.equal((await as('operator', 'PATCH', one, { spec: { rollout: { maxFailures: 3 } } })).status, 403);
  assert.equal((await as('editor', 'PUT', `${one}/suspension`, {})).status, 403);
  assert.equal((await as('operator', 'PUT', `${one}/suspension`, { mode: 'Full' })).status, 400);
  const past = await as('operator', 'PUT', `${one}/suspension`, { until: '2020-01-01T00:00:00Z' });
  assert.equal(past.status, 422);
  const resumed = await as('operator', 'DELETE', `${one}/suspension?reason=done`);
  assert.equal(resumed.status, 200, resumed.message);
  const { history } = resumed.body['suspension'] as { history: readonly Record<string, string>[] };
  assert.deepEqual(
    history.map(({ action, by: who, reason }) => [action, who, reason]),
    [
      ['Suspended', 'operator', 'audit'],
      ['Resumed', 'operator', 'done'],
    ],
  );
  assert.deepEqual((await as('', 'GET', one)).body['spec'], made.body['spec']);
});

test('a roll-out suspends for who may suspend its packages', async () => {
  const fleet = (name: string, spec: object = {}, template: object = {}): object => ({
    metadata: { name },
    spec: {
      template: { packageInfo: { name: 'nginx', version: 'v1.0.0' }, ...template },
      placement: { clusterAffinity: { clusterNames: ['m1'] } },
      ...spec,
    },
  });
  const made = await as('releaser', 'POST', FLEET_PACKAGES, fleet('web'));
  assert.equal(made.status, 201, made.message);
  const ways: readonly (readonly [what: string, spec: object])[] = [
    ['itself', { suspend: true }],
    ['its template', { template: { suspend: true } }],
    ['an override', { overrides: [{ clusterAffinity: { clusterNames: ['m1'] }, suspend: true }] }],
  ];
  for (const [what, spec] of ways) {
    const refused = await as('releaser', 'PATCH', `${FLEET_PACKAGES}/web`, { spec });
    assert.equal(refused.status, 403, what);
    assert.match(refused.message, /"releaser" may not suspend packages\.packages\.glasskube\.dev "web"/);
  }
  const { template, ...others } = Object.assign({}, ...ways.map(([, spec]) => spec)) as {
    template: object;
  };
  const born = await as('releaser', 'POST', FLEET_PACKAGES, fleet('born-suspended', others, template));
  assert.equal(born.status, 403, born.message);

  const one = `${FLEET_PACKAGES}/web`;
  const done = await as('pausing releaser', 'PATCH', one, { spec: { suspend: true } });
  assert.equal(done.status, 200, done.message);
  const back = await as('pausing releaser', 'PATCH', one, { spec: { suspend: false } });
  assert.match(back.message, /may not resume packages\.packages\.glasskube\.dev "web"/);
  const other = await as('releaser', 'PATCH', one, {
    spec: { template: { packageInfo: { version: 'v1.1.0' } } },
  });
  assert.equal(other.status, 200, 'what is not the switch takes no verb');
  assert.equal((await as('night watch', 'PATCH', one, { spec: { suspend: true } })).status, 403);
});

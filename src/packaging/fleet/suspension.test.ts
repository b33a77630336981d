import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster, ClusterPackage, FleetSuspension, PackageSpec } from '../../api/index.ts';
import { planFleetSuspension, type FleetSuspensionInput } from './suspension.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');
const P = 'packages.glasskube.dev';

function suspension(spec: FleetSuspension['spec'] = {}, status?: FleetSuspension['status']): FleetSuspension {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'FleetSuspension',
    metadata: {
      name: 'europe',
      uid: 'u',
      annotations: { [`${P}/suspended-by`]: 'anna' },
      creationTimestamp: '2026-03-01T09:00:00Z',
    },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

function pkg(name: string, spec: Partial<PackageSpec> = {}): ClusterPackage {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'ClusterPackage',
    metadata: { name },
    spec: { packageInfo: { name, version: 'v1' }, ...spec },
  };
}

function cluster(name: string, ready = true): { readonly cluster: Cluster; readonly ready: boolean } {
  return {
    cluster: {
      apiVersion: 'cluster.karmada.io/v1alpha1',
      kind: 'Cluster',
      metadata: { name, labels: { region: name.startsWith('eu') ? 'europe' : 'asia' } },
      spec: { syncMode: 'Push' },
    },
    ready,
  };
}

/** @param suspended `cluster/package` of those that say they are */
function plan(given: Partial<FleetSuspensionInput>, suspended: readonly string[] = []) {
  return planFleetSuspension({
    suspension: suspension(),
    packages: [pkg('web')],
    namespaceOf: () => undefined,
    clusters: [cluster('eu1'), cluster('eu2')],
    placed: (one) => ({
      clusters: ['eu1', 'eu2'],
      reported: suspended
        .filter((text) => text.endsWith(`/${one.metadata.name}`))
        .map((text) => ({
          clusterName: text.split('/')[0] ?? '',
          status: { suspension: { active: true, sources: [{ type: 'Fleet', name: 'europe' }] } },
        })),
    }),
    nowMs: NOW,
    ...given,
  });
}

const states = ({ status }: ReturnType<typeof plan>): readonly string[] =>
  (status.clusters ?? []).map(
    ({ name, desired, observed, dispatchStopped }) =>
      `${name} ${desired} ${observed}${dispatchStopped === true ? ' stopped' : ''}`,
  );

test('what clusters say is told apart from what is wanted of them', () => {
  assert.deepEqual(states(plan({})), ['eu1 Suspended Pending', 'eu2 Suspended Pending']);
  const partly = plan({ packages: [pkg('web'), pkg('db')] }, ['eu1/web', 'eu1/db', 'eu2/web']);
  assert.deepEqual(states(partly), ['eu1 Suspended Suspended', 'eu2 Suspended Partly']);
  assert.equal(partly.status.suspendedClusters, '1/2');
  assert.equal(partly.status.conditions?.[0]?.reason, 'Waiting');
  assert.equal(plan({}, ['eu1/web', 'eu2/web']).status.conditions?.[0]?.reason, 'AllSuspended');
  // A cluster that cannot be asked is never said to be suspended, whatever it said before.
  const silent = plan({ clusters: [cluster('eu1', false)] }, ['eu1/web']);
  assert.deepEqual(states(silent), ['eu1 Suspended Unknown']);
  assert.match(silent.status.clusters?.[0]?.message ?? '', /cannot be asked: what runs there may go on/);
  assert.deepEqual(plan({ clusters: [] }).status.suspendedClusters, '0/0');
});

test('only clusters that it is for are in it', () => {
  const spec = { clusterAffinity: { labelSelector: { matchLabels: { region: 'europe' } } } };
  const found = plan({ suspension: suspension(spec), clusters: [cluster('eu1'), cluster('as1')] });
  assert.deepEqual(states(found), ['eu1 Suspended Pending']);
  assert.deepEqual(found.overrides[0]?.spec.overrideRules?.[0]?.targetCluster, spec.clusterAffinity);
});

test('the override turns the switch, says why and until when, and names itself', () => {
  const { overrides } = plan({
    suspension: suspension({ reason: 'works', until: '2026-03-01T12:00:00Z', mode: 'ChangesOnly' }),
  });
  assert.equal(overrides.length, 1);
  const [policy] = overrides;
  assert.equal(policy?.metadata.name, 'fleet-suspension-europe');
  assert.deepEqual(
    policy?.spec.resourceSelectors?.map(({ kind }) => kind),
    ['Package', 'ClusterPackage'],
  );
  assert.deepEqual(policy?.spec.overrideRules?.[0]?.overriders.plaintext, [
    { path: '/spec/suspend', operator: 'add', value: true },
    { path: '/spec/suspended', operator: 'add', value: true },
    {
      path: '/spec/suspension',
      operator: 'add',
      value: { reason: 'works', until: '2026-03-01T12:00:00Z', mode: 'ChangesOnly' },
    },
  ]);
  assert.deepEqual(policy?.spec.overrideRules?.[0]?.overriders.annotationsOverrider?.[0]?.value, {
    [`${P}/fleet-suspension`]: 'europe',
    [`${P}/suspended-by`]: 'anna',
    [`${P}/suspended-at`]: '2026-03-01T09:00:00Z',
  });
});

const selections: readonly (readonly [
  name: string,
  spec: FleetSuspension['spec'],
  expected: readonly string[],
])[] = [
  ['by name, for both kinds', { selector: { names: ['web'] } }, ['Package web', 'ClusterPackage web']],
  [
    'by labels, so that those of tomorrow are meant',
    { selector: { kinds: ['Package'], labelSelector: { matchLabels: { a: 'b' } } } },
    ['Package '],
  ],
  [
    'by name in the repository, those that there are',
    { selector: { packageNames: ['web'] } },
    ['ClusterPackage web'],
  ],
  ['nothing that there is', { selector: { packageNames: ['gone'] } }, []],
];
for (const [name, spec, expected] of selections)
  test(`selected ${name}`, () => {
    const { overrides } = plan({ suspension: suspension(spec), packages: [pkg('web'), pkg('db')] });
    const selectors = overrides[0]?.spec.resourceSelectors ?? [];
    assert.deepEqual(
      selectors.map(({ kind, name: of = '' }) => `${kind} ${of}`),
      expected,
    );
  });

test('a package that is suspended for longer by itself stays so', () => {
  const own = pkg('web', { suspend: true, suspension: { reason: 'own', until: '2026-03-02T00:00:00Z' } });
  const { overrides } = plan({
    suspension: suspension({ reason: 'works', until: '2026-03-01T12:00:00Z' }),
    packages: [own],
  });
  assert.deepEqual(
    overrides.map(({ metadata }) => metadata.name),
    ['fleet-suspension-europe', 'fleet-suspension-europe-own-clusterpackage-web'],
  );
  assert.deepEqual(overrides[1]?.spec.overrideRules?.[0]?.overriders.plaintext?.[0]?.value, {
    reason: 'works',
    until: '2026-03-02T00:00:00Z',
  });
  const shorter = pkg('web', { suspend: true, suspension: { until: '2026-03-01T11:00:00Z' } });
  assert.equal(
    plan({ suspension: suspension({ until: '2026-03-01T12:00:00Z' }), packages: [shorter] }).overrides.length,
    1,
  );
});

test('sending stops when a cluster has confirmed, or when it had a minute to do so', () => {
  const spec = { stopDispatch: true };
  const first = plan({ suspension: suspension(spec) }, ['eu1/web']);
  assert.deepEqual(states(first), ['eu1 Suspended Suspended stopped', 'eu2 Suspended Pending']);
  assert.deepEqual(first.stops[0]?.clusters, ['eu1']);
  assert.equal(first.nextMs, NOW + 60_000);
  const later = plan({ suspension: suspension(spec, first.status), nowMs: NOW + 60_000 }, ['eu1/web']);
  assert.deepEqual(later.stops[0]?.clusters, ['eu1', 'eu2']);
  assert.match(later.status.clusters?.[1]?.message ?? '', /1 have not confirmed; nothing more is sent there/);
});

test('when its time is over nothing is overridden and everything is sent again', () => {
  const spec = { stopDispatch: true, until: '2026-03-01T10:00:00Z' };
  const over = plan({ suspension: suspension(spec) }, ['eu1/web']);
  assert.deepEqual(over.overrides, []);
  assert.deepEqual(over.stops[0]?.clusters, []);
  assert.deepEqual(states(over), ['eu1 Active Pending', 'eu2 Active Active']);
  assert.equal(over.status.active, false);
  assert.equal(over.nextMs, undefined);
});

test('a window ends in the clusters by itself', () => {
  const windows = [{ kind: 'deny' as const, schedule: '0 9 * * *', duration: '2h' }];
  const open = plan({ suspension: suspension({ windows }) });
  assert.equal(open.nextMs, Date.parse('2026-03-01T11:00:00Z'));
  assert.deepEqual(open.overrides[0]?.spec.overrideRules?.[0]?.overriders.plaintext?.[2]?.value, {
    until: '2026-03-01T11:00:00Z',
  });
});

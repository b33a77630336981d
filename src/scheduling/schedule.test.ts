import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  deepFreeze,
  type Cluster,
  type Placement,
  type ResourceBinding,
  type ResourceBindingSpec,
  type TargetCluster,
} from '../api/index.ts';
import { defaultFeatureGates } from '../base/index.ts';
import { fleetSnapshot } from './fleet-snapshot.ts';
import { enabledPlugins } from './plugins.ts';
import { schedule, type ScheduleInput, type ScheduleResult } from './schedule.ts';

type Room = Readonly<Record<string, number>>;

/** A cluster with room for `pods` pods, whatever they request. */
function cluster(
  name: string,
  pods: number,
  spec: Partial<Cluster['spec']> = {},
  labels: Record<string, string> = {},
): Cluster {
  return deepFreeze({
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, labels },
    spec: { syncMode: 'Push', ...spec },
    status: {
      apiEnablements: [{ groupVersion: 'apps/v1', resources: [{ name: 'deployments', kind: 'Deployment' }] }],
      resourceSummary: { allocatable: { pods } },
    },
  });
}

const fleetOf = (room: Room): readonly Cluster[] =>
  Object.entries(room).map(([name, pods]) => cluster(name, pods));

/** `a4 b2`, with `a` alone for a cluster without replicas. */
function print(clusters: readonly TargetCluster[]): string {
  return clusters
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, replicas }) => `${name}${replicas ?? ''}`)
    .join(' ');
}

function parse(text: string): TargetCluster[] {
  if (text === '') return [];
  return text.split(' ').map((part) => {
    const [, name = '', replicas = ''] = /^([a-z]+)(\d*)$/.exec(part) ?? [];
    return replicas === '' ? { name } : { name, replicas: Number(replicas) };
  });
}

function binding(
  spec: Partial<ResourceBindingSpec>,
  status: ResourceBinding['status'] = {},
): ResourceBinding {
  return deepFreeze({
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: 'web-deployment', namespace: 'shop', generation: 3 },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      ...spec,
    },
    status,
  });
}

function run(
  clusters: readonly Cluster[],
  spec: Partial<ResourceBindingSpec>,
  input: Partial<ScheduleInput> = {},
): ScheduleResult {
  return schedule({
    binding: binding(spec),
    fleet: fleetSnapshot(clusters),
    gates: defaultFeatureGates,
    mode: 'Steady',
    ...input,
  });
}

function outcome(result: ScheduleResult): string {
  return result.ok ? print(result.clusters) : `${result.failure.kind}: ${result.failure.message}`;
}

const ODD = 'b4f7c1d2-0002-4a3e-9c55-1f2e3d4c5b6a';
const EVEN = 'b4f7c1d2-0001-4a3e-9c55-1f2e3d4c5b6a';
const resource = (uid: string): Pick<ResourceBindingSpec, 'resource'> => ({
  resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web', uid },
});

// ---- division

const divided = (preference: 'Aggregated' | 'Weighted', weightPreference?: object): Placement => ({
  replicaScheduling: {
    replicaSchedulingType: 'Divided',
    replicaDivisionPreference: preference,
    ...(weightPreference === undefined ? {} : { weightPreference }),
  },
});
const dynamic = divided('Weighted', { dynamicWeight: 'AvailableReplicas' });
const aggregated = divided('Aggregated');
function weights(text: string): Placement {
  const staticWeightList = parse(text).map(({ name, replicas }) => ({
    targetCluster: { clusterNames: [name] },
    weight: replicas ?? 1,
  }));
  return divided('Weighted', { staticWeightList });
}
const ABC = { a: 100, b: 100, c: 100 };

const staticCases: [sentence: string, replicas: number, weights: string, uid: string, expected: string][] = [
  ['seven by 5:3:1', 7, 'a5 b3 c1', '', 'a4 b2 c1'],
  ['ten by 3:2:1', 10, 'a3 b2 c1', '', 'a5 b3 c2'],
  ['nine by 1:3', 9, 'a1 b3', '', 'a2 b7'],
  ['a cluster that gets nothing is left out', 2, 'a1 b5', '', 'b2'],
  ['five by 1:1', 5, 'a1 b1', '', 'a3 b2'],
  ['five by 1:1, odd uid', 5, 'a1 b1', ODD, 'a2 b3'],
  ['one by 1:1:1, odd uid', 1, 'a1 b1 c1', ODD, 'c1'],
  ['one by 1:1:1, even uid', 1, 'a1 b1 c1', EVEN, 'a1'],
  ['recorded: 12 by 1:2:3 (rep-static)', 12, 'a1 b2 c3', '', 'a2 b4 c6'],
  ['recorded: 10 by 3:5:7 (rep-static-remainder)', 10, 'a3 b5 c7', '', 'a2 b3 c5'],
  ['recorded: 11 by 3:5:7', 11, 'a3 b5 c7', '', 'a2 b4 c5'],
  ['recorded: 13 by 3:5:7', 13, 'a3 b5 c7', '', 'a3 b4 c6'],
  ['recorded: 2 by 3:5:7', 2, 'a3 b5 c7', '', 'b1 c1'],
  ['an unlisted cluster gets nothing (rep-static-unlisted)', 8, 'a1 b3', '', 'a2 b6'],
];
for (const [sentence, replicas, list, uid, expected] of staticCases) {
  test(`static weights: ${sentence}`, () => {
    const spec = { replicas, placement: weights(list), ...(uid === '' ? {} : resource(uid)) };
    assert.equal(outcome(run(fleetOf(ABC), spec)), expected);
  });
}

test('static weights: the largest that matches counts (rep-static-overlap)', () => {
  const placement = divided('Weighted', {
    staticWeightList: [
      { targetCluster: { clusterNames: ['a', 'b'] }, weight: 1 },
      { targetCluster: { clusterNames: ['b'] }, weight: 4 },
    ],
  });
  assert.equal(outcome(run(fleetOf({ a: 1, b: 1 }), { replicas: 10, placement })), 'a2 b8');
});

test('static weights: none given, or none that match: all weigh the same', () => {
  assert.equal(outcome(run(fleetOf(ABC), { replicas: 6, placement: divided('Weighted') })), 'a2 b2 c2');
  const nobody = divided('Weighted', {
    staticWeightList: [{ targetCluster: { clusterNames: ['z'] }, weight: 9 }],
  });
  assert.equal(outcome(run(fleetOf(ABC), { replicas: 6, placement: nobody })), 'a2 b2 c2');
  assert.equal(outcome(run(fleetOf(ABC), { replicas: 6, placement: { replicaScheduling: {} } })), 'a2 b2 c2');
});

test('static weights: neither room nor the last result counts', () => {
  const spec = { replicas: 8, placement: weights('a1 b1'), clusters: parse('a8') };
  assert.equal(outcome(run(fleetOf({ a: 0, b: 1 }), spec)), 'a4 b4');
});

test('static weights: spread constraints are ignored (spread-cluster-static-ignored)', () => {
  const spreadConstraints = [{ spreadByField: 'cluster', minGroups: 1, maxGroups: 1 } as const];
  const placement = { ...weights('a1 b1 c2'), spreadConstraints };
  assert.equal(outcome(run(fleetOf({ ...ABC, d: 100 }), { replicas: 8, placement })), 'a2 b2 c4');
});

test('no weights: a preference without any leaves spread constraints in force, none at all does not', () => {
  const constraints = spread({ spreadByField: 'cluster', minGroups: 1, maxGroups: 2 });
  const placed = (preference?: object): string =>
    outcome(
      run(fleetOf({ a: 9, b: 8, c: 7 }), {
        replicas: 6,
        placement: { ...divided('Weighted', preference), ...constraints },
      }),
    );
  assert.equal(placed({}), 'a3 b3');
  assert.equal(placed({ staticWeightList: [] }), 'a3 b3');
  assert.equal(placed(), 'a2 b2 c2');
});

const TOO_FEW =
  'unschedulable: failed to assign replicas: failed to scale up: Clusters available replicas 7 are not enough to schedule.';
const dynamicCases: [
  sentence: string,
  placement: Placement,
  replicas: number,
  scheduled: string,
  room: Room,
  expected: string,
  mode?: 'Fresh',
][] = [
  ['first time', dynamic, 10, '', { a: 20, b: 10, c: 5 }, 'a6 b3 c1'],
  ['scaling up keeps what is there', dynamic, 14, 'a5 b3', { a: 4, b: 12 }, 'a7 b7'],
  ['scaling down ignores room', dynamic, 6, 'a9 b5', { a: 0, b: 0 }, 'a4 b2'],
  ['a cluster that is gone gives its replicas to the others', dynamic, 12, 'a4 b4 c4', { a: 3, b: 9 }, 'a5 b7'],
  ['a full cluster keeps its own', dynamic, 5, 'a3', { a: 0, b: 10 }, 'a3 b2'],
  ['more than the fleet holds (rep-dynamic-full)', dynamic, 12, '', { a: 3, b: 4 }, TOO_FEW],
  ['nothing to change', dynamic, 10, 'a8 b2', { a: 0, b: 100 }, 'a8 b2'],
  ['fresh starts over', dynamic, 10, 'a8 b2', { a: 2, b: 18 }, 'a3 b7', 'Fresh'],
  ['recorded: up to 18 (rep-dynamic)', dynamic, 18, 'a4 b2 c6', { a: 12, b: 6, c: 18 }, 'a6 b3 c9'],
  ['recorded: down to 6 (rep-dynamic)', dynamic, 6, 'a6 b3 c9', { a: 12, b: 6, c: 18 }, 'a2 b1 c3'],
  ['one cluster suffices', aggregated, 9, '', { a: 9, b: 20 }, 'b9'],
  ['as few as possible', aggregated, 9, '', { a: 4, b: 7, c: 5 }, 'b5 c4'],
  ['up in the cluster in use', aggregated, 6, 'a4', { a: 2, b: 3, c: 20 }, 'a6'],
  ['up beyond the cluster in use', aggregated, 10, 'a4', { a: 2, b: 3, c: 20 }, 'a5 c5'],
  ['down over all in use', aggregated, 7, 'a4 b6', { a: 0, b: 0 }, 'a3 b4'],
  ['down to fewer clusters', aggregated, 4, 'a3 b3 c3', { a: 0, b: 0, c: 0 }, 'a2 b2'],
]; // prettier-ignore
for (const [sentence, placement, replicas, scheduled, room, expected, mode] of dynamicCases) {
  test(`${placement === dynamic ? 'dynamic weights' : 'aggregated'}: ${sentence}`, () => {
    const spec = { replicas, placement, clusters: parse(scheduled) };
    assert.equal(outcome(run(fleetOf(room), spec, mode === undefined ? {} : { mode })), expected);
  });
}

test('dynamic weights: the messages of the three ways to fail', () => {
  const message = (mode: 'Fresh' | 'Steady'): string =>
    outcome(run(fleetOf({ a: 1 }), { replicas: 5, placement: dynamic }, { mode }));
  assert.match(message('Fresh'), /failed to do fresh scale: Clusters available replicas 1/);
  assert.match(message('Steady'), /failed to scale up: Clusters available replicas 1/);
});

test('zero replicas: with requests nothing is left, unless empty workloads are propagated', () => {
  const spec = {
    replicas: 0,
    replicaRequirements: {},
    placement: weights('a1 b1'),
    clusters: parse('a2 b2'),
  };
  assert.equal(outcome(run(fleetOf(ABC), spec)), '');
  assert.equal(outcome(run(fleetOf(ABC), spec, { propagateEmptyWorkloads: true })), 'a0 b0 c0');
});

test('zero replicas: without requests it is no workload and goes everywhere (rep-zero)', () => {
  assert.equal(outcome(run(fleetOf(ABC), { placement: weights('a1 b1') })), 'a b c');
  assert.equal(outcome(run(fleetOf(ABC), { replicas: 0, placement: {} })), 'a b c');
});

test('duplicated: every cluster gets all, and no placement at all means that', () => {
  assert.equal(outcome(run(fleetOf(ABC), { replicas: 3, placement: {} })), 'a3 b3 c3');
  assert.equal(outcome(run(fleetOf(ABC), { replicas: 3 })), 'a3 b3 c3');
  const placement: Placement = { replicaScheduling: { replicaSchedulingType: 'Duplicated' } };
  assert.equal(outcome(run(fleetOf({ a: 0, b: 1 }), { replicas: 3, placement })), 'a3 b3');
});

// ---- estimators

test('estimators: the least answer counts, −1 and silence do not', () => {
  const spec = { replicas: 6, placement: dynamic };
  const answers = new Map([['a', 2], ['b', -1]]); // prettier-ignore
  const result = run(fleetOf(ABC), spec, { estimates: [{ estimator: 'accurate', answers }] });
  assert.deepEqual(
    result.attempts[0]?.candidates.map(({ name, allocatable }) => [name, allocatable]),
    [['b', 100], ['c', 100], ['a', 2]],
  ); // prettier-ignore
});

// ---- plugins

const pluginCases: [sentence: string, flag: string[], expected: string][] = [
  ['all of them', ['*'], 'APIEnablement ClusterAffinity ClusterEviction ClusterLocality SpreadConstraint TaintToleration WorkloadAffinity WorkloadAntiAffinity'],
  ['none', [], ''],
  ['some of them', ['TaintToleration', 'APIEnablement'], 'APIEnablement TaintToleration'],
  ['all but one', ['*', '-TaintToleration'], 'APIEnablement ClusterAffinity ClusterEviction ClusterLocality SpreadConstraint WorkloadAffinity WorkloadAntiAffinity'],
  ['all counts first, wherever it stands', ['-ClusterAffinity', '-ClusterEviction', '*'], 'APIEnablement ClusterLocality SpreadConstraint TaintToleration WorkloadAffinity WorkloadAntiAffinity'],
  ['one named again after it was taken away', ['*', '-ClusterLocality', 'ClusterLocality', '-WorkloadAffinity', '-WorkloadAntiAffinity', '-SpreadConstraint'], 'APIEnablement ClusterAffinity ClusterEviction ClusterLocality TaintToleration'],
]; // prettier-ignore
for (const [sentence, flag, expected] of pluginCases) {
  test(`plugins: ${sentence}`, () => {
    const { plugins, unknown } = enabledPlugins(flag);
    assert.equal([...plugins].sort().join(' '), expected);
    assert.deepEqual(unknown, []);
  });
}

test('plugins: those that are off neither keep away nor prefer; unknown ones are told', () => {
  const tainted = cluster('t', 9, { taints: [{ key: 'k', effect: 'NoSchedule' }] });
  const without = (...names: string[]): ScheduleInput['plugins'] =>
    enabledPlugins(['*', ...names.map((name) => `-${name}`)]).plugins;
  const spec = { replicas: 1, placement: spread({ spreadByField: 'cluster', minGroups: 1, maxGroups: 1 }) };
  const on = (plugins: ScheduleInput['plugins']): Partial<ScheduleInput> =>
    plugins === undefined ? {} : { plugins };
  assert.match(outcome(run([tainted], spec)), /^fit/);
  assert.equal(outcome(run([tainted], spec, on(without('TaintToleration')))), 't1');
  const held = { ...spec, clusters: parse('b1') };
  assert.equal(outcome(run(fleetOf({ a: 9, b: 1 }), held)), 'b1');
  assert.equal(outcome(run(fleetOf({ a: 9, b: 1 }), held, on(without('ClusterLocality')))), 'a1');
  assert.deepEqual(enabledPlugins(['*', 'Mine', '-Yours']).unknown, ['Mine', '-Yours']);
});

// ---- filters

test('no cluster: a fit error that says so', () => {
  assert.equal(outcome(run([], { replicas: 1 })), 'fit: 0/0 clusters are available: no cluster exists.');
});

test('a fit error counts reasons; terminating clusters only count in the total', () => {
  const dying = { ...cluster('d', 1), metadata: { name: 'd', deletionTimestamp: '2026-01-01T00:00:00Z' } };
  const tainted = cluster('t', 1, { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] });
  const soft = cluster('s', 1, { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] });
  const placement = { clusterAffinity: { clusterNames: ['t', 'd'] } };
  assert.equal(
    outcome(run([cluster('a', 1), cluster('b', 1), dying, tainted, soft], { placement })),
    'fit: 0/5 clusters are available: 1 cluster(s) with the untolerated taint {k=v:NoSchedule}, ' +
      '3 cluster(s) not selected by the cluster affinity.',
  );
});

const filterCases: [sentence: string, spec: Partial<ResourceBindingSpec>, expected: string][] = [
  ['an untolerated taint keeps away', { placement: { clusterAffinity: { clusterNames: ['tainted', 'a'] } } }, 'a'],
  ['a cluster in use stays in spite of a new taint (place-taint-later)', { clusters: parse('tainted') , placement: { clusterAffinity: { clusterNames: ['tainted'] } } }, 'tainted'],
  ['a toleration lets in', { placement: { clusterAffinity: { clusterNames: ['tainted'] }, clusterTolerations: [{ key: 'k', operator: 'Exists' }] } }, 'tainted'],
  ['a kind that the cluster does not serve (place-api-missing)', { resource: { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' }, placement: { clusterAffinity: { clusterNames: ['a'] } } }, 'fit'],
  ['a kind it does not serve any more, where it runs already', { resource: { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' }, clusters: parse('a'), placement: { clusterAffinity: { clusterNames: ['a'] } } }, 'a'],
  ['a cluster that is being evicted from', { gracefulEvictionTasks: [{ fromCluster: 'a', reason: 'r', producer: 'p' }], placement: { clusterAffinity: { clusterNames: ['a', 'b'] } } }, 'b'],
  ['affinity removes a cluster in use', { clusters: parse('b'), placement: { clusterAffinity: { clusterNames: ['a'] } } }, 'a'],
  ['a spread property that is missing', { placement: { clusterAffinity: { clusterNames: ['a', 'north'] }, spreadConstraints: [{ spreadByField: 'provider' }, { spreadByField: 'cluster' }] } }, 'north'],
]; // prettier-ignore
const filterFleet = [
  cluster('a', 9),
  cluster('b', 9),
  cluster('tainted', 9, { taints: [{ key: 'k', effect: 'NoExecute' }] }),
  cluster('north', 9, { provider: 'x' }),
];
for (const [sentence, spec, expected] of filterCases) {
  test(`filter: ${sentence}`, () => {
    const result = run(filterFleet, spec);
    assert.equal(result.ok ? print(result.clusters) : result.failure.kind, expected);
  });
}

test('explain: tells every rejection of a cluster, not only the first', () => {
  const spec = {
    resource: { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' },
    placement: { clusterAffinity: { clusterNames: ['a'] } },
  };
  const verdictOn = (explain: boolean): unknown => {
    const [{ verdicts } = { verdicts: [] }] = run(filterFleet, spec, { explain }).attempts;
    const verdict = verdicts[3];
    return verdict?.outcome === 'rejected' && verdict.rejections.map(({ code }) => code);
  };
  assert.deepEqual(verdictOn(false), ['AffinityMismatch']);
  assert.deepEqual(verdictOn(true), ['AffinityMismatch', 'ApiMissing', 'TaintUntolerated']);
});

// ---- spread constraints

const spread = (...spreadConstraints: NonNullable<Placement['spreadConstraints']>): Placement => ({
  spreadConstraints,
});
const byCluster = (minGroups: number, maxGroups: number) =>
  ({ spreadByField: 'cluster', minGroups, maxGroups }) as const;
const ROOMS = { a: 10, b: 8, c: 20, d: 4 };

const clusterCases: [sentence: string, spec: Partial<ResourceBindingSpec>, expected: string][] = [
  ['at most two, the ones with most room (spread-cluster-max)', { replicas: 2, placement: spread(byCluster(1, 2)) }, 'a2 c2'],
  ['fewer than the minimum (spread-cluster-min-fail)', { replicas: 2, placement: spread(byCluster(5, 6)) }, 'error: failed to select clusters: the number of feasible clusters is less than spreadConstraint.MinGroups'],
  ['aggregated within three (spread-cluster-aggregated)', { replicas: 12, placement: { ...aggregated, ...spread(byCluster(2, 3)) } }, 'c12'],
  ['no maximum means none (spread-max-zero)', { replicas: 2, placement: spread({ spreadByField: 'cluster', minGroups: 1 }) }, 'a2 b2 c2 d2'],
  ['more than the chosen can hold', { replicas: 31, placement: { ...dynamic, ...spread(byCluster(1, 2)) } }, 'error: failed to select clusters: no enough resource when selecting 2 clusters'],
  ['a cluster in use is preferred', { replicas: 2, clusters: parse('d'), placement: spread(byCluster(1, 2)) }, 'c2 d2'],
  ['no replicas, no clusters asked for', { placement: spread(byCluster(1, 1)) }, 'a'],
]; // prettier-ignore
for (const [sentence, spec, expected] of clusterCases) {
  test(`spread by cluster: ${sentence}`, () => assert.equal(outcome(run(fleetOf(ROOMS), spec)), expected));
}

const regions = [
  cluster('a', 10, { region: 'east' }),
  cluster('b', 20, { region: 'east' }),
  cluster('c', 30, { region: 'west' }),
  cluster('d', 5, { region: 'west' }),
  cluster('e', 7, { region: 'mid' }),
];
const byRegion = (minGroups: number, maxGroups: number) =>
  ({ spreadByField: 'region', minGroups, maxGroups }) as const;

const regionCases: [sentence: string, spec: Partial<ResourceBindingSpec>, expected: string][] = [
  ['two of three, at most three clusters (spread-region)', { replicas: 3, placement: spread(byRegion(2, 2), byCluster(2, 3)) }, 'a3 b3 c3'],
  ['with dynamic weights (spread-region-divided)', { replicas: 14, placement: { ...dynamic, ...spread(byRegion(2, 2), byCluster(2, 2)) } }, 'b6 c8'],
  ['more regions than exist (spread-region-min-fail)', { replicas: 2, placement: spread(byRegion(4, 4), byCluster(1, 9)) }, 'error: failed to select clusters: the number of feasible region is less than spreadConstraint.MinGroups'],
  ['more clusters than the regions hold', { replicas: 2, placement: spread(byRegion(1, 2), byCluster(5, 9)) }, 'error: failed to select clusters: the number of clusters is less than the cluster spreadConstraint.MinGroups'],
]; // prettier-ignore
for (const [sentence, spec, expected] of regionCases) {
  test(`spread by region: ${sentence}`, () => assert.equal(outcome(run(regions, spec)), expected));
}

const everyField = { gates: { ...defaultFeatureGates, SpreadByEveryField: true } };
const providers = [
  cluster('a', 9, { provider: 'x', zones: ['z1'] }, { rack: 'r1' }),
  cluster('b', 8, { provider: 'y', zones: ['z1', 'z2'] }, { rack: 'r1' }),
  cluster('c', 50, {}, {}),
  cluster('d', 7, { provider: 'x', zones: ['z2'] }, { rack: 'r2' }),
];
test('spread by provider: beside cluster it only filters (spread-provider-filter)', () => {
  const placement = spread({ spreadByField: 'provider', minGroups: 1, maxGroups: 1 }, byCluster(1, 3));
  assert.equal(outcome(run(providers, { replicas: 1, placement })), 'a1 b1 d1');
  const { attempts } = run(providers, { replicas: 1, placement });
  assert.equal(attempts[0]?.selection?.notSpread.length, 1);
  assert.equal(outcome(run(providers, { replicas: 1, placement }, everyField)), 'a1 d1');
});

test('spread by label, zone or provider alone chooses groups, where upstream has an error', () => {
  const spec = (
    constraint: NonNullable<Placement['spreadConstraints']>[number],
  ): Partial<ResourceBindingSpec> => ({
    replicas: 1,
    placement: spread({ ...constraint, minGroups: 1, maxGroups: 1 }),
  });
  assert.equal(outcome(run(providers, spec({ spreadByLabel: 'rack' }))), 'a1 b1');
  assert.equal(outcome(run(providers, spec({ spreadByField: 'provider' }))), 'a1 d1');
  assert.equal(outcome(run(providers, spec({ spreadByField: 'zone' }))), 'a1');
});

test('spread by every field: groups of one narrow those of the next', () => {
  const placement = spread(
    { spreadByField: 'provider', minGroups: 1, maxGroups: 1 },
    { spreadByField: 'zone', minGroups: 2, maxGroups: 2 },
    byCluster(1, 3),
  );
  const result = run(providers, { replicas: 1, placement }, everyField);
  assert.equal(outcome(result), 'a1 d1');
});

// ---- terms

const terms = (...names: [string, ...string[]][]): Placement => ({
  clusterAffinities: names.map(([affinityName, ...clusterNames]) => ({ affinityName, clusterNames })),
});

test('terms: the first that fits is used (place-affinities-fallback)', () => {
  const result = run(fleetOf(ABC), { placement: terms(['first', 'z'], ['second', 'b'], ['third', 'a']) });
  assert.equal(outcome(result), 'b');
  assert.equal(result.ok && result.affinityName, 'second');
  assert.equal(result.attempts.length, 2);
});

test('terms: scheduling goes on from the observed one and does not wrap around', () => {
  const placement = terms(['first', 'a'], ['second', 'b'], ['third', 'z']);
  const observing = (name: string, mode: 'Steady' | 'Fresh' = 'Steady'): ScheduleResult =>
    run(
      fleetOf(ABC),
      {},
      { mode, binding: binding({ placement }, { schedulerObservingAffinityName: name }) },
    );
  assert.equal(outcome(observing('second')), 'b');
  assert.match(outcome(observing('third')), /^fit/);
  assert.equal(outcome(observing('gone')), 'a');
  assert.equal(outcome(observing('second', 'Fresh')), 'a');
});

test('terms: when all fail the first failure is told', () => {
  const placement = { ...dynamic, ...terms(['first', 'a'], ['second', 'z']) };
  const result = run(fleetOf({ a: 1 }), { replicas: 5, placement });
  assert.match(outcome(result), /^unschedulable/);
  assert.deepEqual(
    result.attempts.map(({ failure }) => failure?.kind),
    ['unschedulable', 'fit'],
  );
});

const overflow: Placement = {
  ...dynamic,
  clusterAffinities: [
    {
      affinityName: 'own',
      clusterNames: ['a'],
      overflowAffinities: [{ affinityName: 'cloud', clusterNames: ['b'] }],
    },
  ],
};
const overflowCases: [sentence: string, replicas: number, scheduled: string, room: Room, expected: string][] = [
  ['what does not fit goes over', 6, '', { a: 4, b: 9 }, 'a4 b2'],
  ['scaling down empties the overflow first', 3, 'a4 b2', { a: 0, b: 7 }, 'a3'],
  ['scaling up fills the term first', 9, 'a3', { a: 2, b: 10 }, 'a5 b4'],
  ['more than both hold', 20, '', { a: 4, b: 9 }, 'unschedulable: failed to assign replicas: Clusters available replicas are not enough to schedule.'],
]; // prettier-ignore
for (const [sentence, replicas, scheduled, room, expected] of overflowCases) {
  test(`overflow: ${sentence}`, () => {
    const spec = { replicas, clusters: parse(scheduled), placement: overflow };
    assert.equal(outcome(run(fleetOf(room), spec)), expected);
  });
}

test('overflow: what runs no replicas does not overflow', () => {
  assert.equal(outcome(run(fleetOf({ a: 1, b: 1 }), { placement: overflow })), 'a');
});

// ---- workload affinity

test('workload affinity: together with the group, and apart from the other', () => {
  const gates = { ...defaultFeatureGates, WorkloadAffinity: true };
  const peers = {
    affinity: {
      group: 'g=t',
      peers: [
        { name: 'one', clusters: ['a', 'b'] },
        { name: 'new', clusters: [] },
      ],
    },
    antiAffinity: { group: 'h=t', peers: [{ name: 'two', clusters: ['b'] }] },
  };
  assert.equal(outcome(run(fleetOf(ABC), { replicas: 1 }, { gates, peers })), 'a1');
  assert.equal(outcome(run(fleetOf(ABC), { replicas: 1 }, { peers })), 'a1 b1 c1');
  const held = { replicas: 1, clusters: parse('c1') };
  assert.equal(outcome(run(fleetOf(ABC), held, { gates, peers })), 'a1 c1');
  const both = { ...peers, antiAffinity: { group: 'h=t', peers: [{ name: 'two', clusters: ['a', 'b'] }] } };
  assert.match(outcome(run(fleetOf(ABC), { replicas: 1 }, { gates, peers: both })), /^fit/);
});

// ---- components

test('components: whole sets go to one cluster, and it gets the number of each', () => {
  const gates = { ...defaultFeatureGates, MultiplePodTemplatesScheduling: true };
  const components = [{ name: 'head', replicas: 1 }, { name: 'worker', replicas: 5 }];
  const spec = { components, placement: { ...dynamic, ...spread(byCluster(1, 1)) } };
  const result = run(fleetOf({ a: 5, b: 6 }), spec, { gates });
  assert.deepEqual(result.ok && result.clusters, [{ name: 'b', components }]);
  const full = run(fleetOf({ a: 5, b: 5 }), spec, { gates });
  assert.match(outcome(full), /no enough resource when selecting 1 clusters/);
  assert.equal(outcome(run(fleetOf({ a: 5, b: 6 }), { components, placement: dynamic }, { gates })), 'a b');
}); // prettier-ignore

// ---- properties

const rooms = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(30), {
  minKeys: 1,
  noNullPrototype: true,
});
const placements = fc.constantFrom(dynamic, aggregated, weights('a1 b2 c3 d4 e5'), divided('Weighted'));

test('property: divided replicas add up, and a second look changes nothing', () => {
  fc.assert(
    fc.property(rooms, placements, fc.integer({ min: 1, max: 60 }), (room, placement, replicas) => {
      const clusters = fleetOf(room);
      const first = run(clusters, { replicas, placement });
      if (!first.ok) {
        assert.equal(first.failure.kind, 'unschedulable');
        assert.ok(Object.values(room).reduce((sum, pods) => sum + pods, 0) < replicas);
        return;
      }
      assert.equal(
        first.clusters.reduce((sum, target) => sum + (target.replicas ?? 0), 0),
        replicas,
      );
      const again = run(clusters, { replicas, placement, clusters: first.clusters });
      assert.equal(outcome(again), outcome(first));
    }),
  );
});

test('property: tiers hold all replicas, or there is no room for them', () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 50 }), (a, b, replicas) => {
      const result = run(fleetOf({ a, b }), { replicas, placement: overflow });
      if (!result.ok) {
        assert.equal(result.failure.kind, 'unschedulable');
        assert.ok(a + b < replicas);
        return;
      }
      const got = new Map(result.clusters.map((target) => [target.name, target.replicas ?? 0]));
      assert.equal(got.get('a') ?? 0, Math.min(a, replicas));
      assert.equal((got.get('a') ?? 0) + (got.get('b') ?? 0), replicas);
    }),
  );
});

test('property: the order in which clusters are listed does not matter', () => {
  fc.assert(
    fc.property(rooms, placements, fc.nat(40), (room, placement, replicas) => {
      const clusters = fleetOf(room);
      const spec = { replicas, placement };
      assert.equal(outcome(run(clusters.toReversed(), spec)), outcome(run(clusters, spec)));
    }),
  );
});

test('property: scaling up dynamically takes from no cluster', () => {
  fc.assert(
    fc.property(rooms, fc.integer({ min: 1, max: 30 }), fc.nat(20), (room, replicas, more) => {
      const clusters = fleetOf(room);
      const first = run(clusters, { replicas, placement: dynamic });
      if (!first.ok) return;
      const up = run(clusters, { replicas: replicas + more, placement: dynamic, clusters: first.clusters });
      if (!up.ok) return;
      const after = new Map(up.clusters.map((target) => [target.name, target.replicas ?? 0]));
      for (const target of first.clusters) assert.ok((after.get(target.name) ?? 0) >= (target.replicas ?? 0));
    }),
  );
});

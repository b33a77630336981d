import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepFreeze, type Cluster, type Component, type ResourceModel } from '../api/index.ts';
import { countSets, placeSet, requestsOf, type NodeRun, type PodGroup } from './first-fit.ts';
import { clusterView } from './fleet-snapshot.ts';
import { maxComponentSets, maxReplicas, UNLIMITED, type AssumedWorkload } from './general-estimator.ts';
import {
  countNodesByGrade,
  defaultResourceModels,
  gradeIndex,
  standardiseResourceModels,
  validateResourceModels,
} from './resource-models.ts';

type Summary = NonNullable<NonNullable<Cluster['status']>['resourceSummary']>;

function cluster(resourceSummary: Summary | undefined, resourceModels?: readonly ResourceModel[]): Cluster {
  return deepFreeze({
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'm' },
    spec: { syncMode: 'Push', ...(resourceModels === undefined ? {} : { resourceModels }) },
    status: resourceSummary === undefined ? {} : { resourceSummary },
  });
}

const summary: Summary = {
  allocatable: { cpu: '10', memory: '20Gi', pods: '110' },
  allocated: { cpu: '3', memory: '8Gi', pods: '12' },
  allocating: { cpu: '500m', pods: '2' },
};
const plain = { models: true, assumed: [] };
type Request = Record<string, string>;

const replicaCases: [sentence: string, of: Cluster, request: Request | undefined, expected: number][] = [
  ['the least of cpu, memory and pods', cluster(summary), { cpu: '800m', memory: '1Gi' }, 8],
  ['no summary: no room', cluster(undefined), { cpu: '1' }, 0],
  ['no requests: pods alone', cluster(summary), undefined, 96],
  ['empty requests: pods alone', cluster(summary), {}, 96],
  ['a resource that the cluster does not offer', cluster(summary), { 'example.com/gpu': '1' }, 0],
  ['a request of zero does not count', cluster(summary), { 'example.com/gpu': '0', cpu: '1' }, 6],
  ['no pods left', cluster({ ...summary, allocated: { pods: '108' } }), { cpu: '1m' }, 0],
  ['more allocated than there is', cluster({ ...summary, allocated: { cpu: '12' } }), { cpu: '1m' }, 0],
  ['memory in decimal against binary units', cluster(summary), { memory: '1G' }, 12],
  ['no pods in the summary', cluster({ allocatable: { cpu: '4' } }), { cpu: '1' }, 0],
];
for (const [sentence, of, request, expected] of replicaCases) {
  test(`general estimator: ${sentence}`, () => {
    const requirements = request === undefined ? undefined : { resourceRequest: request };
    assert.equal(maxReplicas(clusterView(of), requirements, plain), expected);
  });
}

const modelled = cluster(
  { ...summary, allocatable: { cpu: '1000', memory: '1000Gi', pods: '1000' }, allocatableModelings: [{ grade: 1, count: 1 }, { grade: 2, count: 2 }] },
  defaultResourceModels(),
); // prettier-ignore
const request = { resourceRequest: { cpu: '1500m', memory: '1Gi' } };

test('models: a node counts with the least of its grade', () => {
  assert.equal(maxReplicas(clusterView(modelled), request, plain), 2);
});

test('models: without the gate the summary alone counts', () => {
  assert.equal(maxReplicas(clusterView(modelled), request, { models: false, assumed: [] }), 664);
});

test('models: a resource that they leave out is not there', () => {
  const gpu = { resourceRequest: { 'example.com/gpu': '1' } };
  assert.equal(maxReplicas(clusterView(modelled), gpu, plain), 0);
});

test('models: a negative count makes them useless, and the summary counts', () => {
  const broken = cluster(
    { ...summary, allocatableModelings: [{ grade: 1, count: -1 }] },
    defaultResourceModels(),
  );
  assert.equal(maxReplicas(clusterView(broken), { resourceRequest: { cpu: '800m' } }, plain), 8);
});

test('assumed workloads take their room first', () => {
  const assumed: AssumedWorkload[] = [
    {
      namespace: 'shop',
      components: [{ name: 'web', replicas: 3, replicaRequirements: { resourceRequest: { cpu: '1' } } }],
    },
  ];
  const one = { resourceRequest: { cpu: '1' } };
  assert.equal(maxReplicas(clusterView(cluster(summary)), one, { models: true, assumed }), 3);
  assert.equal(maxReplicas(clusterView(modelled), request, { models: true, assumed }), 1);
});

function component(name: string, replicas: number, resourceRequest: Request): Component {
  return { name, replicas, replicaRequirements: { resourceRequest } };
}

test('component sets: the sum of a set counts', () => {
  const view = clusterView(cluster(summary));
  const set = [component('a', 1, { cpu: '1' }), component('b', 2, { cpu: '250m', memory: '2Gi' })];
  assert.equal(maxComponentSets(view, set, plain), 3);
  assert.equal(maxComponentSets(view, [component('a', 0, {})], plain), 96);
  assert.equal(maxComponentSets(view, [component('a', 100, {})], plain), 0);
  assert.equal(maxComponentSets(clusterView(cluster(undefined)), set, plain), 0);
});

test('component sets: first-fit over the nodes that models stand for', () => {
  const set = [component('a', 1, { cpu: '2' }), component('b', 1, { cpu: '1' })];
  assert.equal(maxComponentSets(clusterView(modelled), set, plain), 1);
});

const node = (cpu: number, count = 1): NodeRun => ({
  count,
  free: new Map([['cpu', cpu]]),
  pods: 50,
  kind: 0,
});
const pods = (replicas: number, cpu: number): PodGroup => ({ replicas, requests: new Map([['cpu', cpu]]) });

test('first-fit: a set over two nodes', () => {
  assert.equal(countSets([node(3000), node(2000)], [pods(1, 2000), pods(2, 500)], UNLIMITED), 1);
});

test('first-fit: what was placed of a set that failed stays placed', () => {
  const { runs, fits } = placeSet([node(1000)], [pods(1, 600), pods(1, 600)]);
  assert.equal(fits, false);
  assert.equal(runs[0]?.free.get('cpu'), 400);
});

test('first-fit: no nodes take nothing, an empty set fits always', () => {
  assert.equal(countSets([], [pods(1, 1)], 5), 0);
  assert.equal(countSets([], [], 5), 5);
});

test('first-fit: pods run out too', () => {
  assert.equal(countSets([{ ...node(1e9), pods: 3 }], [pods(2, 1)], UNLIMITED), 1);
});

test('first-fit: only nodes that the pods may run on', () => {
  const runs = [node(4000), { ...node(4000), kind: 1 }];
  const picky: PodGroup = { ...pods(1, 1000), allows: (kind) => kind === 1 };
  assert.equal(countSets(runs, [picky], UNLIMITED), 4);
  assert.equal(countSets(runs, [picky, pods(1, 1000)], UNLIMITED), 4);
});

test('first-fit: equal nodes in a run are as good as one by one', () => {
  const group = fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 1, max: 900 }));
  const run = fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 6 }));
  fc.assert(
    fc.property(
      fc.array(run, { maxLength: 4 }),
      fc.array(group, { minLength: 1, maxLength: 3 }),
      (runs, groups) => {
        const set = groups.map(([replicas, cpu]) => pods(replicas, cpu));
        const together = runs.map(([cpu, count]) => node(cpu, count));
        const single = runs.flatMap(([cpu, count]) => Array.from({ length: count }, () => node(cpu)));
        assert.equal(countSets(together, set, 50), countSets(single, set, 50));
      },
    ),
  );
});

test('first-fit: counting agrees with placing set after set', () => {
  const group = fc.record({
    replicas: fc.integer({ min: 0, max: 5 }),
    cpu: fc.integer({ min: 1, max: 900 }),
    kind: fc.constantFrom(0, 1, 2),
  });
  const run = fc.record({
    cpu: fc.nat(2500),
    count: fc.nat(5),
    pods: fc.nat(6),
    kind: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(
      fc.array(run, { maxLength: 5 }),
      fc.array(group, { minLength: 1, maxLength: 3 }),
      (runs, groups) => {
        const nodes = runs.map(({ cpu, ...rest }): NodeRun => ({ ...rest, free: new Map([['cpu', cpu]]) }));
        const set = groups.map(({ replicas, cpu, kind }): PodGroup => ({
          ...pods(replicas, cpu),
          allows: (one) => kind === 2 || kind === one,
        }));
        let naive = 0;
        for (let left: readonly NodeRun[] = nodes; naive < 40; naive++) {
          const placed = placeSet(left, set);
          if (!placed.fits) break;
          left = placed.runs;
        }
        assert.equal(countSets(nodes, set, 40), naive);
      },
    ),
  );
});

test('requests: amounts that are zero or no amounts are left out', () => {
  assert.deepEqual([...requestsOf({ cpu: '1', memory: '0', x: 'many' })], [['cpu', 1000]]);
  assert.deepEqual([...requestsOf(undefined)], []);
});

test('default models: as upstream writes them (cl-register)', () => {
  const models = defaultResourceModels();
  assert.equal(models.length, 9);
  assert.deepEqual(models[0]?.ranges, [
    { name: 'cpu', min: '0', max: '1' },
    { name: 'memory', min: '0', max: '4Gi' },
  ]);
  assert.deepEqual(models[8]?.ranges, [
    { name: 'cpu', min: '128', max: '9223372036854775807' },
    { name: 'memory', min: '1Ti', max: '9223372036854775807' },
  ]);
  assert.deepEqual(validateResourceModels(models, 'spec.resourceModels'), []);
  assert.deepEqual(standardiseResourceModels(models.toReversed()), models);
});

const model = (grade: number, ...ranges: [string, string, string][]): ResourceModel => ({
  grade,
  ranges: ranges.map(([name, min, max]) => ({ name, min, max })),
});
const OPEN = '9223372036854775807';
const faults: [sentence: string, models: ResourceModel[], fault: RegExp][] = [
  ['a grade twice', [model(0, ['cpu', '0', '1']), model(0, ['cpu', '1', OPEN])], /grade of its own/],
  ['another number of ranges', [model(0, ['cpu', '0', '1']), model(1)], /as many ranges/],
  ['max below min', [model(0, ['cpu', '2', '1'])], /greater than min/],
  ['the first above zero', [model(0, ['cpu', '1', OPEN])], /must be 0/],
  ['another resource', [model(0, ['cpu', '0', '1']), model(1, ['memory', '1', OPEN])], /same order/],
  ['a gap', [model(0, ['cpu', '0', '1']), model(1, ['cpu', '2', OPEN])], /equal to max/],
  ['equal amounts written differently', [model(0, ['cpu', '0', '1']), model(1, ['cpu', '1000m', OPEN])], /equal to max/],
  ['the last closed', [model(0, ['cpu', '0', '1'])], /max of the last/],
]; // prettier-ignore
for (const [sentence, models, fault] of faults) {
  test(`models: refuses ${sentence}`, () => {
    const [error, ...more] = validateResourceModels(models, 'spec.resourceModels');
    assert.match(error?.message ?? '', fault);
    assert.equal(more.length, 0);
  });
}

test('grades: the last minimum that is not above the value', () => {
  assert.equal(gradeIndex([1999, 4327, 9783, 12378], 10000), 2);
  assert.equal(gradeIndex([1, 2], 0), -1);
  assert.equal(gradeIndex([], 5), -1);
  assert.equal(gradeIndex([0, 1], 1), 1);
});

test('grades: nodes are counted by their weakest resource, full ones not at all', () => {
  const of = (cpu: string, memory: string, podCount = 0): object => ({
    allocatable: { cpu, memory, pods: '10' },
    requested: {},
    podCount,
  });
  const nodes = [of('4', '10Gi'), of('2', '64Gi'), of('3', '12Gi', 9), of('64', '512Gi', 11)];
  const counts = countNodesByGrade(defaultResourceModels(), nodes as Parameters<typeof countNodesByGrade>[1]);
  assert.deepEqual(
    counts?.map(({ count }) => count),
    [0, 2, 1, 0, 0, 0, 0, 0, 0],
  );
  assert.equal(countNodesByGrade([], []), undefined);
});

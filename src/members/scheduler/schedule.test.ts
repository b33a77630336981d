import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PodSpec } from '../../api/index.ts';
import type { Node, Pod } from '../kinds.ts';
import { node, pod } from '../testing/objects.ts';
import { amountOf, podRequest } from './fit.ts';
import { FleetState } from './fleet-state.ts';
import { choosePreemption } from './preemption.ts';
import { placePod } from './schedule.ts';

const container = (cpu: string, memory = '64Mi', more: object = {}): PodSpec['containers'][number] => ({
  name: 'main',
  image: 'nginx',
  resources: { requests: { cpu, memory } },
  ...more,
});

const asking = (name: string, cpu: string, spec: Partial<PodSpec> = {}, labels = { app: 'web' }): Pod =>
  pod(name, { metadata: { labels }, spec: { containers: [container(cpu)], ...spec } });

const fleet = (nodes: readonly Node[], placed: Readonly<Record<string, readonly Pod[]>> = {}): FleetState => {
  const state = new FleetState(() => ({ team: 'a' }));
  for (const one of nodes) state.setNode(one);
  for (const [nodeName, pods] of Object.entries(placed)) {
    for (const one of pods) state.setPod({ ...one, spec: { ...one.spec, nodeName } });
  }
  return state;
};

const place = (one: Pod, state: FleetState): string => {
  const placement = placePod(one, state);
  return placement.kind === 'fits' ? placement.nodeName : placement.message;
};

test('amounts: cpu in thousandths, the rest in units, rounded up', () => {
  assert.equal(amountOf('cpu', '29m'), 29);
  assert.equal(amountOf('cpu', 2), 2000);
  assert.equal(amountOf('cpu', '0.1'), 100);
  assert.equal(amountOf('memory', '1Gi'), 2 ** 30);
  assert.equal(amountOf('memory', '1.5'), 2);
});

test('a pod asks for its containers together, or for its largest init container with the sidecars before it', () => {
  const cpuOf = (spec: PodSpec): number | undefined => podRequest(spec).requests.get('cpu');
  const plain = { containers: [container('100m'), container('200m')] };
  assert.equal(cpuOf(plain), 300);
  assert.equal(cpuOf({ ...plain, initContainers: [container('250m')] }), 300);
  assert.equal(cpuOf({ ...plain, initContainers: [container('700m')] }), 700);
  const sidecar = container('50m', '1Mi', { restartPolicy: 'Always' });
  assert.equal(cpuOf({ ...plain, initContainers: [sidecar, container('280m')] }), 350);
  assert.equal(cpuOf({ ...plain, initContainers: [sidecar, container('400m')] }), 450);
  assert.equal(cpuOf({ ...plain, overhead: { cpu: '10m' } }), 310);
});

test('without nodes there is nothing to choose from', () => {
  assert.equal(place(asking('a', '1'), fleet([])), 'no nodes available to schedule pods');
});

test('a pod goes where there is most room', () => {
  const nodes = [node('n1'), node('n2')];
  assert.equal(place(asking('a', '1'), fleet(nodes, { n1: [asking('x', '2')] })), 'n2');
  assert.equal(place(asking('a', '1'), fleet(nodes, { n2: [asking('x', '2')] })), 'n1');
});

test('why a pod fits nowhere, counted per reason', () => {
  const nodes = [
    node('full', { allocatable: { cpu: '1', memory: '1Gi', pods: '110' } }),
    node('tainted', { spec: { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] } }),
    node('cordoned', { spec: { unschedulable: true } }),
    node('few', { allocatable: { cpu: '8', memory: '8Gi', pods: '0' } }),
  ];
  assert.equal(
    place(asking('a', '2'), fleet(nodes)),
    '0/4 nodes are available: 1 Insufficient cpu, 1 Too many pods, 1 node(s) had untolerated taint {gpu: yes}, 1 node(s) were unschedulable.',
  );
});

test('finished pods free what they had', () => {
  const state = fleet([node('n1', { allocatable: { cpu: '1', memory: '4Gi', pods: '10' } })], {
    n1: [asking('x', '800m')],
  });
  assert.match(place(asking('a', '500m'), state), /Insufficient cpu/);
  assert.equal(state.setPod({ ...asking('x', '800m'), status: { phase: 'Succeeded' } }), true);
  assert.equal(place(asking('a', '500m'), state), 'n1');
});

test('a pod that is only assumed somewhere counts there', () => {
  const state = fleet([node('n1', { allocatable: { cpu: '1', memory: '4Gi', pods: '10' } })]);
  const first = asking('a', '800m');
  state.assume(first, 'n1');
  state.setPod(first);
  assert.match(place(asking('b', '800m'), state), /Insufficient cpu/);
  state.removePod(first.metadata.uid);
  assert.equal(place(asking('b', '800m'), state), 'n1');
});

test('selectors, affinity and tolerations', () => {
  const labels = (zone: string): object => ({ labels: { zone, size: '8' } });
  const nodes = [
    node('n1', { metadata: labels('a') }),
    node('n2', { metadata: labels('b'), spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } }),
  ];
  const requiring = (
    operator: 'In' | 'NotIn' | 'Gt' | 'Exists',
    key: string,
    values?: string[],
  ): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }] },
          ],
        },
      },
    },
  });
  const cases: readonly (readonly [what: string, spec: Partial<PodSpec>, expected: string | RegExp])[] = [
    ['a selector', { nodeSelector: { zone: 'a' } }, 'n1'],
    ['a selector to a tainted node', { nodeSelector: { zone: 'b' } }, /untolerated taint/],
    [
      'the same with a toleration',
      { nodeSelector: { zone: 'b' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] },
      'n2',
    ],
    ['a value of the list', requiring('In', 'zone', ['a', 'c']), 'n1'],
    ['none of the list', requiring('NotIn', 'zone', ['a']), /didn't match Pod's node affinity/],
    ['a greater number', requiring('Gt', 'size', ['9']), /didn't match/],
    ['a key that looks like a prototype', requiring('Exists', 'constructor'), /didn't match/],
    [
      'a term without conditions',
      {
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}] } },
        },
      },
      /didn't match/,
    ],
  ];
  for (const [what, spec, expected] of cases) {
    const result = place(asking('p', '1', spec), fleet(nodes));
    if (typeof expected === 'string') assert.equal(result, expected, what);
    else assert.match(result, expected, what);
  }
});

test('host ports are taken once per node', () => {
  const port = (hostPort: number, protocol: 'TCP' | 'UDP' = 'TCP'): Partial<PodSpec> => ({
    containers: [container('1m', '1Mi', { ports: [{ containerPort: 80, hostPort, protocol }] })],
  });
  const state = fleet([node('n1')], { n1: [asking('x', '1m', port(80))] });
  assert.match(place(asking('a', '1m', port(80)), state), /free ports/);
  assert.equal(place(asking('a', '1m', port(80, 'UDP')), state), 'n1');
  assert.equal(place(asking('a', '1m', port(81)), state), 'n1');
});

const zoned = (name: string, zone: string): Node => node(name, { metadata: { labels: { zone } } });
const near = (kind: 'podAffinity' | 'podAntiAffinity'): Partial<PodSpec> => ({
  affinity: {
    [kind]: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } },
      ],
    },
  },
});

test('pods that want to be together or apart', () => {
  const nodes = [zoned('n1', 'a'), zoned('n2', 'b')];
  const state = fleet(nodes, { n1: [asking('x', '1m')] });
  assert.equal(place(asking('p', '1m', near('podAffinity'), { app: 'other' }), state), 'n1');
  assert.equal(place(asking('p', '1m', near('podAntiAffinity'), { app: 'other' }), state), 'n2');
  const nobody = place(asking('p', '1m', near('podAffinity'), { app: 'other' }), fleet(nodes));
  assert.match(nobody, /pod affinity rules/);
  // The first of a group may go anywhere.
  assert.match(place(asking('p', '1m', near('podAffinity')), fleet(nodes)), /^n[12]$/);
  // What is there already can refuse newcomers too.
  const jealous = fleet(nodes, { n1: [asking('x', '1m', near('podAntiAffinity'))] });
  assert.equal(place(asking('p', '1m'), jealous), 'n2');
});

test('spreading keeps the difference between domains within the skew', () => {
  const spread = (whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'): Partial<PodSpec> => ({
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable, labelSelector: { matchLabels: { app: 'web' } } },
    ],
  });
  const nodes = [zoned('n1', 'a'), zoned('n2', 'b')];
  const uneven = { n1: [asking('x', '1m')], n2: [asking('big', '3', {}, { app: 'other' })] };
  assert.equal(place(asking('p', '1m', spread('DoNotSchedule')), fleet(nodes, uneven)), 'n2');
  assert.equal(place(asking('p', '1m', spread('ScheduleAnyway')), fleet(nodes, uneven)), 'n2');
  const full = { n1: [asking('x', '1m')], n2: [asking('big', '4', {}, { app: 'other' })] };
  assert.match(place(asking('p', '1', spread('DoNotSchedule')), fleet(nodes, full)), /topology spread/);
  assert.equal(place(asking('p', '1', spread('ScheduleAnyway')), fleet(nodes, full)), 'n1');
});

test('no node is ever given more than it can hold', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 1500 }), { maxLength: 40 }),
      (capacities, asked) => {
        const nodes = capacities.map((cpu, i) =>
          node(`n${i}`, { allocatable: { cpu: `${cpu}m`, memory: '64Gi', pods: '10' } }),
        );
        const state = fleet(nodes);
        const used = new Map<string, number>();
        for (const [i, cpu] of asked.entries()) {
          const one = asking(`p${i}`, `${cpu}m`);
          const placement = placePod(one, state, i);
          if (placement.kind !== 'fits') continue;
          state.assume(one, placement.nodeName);
          used.set(placement.nodeName, (used.get(placement.nodeName) ?? 0) + cpu);
        }
        for (const [i, cpu] of capacities.entries()) assert.ok((used.get(`n${i}`) ?? 0) <= cpu);
      },
    ),
  );
});

test('for an important pod the node is chosen where the least is lost', () => {
  const small = { cpu: '2', memory: '4Gi', pods: '10' };
  const nodes = ['n1', 'n2', 'n3'].map((name) => node(name, { allocatable: small }));
  const of = (name: string, cpu: string, priority: number, more: Partial<PodSpec> = {}): Pod =>
    asking(name, cpu, { priority, ...more });
  const state = fleet(nodes, {
    n1: [of('a', '1', 5), of('b', '1', 1)],
    n2: [of('c', '1', 2), of('d', '1', 2)],
    n3: [of('e', '2', 100)],
  });
  const chosen = (one: Pod): string => {
    const preemption = choosePreemption(one, state);
    if (preemption === undefined) return 'nobody';
    return `${preemption.nodeName}: ${preemption.victims.map(({ metadata }) => metadata.name).join(' ')}`;
  };
  assert.equal(chosen(of('p', '1', 50)), 'n1: b');
  assert.equal(chosen(of('p', '2', 50)), 'n2: c d');
  assert.equal(chosen(of('p', '3', 50)), 'nobody');
  assert.equal(chosen(of('p', '1', 1)), 'nobody');
  assert.equal(chosen(of('p', '1', 50, { preemptionPolicy: 'Never' })), 'nobody');
});

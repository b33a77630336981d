import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../../api/index.ts';
import { nodeSummary, resourceSummary } from './summary.ts';

const gi = (amount: number): string => `${amount}Gi`;
const grades: readonly [number, number][] = [
  [0, 0],
  [1, 4],
  [2, 16],
  [4, 32],
  [8, 64],
];
const models = grades.map(([cpu, memory], grade) => {
  const [nextCpu, nextMemory] = grades[grade + 1] ?? [1000, 1000];
  return {
    grade,
    ranges: [
      { name: 'cpu', min: String(cpu), max: String(nextCpu) },
      { name: 'memory', min: memory === 0 ? '0' : gi(memory), max: gi(nextMemory) },
    ],
  };
});

function node(name: string, cpu: string, memory: string, pods: string, ready = 'True'): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { allocatable: { cpu, memory, pods }, conditions: [{ type: 'Ready', status: ready }] },
  } as unknown as Node;
}

function pod(nodeName: string, phase: string, cpu: string, memory: string, init?: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: {
      nodeName,
      containers: [{ name: 'c', resources: { requests: { cpu, memory } } }],
      ...(init === undefined
        ? {}
        : { initContainers: [{ name: 'i', resources: { requests: { cpu: init } } }] }),
    },
    status: { phase },
  } as unknown as Pod;
}

test('no nodes: nothing is written, every grade counts none', () => {
  assert.deepEqual(resourceSummary([], [], undefined), {});
  assert.deepEqual(
    resourceSummary([], [], models).allocatableModelings?.map(({ count }) => count),
    [0, 0, 0, 0, 0],
  );
});

test('running pods are taken from what nodes have, waiting pods are counted apart, ended ones not at all', () => {
  const nodes = [node('a', '4', '16Gi', '110'), node('b', '8', '32Gi', '50', 'False')];
  const pods = [
    pod('a', 'Running', '500m', '1Gi'),
    pod('', 'Pending', '2', '512Mi'),
    pod('b', 'Succeeded', '1', '1Gi'),
  ];
  const summary = resourceSummary(nodes, pods, models);
  assert.deepEqual(summary.allocatable, { cpu: '12', memory: '48Gi', pods: '160' });
  assert.deepEqual(summary.allocated, { cpu: '500m', memory: '1Gi', pods: '1' });
  assert.deepEqual(summary.allocating, { cpu: '2', memory: '512Mi', pods: '1' });
  assert.deepEqual(
    summary.allocatableModelings?.map(({ count }) => count),
    [0, 1, 0, 1, 0],
  );
  assert.deepEqual(nodeSummary(nodes), { totalNum: 2, readyNum: 1 });
});

test('a node without a free pod counts nowhere and hides no other', () => {
  const nodes = [node('full', '4', '16Gi', '1'), node('free', '2', '16Gi', '10')];
  const summary = resourceSummary(nodes, [pod('full', 'Running', '1', '1Gi')], models);
  assert.deepEqual(
    summary.allocatableModelings?.map(({ count }) => count),
    [0, 0, 1, 0, 0],
  );
});

test('an init container counts where it asks for more than the containers of its own pod', () => {
  const nodes = [node('a', '4', '16Gi', '110')];
  const pods = [pod('a', 'Running', '1', '1Gi', '3'), pod('a', 'Running', '500m', '1Gi', '100m')];
  assert.equal(resourceSummary(nodes, pods, undefined).allocated?.['cpu'], '3500m');
});

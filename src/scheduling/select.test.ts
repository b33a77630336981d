import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '../api/index.ts';
import type { Candidate } from './candidate.ts';
import { clusterView } from './fleet-snapshot.ts';
import { selectByCluster } from './select-by-cluster.ts';
import { chooseGroups, regionScore } from './select-by-region.ts';

function candidate(name: string, score: number, available: number): Candidate {
  const cluster: Cluster = {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name },
    spec: { syncMode: 'Push' },
  };
  return { view: clusterView(cluster), name, overflowOrder: 0, score, allocatable: available, available };
}

const list = [candidate('p', 100, 2), candidate('q', 100, 1), candidate('r', 0, 9)];
const clusterCases: [sentence: string, need: number | undefined, expected: string][] = [
  ['enough as they are', 3, 'pq'],
  ['the last makes way for a roomier one', 10, 'pr'],
  ['not enough whoever is swapped', 12, 'no enough resource when selecting 2 clusters'],
  ['capacity does not matter', undefined, 'pq'],
];
for (const [sentence, need, expected] of clusterCases) {
  test(`by cluster: ${sentence}`, () => {
    const step = selectByCluster(list, { min: 1, max: 2 }, need);
    assert.equal('error' in step ? step.error : step.value.map(({ name }) => name).join(''), expected);
  });
}

const members = (...of: [number, number][]): Candidate[] =>
  of.map(([score, available], index) => candidate(`m${index}`, score, available));
const divided = { replicas: 30, divided: true };
const duplicated = { replicas: 10, divided: false };
const scores: [sentence: string, actual: number, expected: number][] = [
  ['divided, with room for its share', regionScore(members([100, 8], [0, 20]), divided, 2, 3), 15050],
  ['divided, too little room', regionScore(members([0, 9], [0, 3]), divided, 2, 3), 12000],
  ['divided, still looking for the least number of clusters', regionScore(members([100, 20], [0, 1]), divided, 2, 2), 15050],
  ['duplicated, one can take all', regionScore(members([100, 4], [0, 50]), duplicated, 2, 3), 1000],
  ['duplicated, both can', regionScore(members([0, 10], [0, 11]), duplicated, 2, 3), 2000],
  ['duplicated, none can', regionScore(members([0, 1]), duplicated, 2, 3), 0],
]; // prettier-ignore
for (const [sentence, actual, expected] of scores) {
  test(`region score: ${sentence}`, () => assert.equal(actual, expected));
}

const item = (text: string): { name: string; value: number; weight: number } => {
  const [, name = '', value, weight] = /^(\w)(\d+)w(\d+)$/.exec(text) ?? [];
  return { name, value: Number(value), weight: Number(weight) };
};
const choices: [sentence: string, items: string, min: number, max: number, target: number, expected: string | undefined][] = [
  ['the heaviest pair that holds enough', 'e1w500 w2w300 n3w200', 1, 2, 3, 'ew'],
  ['one is enough', 'e2w500 w2w300 n3w200', 1, 3, 2, 'e'],
  ['at least two', 'e2w500 w2w300 n3w200', 2, 3, 2, 'ew'],
  ['too few clusters in all of them', 'e1w500 w1w300 n1w200', 1, 2, 3, undefined],
]; // prettier-ignore
for (const [sentence, items, min, max, target, expected] of choices) {
  test(`choosing regions: ${sentence}`, () => {
    assert.equal(chooseGroups(items.split(' ').map(item), { min, max }, target)?.join(''), expected);
  });
}

test('choosing regions: forty of them are no reason to think for ever', () => {
  const many = Array.from({ length: 40 }, (_, index) => ({ name: `r${index}`, value: 1, weight: index }));
  const chosen = chooseGroups(many, { min: 20, max: 20 }, 20);
  assert.deepEqual(chosen?.length, 20);
  assert.ok(chosen?.includes('r39') && chosen.includes('r20'));
});

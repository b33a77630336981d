import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../api/index.ts';
import {
  calmInMs,
  contestedCondition,
  correctionWaitMs,
  fightToldBy,
  isFought,
  opponentOf,
  withCorrection,
  type Fight,
  type Opponent,
} from './fight.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const START = Date.UTC(2026, 10, 28, 10);
const opponent: Opponent = { manager: 'flux', fields: ['.spec.replicas'] };

/** A fight with corrections at these minutes. */
function fought(...minutes: readonly number[]): Fight | undefined {
  return minutes.reduce<Fight | undefined>(
    (fight, minute) => withCorrection(fight, opponent, START + minute * MINUTE),
    undefined,
  );
}

const waits: readonly (readonly [name: string, minutes: readonly number[], atMinute: number, waitMs: number])[] = [
  ['nobody ever changed anything', [], 0, 0],
  ['four corrections', [0, 1, 2, 3], 3, 0],
  ['the fifth', [0, 1, 2, 3, 4], 4, 10 * SECOND],
  ['the sixth', [0, 1, 2, 3, 4, 5], 5, 20 * SECOND],
  ['a wait that is half over', [0, 1, 2, 3, 4, 5], 5 + 1 / 6, 10 * SECOND],
  ['a wait that is over', [0, 1, 2, 3, 4, 5], 6, 0],
  ['many: never longer than ten minutes', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], 16, 10 * MINUTE],
  ['a tool that comes every ten minutes', [0, 10, 20, 30, 40], 40, 10 * SECOND],
  ['half an hour of peace between', [0, 1, 2, 3, 33], 33, 0],
  ['half an hour of peace after', [0, 1, 2, 3, 4, 5], 35, 0],
]; // prettier-ignore
for (const [name, minutes, atMinute, waitMs] of waits) {
  test(`the next correction waits ${waitMs / SECOND} s after ${name}`, () => {
    assert.equal(correctionWaitMs(fought(...minutes), START + atMinute * MINUTE), waitMs);
  });
}

test('a fight is one from the fifth correction until half an hour without any', () => {
  const fight = fought(0, 1, 2, 3, 4);
  assert.equal(isFought(undefined, START), false);
  assert.equal(isFought(fought(0, 1, 2, 3), START + 3 * MINUTE), false);
  assert(isFought(fight, START + 33 * MINUTE));
  assert.equal(calmInMs(fight, START + 33 * MINUTE), MINUTE);
  assert.equal(isFought(fight, START + 34 * MINUTE), false);
});

// ---- who

const desired: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
  spec: { replicas: 2, template: { spec: { containers: [{ name: 'c', image: 'i:1' }] } } },
};
const entry = (
  manager: string,
  fieldsV1: JsonObject,
  time: string,
  subresource = '',
): ManagedFieldsEntry => ({
  manager,
  operation: 'Update',
  time,
  fieldsV1,
  ...(subresource === '' ? {} : { subresource }),
});
function observed(change: JsonObject, managedFields: readonly ManagedFieldsEntry[]): KubeObject {
  return { ...desired, ...change, metadata: { ...desired.metadata, uid: 'u', managedFields } };
}
const replicas = { 'f:spec': { 'f:replicas': {} } };
const image = {
  'f:spec': {
    'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {} } } } },
  },
};
const [OLD, NEW] = ['2026-11-28T09:00:00Z', '2026-11-28T10:00:00Z'];
const otherImage = {
  spec: { replicas: 2, template: { spec: { containers: [{ name: 'c', image: 'i:2', ports: [] }] } } },
};

const opponents: readonly (readonly [name: string, one: KubeObject, expected: Opponent])[] = [
  ['who owns the field', observed({ spec: { ...desired['spec'] as JsonObject, replicas: 5 } }, [entry('karmada', image, NEW), entry('hpa', replicas, OLD)]), { manager: 'hpa', fields: ['.spec.replicas'] }],
  ['who owns the field of an item', observed(otherImage, [entry('hpa', replicas, NEW), entry('kubectl-set', image, OLD)]), { manager: 'kubectl-set', fields: ['.spec.template.spec.containers[0].image'] }],
  ['who wrote last, when nobody owns it', observed({ spec: { template: {} } }, [entry('a', { 'f:x': {} }, OLD), entry('b', { 'f:x': {} }, NEW), entry('karmada', image, NEW)]), { manager: 'b', fields: ['.spec.replicas', '.spec.template.spec'] }],
  ['not who writes the status', observed({ spec: {} }, [entry('kube-controller-manager', { 'f:status': {} }, NEW, 'status')]), { manager: '', fields: ['.spec.replicas', '.spec.template'] }],
  ['nobody, without managed fields', { ...observed({ spec: {} }, []), metadata: { name: 'web', labels: { app: 'x' } } }, { manager: '', fields: ['.spec.replicas', '.spec.template', '.metadata.labels.app'] }],
]; // prettier-ignore
for (const [name, one, expected] of opponents) {
  test(`the opponent is ${name}`, () => {
    assert.deepEqual(opponentOf(desired, one, 'karmada'), expected);
  });
}

// ---- what is said

test('the condition names the object, how often, who and where', () => {
  const fight = fought(0, 1, 2, 3, 4);
  assert(fight !== undefined);
  const text = (one: Opponent): string =>
    contestedCondition([{ manifest: desired, fight: { ...fight, opponent: one } }], 'm1').message ?? '';
  const start = 'Deployment shop/web in cluster m1 has been put right 5 times since 2026-11-28T10:00:00Z: ';
  const end = '. Corrections are slowed down until one of both writers stops.';
  assert.equal(text(opponent), `${start}"flux" writes .spec.replicas${end}`);
  assert.equal(
    text({ manager: '', fields: ['.a', '.b', '.c', '.d', '.e'] }),
    `${start}somebody writes .a, .b, .c and 2 more${end}`,
  );
  assert.equal(text({ manager: '', fields: [] }), `${start}it is deleted again and again${end}`);
  assert.deepEqual(contestedCondition([], 'm1'), {
    type: 'Contested',
    status: 'False',
    reason: 'Settled',
    message: 'Nobody else writes what this Work says.',
  });
});

const manifest: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'conf', namespace: 'shop' },
};
const fighters: readonly (readonly [sentence: string, opponent: Opponent])[] = [
  ['somebody with a name', { manager: 'flux "v2"', fields: ['.spec.replicas', '.data["a b"]'] }],
  ['somebody without a name', { manager: '', fields: ['.data.mode'] }],
  ['somebody who deletes', { manager: '', fields: [] }],
];
for (const [sentence, by] of fighters) {
  test(`what a condition tells of a fight with ${sentence} can be gone on with`, () => {
    const nowMs = START + 7 * MINUTE;
    const fight: Fight = { corrections: 6, firstMs: START, lastMs: START + 5 * MINUTE, opponent: by };
    const condition = { ...contestedCondition([{ manifest, fight }], 'm1'), lastTransitionTime: '' };
    assert.deepEqual(fightToldBy(condition, manifest, nowMs), { ...fight, lastMs: nowMs });
    const other = { ...manifest, metadata: { name: 'other', namespace: 'shop' } };
    assert.equal(fightToldBy(condition, other, nowMs), undefined);
  });
}

test('a condition that tells of no fight is none', () => {
  const settled = { ...contestedCondition([], 'm1'), lastTransitionTime: '' };
  assert.equal(fightToldBy(settled, manifest, START), undefined);
  assert.equal(fightToldBy({ ...settled, status: 'True', message: 'something' }, manifest, START), undefined);
  assert.equal(fightToldBy(undefined, manifest, START), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../api/index.ts';
import { StateUnreadable, extractState } from './index.ts';

const extract = (jsonPath: string, status: JsonObject): string | undefined =>
  extractState({ rules: [{ aliasLabelName: 'job', jsonPath }] }, [{ clusterName: 'm1', status }], 'm1')[
    'job'
  ];
const items = { items: [{ m: 'a' }, { m: 'b' }] };

const read: readonly [string, JsonObject, string, string][] = [
  ['a number', { replicas: 2 }, '{ .replicas }', '2'],
  ['a boolean', { health: true }, '{ .health }', 'true'],
  ['a text inside the status', { jobStatus: { jobId: 'e6fd' } }, '{ .jobStatus.jobId }', 'e6fd'],
  ['what a filter finds', items, '{.items[?(@.m=="b")].m}', 'b'],
  ['nothing, of a filter without a hit', items, '{.items[?(@.m=="z")].m}', ''],
  ['a key in quotes', { kind: 'List' }, "{['kind']}", 'List'],
  ['a large number, in digits', { started: 1_734_462_491_693 }, '{.started}', '1734462491693'],
];
for (const [what, status, path, expected] of read) {
  test(`reads ${what}`, () => assert.equal(extract(path, status), expected));
}

const refused: readonly [string, JsonObject, string][] = [
  ['a field that is missing', { readyReplicas: 2 }, '{ .replicas }'],
  ['a path that is none', {}, '{ %x }'],
  ['a value no label can have', items, '{.items[*].m}'],
  ['a value longer than a label', { long: 'x'.repeat(64) }, '{.long}'],
];
for (const [what, status, path] of refused) {
  test(`refuses ${what}`, () => assert.throws(() => extract(path, status), StateUnreadable));
}

test('refuses a cluster that has reported nothing', () => {
  const rules = [{ aliasLabelName: 'job', jsonPath: '{.a}' }];
  assert.throws(
    () => extractState({ rules }, [{ clusterName: 'm2', status: { a: 'b' } }], 'm1'),
    StateUnreadable,
  );
  assert.throws(() => extractState({ rules }, undefined, 'm1'), StateUnreadable);
});

test('one rule that finds nothing spoils all', () => {
  const rules = [
    { aliasLabelName: 'one', jsonPath: '{.a}' },
    { aliasLabelName: 'two', jsonPath: '{.b}' },
  ];
  assert.throws(
    () => extractState({ rules }, [{ clusterName: 'm1', status: { a: 'x' } }], 'm1'),
    StateUnreadable,
  );
});

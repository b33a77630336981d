import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freezeDecoded, shareManagedFields } from './share-managed-fields.ts';

const entry = (fieldsV1: unknown): object => ({
  manager: 'kubectl',
  operation: 'Update',
  apiVersion: 'v1',
  time: '2026-11-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1,
});
const decoded = (...trees: unknown[]): { metadata: { managedFields: { fieldsV1: unknown }[] } } =>
  JSON.parse(JSON.stringify({ metadata: { name: 'a', managedFields: trees.map(entry) } })) as never;

const tree = {
  'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} }, 'f:finalizers': { '.': {}, 'v:"a"': {} } },
  'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } }, 'f:replicas': {} },
};

test('equal trees become one, frozen to the last leaf, and read the same', () => {
  const [one, other] = [decoded(tree, { 'f:status': {} }), decoded(tree)];
  const before = JSON.stringify(one);
  shareManagedFields(one);
  shareManagedFields(other);
  assert.equal(JSON.stringify(one), before, 'in the same order too');
  const [first] = one.metadata.managedFields;
  assert.equal(first!.fieldsV1, other.metadata.managedFields[0]!.fieldsV1);
  const { 'f:metadata': inner } = first!.fieldsV1 as { 'f:metadata': { 'f:labels': object } };
  assert.ok(Object.isFrozen(first!.fieldsV1) && Object.isFrozen(inner['f:labels']));
});

test('what differs stays apart', () => {
  const [one, other] = [decoded({ 'f:data': { '.': {}, 'f:a': {} } }), decoded({ 'f:data': { 'f:a': {} } })];
  shareManagedFields(one);
  shareManagedFields(other);
  assert.deepEqual(one, decoded({ 'f:data': { '.': {}, 'f:a': {} } }));
  assert.deepEqual(other, decoded({ 'f:data': { 'f:a': {} } }));
});

for (const [called, odd] of [
  ['no tree', 'text'],
  ['null', null],
  ['a list', [{}]],
  ['a leaf that is none', { 'f:a': 1 }],
  ['itself last', { 'f:a': {}, '.': {} }],
  ['itself with something below', { '.': { 'f:a': {} } }],
  ['a field of every object', JSON.parse('{"__proto__":{"f:a":{}}}')],
  ['very deep', JSON.parse('{"f:a":'.repeat(500) + '{}' + '}'.repeat(500))],
] as const)
  test(`what others wrote stays as it is: ${called}`, () => {
    const object = decoded(odd);
    const before = JSON.stringify(object);
    shareManagedFields(object);
    assert.equal(JSON.stringify(object), before);
  });

for (const odd of [undefined, null, 'text', [], {}, { metadata: null }, { metadata: { managedFields: {} } }])
  test(`objects without managedFields stay as they are: ${JSON.stringify(odd)}`, () => {
    const before = JSON.stringify(odd);
    shareManagedFields(odd);
    assert.equal(JSON.stringify(odd), before);
  });

test('answers are frozen through and through, items of lists share too', () => {
  const list = freezeDecoded({ kind: 'List', items: [decoded(tree), decoded(tree)], rest: { deep: [{}] } });
  const [one, other] = list.items;
  assert.equal(one!.metadata.managedFields[0]!.fieldsV1, other!.metadata.managedFields[0]!.fieldsV1);
  assert.ok(Object.isFrozen(list) && Object.isFrozen(list.rest.deep[0]) && Object.isFrozen(one!.metadata));
  assert.equal(freezeDecoded('text'), 'text');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze, type ObjectMeta } from '../api/index.ts';
import {
  controllerOf,
  controllerReference,
  hasFinalizer,
  isControlledBy,
  nameIsDnsSubdomain,
  specChanged,
  validateLabelSelector,
  validateObjectMeta,
  validateObjectMetaUpdate,
  withFinalizer,
  withoutFinalizer,
} from './index.ts';

const rules = { namespaced: true, nameRule: nameIsDnsSubdomain, builtIn: true };
const owner = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'u1' };
const valid: ObjectMeta = { name: 'web', namespace: 'shop' };

const created: [name: string, metadata: ObjectMeta, errors: string[]][] = [
  ['nothing wrong', { ...valid, labels: { app: 'web' }, finalizers: ['a.io/b', 'orphan'] }, []],
  [
    'no name',
    { namespace: 'shop' },
    ['FieldValueRequired metadata.name: Required value: name or generateName is required'],
  ],
  ['no namespace', { name: 'web' }, ['FieldValueRequired metadata.namespace: Required value']],
  [
    'an owner without uid',
    { ...valid, ownerReferences: [{ ...owner, uid: '' }] },
    ['FieldValueInvalid metadata.ownerReferences.uid: Invalid value: "": must not be empty'],
  ],
  [
    'two controllers',
    {
      ...valid,
      ownerReferences: [
        { ...owner, controller: true },
        { controller: true, ...owner, name: 'b', uid: 'u2' },
      ],
    },
    [
      'FieldValueInvalid metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"Pod","name":"a","uid":"u1","controller":true},{"apiVersion":"v1","kind":"Pod","name":"b","uid":"u2","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for Pod/a and Pod/b',
    ],
  ],
  [
    'an event as owner',
    { ...valid, ownerReferences: [{ ...owner, kind: 'Event' }] },
    [
      'FieldValueInvalid metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"u1"}: /v1, Kind=Event is disallowed from being an owner',
    ],
  ],
  [
    'a bare finalizer',
    { ...valid, finalizers: ['bare'] },
    [
      'FieldValueInvalid metadata.finalizers[0]: Invalid value: "bare": name is neither a standard finalizer name nor is it fully qualified',
    ],
  ],
  [
    'both deletion finalizers',
    { ...valid, finalizers: ['orphan', 'foregroundDeletion'] },
    [
      'FieldValueInvalid metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ],
  ],
  [
    'annotations over the limit',
    { ...valid, annotations: { a: 'x'.repeat(256 * 1024) } },
    ['FieldValueTooLong metadata.annotations: Too long: may not be more than 262144 bytes'],
  ],
  ['an annotation key in upper case', { ...valid, annotations: { 'Example.COM/Key': '' } }, []],
  [
    'a managed field of an unknown operation',
    { ...valid, managedFields: [{ operation: 'Guess', manager: 'a\tb' }] },
    [
      'FieldValueNotSupported metadata.managedFields[0].operation: Unsupported value: "Guess": supported values: "Apply", "Update"',
      'FieldValueInvalid metadata.managedFields[0].manager: Invalid value: "a\\tb": invalid character U+0009 (at position 1)',
    ],
  ],
];
const show = (errors: readonly { type: string; path: string; message: string }[]): string[] =>
  errors.map(({ type, path, message }) => `${type} ${path}: ${message}`);

for (const [name, metadata, errors] of created) {
  test(`metadata: ${name}`, () => assert.deepEqual(show(validateObjectMeta(metadata, rules)), errors));
}

test('custom resources may have bare finalizers', () => {
  assert.deepEqual(validateObjectMeta({ ...valid, finalizers: ['bare'] }, { ...rules, builtIn: false }), []);
});

test('a cluster-scoped object has no namespace', () => {
  assert.deepEqual(show(validateObjectMeta(valid, { ...rules, namespaced: false })), [
    'FieldValueForbidden metadata.namespace: Forbidden: not allowed on this type',
  ]);
});

test('an update may not change identity, lower the generation or add finalizers while deleting', () => {
  const old: ObjectMeta = {
    ...valid,
    uid: 'u1',
    resourceVersion: '5',
    generation: 2,
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['a.io/a'],
  };
  const next = { ...old, uid: 'u2', generation: 1, resourceVersion: '', finalizers: ['a.io/b', 'a.io/a'] };
  assert.deepEqual(show(validateObjectMetaUpdate(next, old, rules)), [
    'FieldValueForbidden metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.io/b"}',
    'FieldValueInvalid metadata.resourceVersion: Invalid value: "": must be specified for an update',
    'FieldValueInvalid metadata.generation: Invalid value: 1: must not be decremented',
    'FieldValueInvalid metadata.uid: Invalid value: "u2": field is immutable',
  ]);
  assert.deepEqual(validateObjectMetaUpdate({ ...old, finalizers: [] }, old, rules), []);
});

test('a label selector in a spec reports each fault at its field', () => {
  const selector = {
    matchLabels: { 'a b': 'c' },
    matchExpressions: [
      { key: 'a', operator: 'In' },
      { key: 'a', operator: 'Exists', values: ['x'] },
      { key: 'a', operator: 'Near' },
    ],
  };
  assert.deepEqual(
    validateLabelSelector(selector, 'spec.selector').map(({ type, path }) => `${type} ${path}`),
    [
      'FieldValueInvalid spec.selector.matchLabels',
      'FieldValueRequired spec.selector.matchExpressions[0].values',
      'FieldValueForbidden spec.selector.matchExpressions[1].values',
      'FieldValueInvalid spec.selector.matchExpressions[2].operator',
    ],
  );
});

test('finalizers are added and removed without touching the object given', () => {
  const object = deepFreeze({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: {} });
  const with1 = withFinalizer(object, 'a.io/x');
  assert.equal(hasFinalizer(with1, 'a.io/x'), true);
  assert.equal(with1.spec, object.spec);
  assert.equal(withFinalizer(with1, 'a.io/x'), with1);
  assert.deepEqual(withoutFinalizer(with1, 'a.io/x'), object);
  assert.equal(withoutFinalizer(object, 'a.io/x'), object);
});

test('an owner of the same name but another uid is not the controller', () => {
  const parent = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'r', uid: 'u1' } };
  const child = { metadata: { ownerReferences: [owner, controllerReference(parent)] } };
  assert.equal(controllerOf(child)?.name, 'r');
  assert.equal(isControlledBy(child, parent), true);
  assert.equal(isControlledBy(child, { metadata: { name: 'r', uid: 'u2' } }), false);
  assert.equal(isControlledBy(child, { metadata: { name: 'r' } }), false);
});

test('only changes outside metadata and status change the spec', () => {
  const object = { apiVersion: 'v1', kind: 'X', metadata: { name: 'a' }, spec: { a: 1 }, status: {} };
  assert.equal(specChanged({ ...object, metadata: {}, status: { b: 1 } }, object), false);
  assert.equal(specChanged({ ...object, spec: { a: 2 } }, object), true);
  assert.equal(specChanged({ ...object, data: { a: 2 } }, object), true);
  assert.equal(specChanged({ ...object, data: {} }, object), false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEAF, isShared, sharedFields } from './shared-fields.ts';

test('equal trees are one object, whatever object they were made for', () => {
  const make = (): object =>
    sharedFields(false, ['f:metadata', 'f:spec'], [LEAF, sharedFields(true, ['f:replicas'], [LEAF])]);
  assert.deepEqual(make(), { 'f:metadata': {}, 'f:spec': { '.': {}, 'f:replicas': {} } });
  assert.equal(make(), make());
  assert.ok(Object.isFrozen(make()));
});

test('a tree of a member and one that stands alone are two', () => {
  assert.deepEqual(sharedFields(true, ['f:a'], [LEAF]), { '.': {}, 'f:a': {} });
  assert.deepEqual(sharedFields(false, ['f:a'], [LEAF]), { 'f:a': {} });
});

test('elements that name a single object are not remembered, and come out right all the same', () => {
  const owner = 'k:{"uid":"7c0cbf0e-53a5-4d5e-9c8a-6f5c0d1e2b3a"}';
  const make = (): object =>
    sharedFields(false, ['f:ownerReferences'], [sharedFields(true, [owner], [LEAF])]);
  assert.deepEqual(make(), { 'f:ownerReferences': { '.': {}, [owner]: {} } });
  assert.notEqual(make(), make());
  assert.equal(isShared(make() as never), false);
});

test('no key is more than a key', () => {
  const tree = sharedFields(false, ['f:__proto__', '__proto__'], [LEAF, LEAF]);
  assert.deepEqual(Object.keys(tree), ['f:__proto__', '__proto__']);
});

test('annotations with long names are remembered', () => {
  const name = 'f:resourcetemplate.karmada.io/managed-annotations';
  const make = (): object => sharedFields(false, ['f:metadata'], [sharedFields(true, [name], [LEAF])]);
  assert.equal(make(), make());
  assert.equal(isShared(make() as never), true);
});

test('items of lists with several keys are remembered', () => {
  const port = 'k:{"containerPort":8080,"protocol":"TCP"}';
  const make = (): object => sharedFields(false, ['f:ports'], [sharedFields(true, [port], [LEAF])]);
  assert.equal(make(), make());
  assert.equal(isShared(make() as never), true);
});

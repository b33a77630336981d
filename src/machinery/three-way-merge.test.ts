import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { builtinSchema, resolveRef, type JsonObject } from '../api/index.ts';
import { planFor } from './schema-plan.ts';
import { threeWayMerge } from './three-way-merge.ts';

const deployment = planFor(builtinSchema('io.k8s.api.apps.v1.Deployment')!, resolveRef);

const container = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  image: `${name}:1`,
  ...more,
});
const template = (containers: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  spec: { template: { spec: { containers, ...more } } },
});

describe('declaring an object anew', () => {
  const cases: readonly [what: string, original: JsonObject, modified: JsonObject, current: JsonObject, result: JsonObject][] = [
    ['nothing, over nothing', {}, {}, {}, {}],
    ['what others set stays', { a: 1 }, { a: 2 }, { a: 1, b: 3 }, { a: 2, b: 3 }],
    ['what is no longer declared goes', { a: 1, b: 2 }, { a: 1 }, { a: 1, b: 2, c: 3 }, { a: 1, c: 3 }],
    ['what was never declared stays', {}, { a: 1 }, { b: 2 }, { b: 2, a: 1 }],
    ['null removes', {}, { a: null }, { a: 1, b: 2 }, { b: 2 }],
    ['null in something new is nothing', {}, { a: { b: null, c: 1 } }, {}, { a: { c: 1 } }],
    ['objects merge within', { m: { x: 1, y: 1 } }, { m: { x: 2 } }, { m: { x: 1, y: 1, z: 1 } }, { m: { x: 2, z: 1 } }],
    ['lists of no known kind are values', { l: [1] }, { l: [2] }, { l: [1, 9] }, { l: [2] }],
    ['the type of a field changes', {}, { a: [1] }, { a: { b: 1 } }, { a: [1] }],
  ]; // prettier-ignore
  for (const [what, original, modified, current, result] of cases)
    test(what, () => assert.deepEqual(threeWayMerge(original, modified, current, undefined), result));
});

describe('lists of built-in types', () => {
  test('containers that others added stay, declared ones are merged, dropped ones go', () => {
    const result = threeWayMerge(
      template([container('web'), container('old')]),
      template([container('web', { image: 'web:2' }), container('new')]),
      template([container('proxy'), container('web', { terminationMessagePath: '/x' }), container('old')]),
      deployment,
    );
    assert.deepEqual(
      result,
      template([
        container('proxy'),
        container('web', { image: 'web:2', terminationMessagePath: '/x' }),
        container('new'),
      ]),
    );
  });

  test('the declared order holds', () => {
    const declared = template([container('b'), container('a')]);
    const result = threeWayMerge(declared, declared, template([container('a'), container('b')]), deployment);
    assert.deepEqual(result, declared);
  });

  test('ports of one number and two protocols cannot be told apart and are taken as declared', () => {
    const ports = [
      { containerPort: 53, protocol: 'UDP' },
      { containerPort: 53, protocol: 'TCP' },
    ];
    const result = threeWayMerge(
      {},
      template([container('dns', { ports })]),
      template([container('dns', { ports: [{ containerPort: 80 }] })]),
      deployment,
    );
    assert.deepEqual(result, template([container('dns', { ports })]));
  });

  test('another strategy takes the fields of the former one away', () => {
    const result = threeWayMerge(
      {},
      { spec: { strategy: { type: 'Recreate' } } },
      { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
      deployment,
    );
    assert.deepEqual(result, { spec: { strategy: { type: 'Recreate' } } });
  });

  test('finalizers of others stay', () => {
    const result = threeWayMerge(
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['b'] } },
      { metadata: { finalizers: ['a', 'b', 'c'] } },
      deployment,
    );
    assert.deepEqual(result, { metadata: { finalizers: ['b', 'c'] } });
  });
});

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: 0, max: 3 }),
    fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
})).object as fc.Arbitrary<JsonObject>;

test('declaring twice is declaring once, and what is declared is there', () => {
  fc.assert(
    fc.property(json, json, json, (original, modified, current) => {
      const once = threeWayMerge(original, modified, current, undefined);
      assert.deepEqual(threeWayMerge(modified, modified, once, undefined), once);
      for (const key of Object.keys(modified)) assert.ok(Object.hasOwn(once, key));
    }),
  );
});

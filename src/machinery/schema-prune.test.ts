import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepFreeze, type JsonValue, type Schema } from '../api/index.ts';
import { StatusError, applyDefaults, deepEqual, pruneBySchema } from './index.ts';

const object = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  ...more,
});
const text: Schema = { type: 'string' };
const open = { 'x-kubernetes-preserve-unknown-fields': true } as const;
const widget = object({
  spec: object({
    keep: text,
    open: object({ known: object({ a: { type: 'integer' } }) }, open),
    emb: { type: 'object', 'x-kubernetes-embedded-resource': true, ...open },
    closed: { type: 'object' },
    map: { type: 'object', additionalProperties: object({ a: text }) },
    list: { type: 'array', items: object({ a: text }) },
    nullable: { type: 'string', nullable: true },
    anything: open,
  }),
});
const head = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a' } };

const pruned: [name: string, spec: JsonValue, result: JsonValue, unknown: string[]][] = [
  ['known fields stay', { keep: 'x' }, { keep: 'x' }, []],
  ['unknown ones go', { keep: 'x', drop: 1, also: {} }, { keep: 'x' }, ['spec.also', 'spec.drop']],
  [
    'an open object keeps what is unknown, but not inside what is known',
    { open: { any: [1], known: { a: 1, b: 2 } } },
    { open: { any: [1], known: { a: 1 } } },
    ['spec.open.known.b'],
  ],
  ['an object without properties keeps nothing', { closed: { a: 1 } }, { closed: {} }, ['spec.closed.a']],
  ['values of a map', { map: { k: { a: 'x', b: 1 } } }, { map: { k: { a: 'x' } } }, ['spec.map.k.b']],
  ['items of a list', { list: [{ a: 'x' }, { b: 1 }] }, { list: [{ a: 'x' }, {}] }, ['spec.list[1].b']],
  [
    'embedded resources keep apiVersion, kind and known metadata',
    { emb: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'n', bogus: 1 }, data: { q: 'r' } } },
    { emb: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'n' }, data: { q: 'r' } } },
    ['spec.emb.metadata.bogus'],
  ],
  ['nulls that may not be null go', { keep: null, nullable: null }, { nullable: null }, []],
  [
    'anything stays anything',
    { anything: { a: [null, { b: null }] } },
    { anything: { a: [null, { b: null }] } },
    [],
  ],
  ['a value of a wrong type is left to validation', { list: 'x', map: [1] }, { list: 'x', map: [1] }, []],
  ['an own __proto__ key', JSON.parse('{"__proto__":{"a":1}}') as JsonValue, {}, ['spec.__proto__']],
];
for (const [name, spec, result, unknown] of pruned) {
  test(`pruning: ${name}`, () => {
    const input = deepFreeze({ ...head, spec });
    const outcome = pruneBySchema(input, widget);
    assert.deepEqual(outcome, { value: { ...head, spec: result }, unknown });
    if (unknown.length === 0 && deepEqual(result, spec)) assert.equal(outcome.value, input);
  });
}

test('pruning: the root keeps apiVersion, kind and metadata, and loses all else that is unknown', () => {
  const input = { ...head, top: 1, status: { z: 1 }, metadata: { name: 'a', nope: 1, labels: null } };
  assert.deepEqual(pruneBySchema(input, widget), {
    value: head,
    unknown: ['metadata.nope', 'status', 'top'],
  });
});

test('pruning: a part of a resource is no root', () => {
  const outcome = pruneBySchema({ apiVersion: 'v1', keep: 'x' }, object({ keep: text }), undefined, {
    root: false,
  });
  assert.deepEqual(outcome.value, { keep: 'x' });
});

test('pruning: metadata of a wrong type is refused', () => {
  assert.throws(
    () => pruneBySchema({ ...head, metadata: { labels: { a: 1 } } }, widget),
    (error) =>
      error instanceof StatusError &&
      error.message === 'json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
  );
});

const defaulted = object({
  spec: object(
    {
      n: { type: 'integer', default: 3 },
      s: { type: 'string', nullable: true, default: 'd' },
      t: { type: 'string', default: 'dd' },
      u: object({ v: { type: 'boolean', default: true } }),
      l: { type: 'array', items: object({ a: { type: 'string', default: 'x' } }) },
      m: { type: 'object', additionalProperties: object({ a: { type: 'string', default: 'x' } }) },
      plain: text,
    },
    { default: {} },
  ),
});
const defaults: [name: string, value: JsonValue, result: JsonValue][] = [
  ['a default object is filled in turn', {}, { spec: { n: 3, s: 'd', t: 'dd' } }],
  ['what is there stays', { spec: { n: 9, s: 'a', t: '' } }, { spec: { n: 9, s: 'a', t: '' } }],
  [
    'null where it is allowed stays',
    { spec: { n: 1, s: null, t: null } },
    { spec: { n: 1, s: null, t: 'dd' } },
  ],
  [
    'an empty object is filled',
    { spec: { n: 1, s: '', t: '', u: {} } },
    { spec: { n: 1, s: '', t: '', u: { v: true } } },
  ],
  [
    'items and values of maps are filled',
    { spec: { n: 1, s: '', t: '', l: [{}, { a: 'b' }], m: { k: {} } } },
    { spec: { n: 1, s: '', t: '', l: [{ a: 'x' }, { a: 'b' }], m: { k: { a: 'x' } } } },
  ],
];
for (const [name, value, result] of defaults) {
  test(`defaulting: ${name}`, () => {
    const filled = applyDefaults(deepFreeze(value), defaulted);
    assert.deepEqual(filled, result);
    assert.equal(applyDefaults(filled, defaulted), filled);
  });
}

test('pruning twice is pruning once, and nothing is unknown the second time', () => {
  const key = fc.constantFrom('spec', 'keep', 'open', 'known', 'map', 'list', 'a', 'x', 'emb');
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.constantFrom<JsonValue>(null, 1, 'x'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(value, (input) => {
      const once = pruneBySchema(deepFreeze(input), widget);
      const twice = pruneBySchema(once.value, widget);
      assert.equal(twice.value, once.value);
      assert.deepEqual(twice.unknown, []);
    }),
  );
});

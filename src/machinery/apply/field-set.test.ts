import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepFreeze, type JsonObject, type JsonValue, type Schema } from '../../api/index.ts';
import { deepEqual } from '../index.ts';
import { planFor } from '../schema-plan.ts';
import { compareObjects } from './compare.ts';
import { FieldSet, FieldSetBuilder } from './field-set.ts';
import { rootType } from './field-type.ts';
import { fieldSetFor, withoutFields } from './field-walks.ts';
import { mergeConfiguration } from './merge.ts';
import { elementText, keyElement, parseElement, sortElements, valueElement } from './path-element.ts';

const element = fc.constantFrom('f:a', 'f:b', 'f:c', 'k:{"n":"x"}', 'k:{"n":"y"}', 'v:1', 'v:"1"', 'i:0');
const path = fc.array(element, { minLength: 1, maxLength: 4 });
const paths = fc.array(path, { maxLength: 8 });

function setOf(members: readonly (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const member of members) builder.insert(member);
  return builder.build();
}
const textsOf = (set: FieldSet): string[] => [...set.paths()].map((one) => one.join('|')).sort();
const unique = (members: readonly (readonly string[])[]): string[] =>
  [...new Set(members.map((one) => one.join('|')))].sort();

test('sets of fields behave as sets of paths', () => {
  fc.assert(
    fc.property(paths, paths, (a, b) => {
      const [left, right] = [setOf(a), setOf(b)];
      const [inA, inB] = [new Set(unique(a)), new Set(unique(b))];
      assert.deepEqual(textsOf(left), [...inA]);
      assert.deepEqual(textsOf(left.union(right)), unique([...a, ...b]));
      assert.deepEqual(
        textsOf(left.intersection(right)),
        [...inA].filter((one) => inB.has(one)),
      );
      assert.deepEqual(
        textsOf(left.difference(right)),
        [...inA].filter((one) => !inB.has(one)),
      );
      const covered = (one: string): boolean =>
        b.some((member) => one === member.join('|') || one.startsWith(`${member.join('|')}|`));
      assert.deepEqual(
        textsOf(left.recursiveDifference(right)),
        [...inA].filter((one) => !covered(one)).sort(),
      );
      const [within, over] = [unique(a).every((one) => inB.has(one)), unique(b).every((one) => inA.has(one))];
      assert.equal(left.isWithin(right), within);
      assert.equal(left.equals(right), within && over);
      for (const member of a) assert.equal(left.has(member), true);
      for (const member of b) assert.equal(left.has(member), inA.has(member.join('|')));
    }),
  );
});

test('an operation that changes nothing returns the same set', () => {
  const set = setOf([['f:a'], ['f:b', 'f:c']]);
  assert.equal(set.union(setOf([['f:b', 'f:c']])), set);
  assert.equal(set.difference(setOf([['f:c'], ['f:b']])), set);
  assert.equal(set.recursiveDifference(setOf([['f:c']])), set);
});

test('what is written of a set does not depend on what was written before', () => {
  fc.assert(
    fc.property(paths, paths, (a, b) => {
      const [left, right] = [setOf(a), setOf(b)];
      const written = JSON.stringify(left.union(right).toFields());
      left.toFields();
      right.toFields();
      assert.equal(JSON.stringify(left.union(right).toFields()), written);
      assert.equal(JSON.stringify(setOf([...a, ...b]).toFields()), written);
    }),
  );
});

test('a set survives being written and read', () => {
  fc.assert(
    fc.property(paths, (members) => {
      const set = setOf(members);
      const fields = JSON.parse(JSON.stringify(set.toFields())) as JsonObject;
      assert.deepEqual(textsOf(FieldSet.fromFields(fields)), textsOf(set));
      assert.deepEqual(FieldSet.fromFields(fields).toFields(), set.toFields());
    }),
  );
});

test('fieldsV1: a leaf is an empty object, a member with fields below has a dot', () => {
  const fields = { 'f:a': {}, 'f:b': { '.': {}, 'f:c': {} }, 'f:d': { 'f:e': {} }, 'x:future': {} };
  const set = FieldSet.fromFields(fields);
  assert.deepEqual(textsOf(set), ['f:a', 'f:b', 'f:b|f:c', 'f:d|f:e']);
  const { 'x:future': _, ...known } = fields;
  assert.equal(JSON.stringify(set.toFields()), JSON.stringify(known));
  assert.equal(FieldSet.fromFields(deepFreeze(fields)), FieldSet.fromFields(fields));
  assert.throws(() => FieldSet.fromFields({ nocolon: {} }), SyntaxError);
  assert.throws(() => FieldSet.fromFields({ 'k:{': {} }), SyntaxError);
});

test('path elements are canonical, ordered and printed as upstream does', () => {
  assert.equal(
    keyElement([
      ['protocol', 'TCP'],
      ['containerPort', 80],
    ]),
    'k:{"containerPort":80,"protocol":"TCP"}',
  );
  assert.equal(
    parseElement('k:{"protocol":"TCP", "containerPort":80}'),
    'k:{"containerPort":80,"protocol":"TCP"}',
  );
  assert.equal(valueElement('<'), 'v:"\\u003c"');
  assert.equal(elementText('k:{"containerPort":80,"protocol":"TCP"}'), '[containerPort=80,protocol="TCP"]');
  assert.equal(elementText('v:"x"'), '[="x"]');
  assert.equal(elementText('f:spec'), '.spec');
  assert.deepEqual(
    sortElements(['i:10', 'i:9', 'v:"a"', 'v:2', 'v:10', 'k:{"n":10}', 'k:{"n":9}', 'f:b', 'f:a']),
    ['f:a', 'f:b', 'k:{"n":9}', 'k:{"n":10}', 'v:2', 'v:10', 'v:"a"', 'i:9', 'i:10'],
  );
});

const schema: Schema = {
  type: 'object',
  properties: {
    map: { type: 'object', additionalProperties: { type: 'string' } },
    atomic: { type: 'object', additionalProperties: { type: 'string' }, 'x-kubernetes-map-type': 'atomic' },
    list: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'string' } } },
    },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    leaf: { type: 'string' },
  },
};
const type = rootType(planFor(schema));
const word = fc.constantFrom('a', 'b', 'c');
const words = fc.dictionary(word, word, { noNullPrototype: true });
const object = fc.record(
  {
    map: words,
    atomic: words,
    list: fc.uniqueArray(fc.record({ k: word, v: word }, { requiredKeys: ['k'] }), {
      selector: ({ k }) => k,
    }),
    set: fc.uniqueArray(word),
    leaf: word,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>;

/** Without empty containers, which say nothing. */
function tidy(value: JsonValue): JsonValue {
  return JSON.parse(
    JSON.stringify(value, (_, one: unknown) =>
      typeof one === 'object' && one !== null && Object.keys(one).length === 0 ? undefined : one,
    ) ?? '{}',
  ) as JsonValue;
}
const sorted = (value: JsonValue): JsonValue => {
  if (Array.isArray(value)) {
    return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  return value;
};
const normal = (value: JsonValue): JsonValue =>
  Object.fromEntries(
    Object.entries(tidy(value) as JsonObject).map(([key, one]) => [key, sorted(one ?? null)]),
  );

test('comparing an object with itself finds nothing, with another what it takes to get there', () => {
  fc.assert(
    fc.property(object, object, (before, after) => {
      const copy = JSON.parse(JSON.stringify(before)) as JsonValue;
      const same = compareObjects(before, copy, type);
      assert.equal(same.added.isEmpty && same.removed.isEmpty && same.modified.isEmpty, true);
      const there = compareObjects(before, after, type);
      const back = compareObjects(after, before, type);
      assert.deepEqual(textsOf(there.added), textsOf(back.removed));
      assert.deepEqual(textsOf(there.modified), textsOf(back.modified));
      assert.equal(there.added.intersection(there.modified).isEmpty, true);
      const stripped = withoutFields(before, there.removed, type);
      const rebuilt = mergeConfiguration(stripped, after, type) ?? {};
      assert.deepEqual(normal(rebuilt), normal(after));
    }),
  );
});

test('a merged configuration is in the result, nothing of the rest is lost, and merging again changes nothing', () => {
  fc.assert(
    fc.property(object, object, (live, config) => {
      deepFreeze(live);
      const merged = mergeConfiguration(live, config, type) ?? {};
      assert.equal(mergeConfiguration(merged, merged, type), merged);
      assert.equal(deepEqual(mergeConfiguration(merged, config, type), merged), true);
      const owned = fieldSetFor(config, type);
      assert.equal(compareObjects(config, merged, type).modified.intersection(owned).isEmpty, true);
      const lost = compareObjects(live, merged, type).removed;
      assert.equal(lost.isEmpty, true, JSON.stringify(lost.toFields()));
    }),
  );
});

test('removing what an object sets leaves empty containers at most', () => {
  fc.assert(
    fc.property(object, (value) => {
      assert.deepEqual(tidy(withoutFields(value, fieldSetFor(value, type), type)), {});
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue, Schema } from '../api/index.ts';
import { acceptorFor } from './schema-accept.ts';
import { planFor } from './schema-plan.ts';
import { findErrors } from './schema-validate.ts';

const scalar = fc.oneof(
  fc.constantFrom<JsonValue>('', 'a', 'ab', 'abc', '2020-01-01', '\u{1f600}', null, true, false),
  fc.constantFrom<JsonValue>(0, 1, -1, 1.5, 7, 2 ** 31, -(2 ** 31), 2 ** 63, 1e300),
);
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 3 });
const small = fc.constantFrom(0, 1, 2, 3);
const constraints = {
  nullable: optional(fc.boolean()),
  enum: optional(fc.array(scalar, { minLength: 1, maxLength: 3 })),
  format: optional(fc.constantFrom('date', 'int32', 'float', 'ipv4', 'unheard-of')),
  pattern: optional(fc.constantFrom('^a', 'b$', '(')),
  maxLength: optional(small),
  minLength: optional(small),
  maximum: optional(small),
  minimum: optional(small),
  exclusiveMaximum: optional(fc.boolean()),
  multipleOf: optional(fc.constantFrom(1, 2, 0.5)),
  minItems: optional(small),
  maxItems: optional(small),
  uniqueItems: optional(fc.boolean()),
  minProperties: optional(small),
  maxProperties: optional(small),
  required: optional(fc.subarray(['a', 'b'])),
};
const type = optional(
  fc.constantFrom<Schema['type']>('string', 'integer', 'number', 'boolean', 'object', 'array'),
);
const alternative = fc.record({ ...constraints, type }) as fc.Arbitrary<Schema>;
const schema = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small' },
    alternative,
    fc.record({
      ...constraints,
      type,
      'x-kubernetes-int-or-string': optional(fc.boolean()),
      'x-kubernetes-list-type': optional(fc.constantFrom('set', 'atomic')),
      properties: optional(fc.dictionary(fc.constantFrom('a', 'b'), tie('schema'), { maxKeys: 2 })),
      additionalProperties: optional(fc.oneof(fc.boolean(), tie('schema'))),
      items: optional(tie('schema')),
      allOf: optional(fc.array(alternative, { maxLength: 2 })),
      anyOf: optional(fc.array(alternative, { maxLength: 2 })),
      oneOf: optional(fc.array(alternative, { maxLength: 2 })),
      not: optional(alternative),
    }) as fc.Arbitrary<Schema>,
  ),
})).schema;

test('a value is accepted exactly when nothing is wrong with it', () => {
  fc.assert(
    fc.property(schema, value, (anySchema, anyValue) => {
      const plan = planFor(anySchema);
      const errors = findErrors(anyValue, plan, {});
      assert.equal(acceptorFor(plan).accepts(anyValue), errors.length === 0, JSON.stringify(errors));
    }),
    { numRuns: 2000 },
  );
});

test('the items of a list map need different keys', () => {
  const plan = planFor({
    type: 'array',
    items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name', 'port'],
  });
  const items = (count: number): JsonValue[] =>
    Array.from({ length: count }, (_, i) => ({ name: `n${i}`, port: 1 }));
  for (const count of [0, 1, 2, 24, 25, 100]) {
    assert.ok(acceptorFor(plan).accepts(items(count)), `${count} items`);
    if (count < 2) continue;
    assert.ok(
      !acceptorFor(plan).accepts([...items(count - 1), { name: 'n0', port: 1 }]),
      `${count} items, two the same`,
    );
    assert.ok(
      acceptorFor(plan).accepts([...items(count - 1), { name: 'n0' }]),
      `${count} items, one without port`,
    );
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtinSchema, deepFreeze, resolveRef, type JsonValue, type Schema } from '../api/index.ts';
import { validateSchema } from './index.ts';

const show = (errors: readonly { type: string; path: string; message: string }[]): string[] =>
  errors.map(({ type, path, message }) => `${type} ${path}: ${message}`);
const text: Schema = { type: 'string' };
const spec = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: 'object',
  properties: { spec: { type: 'object', properties, ...more } },
});

const cases: [name: string, field: Schema, value: JsonValue, errors: string[]][] = [
  [
    'a number below the minimum',
    { type: 'integer', minimum: 1 },
    0,
    ['FieldValueInvalid spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1'],
  ],
  [
    'a number at an exclusive maximum',
    { type: 'number', maximum: 2.5, exclusiveMaximum: true },
    2.5,
    ['FieldValueInvalid spec.x: Invalid value: 2.5: spec.x in body should be less than 2.5'],
  ],
  [
    'a text for an integer',
    { type: 'integer' },
    'x',
    [
      'FieldValueTypeInvalid spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"',
    ],
  ],
  [
    'a fraction for an integer',
    { type: 'integer' },
    1.5,
    [
      'FieldValueTypeInvalid spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"',
    ],
  ],
  ['a whole number for a number', { type: 'number' }, 1, []],
  [
    'null',
    { type: 'integer' },
    null,
    ['FieldValueTypeInvalid spec.x: Invalid value: "null": spec.x in body must be of type integer: "null"'],
  ],
  ['null where it is allowed', { type: 'integer', nullable: true }, null, []],
  [
    'a number too large for its format',
    { type: 'integer', format: 'int32' },
    2 ** 31,
    [
      'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.x',
    ],
  ],
  [
    'no multiple',
    { type: 'number', multipleOf: 2 },
    7,
    ['FieldValueInvalid spec.x: Invalid value: 7: spec.x in body should be a multiple of 2'],
  ],
  ['a multiple of a fraction', { type: 'number', multipleOf: 0.1 }, 0.3, []],
  [
    'a text that is too long',
    { type: 'string', maxLength: 2, pattern: '^b' },
    'aaa',
    ['FieldValueTooLong spec.x: Too long: may not be more than 2 bytes'],
  ],
  ['a text of two characters that are two units each', { type: 'string', maxLength: 2 }, '😀😀', []],
  [
    'a text that is too short',
    { type: 'string', minLength: 2 },
    'a',
    ['FieldValueInvalid spec.x: Invalid value: "a": spec.x in body should be at least 2 chars long'],
  ],
  [
    'a text that does not match',
    { type: 'string', pattern: '^[a-z]+$' },
    'ABC',
    [`FieldValueInvalid spec.x: Invalid value: "ABC": spec.x in body should match '^[a-z]+$'`],
  ],
  [
    'none of the allowed',
    { type: 'string', enum: ['red', 'blue'] },
    'mauve',
    ['FieldValueNotSupported spec.x: Unsupported value: "mauve": supported values: "red", "blue"'],
  ],
  [
    'a format',
    { type: 'string', format: 'date-time' },
    'yesterday',
    [
      'FieldValueTypeInvalid spec.x: Invalid value: "yesterday": spec.x in body must be of type date-time: "yesterday"',
    ],
  ],
  ['a format nobody knows', { type: 'string', format: 'zodiac' }, 'x', []],
  [
    'a number where a format is wanted',
    { type: 'string', format: 'ipv4' },
    1,
    ['FieldValueTypeInvalid spec.x: Invalid value: "int64": spec.x in body must be of type ipv4: "int64"'],
  ],
  [
    'int or string',
    { 'x-kubernetes-int-or-string': true },
    true,
    [
      'FieldValueTypeInvalid spec.x: Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"',
    ],
  ],
  ['int or string, an int', { 'x-kubernetes-int-or-string': true }, 80, []],
  [
    'too many items',
    { type: 'array', maxItems: 2, items: text },
    ['a', 'b', 'c'],
    ['FieldValueTooMany spec.x: Too many: 3: must have at most 2 items'],
  ],
  [
    'too few items',
    { type: 'array', minItems: 1, items: text },
    [],
    ['FieldValueInvalid spec.x: Invalid value: 0: spec.x in body should have at least 1 items'],
  ],
  [
    'an item of a wrong type',
    { type: 'array', items: text },
    ['a', 1],
    [
      'FieldValueTypeInvalid spec.x[1]: Invalid value: "integer": spec.x[1] in body must be of type string: "integer"',
    ],
  ],
  [
    'too many properties',
    { type: 'object', maxProperties: 1, additionalProperties: text },
    { a: '', b: '' },
    ['FieldValueTooMany spec.x: Too many: 2: must have at most 1 item'],
  ],
  [
    'a value of a map',
    { type: 'object', additionalProperties: { type: 'integer' } },
    { k: 'no' },
    [
      'FieldValueTypeInvalid spec.x.k: Invalid value: "string": spec.x.k in body must be of type integer: "string"',
    ],
  ],
  [
    'a missing field',
    { type: 'object', required: ['a'] },
    {},
    ['FieldValueRequired spec.x.a: Required value'],
  ],
  [
    'a required field that is null',
    { type: 'object', required: ['a'], properties: { a: { type: 'string', nullable: true } } },
    { a: null },
    [],
  ],
  [
    'none of several',
    { anyOf: [{ type: 'integer' }, { type: 'boolean' }] },
    'x',
    [
      'FieldValueInvalid <nil>: Invalid value: "": "spec.x" must validate at least one schema (anyOf)',
      'FieldValueTypeInvalid spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"',
    ],
  ],
  [
    'two where one is wanted',
    { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    { a: 1, b: 2 },
    [
      'FieldValueInvalid <nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  ],
  [
    'none where one is wanted',
    { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    {},
    [
      'FieldValueInvalid <nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found none valid',
      'FieldValueRequired spec.x.a: Required value',
    ],
  ],
  [
    'one where one is wanted',
    { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    { b: 1 },
    [],
  ],
  [
    'one of all',
    { allOf: [{ minimum: 5 }, { maximum: 9 }], type: 'integer' },
    3,
    [
      'FieldValueInvalid spec.x: Invalid value: 3: spec.x in body should be greater than or equal to 5',
      'FieldValueInvalid <nil>: Invalid value: "": "spec.x" must validate all the schemas (allOf)',
    ],
  ],
  [
    'what must not be',
    { type: 'string', not: { enum: ['x'] } },
    'x',
    ['FieldValueInvalid <nil>: Invalid value: "": "spec.x" must not validate the schema (not)'],
  ],
  [
    'a set with a repetition',
    { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    ['x', 'y', 'x', 'x'],
    ['FieldValueDuplicate spec.x[2]: Duplicate value: "x"'],
  ],
  [
    'a list map with a repetition',
    {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id', 'kind'],
      items: { type: 'object' },
    },
    [{ id: '1' }, { id: '1', kind: 'a' }, { id: '1', x: 1 }],
    ['FieldValueDuplicate spec.x[2]: Duplicate value: {"id":"1"}'],
  ],
  [
    'an embedded resource without kind',
    { type: 'object', 'x-kubernetes-embedded-resource': true },
    { apiVersion: 'v1', metadata: { name: 'A/b' } },
    [
      'FieldValueRequired spec.x.kind: Required value',
      `FieldValueInvalid spec.x.metadata.name: Invalid value: "A/b": may not contain '/'`,
    ],
  ],
];
for (const [name, field, value, errors] of cases) {
  test(`schema validation: ${name}`, () => {
    assert.deepEqual(show(validateSchema(deepFreeze({ spec: { x: value } }), spec({ x: field }))), errors);
  });
}

const ratcheted = spec({
  a: { type: 'string', maxLength: 3 },
  b: text,
  list: {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
    items: { type: 'object', properties: { k: text, v: { type: 'string', maxLength: 3 } } },
  },
  atomic: { type: 'array', items: { type: 'string', maxLength: 3 } },
  set: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
});
const updates: [name: string, old: JsonValue, value: JsonValue, paths: string[]][] = [
  ['an old fault is let pass while it does not change', { a: 'long-value' }, { a: 'long-value', b: '1' }, []],
  ['a changed value must be right', { a: 'long-value' }, { a: 'changed-too' }, ['spec.a']],
  [
    'items of a list map are compared by key',
    { list: [{ k: '1', v: 'long' }] },
    {
      list: [
        { k: '0', v: 'a' },
        { k: '1', v: 'long' },
      ],
    },
    [],
  ],
  [
    'an item that is new must be right',
    { list: [{ k: '1', v: 'long' }] },
    { list: [{ k: '2', v: 'long' }] },
    ['spec.list[0].v'],
  ],
  [
    'other lists are compared as a whole',
    { atomic: ['long'] },
    { atomic: ['a', 'long'] },
    ['spec.atomic[1]'],
  ],
  ['other lists that did not change', { atomic: ['long'] }, { atomic: ['long'], b: '1' }, []],
  ['repetitions that were there before', { set: ['x', 'x'] }, { set: ['x', 'x', 'y', 'y'] }, []],
  ['repetitions that are new', { set: ['x'] }, { set: ['x', 'x'] }, ['spec.set[1]']],
];
for (const [name, old, value, paths] of updates) {
  test(`ratcheting: ${name}`, () => {
    const errors = validateSchema({ spec: value }, ratcheted, undefined, { old: { spec: old } });
    assert.deepEqual(
      errors.map(({ path }) => path),
      paths,
    );
  });
}

test('a part of an object is reported under its place', () => {
  const errors = validateSchema(
    { n: 'x' },
    { type: 'object', properties: { n: { type: 'integer' } } },
    undefined,
    { at: 'status' },
  );
  assert.deepEqual(show(errors), [
    'FieldValueTypeInvalid status.n: Invalid value: "string": n in body must be of type integer: "string"',
  ]);
});

test('built-in types are validated through their references', () => {
  const schema = builtinSchema('io.k8s.api.core.v1.Pod');
  assert(schema !== undefined);
  const containers = [{ name: 'a', resources: { limits: { cpu: '1', memory: true } }, ports: [{}] }];
  const pod = { spec: { containers, restartPolicy: 'Sometimes' }, metadata: { creationTimestamp: 'x' } };
  assert.deepEqual(
    validateSchema(pod, schema, resolveRef).map(({ type, path }) => `${type} ${path}`),
    [
      'FieldValueTypeInvalid spec.containers[0].resources.limits.memory',
      'FieldValueRequired spec.containers[0].ports[0].containerPort',
      'FieldValueNotSupported spec.restartPolicy',
      'FieldValueTypeInvalid metadata.creationTimestamp',
    ],
  );
});

const formats: [format: string, valid: string[], invalid: string[]][] = [
  [
    'date-time',
    ['2020-01-01T00:00:00Z', '2020-01-01t00:00:00.5+01:00'],
    ['2020-01-01', '2020-01-01T24:00:00Z', '2020-02-30T00:00:00Z'],
  ],
  ['date', ['2020-02-29'], ['2021-02-29', '2020-1-1']],
  ['duration', ['1h', '1.5s', '3 days', '22 ns'], ['', 'soon']],
  ['ipv4', ['1.2.3.4', '01.2.3.4', '::ffff:1.2.3.4'], ['zzz', '1.2.3', '256.1.1.1', '::1']],
  [
    'ipv6',
    ['::1', 'fe80::1', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4'],
    ['1.2.3.4', '1:2:3', ':::', '1::2::3', '12345::'],
  ],
  ['cidr', ['10.0.0.0/8', 'fd00::/64'], ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08']],
  ['mac', ['01:23:45:67:89:ab', '0123.4567.89ab', '01-23-45-67-89-ab-cd-ef'], ['01:23', '01:23:45:67:89-ab']],
  ['uuid', ['123e4567-e89b-12d3-a456-426614174000', '123E4567E89B12D3A456426614174000'], ['123e4567']],
  ['uuid4', ['f47ac10b-58cc-4372-a567-0e02b2c3d479'], ['f47ac10b-58cc-1372-a567-0e02b2c3d479']],
  ['hostname', ['example.com', 'a', 'x1'], ['-a', 'a..b', 'a_b']],
  ['uri', ['http://a.b/c?d=e', '/abs', 'mailto:x'], ['a/b', '', 'http://a b/', '/%zz']],
  ['email', ['a@b.c', 'N <a@b>'], ['a', 'a@', '@b']],
  ['isbn', ['0321751043', '978-0321751041'], ['0321751044', '1']],
  ['creditcard', ['4111 1111 1111 1111'], ['4111111111111112']],
  ['byte', ['aGk=', 'aGVq'], ['***', '', 'aGk']],
  ['hexcolor', ['#FFF', 'a0b1c2'], ['#FFFF']],
  ['rgbcolor', ['rgb(0, 255,1)'], ['rgb(256,0,0)']],
  ['ssn', ['078-05-1120'], ['078051120']],
  ['bsonobjectid', ['507f1f77bcf86cd799439011'], ['507f']],
  ['password', ['', 'x'], []],
  ['k8s-short-name', ['a-b'], ['a.b', 'A']],
  ['k8s-long-name', ['a.b'], ['A.b']],
];
for (const [format, valid, invalid] of formats) {
  test(`format ${format}`, () => {
    const schema: Schema = { type: 'string', format };
    for (const value of valid) assert.deepEqual(validateSchema(value, schema), [], value);
    for (const value of invalid) assert.equal(validateSchema(value, schema).length, 1, value);
  });
}

test('a value that is like its old one is never refused', () => {
  const value = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<JsonValue>(null, 1, 'abcdef', true),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'list', 'k', 'v', 'atomic'), tie('value'), { maxKeys: 3 }),
    ),
  })).value;
  fc.assert(
    fc.property(value, (inner) => {
      const object = { spec: inner };
      const copy = JSON.parse(JSON.stringify(object)) as JsonValue;
      assert.deepEqual(validateSchema(object, ratcheted, undefined, { old: copy }), []);
    }),
  );
});

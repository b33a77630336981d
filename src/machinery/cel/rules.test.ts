import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue, Schema, ValidationRule } from '../../api/index.ts';
import { checkRule, evaluateRules, hasRules } from './rules.ts';

const TEXT: Schema = { type: 'string' };
const NUMBER: Schema = { type: 'integer' };

const fields = (properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  ...more,
});

const withRules = (schema: Schema, ...rules: readonly (string | ValidationRule)[]): Schema => ({
  ...schema,
  'x-kubernetes-validations': rules.map((rule) => (typeof rule === 'string' ? { rule } : rule)),
});

interface Verdict {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** What becomes of a value of `schema` at `spec`. */
function verdict(schema: Schema, value: JsonValue, old?: JsonValue): Verdict {
  const warnings: string[] = [];
  const errors = evaluateRules(
    fields({ spec: schema }),
    { spec: value },
    old === undefined ? undefined : { spec: old },
    (warning) => warnings.push(warning),
  );
  return { errors: errors.map(({ path, message }) => `${path}: ${message}`), warnings };
}

const errorsOf = (schema: Schema, value: JsonValue, old?: JsonValue): readonly string[] =>
  verdict(schema, value, old).errors;

const SPEC = fields({
  text: TEXT,
  count: NUMBER,
  share: { type: 'number' },
  on: { type: 'boolean' },
  wait: { type: 'string', format: 'duration' },
  at: { type: 'string', format: 'date-time' },
  day: { type: 'string', format: 'date' },
  data: { type: 'string', format: 'byte' },
  port: { 'x-kubernetes-int-or-string': true },
  maybe: { type: 'string', nullable: true },
  namespace: TEXT,
  'a-b': TEXT,
  'a.b/c': TEXT,
  x__y: TEXT,
  plain: { type: 'array', items: NUMBER },
  set: { type: 'array', 'x-kubernetes-list-type': 'set', items: TEXT },
  list: {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
    items: fields({ k: TEXT, v: NUMBER }),
  },
  labels: { type: 'object', additionalProperties: TEXT },
  pod: {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
  },
  anything: { 'x-kubernetes-preserve-unknown-fields': true },
  open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
});

const VALUE: JsonValue = {
  text: 'abc',
  count: 3,
  share: 1,
  on: true,
  wait: '1h30m',
  at: '2024-01-02T03:04:05Z',
  day: '2024-01-02',
  data: 'aGk=',
  port: 80,
  maybe: null,
  namespace: 'ns',
  'a-b': 'dash',
  'a.b/c': 'dots',
  x__y: 'under',
  plain: [1, 2],
  set: ['x', 'y'],
  list: [
    { k: 'a', v: 1 },
    { k: 'b', v: 2 },
  ],
  labels: { app: 'web' },
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } },
  anything: [1],
  open: { x: 1 },
};

const holding: readonly string[] = [
  "self.text == 'abc' && self.count + 1 == 4 && self.share == 1.0 && self.on",
  "self.wait == duration('90m') && self.at > timestamp('2024-01-01T00:00:00Z') && self.day.getDate() == 2",
  "self.data == b'hi' && (type(self.port) == int ? self.port > 0 : self.port != '')",
  '!has(self.maybe)',
  "self.namespace == 'ns' && self.__namespace__ == 'ns' && self.a__dash__b == 'dash'",
  "self.a__dot__b__slash__c == 'dots' && self.x__underscores__y == 'under'",
  "self.set == ['y', 'x'] && self.set + ['x', 'z'] == ['z', 'y', 'x']",
  'self.plain != [2, 1]',
  'self.list == [self.list[1], self.list[0]] && self.list + self.list == self.list',
  "self.labels['app'] == 'web' && self.labels.all(k, v, k != v) && self.labels == {'app': 'web'}",
  "self.pod.metadata.name == 'p' && self.pod.kind == 'Pod'",
  'self == self && self.list[0] == self.list[0] && self.open == self.open',
];
for (const rule of holding) {
  test(`values have the types of their schemas: ${rule}`, () => {
    assert.deepEqual(errorsOf(withRules(SPEC, rule), VALUE), []);
  });
}

const uncompilable: readonly (readonly [rule: string, error: string])[] = [
  ['self.nope > 1', "undefined field 'nope'"],
  ['self.anything == 1', "undefined field 'anything'"],
  ['self.open.x == 1', "undefined field 'x'"],
  ['self.pod.spec == 1', "undefined field 'spec'"],
  ["self.count == 'a'", "found no matching overload for '_==_' applied to '(int, string)'"],
  ['self.maybe == null', "found no matching overload for '_==_' applied to '(string, null)'"],
  ['self.text == {}', "found no matching overload for '_==_' applied to '(string, map(dyn, dyn))'"],
];
for (const [rule, error] of uncompilable) {
  test(`rules know what fields there are: ${rule}`, () => {
    const checked = checkRule(SPEC, { rule }, false);
    assert.match(checked?.error ?? '', /^compilation failed: ERROR: <input>:1:/);
    assert.ok(checked?.error.includes(error), checked?.error);
  });
}

test('a rule is true or false, its message is text', () => {
  assert.equal(
    checkRule(NUMBER, { rule: 'self + 1' }, false)?.error,
    'cel expression must evaluate to a bool',
  );
  const rule = { rule: 'self > 1', messageExpression: 'self' };
  assert.equal(checkRule(NUMBER, rule, false)?.messageError, 'messageExpression must evaluate to a string');
  assert.equal(checkRule({}, rule, false), undefined);
});

test('a whole object has its names, whatever its schema says', () => {
  const schema = withRules(fields({}), "self.metadata.name == 'a' && self.kind != ''");
  assert.equal(checkRule(schema, { rule: 'self.metadata.name == self.kind' }, true)?.error, '');
  const object = { apiVersion: 'v1', kind: 'X', metadata: { name: 'b' } };
  const [error] = evaluateRules(schema, object, undefined, () => {});
  assert.equal(error?.path, '<nil>');
});

test('estimated costs grow with what schemas allow', () => {
  const cost = (schema: Schema, rule: string): number => checkRule(schema, { rule }, false)?.maxCost ?? -1;
  const list = (maxItems?: number): Schema => ({
    type: 'array',
    ...(maxItems === undefined ? {} : { maxItems }),
    items: { type: 'number' },
  });
  assert.equal(cost(list(10), 'self.all(x, true)'), 32);
  assert.equal(cost(list(), 'self.all(x, true)'), 4_718_591);
  assert.equal(cost({ type: 'string', maxLength: 10 }, "self.contains('test')"), 5);
  assert.equal(cost({ type: 'string', enum: ['a', 'bcd'] }, "self.startsWith('a')"), 2);
  assert.equal(checkRule(list(), { rule: 'self.size() > 0' }, false)?.maxCount, 1_048_576);
});

test('what a rule says of a broken value is its message', () => {
  const at = (rule: ValidationRule, schema: Schema = NUMBER): string | undefined =>
    errorsOf(withRules(schema, rule), schema === NUMBER ? 0 : { a: { b: 'x' }, m: { k: 'v' } })[0];
  assert.equal(at({ rule: ' self > 0 ' }), 'spec: Invalid value: 0: failed rule: self > 0');
  assert.equal(at({ rule: 'self > 0', message: ' more ' }), 'spec: Invalid value: 0: more');
  assert.equal(
    at({ rule: 'self > 0', message: 'fixed', messageExpression: "'was ' + string(self)" }),
    'spec: Invalid value: 0: was 0',
  );
  assert.equal(
    at({ rule: 'self > 0', message: 'fixed', messageExpression: "'two\\nlines'" }),
    'spec: Invalid value: 0: fixed',
  );
  assert.equal(
    at({ rule: 'self > 0', message: 'fixed', messageExpression: 'string(1 / self)' }),
    'spec: Invalid value: 0: fixed',
  );
  const object = fields({ a: fields({ b: TEXT }), m: { type: 'object', additionalProperties: TEXT } });
  assert.equal(at({ rule: 'false', message: 'no' }, object), 'spec: Invalid value: no');
  const forbidden = { rule: 'false', message: 'no', fieldPath: '.a.b', reason: 'FieldValueForbidden' };
  assert.equal(at(forbidden, object), 'spec.a.b: Forbidden: no');
  const required = { rule: 'false', message: 'no', fieldPath: ".m['k']", reason: 'FieldValueRequired' };
  assert.equal(at(required, object), 'spec.m[k]: Required value: no');
  assert.equal(at({ rule: 'false', reason: 'FieldValueDuplicate' }, object), 'spec: Duplicate value');
});

test('a rule that fails is told with the type of the value', () => {
  const schema = withRules(SPEC, { rule: 'self.plain[5] == 1', message: 'long enough' });
  assert.deepEqual(errorsOf(schema, VALUE), [
    'spec: Invalid value: "object": index out of bounds: 5 evaluating rule: long enough',
  ]);
  const missing = withRules(fields({ a: NUMBER }), 'self.a > 0');
  assert.deepEqual(errorsOf(missing, {}), [
    'spec: Invalid value: "object": no such key: a evaluating rule: self.a > 0',
  ]);
  const mixed = withRules({ 'x-kubernetes-int-or-string': true }, 'self > 0');
  assert.deepEqual(errorsOf(mixed, 'x'), [
    `spec: Invalid value: "": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self > 0`,
  ]);
});

test('rules about changes need something to compare with', () => {
  const schema = withRules(NUMBER, 'self >= oldSelf');
  assert.deepEqual(errorsOf(schema, 1), []);
  assert.deepEqual(errorsOf(schema, 1, 2), ['spec: Invalid value: 1: failed rule: self >= oldSelf']);
  assert.deepEqual(errorsOf(schema, 1, null), []);
  const optional = withRules(NUMBER, {
    rule: 'oldSelf.hasValue() ? self >= oldSelf.value() : self == 0',
    optionalOldSelf: true,
    message: 'starts at zero and grows',
  });
  assert.deepEqual(errorsOf(optional, 0), []);
  assert.deepEqual(errorsOf(optional, 1), ['spec: Invalid value: 1: starts at zero and grows']);
  assert.deepEqual(errorsOf(optional, 1, 2), ['spec: Invalid value: 1: starts at zero and grows']);
});

test('items of list maps are compared with the items of the same keys', () => {
  const list: Schema = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
    items: withRules(fields({ k: TEXT, v: NUMBER }), { rule: 'self.v >= oldSelf.v', message: 'grows' }),
  };
  const old = [
    { k: 'a', v: 1 },
    { k: 'b', v: 5 },
  ];
  const next = [
    { k: 'b', v: 4 },
    { k: 'c', v: 0 },
    { k: 'a', v: 2 },
  ];
  assert.deepEqual(errorsOf(list, next, old), ['spec[0]: Invalid value: grows']);
});

test('values of maps are compared by key', () => {
  const map: Schema = {
    type: 'object',
    additionalProperties: withRules(TEXT, { rule: 'self == oldSelf', message: 'stays' }),
  };
  assert.deepEqual(errorsOf(map, { a: 'x', b: 'y' }, { a: 'z' }), ['spec[a]: Invalid value: "x": stays']);
});

test('what was let in before stays in, with a warning, until somebody touches it', () => {
  const schema = fields({
    a: withRules(TEXT, { rule: "self == 'right'", message: 'must be right' }),
    b: TEXT,
  });
  assert.deepEqual(verdict(schema, { a: 'wrong', b: '2' }, { a: 'wrong', b: '1' }), {
    errors: [],
    warnings: ['spec.a: Invalid value: "wrong": must be right'],
  });
  assert.equal(errorsOf(schema, { a: 'wronger' }, { a: 'wrong' }).length, 1);
});

test('items that cannot be told apart stay as long as the whole list does', () => {
  const list: Schema = { type: 'array', items: withRules(NUMBER, { rule: 'self % 2 == 1', message: 'odd' }) };
  assert.equal(verdict(list, [1, 2], [1, 2]).warnings.length, 1);
  assert.deepEqual(errorsOf(list, [2, 2], [1, 2]).length, 2);
});

test('null is not looked into', () => {
  const schema = fields({ a: withRules({ type: 'string', nullable: true }, 'false') });
  assert.deepEqual(errorsOf(schema, { a: null }), []);
});

test('rules may be in what all values must also be', () => {
  const schema: Schema = {
    ...fields({ a: NUMBER }),
    allOf: [{ properties: { a: { 'x-kubernetes-validations': [{ rule: 'self > 0' }] } } }],
  };
  assert.equal(hasRules(schema), true);
  assert.deepEqual(errorsOf(schema, { a: 0 }), ['spec.a: Invalid value: 0: failed rule: self > 0']);
});

test('keys that JavaScript knows are keys like others', () => {
  const map: Schema = { type: 'object', additionalProperties: TEXT };
  const value = JSON.parse('{"__proto__":"a","constructor":"b"}') as JsonValue;
  const rule = "self['__proto__'] == 'a' && self['constructor'] == 'b' && !('toString' in self)";
  assert.deepEqual(errorsOf(withRules(map, rule), value), []);
});

test('rules on one object may not cost too much, alone or together', () => {
  const numbers: Schema = { type: 'array', items: NUMBER };
  const quadratic = withRules(numbers, 'self.all(x, self.all(y, x + y >= 0))', 'true');
  const many = Array.from({ length: 1000 }, () => 1);
  assert.deepEqual(errorsOf(quadratic, many), [
    `spec: Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: self.all(x, self.all(y, x + y >= 0))`,
  ]);
  const linear = withRules(numbers, ...Array.from({ length: 20 }, (_, i) => `self.all(x, x > ${-i - 1})`));
  const more = Array.from({ length: 100_000 }, () => 1);
  assert.deepEqual(errorsOf(linear, more), [
    'spec: Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run',
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue, Schema, ValidationRule } from '../../../api/index.ts';
import { celRules } from './engine.ts';

const fields: Readonly<Record<string, Schema>> = {
  l: { type: 'array', items: { type: 'integer' } },
  m: { type: 'object', additionalProperties: { type: 'string' } },
  q: { type: 'string' },
  t: { type: 'string', format: 'date-time' },
  d: { type: 'string', format: 'duration' },
  b: { type: 'string', format: 'byte' },
  port: { 'x-kubernetes-int-or-string': true },
  none: { type: 'string', nullable: true },
  'a-b.c': { type: 'string' },
  namespace: { type: 'string' },
  o: {
    type: 'object',
    properties: { x: { type: 'integer' }, y: { type: 'object', properties: { z: { type: 'number' } } } },
  },
  lo: {
    type: 'array',
    items: { type: 'object', properties: { id: { type: 'string' }, v: { type: 'integer' } } },
  },
};

const value: JsonValue = {
  l: [1, 6],
  m: { a: 'x' },
  q: '2Gi',
  t: '2020-01-01T00:00:00Z',
  d: '1h30m',
  b: 'aGk=',
  port: 80,
  none: null,
  'a-b.c': 'q',
  namespace: 'ns',
  o: { x: 1, y: { z: 1.5 } },
  lo: [
    { id: 'a', v: 1 },
    { id: 'b', v: 2 },
  ],
};

const kind = (spec: Schema): Schema => ({ type: 'object', properties: { spec } });
const object = (rule: ValidationRule): Schema => ({
  type: 'object',
  properties: fields,
  'x-kubernetes-validations': [rule],
});

function broken(rule: ValidationRule, spec: JsonValue = value, old?: JsonValue): string[] {
  return celRules
    .evaluate(kind(object(rule)), { spec }, old === undefined ? undefined : { spec: old })
    .map(({ type, path, message }) => `${path} ${type} ${message}`);
}

for (const rule of [
  'self.l.all(x, x > 0)',
  "self.m.exists(k, k == 'a') && 'a' in self.m && self.m['a'] == 'x'",
  "self.l == [1, 6] && self.m == {'a': 'x'} && size(self.l) == 2",
  "self.t > timestamp('2019-01-01T00:00:00Z') && self.t.getFullYear() == 2020",
  "self.d > duration('1h') && self.d < duration('2h')",
  "self.b == b'hi'",
  'type(self.port) == int && self.port == 80',
  'self.none == null',
  "self.a__dash__b__dot__c == 'q' && self.__namespace__ == 'ns'",
  'has(self.o.y) && self.o.y.z > 1.0',
  "self.lo.exists(e, e.id == 'b' && e.v == 2) && self.lo.map(e, e.v).sum() == 3",
  'self.l.isSorted() && self.l.max() == 6 && self.l.min() == 1 && self.l.indexOf(6) == 1',
  '[1, 2, 1].distinct() == [1, 2] && [3, 1].sort() == [1, 3] && [1, 2, 3].slice(1, 2) == [2]',
  'sets.contains(self.l, [1]) && sets.intersects([1, 2], [2, 3]) && !sets.equivalent([1], [2])',
  "'%s-%d'.format(['x', 3]) == 'x-3' && '%.2f'.format([1.5]) == '1.50'",
  "self.q.replace('Gi', '') == '2' && self.q.charAt(0) == '2' && 'ab'.reverse() == 'ba'",
  "self.q.matches('^[0-9]Gi$') && 'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'x7'.find('[0-9]') == '7'",
  "quantity(self.q).isGreaterThan(quantity('1Gi')) && quantity('1').add(2).asInteger() == 3",
  "isURL('https://a.b/c') && url('https://a.b:80/c?d=e').getHost() == 'a.b:80'",
  "url('https://a.b/c?d=e').getQuery()['d'] == ['e'] && !isURL('no url')",
  "ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && string(ip('::1')) == '::1'",
  "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsCIDR('0.0.0.0/0')",
  "format.dns1123Label().validate('a-b') == optional.none() && format.named('uuid').hasValue()",
  "format.dns1123Label().validate('a_b').hasValue()",
  "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').compareTo(semver('1.0.0')) == -1",
  'cel.bind(x, self.o.x, x == 1)',
]) {
  test(`holds: ${rule}`, () => {
    assert.equal(celRules.check(object({ rule }), { rule }, 'rule', false), '');
    assert.deepEqual(broken({ rule }), []);
  });
}

test('a broken rule is reported in the words of the rule', () => {
  assert.deepEqual(broken({ rule: 'self.o.x > 1', message: 'too small' }), [
    'spec FieldValueInvalid Invalid value: too small',
  ]);
  assert.deepEqual(broken({ rule: 'self.o.x > 1' }), [
    'spec FieldValueInvalid Invalid value: failed rule: self.o.x > 1',
  ]);
  const rule = {
    rule: 'self.o.x > 1',
    messageExpression: "'bad ' + self.q",
    fieldPath: '.o.x',
    reason: 'FieldValueForbidden',
  };
  assert.deepEqual(broken(rule), ['spec.o.x FieldValueForbidden Forbidden: bad 2Gi']);
});

test('a rule that cannot be evaluated is broken, and says why', () => {
  const [error] = broken({ rule: "self.m['nope'] == 'x'" });
  assert.match(error ?? '', /no such key: nope evaluating rule: failed rule/);
});

test('rules compare with what was there before only when there was something', () => {
  const text: Schema = {
    type: 'string',
    'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed' }],
  };
  const schema = kind({ type: 'object', properties: { name: text } });
  const run = (now: string, before?: string): string[] =>
    celRules
      .evaluate(
        schema,
        { spec: { name: now } },
        before === undefined ? undefined : { spec: { name: before } },
      )
      .map(({ path, message }) => `${path}: ${message}`);
  assert.deepEqual(run('a'), []);
  assert.deepEqual(run('a', 'a'), []);
  assert.deepEqual(run('b', 'a'), ['spec.name: Invalid value: "b": fixed']);
});

test('with an optional old self a rule also judges new values', () => {
  const rule = { rule: 'oldSelf.hasValue() || self.o.x == 1', optionalOldSelf: true };
  assert.deepEqual(broken(rule), []);
  assert.equal(broken(rule, { o: { x: 2 } }).length, 1);
  assert.deepEqual(broken(rule, { o: { x: 2 } }, { o: { x: 3 } }), []);
});

test('what was let in before a rule was made stays in while nobody touches it', () => {
  const rule = { rule: 'self.o.x == 1' };
  assert.deepEqual(broken(rule, { o: { x: 2 } }, { o: { x: 2 } }), []);
  assert.equal(broken(rule, { o: { x: 2 }, q: 'new' }, { o: { x: 2 } }).length, 1);
});

test('items of list maps are compared with the item of the same keys', () => {
  const item: Schema = {
    type: 'object',
    properties: { id: { type: 'string' }, v: { type: 'integer' } },
    'x-kubernetes-validations': [{ rule: 'self.v >= oldSelf.v', message: 'must grow' }],
  };
  const schema = kind({
    type: 'object',
    properties: {
      l: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['id'],
        items: item,
      },
    },
  });
  const errors = celRules.evaluate(
    schema,
    {
      spec: {
        l: [
          { id: 'b', v: 1 },
          { id: 'a', v: 5 },
        ],
      },
    },
    {
      spec: {
        l: [
          { id: 'a', v: 2 },
          { id: 'b', v: 3 },
        ],
      },
    },
  );
  assert.deepEqual(
    errors.map(({ path }) => path),
    ['spec.l[0]'],
  );
});

test('a pattern that would hang a backtracking engine does not hang this one', () => {
  const started = process.cpuUsage().user;
  const text = `${'a'.repeat(5000)}!`;
  assert.equal(broken({ rule: "self.q.matches('^(a+)+$')" }, { q: text }).length, 1);
  const inLoop = { rule: "['x'].all(x, self.q.matches('^(a+)+$'))" };
  assert.equal(broken(inLoop, { q: text }).length, 1);
  assert.ok(process.cpuUsage().user - started < 5_000_000);
});

test('loops inside loops are not run on values that are too large', () => {
  const l = Array.from({ length: 20_000 }, (_, index) => index);
  const [error] = broken({ rule: 'self.l.all(x, self.l.all(y, x + y >= 0))' }, { l });
  assert.match(error ?? '', /running out of cost budget/);
});

for (const [name, rule, complaint] of [
  ['a field that does not exist', 'self.nope > 1', /nope/],
  ['no expression at all', '1 +', /Unexpected/],
  ['something other than a verdict', 'self.q', /must evaluate to a bool/],
  ['a comparison of different types', "self.o.x == 'a'", /no such overload/],
] as const) {
  test(`does not compile: ${name}`, () => {
    assert.match(celRules.check(object({ rule }), { rule }, 'rule', false), complaint);
  });
}

test('rules about whole objects know their names', () => {
  const schema: Schema = {
    type: 'object',
    'x-kubernetes-validations': [{ rule: "self.metadata.name.startsWith('a') && self.kind == 'W'" }],
  };
  const run = (name: string): number =>
    celRules.evaluate(schema, { apiVersion: 'a/v1', kind: 'W', metadata: { name } }, undefined).length;
  assert.equal(run('abc'), 0);
  assert.equal(run('xyz'), 1);
});

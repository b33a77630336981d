import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompileError } from './issues.ts';
import { compileExpression, expressionValue, lazyObject } from './expression.ts';
import { ProgramError } from './invocation.ts';
import type { Value } from './values.ts';

const UNLIMITED = Number.POSITIVE_INFINITY;

function outcome(source: string, variables: Readonly<Record<string, Value>> = {}): unknown {
  const { value, error } = compileExpression(source, Object.keys(variables)).run(variables, UNLIMITED);
  return error === undefined ? value : error.message;
}

// Each is true.
const facts: Readonly<Record<string, readonly string[]>> = {
  'numbers of different types have one order and one equality': [
    '1 < 1.5 && 1u < 2 && 2.0 > 1u',
    'dyn(1) == 1.0 && dyn(1u) == 1',
    '7 / 2 == 3 && -7 / 2 == -3 && -7 % 3 == -1',
    '0x1F == 31 && 1e3 == 1000.0 && .5 == 0.5',
    '--1 == 1 && !!true',
    '-9223372036854775808 < 0',
  ],
  'text is counted in characters': [
    "'a👑b'.size() == 3",
    "'a👑b'.charAt(1) == '👑' && 'abc'.charAt(3) == ''",
    "'a👑b👑'.indexOf('👑', 2) == 3 && 'abab'.lastIndexOf('ab') == 2 && 'abab'.lastIndexOf('ab', 1) == 0",
    "'hello'.substring(1, 3) == 'el' && 'hello'.substring(5) == ''",
    "'AbÉ'.lowerAscii() == 'abÉ' && 'abé'.upperAscii() == 'ABé'",
    "'a-b-c'.split('-', 2) == ['a', 'b-c'] && 'ab'.split('') == ['a', 'b'] && 'a'.split('-', 0) == []",
    "'aaa'.replace('a', 'b', 2) == 'bba' && 'ab'.replace('', '-') == '-a-b-'",
    "' \\t x\\u00a0'.trim() == 'x'",
    "['a', 'b'].join('-') == 'a-b' && ['a'].join() == 'a'",
    `strings.quote('a"b') == '"a\\\\"b"'`,
    "'abc' < 'abd' && '\\uffff' < '👑'",
    `r'\\d' == '\\\\d' && """a"b""" == 'a"b' && '\\x41\\101\\U0001F451' == 'AA👑'`,
    "b'\\xff'.size() == 1 && b'é'.size() == 2 && string(b'abc') == 'abc'",
  ],
  'text is filled in': [
    "'%s is %d and %.2f'.format(['x', 3, 1.005]) == 'x is 3 and 1.00'",
    "'%x %X %o %b %b'.format([255, 'hi', 8, 5, true]) == 'ff 6869 10 101 1'",
    `'%s'.format([['a', 1, 1.5, null, {'k': [true]}]]) == '["a", 1, 1.500000, null, {"k":[true]}]'`,
    "'%s %s'.format([duration('90m'), timestamp('2024-01-01T00:00:00Z')]) == '5400s 2024-01-01T00:00:00Z'",
    "'%e and 100%%'.format([1234.5]) == '1.234500×10⁰³ and 100%'",
    "'%f'.format([1234567.5]) == '1,234,567.500000'",
  ],
  'patterns are those of RE2': [
    "'abc'.matches('^a.c$') && matches('abc', 'b') && !'abc'.matches('(?i)X')",
    "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('x') == ''",
    "'a1b2c3'.findAll('[a-z][0-9]') == ['a1', 'b2', 'c3'] && 'a1b2'.findAll('[0-9]', 1) == ['1']",
  ],
  'times are exact to the nanosecond': [
    "duration('1h30m') == duration('90m') && duration('1.5s').getMilliseconds() == 1500",
    "string(duration('-1.000000001s')) == '-1.000000001s'",
    "timestamp('2024-02-29T12:00:00Z') + duration('24h') == timestamp('2024-03-01T12:00:00Z')",
    "timestamp('2024-01-01T00:00:00.000000001Z') - timestamp('2024-01-01T00:00:00Z') == duration('1ns')",
    "timestamp('2024-01-01T23:30:00Z').getHours('+02:00') == 1",
    "timestamp('2024-07-01T12:00:00Z').getHours('Europe/Paris') == 14",
    "timestamp('2024-01-01T00:00:00Z').getDayOfWeek() == 1 && timestamp('2024-12-31T00:00:00Z').getDayOfYear() == 365",
    "string(timestamp('2024-01-01T01:00:00+02:00')) == '2024-01-01T01:00:00+02:00'",
    "int(timestamp('1969-12-31T23:59:59.5Z')) == -1",
  ],
  'one type becomes another': [
    "int('-5') == -5 && uint(5) == 5u && double('1e3') == 1000.0 && bool('t') && bytes('a') == b'a'",
    "string(1.5) == '1.5' && string(1e6) == '1e+06' && string(true) == 'true' && string(7u) == '7'",
    'int(1.9) == 1 && int(-1.9) == -1',
    'type(1) == int && type(type(1)) == type && type(null) == null_type && type([]) == list',
    "type(duration('1s')) == google.protobuf.Duration",
  ],
  'lists are looked through': [
    '[1, 2, 3].all(x, x > 0) && [1, 2].exists(x, x == 2) && [1, 2, 2].exists_one(x, x == 1)',
    '[1, 2, 3].filter(x, x > 1).map(x, x * 2) == [4, 6] && [1, 2].map(x, x > 1, x) == [2]',
    '[1, 2, 3].sum() == 6 && [1.5].sum() == 1.5 && [3, 1].min() == 1 && [3, 1].max() == 3',
    "[1, 2, 2].isSorted() && ![2, 1].isSorted() && ['b', 'a'].sort() == ['a', 'b']",
    '[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(2) == -1',
    '[1, 2, 2].distinct() == [1, 2] && [[1], [2, 3]].flatten() == [1, 2, 3] && [1, 2, 3].slice(1, 3) == [2, 3]',
    "['bb', 'a'].sortBy(s, s.size()) == ['a', 'bb'] && lists.range(3) == [0, 1, 2] && [1, 2].reverse() == [2, 1]",
    '[1].first().value() == 1 && dyn([]).last() == optional.none()',
    'sets.contains([1, 2, 3], [3, 1]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 1], [1])',
  ],
  'loops may have two variables': [
    '[5, 6].all(i, v, v == i + 5) && [5].exists(i, v, i == 0) && [5, 5].existsOne(i, v, i == 1)',
    '[1, 2].transformList(i, v, i * v) == [0, 2] && [1, 2].transformList(i, v, i > 0, v) == [2]',
    "{'a': 1}.transformMap(k, v, v + 1) == {'a': 2} && {'a': 1}.transformMapEntry(k, v, {v: k}) == {1: 'a'}",
    "{'a': 1}.all(k, v, k == 'a' && v == 1)",
  ],
  'maps have keys of several types': [
    "{true: 'y'}[true] == 'y' && {1: 2}.all(k, k == 1) && dyn({1: 2})[1u] == 2",
    '1.0 in dyn({1: 2}) && {1: 2}.size() == 1',
    "{'a': {'b': 1}}.a.b == 1 && has({'a': 1}.a) && !has({'a': 1}.b)",
    "{'a': 1, 'b': 2}.exists(k, k == 'b') && 'a' in {'a': 1}",
  ],
  'what may be absent is asked for': [
    "{'a': 1}[?'a'].orValue(0) == 1 && {'a': 1}[?'b'].orValue(0) == 0 && [1][?5] == optional.none()",
    "{'a': {'b': 1}}.?a.b.orValue(0) == 1 && {'a': {'b': 1}}.?x.b.hasValue() == false",
    'optional.of(1).optMap(x, x + 1).value() == 2 && optional.of(1).optFlatMap(x, optional.of(x)).value() == 1',
    "optional.none().or(optional.of(1)).value() == 1 && optional.ofNonZeroValue('') == optional.none()",
    "[?optional.of(1), ?optional.none(), 2] == [1, 2] && {?'a': optional.none()} == {}",
    '[optional.of(1), optional.none()].unwrapOpt() == [1]',
  ],
  'quantities are compared by what they are worth': [
    "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('1k') == quantity('1000')",
    "quantity('1.5').asApproximateFloat() == 1.5 && quantity('1k').asInteger() == 1000 && !quantity('1m').isInteger()",
    "quantity('50k').add(quantity('20')).compareTo(quantity('50020')) == 0 && quantity('1').sub(2) == quantity('-1')",
    "sign(quantity('-1')) == -1 && isQuantity('1Mi') && !isQuantity('1Xi')",
  ],
  'addresses and networks are told apart': [
    "ip('127.0.0.1').isLoopback() && ip('::1').family() == 6 && ip.isCanonical('::1') && !ip.isCanonical('::0:1')",
    "!isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0') && isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0')",
    "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.0'))",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && cidr('10.1.0.0/8').masked() == cidr('10.0.0.0/8')",
    "type(ip('1.1.1.1')) == net.IP && string(cidr('10.0.0.0/8')) == '10.0.0.0/8'",
    "ip('8.8.8.8').isGlobalUnicast() && ip('169.254.1.1').isLinkLocalUnicast() && ip('0.0.0.0').isUnspecified()",
  ],
  'URLs are taken apart as they are written': [
    "url('https://A.b:443/p q?k=a&k=b%20c#f').getHost() == 'A.b:443'",
    "url('https://a:443/').getPort() == '443' && url('https://[::1]:80/').getHostname() == '::1'",
    "url('https://a/p q').getEscapedPath() == '/p%20q' && url('https://a').getEscapedPath() == ''",
    "url('https://a/?k=a&k=b+c').getQuery() == {'k': ['a', 'b c']}",
    "url('/x').getScheme() == '' && isURL('https://a') && !isURL('a/b')",
  ],
  'versions have an order': [
    "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').compareTo(semver('1.0.0')) == -1",
    "semver('v1.02', true).minor() == 2 && isSemver('v1', true) && !isSemver('v1')",
    "semver('1.0.0-alpha.2').isGreaterThan(semver('1.0.0-alpha.1')) && semver('1.0.0+a') == semver('1.0.0+b')",
  ],
  'formats have names': [
    "!format.dns1123Label().validate('my-label').hasValue() && format.dns1123Label().validate('My').hasValue()",
    "format.named('uuid').value().validate('nope').value() == ['does not match the UUID format']",
    "!format.named('nope').hasValue() && !format.datetime().validate('2024-01-01T00:00:00Z').hasValue()",
  ],
  'a side that decides makes up for one that fails': [
    'true || 1 / 0 == 1',
    '1 / 0 == 1 || true',
    '!(1 / 0 == 1 && false)',
    '[0, 1].exists(x, 1 / x == 1)',
    '![1, 0].all(x, 1 / x == 2)',
    'false ? 1 / 0 == 1 : true',
  ],
};

for (const [name, sources] of Object.entries(facts)) {
  test(name, () => {
    for (const source of sources) assert.equal(outcome(source), true, source);
  });
}

const failures: Readonly<Record<string, string>> = {
  '1 / 0': 'division by zero',
  '1 % 0': 'modulus by zero',
  '9223372036854775807 + 1': 'integer overflow',
  '0u - 1u': 'unsigned integer overflow',
  'int(1e19)': 'integer overflow',
  '[1][3]': 'index out of bounds: 3',
  "{'a': 1}['b']": 'no such key: b',
  "{'a': 1, 'a': 2}": 'insert failed: key a already exists',
  'optional.none().value()': 'optional.none() dereference',
  '[].map(x, x).min()': 'min called on empty list',
  '[1, 2].slice(2, 1)': 'cannot slice(2, 1), start index must be less than or equal to end index',
  "'abc'.substring(9)": 'index out of range: 9',
  "'abc'.matches(string('[') + '')": 'error parsing regexp: missing closing ]: `[`',
  "timestamp('9999-12-31T23:59:59Z') + duration('1s')": 'timestamp overflow',
  'dyn(1) + dyn("a")': 'no such overload',
  "url('a b')": 'URL parse error during conversion from string: parse "a b": invalid URI for request',
};

for (const [source, message] of Object.entries(failures)) {
  test(`${source} fails`, () => {
    try {
      assert.equal(outcome(source), message);
    } catch (error) {
      // What is wrong with constants alone shows when the expression is made ready.
      assert.ok(error instanceof ProgramError, String(error));
      assert.equal(error.message, message);
    }
  });
}

const mistakes: Readonly<Record<string, string>> = {
  nope: "undeclared reference to 'nope' (in container '')",
  "1 == 'a'": "found no matching overload for '_==_' applied to '(int, string)'",
  "'a' == null": "found no matching overload for '_==_' applied to '(string, null)'",
  "['a'].sum()": "found no matching overload for 'sum' applied to 'list(string).()'",
  "[1, 'a']": "expected type 'int' but found 'string'",
  "{'a': 1, 'b': 'c'}": "expected type 'int' but found 'string'",
  '1 && true': "expected type 'bool' but found 'int'",
  '1.all(x, true)':
    "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
  '1.a': "type 'int' does not support field selection",
  "duration('x')": 'invalid duration argument',
  "timestamp('x')": 'invalid timestamp argument',
  "'a'.matches('(')": 'invalid matches argument',
  "'%d'.format(['a'])":
    'error during formatting: decimal clause can only be used on integers, was given string',
  "'%s'.format([1, 2])": 'too many arguments supplied to string.format (expected 1, got 2)',
  'Foo{a: 1}': "undeclared reference to 'Foo' (in container '')",
  'true ? 1 : "a"': "found no matching overload for '_?_:_' applied to '(bool, int, string)'",
};

for (const [source, message] of Object.entries(mistakes)) {
  test(`${source} does not compile`, () => {
    assert.throws(
      () => compileExpression(source, []),
      (error) => error instanceof CompileError && error.message.includes(`: ${message}\n`),
    );
  });
}

test('variables that are JSON are read where an expression looks', () => {
  const object = expressionValue({ a: { b: [1, 'x', 1.5, null] }, __proto__x: 1 });
  assert.equal(
    outcome("object.a.b[0] == 1 && object.a.b[1] == 'x' && object.a.b[2] == 1.5", { object }),
    true,
  );
  assert.equal(outcome('object.a.b[3] == null && !has(object.constructor)', { object }), true);
  assert.equal(outcome('object.c', { object }), 'no such key: c');
});

test('fields that are worked out on demand are worked out once', () => {
  let asked = 0;
  const variables = lazyObject(['x', 'unused'], () => BigInt(++asked));
  assert.equal(outcome('variables.x + variables.x', { variables }), 2n);
  assert.equal(asked, 1);
});

test('a run ends when it has cost too much', () => {
  const expression = compileExpression('lists.range(100).all(x, lists.range(100).all(y, x + y >= 0))', []);
  const { cost, error } = expression.run({}, 1000);
  assert.equal(error?.message, 'operation cancelled: actual cost limit exceeded');
  assert.ok(cost > 1000 && cost < 1200);
  assert.equal(expression.run({}, UNLIMITED).value, true);
});

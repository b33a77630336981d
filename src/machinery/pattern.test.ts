import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { PatternError, compilePattern } from './index.ts';

const cases: [pattern: string, text: string, matches: boolean][] = [
  ['^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', 'a-b', true],
  ['^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', 'a-', false],
  ['b', 'abc', true],
  ['^$', '', true],
  ['^a.c$', 'a\u2028c', true],
  ['^a.c$', 'a\nc', false],
  ['^\\s$', '\u00a0', false],
  ['^\\s$', '\t', true],
  ['^[\\s]$', '\u00a0', false],
  ['^.$', '😀', true],
  ['^[😀-😂]$', '😁', true],
  ['^\\_\\-\\/\\"$', '_-/"', true],
  ['^[\\w-]+$', 'a-b', true],
  ['^[a\\-z]$', '-', true],
  ['^[]a]$', ']', true],
  ['^a{2,3}$', 'aaaa', false],
  ['a$', 'a\n', false],
  ['(?i)^abc$', 'ABC', true],
  ['^[[:alpha:]]+$', 'abc', true],
  ['^\\pL$', 'é', true],
  ['^(?P<x>a)$', 'a', true],
  ['^}]$', '}]', true],
  ['^\\Qa.b\\E$', 'a.b', true],
];
for (const [pattern, text, matches] of cases) {
  test(`pattern ${pattern} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
    assert.equal(compilePattern(pattern).test(text), matches);
    assert.equal(RE2JS.compile(pattern).test(text), matches);
  });
}

for (const pattern of ['(', 'a**', '(?=a)', '\\1', '[b-a]', 'a{2001}']) {
  test(`pattern ${pattern} is refused`, () => {
    assert.throws(() => compilePattern(pattern), PatternError);
  });
}

test('a pattern that would never end in a backtracking engine answers at once', () => {
  const text = `${'a'.repeat(40)}!`;
  assert.equal(compilePattern('^(a+)+$').test(text), false);
  assert.equal(compilePattern('^(a|a)*$').test(text), false);
  assert.equal(compilePattern('^(a?){40}a{40}$').test('a'.repeat(40)), true);
  assert.equal(compilePattern('a*a*a*a*b').test('a'.repeat(20_000)), false);
});

test('patterns agree with RE2', () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    '.',
    '\\d',
    '\\s',
    '\\w',
    '[ab]',
    '[^a-c]',
    '[-a]',
    '\\.',
    'é',
    '(a)',
    '(?:ab|c)',
    '(a*b)',
    '^',
    '$',
    '\\b',
  );
  const quantifier = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '*?');
  const pattern = fc
    .array(fc.tuple(atom, quantifier), { maxLength: 5 })
    .map((parts) => parts.map(([one, many]) => (/^[\^$]$|^\\b$/.test(one) ? one : one + many)).join(''));
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', 'c', '1', ' ', '.', '-', 'é', '\n', '\u00a0', '😀'),
    maxLength: 8,
  });
  fc.assert(
    fc.property(pattern, text, (source, value) => {
      assert.equal(compilePattern(source).test(value), RE2JS.compile(source).test(value), source);
    }),
    { numRuns: 2000 },
  );
});

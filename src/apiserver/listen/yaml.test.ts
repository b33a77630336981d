import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYaml, repeatedYamlKeys } from './yaml.ts';

const SCALARS: readonly (readonly [string, unknown])[] = [
  ['yes', true],
  ['off', false],
  ['"yes"', 'yes'],
  ['0777', 511],
  ['0o17', 15],
  ['0b11', 3],
  ['0x1F', 31],
  ['-0x1F', -31],
  ['1_000', 1000],
  ['1e3', 1000],
  ['08', 8],
  ['12:30', '12:30'],
  ['2001-01-01', '2001-01-01'],
  ['~', null],
  ['', null],
  ['1.2.3', '1.2.3'],
];

test('scalars are read as kubectl reads them', () => {
  for (const [text, value] of SCALARS) assert.deepEqual(parseYaml(`a: ${text}`), { a: value }, text);
});

test('keys are strings, whatever they look like, and reach no prototype', () => {
  assert.deepEqual(parseYaml('n: 1\n0x10: 2\n'), { false: 1, 16: 2 });
  const value = parseYaml('__proto__: {polluted: true}\n') as Record<string, unknown>;
  assert.deepEqual(Object.keys(value), ['__proto__']);
  assert.equal(value['polluted'], undefined);
});

test('what no JSON can say is refused', () => {
  for (const text of ['a: .inf', 'a: .nan', '{', 'a: &x [*x]']) {
    assert.throws(() => parseYaml(text), text);
  }
});

test('a few lines that stand for billions of values are refused, shared parts are not', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 10; i++) {
    const aliases = Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ');
    lines.push(`a${i}: &a${i} [${aliases}]`);
  }
  assert.throws(() => parseYaml(lines.join('\n')), /excessive aliasing/);
  assert.deepEqual(parseYaml('a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n'), {
    a: { b: 1 },
    c: { b: 1 },
    d: { b: 1, e: 2 },
  });
});

test('of keys that are given twice the last counts, and each is told of', () => {
  const text = 'a: 1\nb:\n  "c d": 1\n  "c d": 2\na: 3\n';
  assert.deepEqual(parseYaml(text), { a: 3, b: { 'c d': 2 } });
  assert.deepEqual(repeatedYamlKeys(text), [
    'line 4: key "c d" already set in map',
    'line 5: key "a" already set in map',
  ]);
  assert.deepEqual(repeatedYamlKeys('{"a": 1,\n"a": {"b": 1, "b": 2}}'), [
    'line 2: key "b" already set in map',
    'line 2: key "a" already set in map',
  ]);
  assert.deepEqual(repeatedYamlKeys('a: 1\na:\n  b: 2\n'), ['line 3: key "a" already set in map']);
  assert.deepEqual(repeatedYamlKeys('a: 1\nb: ['), []);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatYaml, parseExactYaml, parseYaml, parseYamlDocuments } from './yaml.ts';

// Plain scalars and what kubectl reads them as.
const scalars: Record<string, unknown> = {
  yes: true,
  on: true,
  y: true,
  TRUE: true,
  tRue: 'tRue',
  n: false,
  off: false,
  '~': null,
  Null: null,
  nUll: 'nUll',
  '0777': 511,
  '-0777': -511,
  '0o17': 15,
  '0O17': 15,
  '0b11': 3,
  '0B11': 3,
  '0x1F': 31,
  '-0x1F': -31,
  '+12': 12,
  '-0': 0,
  '-0.0': 0,
  '00': 0,
  '08': 8,
  '0779': 779,
  '0_8': 8,
  '0o8': '0o8',
  '0b2': '0b2',
  '0x': '0x',
  '0x_1': 1,
  '1e3': 1000,
  '1.5e3': 1500,
  '1.': 1,
  '.5': 0.5,
  '+.5': 0.5,
  '.5_0': 0.5,
  '._5': '._5',
  '1_000': 1000,
  '1_': 1,
  _1: '_1',
  '685.230_15e+03': 685230.15,
  '1e400': '1e400',
  '1e21': 1e21,
  '12:30': '12:30',
  '190:20:30': '190:20:30',
  '2001-01-01': '2001-01-01',
  '2001-12-14t21:59:43.10-05:00': '2001-12-14t21:59:43.10-05:00',
  NaN: 'NaN',
  '=': '=',
  '!!str 123': '123',
  '!!int "123"': 123,
  '!!float 1': 1,
  '!!binary aGVsbG8=': 'hello',
  '!!timestamp 2001-01-01': '2001-01-01',
  '!custom foo': 'foo',
  "'yes'": 'yes',
  'a:b': 'a:b',
  'a#b': 'a#b',
  '100m': '100m',
  '[a, {b: c}]': ['a', { b: 'c' }],
  '{a, b: }': { a: null, b: null },
};

// Documents around `v`, and what `v` is then.
const documents: { name: string; text: string; v: unknown }[] = [
  {
    name: 'keys become strings by their meaning',
    text: 'v: {1: a, 01: b, 1.5: c, 1e3: d, true: e, n: f, 0x10: g, 12:30: h, "": i, .inf: j}',
    v: {
      '1': 'b',
      '1.5': 'c',
      '1000': 'd',
      true: 'e',
      false: 'f',
      '16': 'g',
      '12:30': 'h',
      '': 'i',
      '.inf': 'j',
    },
  },
  { name: 'quoted keys stay what they are', text: `v: {'n': 1, "yes": 2}`, v: { n: 1, yes: 2 } },
  { name: 'the last of equal keys wins', text: 'v:\n  a: 1\n  a: 2', v: { a: 2 } },
  { name: 'also when they become equal', text: `v:\n  n: 1\n  no: 2`, v: { false: 2 } },
  { name: 'aliases repeat', text: 'b: &b [1, 2]\nv: *b', v: [1, 2] },
  {
    name: 'merges give way to own keys',
    text: 'b: &b {x: 1, z: 2}\nv:\n  <<: *b\n  z: 3',
    v: { x: 1, z: 3 },
  },
  {
    name: 'merges of a list',
    text: 'b: &b {x: 1}\nc: &c {x: 9, z: 5}\nv:\n  <<: [*b, *c]',
    v: { x: 1, z: 5 },
  },
  { name: 'literal text', text: 'v: |\n  a\n  b\n', v: 'a\nb\n' },
  { name: 'folded text', text: 'v: >-\n  a\n  b\n\n  c\n', v: 'a b\nc' },
  { name: 'escapes', text: 'v: "a\\u00fc\\n\\x41\\U0001F6A2"', v: 'aü\nA🚢' },
  { name: 'lines of Windows', text: 'w: a\r\nv: b\r\n', v: 'b' },
  { name: 'sets', text: 'v: !!set {a, b}', v: { a: null, b: null } },
  {
    name: 'a prototype is a key',
    text: 'v:\n  __proto__: 1\n  constructor: 2',
    v: JSON.parse('{"__proto__":1,"constructor":2}'),
  },
];

const refused: Record<string, string> = {
  'a tab that indents': 'v:\n\ta: 1',
  infinity: 'v: .inf',
  'a null key': 'v:\n  ~: a',
  'a list as a key': 'v:\n  [a, b]: 1',
  'an unknown alias': 'v: *x',
  'aliases that repeat each other':
    'a0: &a0 [1, 2]\n' +
    Array.from({ length: 8 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(', ')}]`).join(
      '\n',
    ),
  'an alias inside of its anchor': 'v: &a\n  b: *a',
  'a merge of a number': 'v:\n  <<: 1',
  'a value that begins with @': 'v: @x',
  'a control character': 'v: a\u0001b',
};

const head = 'apiVersion: v1\nkind: X\nmetadata:\n  name: a\n';

for (const [text, value] of Object.entries(scalars)) {
  test(`${text} reads as ${JSON.stringify(value)}`, () => {
    assert.deepEqual(parseYaml(`v: ${text}`), { v: value });
  });
}
for (const { name, text, v } of documents) {
  test(name, () => assert.deepEqual((parseYaml(text) as { v: unknown }).v, v));
}
for (const [name, text] of Object.entries(refused)) {
  test(`${name} is refused`, () => {
    assert.throws(() => parseYaml(head + text, 'a.yaml'), { code: 'YAML_INVALID', message: /^a\.yaml: / });
  });
}

test('read exactly, integers of 64 bits keep their digits, and what is larger is a double', () => {
  const text =
    'a: 12345678901234567890\nb: -9223372036854775808\nc: 9007199254740991\nd: 1_234_567_890_123_456_789\n' +
    'e: 18446744073709551616\nf: "12345678901234567890"\n12345678901234567890: g\n';
  const value = parseExactYaml(text);
  assert.deepEqual(value, {
    a: 12345678901234567890n,
    b: -9223372036854775808n,
    c: 9007199254740991,
    d: 1234567890123456789n,
    e: 2 ** 64,
    f: '12345678901234567890',
    '12345678901234567890': 'g',
  });
  assert.deepEqual(parseExactYaml(formatYaml(value)), value);
});

test('many documents are told apart, empty ones are left out', () => {
  const text = '# nothing\n---\n---\na: 1\n---\n# b\n---\nb: 2\n...\n';
  assert.deepEqual(parseYamlDocuments(text), [{ a: 1 }, { b: 2 }]);
  assert.deepEqual(parseYamlDocuments(''), []);
  assert.deepEqual(parseYamlDocuments('{\n\t"a": [1]\n}'), [{ a: [1] }]);
  assert.equal(parseYaml('# nothing'), undefined);
});

const printed: { name: string; value: unknown; text: string }[] = [
  {
    name: 'keys are sorted, a2 before a10, letters last',
    value: { a10: 1, b: 2, a2: 3, '1': 4 },
    text: '"1": 4\na2: 3\na10: 1\nb: 2\n',
  },
  {
    name: 'lists stand under their key',
    value: { a: [{ c: 1, b: [] }, [1, [2]]] },
    text: 'a:\n- b: []\n  c: 1\n- - 1\n  - - 2\n',
  },
  {
    name: 'what means something else is quoted',
    value: ['yes', '1', '0o7', '12:30', '2001-01-01', '', 'null', '1e400', '12:60', '2001-13-01'],
    text: '- "yes"\n- "1"\n- "0o7"\n- "12:30"\n- "2001-01-01"\n- ""\n- "null"\n- 1e400\n- 12:60\n- 2001-13-01\n',
  },
  {
    name: 'indicators are quoted singly',
    value: ['a: b', "- it's", '{{ x }}', ' a', 'a:b'],
    text: "- 'a: b'\n- '- it''s'\n- '{{ x }}'\n- ' a'\n- a:b\n",
  },
  {
    name: 'lines become literal',
    value: { a: 'x\ny\n', b: 'x\ny', c: '\n x\n\n', d: 'x \ny' },
    text: 'a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |2+\n\n   x\n\nd: "x \\ny"\n',
  },
  {
    name: 'control and astral characters are escaped',
    value: ['a\tb', '🚢', '\u0007', 'é'],
    text: '- "a\\tb"\n- "\\U0001F6A2"\n- "\\a"\n- é\n',
  },
  {
    name: 'numbers',
    value: [1e21, 1.5, 1e-7, 1234567.5, 100000000000, -0],
    text: '- 1e+21\n- 1.5\n- 1e-07\n- 1.2345675e+06\n- 100000000000\n- 0\n',
  },
  { name: 'undefined is left out', value: { a: undefined, b: {} }, text: 'b: {}\n' },
  {
    name: 'text folds behind column 80',
    value: { a: 'word '.repeat(20).trim() },
    text: `a: ${'word '.repeat(16).trim()}\n  ${'word '.repeat(4).trim()}\n`,
  },
];
for (const { name, value, text } of printed) {
  test(`printed: ${name}`, () => {
    assert.equal(formatYaml(value), text);
  });
}

test('what is printed reads back as the same', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...Array.from(' \n\t:#-?,[]{}&*!|>\'"%@`.0129exob_+~yn\\/aZ')) }),
    fc.constantFrom(...Object.keys(scalars)),
  );
  const { value } = fc.letrec<{ value: unknown; leaf: unknown }>((tie) => ({
    leaf: fc.oneof(
      text,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('leaf'),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(value, (given) => {
      const json = JSON.parse(JSON.stringify({ v: given })) as unknown;
      assert.deepEqual(parseYaml(formatYaml(json)), json);
    }),
    { numRuns: 300 },
  );
});

// The judge itself, where it is installed: it reads and prints objects of any kind without a server.
const judge = process.env['KUBECTL'] ?? 'kubectl';
function kubectl(input: string, output: 'json' | 'yaml'): string {
  const args = ['label', '--local', '-f', '-', '-o', output, 'x=1'];
  const { status, stdout, stderr } = spawnSync(judge, args, { input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}
const hasKubectl = spawnSync(judge, ['version', '--client']).status === 0;

test('kubectl reads and prints the same', { skip: hasKubectl ? false : 'kubectl is not installed' }, () => {
  const values = Object.entries(scalars).map(([text], index) => `  s${index}: ${text}`);
  const text = `${head}${documents
    .map(
      ({ text }, index) =>
        `d${index}:\n${text.replace(/^/gm, '  ').replaceAll(/([&*])([bc])\b/g, `$1$2${index}`)}\n`,
    )
    .join('')}v:\n${values.join('\n')}\n`;
  const mine = parseYaml(text) as { metadata: object };
  const labelled = { ...mine, metadata: { ...mine.metadata, labels: { x: '1' } } };
  assert.deepEqual(labelled, JSON.parse(kubectl(text, 'json')));
  const strings = printed.filter(({ name }) => name !== 'undefined is left out').map(({ value }) => value);
  // One map for each key: the order that kubectl uses is no order for some of these together.
  const keys = Object.keys(scalars).map((key) => ({ [`k ${key}`]: key }));
  const order = {
    a1b2: 1,
    a1b10: 1,
    a: 1,
    B: 1,
    b: 1,
    'a-b': 1,
    'a.b': 1,
    a_b: 1,
    'x/y': 1,
    x0: 1,
    x00: 1,
    x01: 1,
    é: 1,
  };
  const object = { ...labelled, strings, keys, order };
  assert.equal(formatYaml(object), kubectl(JSON.stringify(object), 'yaml'));
});

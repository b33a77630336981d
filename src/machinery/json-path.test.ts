import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonPathError, compileFieldPath, compileJsonPath, relaxedJsonPath } from './index.ts';

const data = {
  kind: 'List',
  items: [
    { metadata: { name: 'one', labels: { 'a.b/c': 'x', z: '1', m: '<2>' } }, spec: { n: 1, on: true } },
    {
      metadata: { name: 'two' },
      spec: { n: 5, list: [1, 2, 3, 4] },
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'Other', status: 'False' },
        ],
      },
    },
  ],
  nothing: null,
  empty: [],
  text: 'say "hi"',
  ratio: 0.5,
};

const printed: [template: string, result: string][] = [
  ['plain text', 'plain text'],
  ['{.kind}', 'List'],
  ['{$.kind}', 'List'],
  ['{@.kind}', 'List'],
  ['{ .kind }', 'List'],
  ['kind is {.kind}!', 'kind is List!'],
  ['{.items[0].metadata.name}', 'one'],
  ['{.items[-1].metadata.name}', 'two'],
  ['{.items[*].metadata.name}', 'one two'],
  ['{.items[*].spec.n}', '1 5'],
  ['{.items[:].metadata.name}', 'one two'],
  ['{.items[1].spec.list[1:3]}', '2 3'],
  ['{.items[1].spec.list[0:-1]}', '1 2 3'],
  ['{.items[1].spec.list[-2:]}', '3 4'],
  ['{.items[1].spec.list[::2]}', '1 3'],
  ['{.items[1].spec.list[0,2]}', '1 3'],
  ['{.items[1].spec.list[2:2]}', ''],
  ['{.empty[*]}', ''],
  ['{.items[1].spec.list}', '[1,2,3,4]'],
  ['{.items[0].metadata.labels}', '{"a.b/c":"x","m":"\\u003c2\\u003e","z":"1"}'],
  ['{.items[0].metadata.labels.a\\.b/c}', 'x'],
  ["{.items[0].metadata.labels['a\\.b/c']}", 'x'],
  ["{['kind']}", 'List'],
  ["{.items[0]['metadata.name','spec.n']}", 'one 1'],
  ['{.items[0].metadata.*}', 'one {"a.b/c":"x","m":"\\u003c2\\u003e","z":"1"}'],
  ['{..name}', 'one two'],
  [
    '{.items[1]..status}',
    '{"conditions":[{"status":"True","type":"Ready"},{"status":"False","type":"Other"}]} True False',
  ],
  ['{.items[?(@.spec.n>1)].metadata.name}', 'two'],
  ['{.items[?(@.spec.n >= 1)].metadata.name}', 'one two'],
  ['{.items[?(@.metadata.name=="one")].spec.n}', '1'],
  ["{.items[?(@.metadata.name!='one')].spec.n}", '5'],
  ['{.items[?(@.status)].metadata.name}', 'two'],
  ['{.items[?(@.spec.on)].metadata.name}', 'one'],
  ['{.items[1].status.conditions[?(@.type=="Ready")].status}', 'True'],
  ['{range .items[*]}{.metadata.name}{"\\n"}{end}', 'one\ntwo\n'],
  ["{range .items[*]}[{.metadata.name},{.spec.n}]{'\\t'}{end}done", '[one,1]\t[two,5]\tdone'],
  ['{range .items[*]}{.metadata.name}:{range .spec.list[*]}{@}{end};{end}', 'one:;two:1234;'],
  ['{range .empty[*]}{.x}{end}end', 'end'],
  ['{range .items[*]}{.kind}', ''],
  ['{"a"}{1}{-2.5}{true}', 'a1-2.5true'],
  ['{.nothing}', 'null'],
  ['{.text}', 'say "hi"'],
  ['{.ratio}', '0.5'],
  ['{.missing}{.kind}', 'List'],
  ['{.kind.missing}', ''],
  ['{.toString}{.__proto__}', ''],
];
for (const [template, result] of printed) {
  test(`JSONPath ${template}`, () => {
    assert.equal(compileJsonPath(template, { allowMissingKeys: true }).print(data), result);
  });
}

const malformed: [template: string, message: string][] = [
  ['{.kind', 'unclosed action'],
  ['{.items[0}', 'unterminated array'],
  ['{.items[x]}', 'invalid array index x'],
  ['{.items[?(@.a==1}', 'unterminated filter'],
  ['{.items[?(@.a==1)x}', 'unclosed array expect ]'],
  ['{"open}', 'unterminated quoted string'],
  ['{"\\q"}', 'unquote string "\\q" error invalid syntax'],
  ['{....a}', 'invalid multiple recursive descent'],
  ['{#}', "unrecognized character in action: U+0023 '#'"],
  ['{1.2.3}', 'cannot parse number 1.2.3'],
  ['{end}', 'not in range, nothing to end'],
];
for (const [template, message] of malformed) {
  test(`JSONPath ${template} is refused`, () => {
    assert.throws(
      () => compileJsonPath(template),
      (error) => error instanceof JsonPathError && error.message === message,
    );
  });
}

const failing: [template: string, message: string][] = [
  ['{.missing}', 'missing is not found'],
  ['{.items[7]}', 'array index out of bounds: index 7, length 2'],
  ['{.items[0:7]}', 'array index out of bounds: index 6, length 2'],
  ['{.items[1:0]}', 'starting index 1 is greater than ending index 0'],
  ['{.items[::0]}', 'step must be > 0'],
  ['{.kind[0]}', 'string is not array or slice'],
  ['{.kind[?(@.a==1)]}', 'List is not array or slice and cannot be filtered'],
  ['{.items[?(@.spec.n=="x")]}', 'incompatible types for comparison'],
  ['{.items[?(@.spec=="x")]}', 'invalid type for comparison'],
  ['{.items[?(@.spec.n=>1)]}', 'unrecognized filter operator =>'],
  ['{bogus}', 'unrecognized identifier bogus'],
];
for (const [template, message] of failing) {
  test(`JSONPath ${template} fails on the data`, () => {
    assert.throws(
      () => compileJsonPath(template).print(data),
      (error) => error instanceof JsonPathError && error.message === message,
    );
  });
}

test('paths of columns find values, or nothing', () => {
  const ready = compileFieldPath('.status.conditions[?(@.type=="Ready")].status');
  assert.deepEqual(ready(data.items[1]), ['True']);
  assert.deepEqual(ready({ status: { conditions: [] } }), []);
  assert.deepEqual(compileFieldPath('.spec.list[*]')(data.items[1]), [1, 2, 3, 4]);
  assert.deepEqual(compileFieldPath('.spec.x')(data.items[1]), []);
});

test('users may leave out braces and the first dot', () => {
  for (const path of ['a.b', '.a.b', '{a.b}', '{.a.b}']) assert.equal(relaxedJsonPath(path), '{.a.b}');
  assert.throws(() => relaxedJsonPath('{.a}{.b}'), JsonPathError);
});

test('a path of escaped keys finds what stands under them', () => {
  const key = fc.string({
    minLength: 1,
    unit: fc.constantFrom('a', '.', '/', '-', '_', '[', '{', ' ', '漢'),
  });
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), (keys) => {
      const object = keys.reduceRight<unknown>((inner, one) => ({ [one]: inner }), 'found');
      fc.pre(!keys.includes('*'));
      const path = keys.map((one) => `.${one.replaceAll(/[^a]/gu, String.raw`\$&`)}`).join('');
      assert.deepEqual(compileFieldPath(path)(object), ['found']);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StatusError } from '../machinery/index.ts';
import { checkJsonText } from './json-text.ts';

const TEXTS: readonly [text: string, problems: readonly string[]][] = [
  ['{"a":1,"b":{"a":2}}', []],
  ['{"a":1,"a":2}', ['duplicate field "a"']],
  ['{"a":1,"\\u0061":2}', ['duplicate field "a"']],
  ['{"a":[{"b":1},{"b":1,"b":2}]}', ['duplicate field "a[1].b"']],
  ['{"a":"\\"b\\":1,\\"b\\":2"}', []],
  ['{"__proto__":1,"__proto__":2}', ['duplicate field "__proto__"']],
  ['["a","a"]', []],
];

for (const [text, problems] of TEXTS) {
  test(`${text} has ${problems.length} problems`, () => {
    assert.deepEqual(checkJsonText(text, true), problems);
  });
}

test('the fields given twice are those of all objects, however many fields these have and whatever stands in texts', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', ':', '{', ',', 'é'), maxLength: 3 });
  const key = fc.oneof(text, fc.integer({ min: 0, max: 30 }).map(String));
  fc.assert(
    fc.property(fc.array(fc.tuple(key, text), { maxLength: 40 }), (fields) => {
      const written = fields.map(([name, value]) => `${JSON.stringify(name)}:[${JSON.stringify(value)}]`);
      const names = fields.map(([name]) => name);
      const twice = names.filter((name, index) => names.indexOf(name) < index);
      const expected = [...new Set(twice)].map((name) => `duplicate field ${JSON.stringify(`in.${name}`)}`);
      assert.deepEqual(checkJsonText(`{"in":{${written.join()}}}`, true), expected.slice(0, 32));
    }),
  );
});

test('a text that is nested without end is refused before anything recurses into it', () => {
  const deep = '['.repeat(20_000);
  assert.throws(
    () => checkJsonText(deep, false),
    (error: StatusError) => error.status.code === 400,
  );
});

const NUMBERS: readonly [text: string, refusal: RegExp | undefined][] = [
  ['{"a":9007199254740991,"b":-9007199254740991}', undefined],
  ['{"a":{"b":[1,9007199254740993]}}', /^the number 9007199254740993 at a\.b\[1\] cannot be kept exactly/],
  ['[-9223372036854775808]', /cannot be kept exactly/],
  ['{"a":0.12345678901234567890}', undefined],
  ['{"a":1e21,"b":1E-400}', undefined],
  ['{"a":1e400}', /^json: cannot unmarshal number 1e400 at a into Go value of type float64$/],
  ['{"a":"9007199254740993"}', undefined],
];

for (const [text, refusal] of NUMBERS) {
  test(`numbers of ${text} ${refusal === undefined ? 'can be kept' : 'cannot be kept'}`, () => {
    if (refusal === undefined) assert.deepEqual(checkJsonText(text, true), []);
    else
      assert.throws(
        () => checkJsonText(text, false),
        (error: StatusError) => refusal.test(error.message),
      );
  });
}

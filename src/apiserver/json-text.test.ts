import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('a text that is nested without end is refused before anything recurses into it', () => {
  const deep = '['.repeat(20_000);
  assert.throws(
    () => checkJsonText(deep, false),
    (error: StatusError) => error.status.code === 400,
  );
});

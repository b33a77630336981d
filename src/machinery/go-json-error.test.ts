import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goJsonError } from './go-json-error.ts';

const CASES: readonly (readonly [text: string, complaint: string | undefined])[] = [
  ['{"a":[1,-0.5e+3,true,null,"\\u00e9"],"b":{}}', undefined],
  [' [] ', undefined],
  ['', 'unexpected end of JSON input'],
  ['{', 'unexpected end of JSON input'],
  ['{"apiVersion": "v1", ', 'unexpected end of JSON input'],
  ['x', "invalid character 'x' looking for beginning of value"],
  ['not json', "invalid character 'o' in literal null (expecting 'u')"],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ['[1 2]', "invalid character '2' after array element"],
  ['{} {}', "invalid character '{' after top-level value"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u00zz"', "invalid character 'z' in \\u hexadecimal character escape"],
  ['-', 'unexpected end of JSON input'],
  ['-a', "invalid character 'a' in numeric literal"],
  ['1.', 'unexpected end of JSON input'],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['1ex', "invalid character 'x' in exponent of numeric literal"],
  ['01', "invalid character '1' after top-level value"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
  ['é', "invalid character 'Ã' looking for beginning of value"],
  ['tru', 'unexpected end of JSON input'],
];

for (const [text, complaint] of CASES) {
  test(`${JSON.stringify(text)}: ${complaint ?? 'is JSON'}`, () => {
    assert.equal(goJsonError(Buffer.from(text)), complaint);
  });
}

test('what is nested deep is read to its end', () => {
  assert.equal(goJsonError(Buffer.from('['.repeat(100_000))), 'unexpected end of JSON input');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTokenFile } from './token-file.ts';

test('a token file gives users with their groups', () => {
  const text = '# robots\nabc,jane,u1,"devs,ops"\r\n\nd"e"f';
  assert.throws(() => readTokenFile(text), /line 4/);
  assert.deepEqual(readTokenFile('abc,jane,u1,"devs, ops"\r\n\nxyz,joe,\n"q""q",ann,"3",one'), [
    { token: 'abc', user: { name: 'jane', uid: 'u1', groups: ['devs', 'ops'] } },
    { token: 'xyz', user: { name: 'joe', groups: [] } },
    { token: 'q"q', user: { name: 'ann', uid: '3', groups: ['one'] } },
  ]);
  assert.deepEqual(readTokenFile(''), []);
});

for (const [line, why] of [
  ['abc,jane', /line 1 of the token file has fewer than 3 columns/],
  [',jane,u1', /no token/],
  ['a,b,c\na,d,e', /line 2 .* repeats/],
  ['"abc,jane,u1', /not closed/],
] as const) {
  test(`a token file with ${JSON.stringify(line)} is refused`, () => {
    assert.throws(() => readTokenFile(line), why);
  });
}

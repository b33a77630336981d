import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { unifiedLines, withoutSecrets } from './unified.ts';

/** What a reader makes of it: the hunks carried out on what was before. */
function patched(before: readonly string[], lines: readonly string[]): readonly string[] {
  const out: string[] = [];
  let at = 0;
  for (const line of lines) {
    const [, first, count] = /^@@ -(\d+),(\d+) \+\d+,\d+ @@$/.exec(line) ?? [];
    if (first !== undefined) {
      const start = count === '0' ? Number(first) : Number(first) - 1;
      out.push(...before.slice(at, start));
      at = start;
    } else if (line.startsWith('+')) out.push(line.slice(1));
    else {
      assert.equal(line.slice(1), before[at], 'it names what is there');
      if (line.startsWith(' ')) out.push(line.slice(1));
      at++;
    }
  }
  return [...out, ...before.slice(at)];
}

const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });

test('carrying out a difference gives what is after it, and no difference is no line', () =>
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = unifiedLines(before, after);
      assert.deepEqual(patched(before, lines), after);
      assert.equal(lines.length === 0, before.join() === after.join());
    }),
  ));

test('a long difference keeps three lines around it', () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  assert.deepEqual(unifiedLines(before, before.with(10, 'new')), [
    '@@ -8,7 +8,7 @@',
    ' line 7',
    ' line 8',
    ' line 9',
    '-line 10',
    '+new',
    ' line 11',
    ' line 12',
    ' line 13',
  ]);
});

test('values of Secrets do not come out, and whether they differ does', () => {
  const secret = (a: string): { data: Record<string, string> } => ({ data: { a, same: 'c2FtZQ==' } });
  assert.deepEqual(
    withoutSecrets('Secret', { before: secret('b2xk'), after: secret('bmV3') }, [], () => false),
    {
      before: { data: { a: '*** (before)', same: '***' } },
      after: { data: { a: '*** (after)', same: '***' } },
    },
  );
});

test('what came out of a Secret into another object is hidden on both sides, also what it was before', () => {
  const pair = { before: { spec: ['old', 'x'] }, after: { spec: ['user:hush', 'y'] } };
  assert.deepEqual(
    withoutSecrets('ConfigMap', pair, ['hush'], () => false),
    {
      before: { spec: ['*** (before)', 'x'] },
      after: { spec: ['*** (after)', 'y'] },
    },
  );
  assert.deepEqual(
    withoutSecrets(
      'ConfigMap',
      { before: pair.before, after: undefined },
      [],
      (place) => place === '/spec/0',
    ),
    { before: { spec: ['*** (before)', 'x'] }, after: undefined },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileExpression, expressionValue } from './expression.ts';

const COST_MAX = 1_000_000;
function errorOf(source: string): string | undefined {
  const { error } = compileExpression(source, ['object']).run(
    { object: expressionValue({ list: [1, 2] }) },
    COST_MAX,
  );
  return error?.message;
}

const TOO_MUCH = 'operation cancelled: values use too much memory';
const cases: readonly (readonly [name: string, source: string, error: string | undefined])[] = [
  ['lists that double in length', `[[1]]${'.map(x, x + x)'.repeat(40)}.size() > 0`, TOO_MUCH],
  ['lists that double in depth', `[1]${'.map(x, [x, x])'.repeat(40)}.size() > 0`, TOO_MUCH],
  ['maps that double in depth', `[1]${'.map(x, {"a": x, "b": x})'.repeat(40)}.size() > 0`, TOO_MUCH],
  ['a replacement that multiplies', `"${'a'.repeat(400)}"${`.replace("a", "${'a'.repeat(400)}")`.repeat(2)} != ""`, 'text would have more than 10000000 characters'],
  ['a join of what was joined', `["${'a'.repeat(40)}"]${`.map(x, [${'x,'.repeat(40)} x].join())`.repeat(6)}.size() > 0`, 'text would have more than 10000000 characters'],
  ['an ordinary list', '[1, 2, 3].map(x, [x, x + 1]).size() == 3 && object.list + [3] == [1, 2, 3]', undefined],
  ['an ordinary replacement', '"a-b-c".replace("-", "+++") == "a+++b+++c"', undefined],
]; // prettier-ignore

for (const [name, source, error] of cases) {
  test(`${name}: ${error ?? 'no objection'}`, () => {
    assert.equal(errorOf(source), error);
  });
}

test('what would cost too much is refused before it is done', () => {
  const numbers = '[0,1,2,3,4,5,6,7,8,9]';
  const thousand = `${numbers}.map(a, ${numbers}.map(b, ${numbers}.map(c, a * 100 + b * 10 + c))).flatten().flatten()`;
  assert.equal(
    errorOf(`[${thousand}].all(l, (l + l + l + l).distinct().size() == 1000)`),
    'operation cancelled: actual cost limit exceeded',
  );
});

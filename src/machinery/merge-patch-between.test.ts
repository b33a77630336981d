import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergePatchBetween } from './merge-patch-between.ts';

const cases: { name: string; from: object; to: object; patch: unknown }[] = [
  { name: 'nothing changes', from: { a: { b: [1] } }, to: { a: { b: [1] } }, patch: undefined },
  {
    name: 'a field changes, its neighbours stay out',
    from: { a: 1, b: 2 },
    to: { a: 1, b: 3 },
    patch: { b: 3 },
  },
  { name: 'a field goes', from: { a: { b: 1, c: 2 } }, to: { a: { b: 1 } }, patch: { a: { c: null } } },
  { name: 'undefined means absent', from: { a: 1 }, to: { a: undefined }, patch: { a: null } },
  { name: 'undefined on both sides', from: {}, to: { a: undefined }, patch: undefined },
  { name: 'a list is replaced', from: { a: [1, 2] }, to: { a: [1] }, patch: { a: [1] } },
  { name: 'a list becomes a map', from: { a: [1] }, to: { a: { b: 1 } }, patch: { a: { b: 1 } } },
  { name: 'a map becomes empty', from: { a: { b: 1 } }, to: { a: {} }, patch: { a: { b: null } } },
  { name: 'a key of Object.prototype appears', from: {}, to: { toString: 'x' }, patch: { toString: 'x' } },
];
for (const { name, from, to, patch } of cases) {
  test(name, () => assert.deepEqual(mergePatchBetween(from, to), patch));
}

// RFC 7386's own pseudo-code, as the model.
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = new Map<string, unknown>(
    typeof target === 'object' && target !== null && !Array.isArray(target) ? Object.entries(target) : [],
  );
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, apply(result.get(key), value));
  }
  return Object.fromEntries(result);
}

test('applying the patch to the first version gives the second', () => {
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }));
  const key = fc.oneof(fc.constantFrom('a', 'b', '__proto__', 'constructor'), fc.string({ maxLength: 3 }));
  const { tree } = fc.letrec<{ tree: Record<string, unknown>; value: unknown }>((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, leaf, tie('tree')),
    tree: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(tree, tree, (from, to) => {
      const patch = mergePatchBetween(from, to);
      const result = patch === undefined ? from : apply(from, patch);
      assert.deepEqual(JSON.parse(JSON.stringify(result)), JSON.parse(JSON.stringify(to)));
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sortTexts } from './sort-texts.ts';

test('short and long lists are sorted as the built-in sort does', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 40 }), (texts) => {
      const list = [...texts];
      assert.equal(sortTexts(list), list);
      assert.deepEqual(list, [...texts].sort());
    }),
  );
});

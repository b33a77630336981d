import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fnv1a32, safeEncode } from './hash.ts';

const HASHES: readonly (readonly [text: string, hash: number])[] = [
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
];

test('FNV-1a of texts', () => {
  for (const [text, hash] of HASHES) assert.equal(fnv1a32(text), hash, text);
});

test('a text has the hash of its UTF-8 bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(fnv1a32(text), fnv1a32(new TextEncoder().encode(text)));
    }),
  );
});

test('numbers become words that make no words', () => {
  assert.equal(safeEncode('1234567890'), '56789bcdf4');
  assert.equal(safeEncode(''), '');
});

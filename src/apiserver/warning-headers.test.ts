import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from './testing/served.ts';
import { warningHeaders } from './warning-headers.ts';

test('warnings are quoted, and those that no header can hold are left out', () => {
  assert.deepEqual(warningHeaders(['a "b" \\c', 'two\nlines', '', 'é']), [
    '299 - "a \\"b\\" \\\\c"',
    '299 - "é"',
  ]);
});

test('of many warnings each is cut', () => {
  const long = 'x'.repeat(300);
  assert.deepEqual(warningHeaders([long]), [`299 - "${long}"`]);
  const many = warningHeaders(Array.from({ length: 40 }, () => long));
  assert.equal(many.length, 16);
  assert.equal(many[0], `299 - "${'x'.repeat(256)}"`);
});

test('a refusal carries the warnings that came before it', async () => {
  const served = await serve();
  const body = { metadata: { name: 'A_b' }, colour: 'red' };
  const warnings = await served.warnings('POST', '/api/v1/namespaces/default/configmaps', body);
  assert.deepEqual(warnings, ['299 - "unknown field \\"colour\\""']);
});

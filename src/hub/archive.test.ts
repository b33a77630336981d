import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { OperatingError } from '../base/index.ts';
import { packArchive, unpackArchive } from './archive.ts';

const isDamaged = (error: unknown): boolean =>
  error instanceof OperatingError && error.code === 'ARCHIVE_DAMAGED';

test('what is packed comes out again, whatever its size', async () => {
  const files = [0, 1, 511, 512, 513, 5000].map((size) => ({
    name: `d/f-${size}`,
    content: Buffer.alloc(size, size % 251),
  }));
  const unpacked = await unpackArchive(await packArchive(files, 0));
  assert.deepEqual(
    unpacked.map(({ name, content }) => [name, Buffer.from(content)]),
    files.map(({ name, content }) => [name, content]),
  );
  assert.deepEqual(await unpackArchive(await packArchive([], 0)), []);
});

test('tar reads it', async () => {
  const archive = await packArchive(
    [{ name: 'a/b.txt', content: Buffer.from('hello') }],
    Date.UTC(2026, 0, 1),
  );
  assert.equal(execFileSync('tar', ['xzOf', '-', 'a/b.txt'], { input: archive, encoding: 'utf8' }), 'hello');
});

test('what is cut short, changed, or leads elsewhere is refused', async () => {
  const archive = await packArchive([{ name: 'a', content: Buffer.alloc(2000, 1) }], 0);
  await assert.rejects(unpackArchive(archive.subarray(0, archive.length - 8)), isDamaged);
  await assert.rejects(unpackArchive(Buffer.from('no archive')), isDamaged);
  await assert.rejects(unpackArchive(gzipSync(Buffer.alloc(512, 65))), isDamaged);
  await assert.rejects(
    unpackArchive(await packArchive([{ name: '../x', content: Buffer.alloc(1) }], 0)),
    isDamaged,
  );
});

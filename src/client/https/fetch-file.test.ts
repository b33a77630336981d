import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../base/index.ts';
import { createFileFetcher, type FileAnswer } from './fetch-file.ts';

const seen: { readonly url: string; readonly authorization: string | undefined }[] = [];
const fetcher = createFileFetcher({ clock: systemClock, mayReadFiles: true });
const servers = [createServer(answer), createServer(answer)];
let folder: string;
let bases: readonly string[];

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { url = '', headers } = request;
  seen.push({ url: `${headers.host ?? ''}${url}`, authorization: headers.authorization });
  if (url === '/slow') return;
  if (url === '/trickle') return void response.writeHead(200).write('a');
  if (url === '/gzip')
    return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a: 1'));
  if (url === '/bomb')
    return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a'.repeat(9_999)));
  if (url === '/broken') return void response.writeHead(200, { 'content-encoding': 'gzip' }).end('a: 1');
  if (url === '/brotli') return void response.writeHead(200, { 'content-encoding': 'br' }).end('a: 1');
  if (url === '/to-disk') return void response.writeHead(302, { location: 'file:///etc/hostname' }).end();
  if (url === '/round') return void response.writeHead(302, { location: '/round' }).end();
  if (url === '/away') return void response.writeHead(302, { location: `${bases[1] ?? ''}/file` }).end();
  if (url === '/here') return void response.writeHead(301, { location: '/file' }).end();
  if (url === '/file') return void response.writeHead(200, { 'content-type': 'text/yaml' }).end('a: 1');
  response.writeHead(404).end();
}

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'navarch-files-'));
  await writeFile(path.join(folder, 'file'), 'a: 1');
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  bases = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

after(async () => {
  await fetcher.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true });
});

const get = (url: string, rest: object = {}): Promise<FileAnswer> =>
  fetcher.fetchFile({
    url,
    headers: { authorization: 'Bearer x' },
    maxBytes: 100,
    timeoutMs: 5_000,
    ...rest,
  });

test('a file of a server and one of a folder are the same', async () => {
  for (const url of [`${bases[0]}/file`, pathToFileURL(path.join(folder, 'file')).href]) {
    const { status, bytes } = await get(url);
    assert.equal(status, 200);
    assert.equal(Buffer.from(bytes).toString(), 'a: 1');
  }
});

test('what is not there is an answer', async () => {
  for (const url of [`${bases[0]}/none`, pathToFileURL(path.join(folder, 'none')).href])
    assert.equal((await get(url)).status, 404);
});

test('a login goes along within a host, and to no other', async () => {
  seen.length = 0;
  assert.equal((await get(`${bases[0]}/here`)).status, 200);
  assert.equal((await get(`${bases[0]}/away`)).status, 200);
  assert.deepEqual(
    seen.map(({ authorization }) => authorization),
    ['Bearer x', 'Bearer x', 'Bearer x', undefined],
  );
});

for (const [called, file, rest, why] of [
  ['a file that is too large', '/file', { maxBytes: 3 }, /larger than 3 bytes/],
  ['a server that does not answer', '/slow', { timeoutMs: 30 }, /no answer within 0\.03 s/],
  ['a server that never comes to an end', '/trickle', { timeoutMs: 200 }, /no answer within 0\.2 s/],
  ['a gzip that is none', '/broken', {}, /its gzip is broken/],
  ['a small gzip that is large', '/bomb', {}, /larger than 100 bytes/],
  ['an encoding that nobody asked for', '/brotli', {}, /encoding "br"/],
  ['an address that leads to this machine', '/to-disk', {}, /file: addresses cannot be read/],
  ['an address that leads in a circle', '/round', {}, /leads on more than 5 times/],
] as const)
  test(`${called} is given up`, () => assert.rejects(() => get(`${bases[0]}${file}`, rest), why));

test('nobody listening is told in words', () =>
  assert.rejects(() => get('http://127.0.0.1:1/x'), /nobody listens there/));
test('other schemes are refused', () => assert.rejects(() => get('ftp://x/y'), /use http, https or file/));
test('a folder is not read where that is not allowed', async () => {
  const other = createFileFetcher({ clock: systemClock, mayReadFiles: false });
  await assert.rejects(
    () => other.fetchFile({ url: 'file:///etc/hostname', headers: {}, maxBytes: 9, timeoutMs: 9 }),
    /folders are not read here/,
  );
  await other.close();
});

test('a file that is sent packed is unpacked, unless it is wanted as it is sent', async () => {
  assert.equal(Buffer.from((await get(`${bases[0]}/gzip`)).bytes).toString(), 'a: 1');
  const { bytes, headers } = await get(`${bases[0]}/gzip`, { asSent: true });
  assert.deepEqual(Buffer.from(bytes), gzipSync('a: 1'));
  assert.equal(headers['content-encoding'], 'gzip');
});

test('nothing outside of the folder is read, whatever links lead there', async () => {
  const inner = path.join(folder, 'inner');
  await mkdir(inner);
  await writeFile(path.join(inner, 'file'), 'b: 2');
  await symlink('../file', path.join(inner, 'out'));
  await symlink('file', path.join(inner, 'in'));
  const within = pathToFileURL(inner).href;
  const read = (name: string): Promise<FileAnswer> =>
    get(pathToFileURL(path.join(inner, name)).href, { within });
  for (const name of ['file', 'in']) assert.equal((await read(name)).status, 200, name);
  for (const name of ['out', '../file', '../../../../../etc/hostname'])
    await assert.rejects(() => read(name), /leads out of the folder/, name);
  assert.equal((await read('none')).status, 404);
});

test('what is no file is not read', async () => {
  execFileSync('mkfifo', [path.join(folder, 'pipe')]);
  for (const place of [path.join(folder, 'pipe'), '/dev/zero', folder])
    await assert.rejects(() => get(pathToFileURL(place).href), /it is no file/, place);
});

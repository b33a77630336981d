import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
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

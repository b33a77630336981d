import assert from 'node:assert/strict';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as tlsConnect } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { OperatingError, silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { deepFreeze, type WatchEvent } from '../../api/index.ts';
import { StatusError, notFound } from '../../machinery/index.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import { DAY_MS, createAuthority, issueCertificate, type KeyPair } from '../security/certificates.ts';
import { startListener, type Listener, type ListenerOptions } from './listener.ts';
import { BODY_LIMIT_BYTES } from './request-body.ts';
import { PENDING_EVENTS_LIMIT } from './watch-stream.ts';

let authority: KeyPair;
let options: Omit<ListenerOptions, 'handle'>;
let client: KeyPair;
let stranger: KeyPair;

before(async () => {
  const now = Date.now();
  authority = await createAuthority({ commonName: 'test', now, validMs: DAY_MS });
  const other = await createAuthority({ commonName: 'test', now, validMs: DAY_MS });
  const params = { commonName: 'jane', organizations: ['a', 'b'], usages: ['client auth'] as const };
  const server = await issueCertificate(authority, {
    commonName: 'server',
    usages: ['server auth'],
    hosts: ['127.0.0.1'],
    now,
    validMs: DAY_MS,
  });
  client = await issueCertificate(authority, { ...params, now, validMs: DAY_MS });
  stranger = await issueCertificate(other, { ...params, now, validMs: DAY_MS });
  options = {
    host: '127.0.0.1',
    port: 0,
    tls: { key: server.key, certificate: server.certificate, clientCa: authority.certificate },
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    authenticator: {
      authenticate: async ({ headers, certificate }) => {
        if (headers['authorization'] === 'Bearer good') return { name: 'bearer', groups: [] };
        return certificate === undefined
          ? { name: 'anonymous', groups: [] }
          : { name: certificate.commonName, groups: certificate.organizations };
      },
    },
  };
});

const open: { close(): Promise<void> | void }[] = [];
after(async () => {
  for (const one of open) await one.close();
});

async function start(handle: (request: ApiRequest) => Promise<ApiResponse>): Promise<Listener> {
  const listener = await startListener({ ...options, handle });
  open.unshift(listener);
  return listener;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
  readonly pair?: KeyPair;
}

function http1(port: number, { method = 'GET', path = '/', headers, body, pair }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const credentials = pair === undefined ? {} : { cert: pair.certificate, key: pair.key };
    const request = httpsRequest(
      { host: '127.0.0.1', port, method, path, headers, agent, ca: authority.certificate, ...credentials },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

function session(port: number, pair?: KeyPair): ClientHttp2Session {
  const credentials = pair === undefined ? {} : { cert: pair.certificate, key: pair.key };
  return connect(`https://127.0.0.1:${port}`, { ca: authority.certificate, ...credentials });
}

async function http2(
  port: number,
  { method = 'GET', path = '/', headers, body, pair }: Call,
): Promise<Answer> {
  const connection = session(port, pair);
  try {
    return await new Promise((resolve, reject) => {
      const stream = connection.request(
        { ':method': method, ':path': path, ...headers },
        { endStream: body === undefined },
      );
      const chunks: Buffer[] = [];
      let answer: IncomingHttpHeaders = {};
      stream.on('response', (headers) => (answer = headers));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () =>
        resolve({ status: Number(answer[':status']), headers: answer, bytes: Buffer.concat(chunks) }),
      );
      if (body !== undefined) stream.end(body);
    });
  } finally {
    connection.close();
  }
}

const echo = async (request: ApiRequest): Promise<ApiResponse> => ({
  kind: 'object',
  status: 200,
  object: {
    method: request.method,
    path: request.path,
    query: [...request.query],
    groups: request.headers['impersonate-group'],
    user: request.user,
    body: shownBody(request.body),
  },
});

function shownBody(body: ApiRequest['body']): unknown {
  if (body === undefined) return 'none';
  if ('json' in body) return { json: body.json };
  return body.decode === undefined ? Buffer.from(body.bytes).toString() : { json: body.decode() };
}

function json(answer: Answer): Record<string, unknown> {
  return JSON.parse(answer.bytes.toString()) as Record<string, unknown>;
}

for (const [protocol, send] of [
  ['HTTP/1.1', http1],
  ['HTTP/2', http2],
] as const) {
  test(`${protocol}: a request arrives with path, query, repeated headers, body and certificate`, async () => {
    const { port } = await start(echo);
    const answer = await send(port, {
      method: 'POST',
      path: '/api/v1/x%2Fy?a=1&a=2&b=c%20d',
      headers: { 'impersonate-group': ['one, two', 'three'], 'content-type': 'application/json' },
      body: '{"a":1}',
      pair: client,
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.headers['cache-control'], 'no-cache, private');
    assert.match(String(answer.headers['audit-id']), /^[0-9a-f-]{36}$/);
    assert.deepEqual(json(answer), {
      method: 'POST',
      path: '/api/v1/x%2Fy',
      query: [
        ['a', '1'],
        ['a', '2'],
        ['b', 'c d'],
      ],
      groups: 'one, two\nthree',
      user: { name: 'jane', groups: ['a', 'b'] },
      body: '{"a":1}',
    });
  });

  test(`${protocol}: no certificate is anonymous, an unknown one is refused unless a token comes with it`, async () => {
    const { port } = await start(echo);
    assert.deepEqual(json(await send(port, {}))['user'], { name: 'anonymous', groups: [] });
    const refused = await send(port, { pair: stranger });
    assert.equal(refused.status, 401);
    assert.deepEqual(json(refused), {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    });
    const answer = await send(port, { pair: stranger, headers: { authorization: 'Bearer good' } });
    assert.deepEqual(json(answer)['user'], { name: 'bearer', groups: [] });
  });

  test(`${protocol}: a body over the limit is answered with 413 and never reaches the handler`, async () => {
    let handled = 0;
    const { port } = await start((request) => {
      handled++;
      return echo(request);
    });
    const answer = await send(port, { method: 'POST', body: Buffer.alloc(BODY_LIMIT_BYTES + 1, 'x') });
    assert.equal(answer.status, 413);
    assert.equal(json(answer)['reason'], 'RequestEntityTooLarge');
    assert.equal(handled, 0);
    const fits = await send(port, { method: 'POST', body: Buffer.alloc(BODY_LIMIT_BYTES, 'x') });
    assert.equal(fits.status, 200);
  });

  test(`${protocol}: YAML becomes JSON, and a mistake in it a 400`, async () => {
    const { port } = await start(echo);
    const yaml = (body: string): Promise<Answer> =>
      send(port, { method: 'POST', headers: { 'content-type': 'application/yaml' }, body });
    assert.deepEqual(json(await yaml('a: yes\nb: [0777, 12:30]\n'))['body'], {
      json: { a: true, b: [511, '12:30'] },
    });
    const answer = await yaml('a: [1\n');
    assert.equal(answer.status, 400);
    assert.equal(json(answer)['reason'], 'BadRequest');
  });

  test(`${protocol}: thrown errors become Status, HEAD has no body, 304 neither`, async () => {
    const { port } = await start(async ({ path }) => {
      if (path === '/missing') throw notFound({ group: '', resource: 'pods' }, 'web');
      if (path === '/busy') {
        throw new StatusError(429, 'TooManyRequests', 'later', { retryAfterSeconds: 3 });
      }
      if (path === '/bug') throw new Error('a bug');
      return {
        kind: 'bytes',
        status: path === '/same' ? 304 : 200,
        contentType: 'text/plain',
        bytes: Buffer.from('ok'),
        headers: { warning: ['299 - "a"', '299 - "b"'] },
      };
    });
    assert.equal(json(await send(port, { path: '/missing' }))['message'], 'pods "web" not found');
    assert.equal((await send(port, { path: '/busy' })).headers['retry-after'], '3');
    const bug = await send(port, { path: '/bug' });
    assert.equal(bug.status, 500);
    assert.equal(json(bug)['message'], 'Internal error occurred: a bug');
    const head = await send(port, { method: 'HEAD' });
    assert.equal(head.headers['content-length'], '2');
    assert.equal(head.headers['warning'], '299 - "a", 299 - "b"');
    assert.equal(head.bytes.length, 0);
    assert.equal((await send(port, { path: '/same' })).status, 304);
  });

  test(`${protocol}: a large answer is compressed for who accepts it`, async () => {
    const big = { data: 'x'.repeat(200_000) };
    const { port } = await start(async () => ({ kind: 'object', status: 200, object: big }));
    const plain = await send(port, {});
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.deepEqual(json(plain), big);
    const packed = await send(port, { headers: { 'accept-encoding': 'br, gzip' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.ok(packed.bytes.length < 10_000);
    assert.deepEqual(JSON.parse(gunzipSync(packed.bytes).toString()), big);
    const refused = await send(port, { headers: { 'accept-encoding': 'gzip;q=0' } });
    assert.equal(refused.headers['content-encoding'], undefined);
  });

  test(`${protocol}: a watch streams events as lines and ends when the server does`, async () => {
    const { port } = await start(async () => ({
      kind: 'watch',
      contentType: 'application/json',
      run: async (onEvents) => {
        onEvents([event(1), event(2)]);
        await new Promise((resolve) => setImmediate(resolve));
        onEvents([event(3)]);
      },
    }));
    const answer = await send(port, {});
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.deepEqual(lines(answer.bytes), [event(1), event(2), event(3)]);
  });
}

function event(n: number): WatchEvent {
  return deepFreeze({
    type: 'ADDED',
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `c${n}`, resourceVersion: `${n}` } },
  });
}

function lines(bytes: Buffer): unknown[] {
  return bytes
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

test('a reader that waits holds a stream back, and one that leaves ends it', async () => {
  let written = 0;
  const ended = Promise.withResolvers<string>();
  const { port } = await start(async () => ({
    kind: 'stream',
    status: 200,
    headers: { 'content-type': 'text/plain' },
    async run(write, signal) {
      try {
        for (;;) {
          await write(Buffer.alloc(64 * 1024, 'x'));
          written += 64 * 1024;
        }
      } catch {
        ended.resolve(String(signal.aborted));
      }
    },
  }));
  const socket = tlsConnect({
    host: '127.0.0.1',
    port,
    ca: authority.certificate,
    ALPNProtocols: ['http/1.1'],
  });
  socket.write('GET /logs HTTP/1.1\r\nhost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  let before = -1;
  // What fits into the buffers on the way is written; then nothing more.
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(written < 64 * 1024 * 1024, `${written} bytes were written to a reader that does not read`);
  socket.destroy();
  assert.equal(await ended.promise, 'true');
});

test('a stream that breaks off is cut off, not ended as if it were whole', async () => {
  const { port } = await start(async () => ({
    kind: 'stream',
    status: 200,
    headers: { 'content-type': 'text/plain' },
    async run(write) {
      await write(Buffer.from('half'));
      throw new Error('the rest is lost');
    },
  }));
  await assert.rejects(http1(port, {}), (error: NodeJS.ErrnoException) => error.code === 'ECONNRESET');
});

test('a connection is handed over to who asked for it, and refused as an answer otherwise', async () => {
  const { port } = await start(async ({ upgrade, path }) => {
    if (path === '/no') throw notFound({ group: '', resource: 'pods' }, 'web');
    return {
      kind: 'upgrade',
      async run({ socket, head }) {
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${upgrade}\r\n\r\n`,
        );
        socket.write(head);
        for await (const chunk of socket) socket.write(`<${String(chunk)}>`);
      },
    };
  });
  const talk = (path: string, protocol: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = '';
      const socket = tlsConnect({ host: '127.0.0.1', port, ca: authority.certificate });
      socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\n\r\n`);
      socket.on('data', (chunk) => {
        text += String(chunk);
        if (text.endsWith('\r\n\r\n')) socket.write('hello');
        if (text.endsWith('>')) socket.end();
      });
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
  assert.match(await talk('/', 'SPDY/3.1'), /^HTTP\/1\.1 101 [^]*upgrade: spdy\/3\.1\r\n\r\n<hello>$/);
  assert.match(await talk('/no', 'websocket'), /^HTTP\/1\.1 404 Not Found[^]*"pods \\"web\\" not found"/);
  const plain = await http1(port, { method: 'POST' });
  assert.equal(plain.status, 400);
  assert.equal(json(plain)['message'], 'Upgrade request required');
});

test('the signal of a request aborts when its client leaves', async () => {
  let aborted: (() => void) | undefined;
  const gone = new Promise<void>((resolve) => (aborted = resolve));
  let arrived: (() => void) | undefined;
  const there = new Promise<void>((resolve) => (arrived = resolve));
  const { port } = await start(
    ({ signal }) =>
      new Promise<ApiResponse>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted?.();
          reject(signal.reason as Error);
        });
        arrived?.();
      }),
  );
  const connection = session(port);
  const stream = connection.request({ ':path': '/' });
  stream.on('error', () => undefined);
  await there;
  stream.close();
  await gone;
  connection.close();
});

test('a watcher that does not read is dropped with 410 once too much waits for it', async () => {
  let push: ((events: readonly WatchEvent[]) => void) | undefined;
  let dropped: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => (dropped = resolve));
  const { port } = await start(async () => ({
    kind: 'watch',
    contentType: 'application/json',
    run: (onEvents, signal) =>
      new Promise<void>((resolve) => {
        push = onEvents;
        signal.addEventListener('abort', () => {
          dropped?.();
          resolve();
        });
      }),
  }));
  const connection = session(port);
  const stream = connection.request({ ':path': '/' });
  await new Promise((resolve) => stream.on('response', resolve));
  stream.pause();
  const wide = deepFreeze({
    ...event(1),
    object: { ...event(1).object, data: { a: 'x'.repeat(100_000) } },
  });
  // One batch of any size is taken; what comes behind it is counted.
  push?.(Array.from({ length: 1000 }, () => wide));
  for (let i = 0; i < PENDING_EVENTS_LIMIT + 2; i++) push?.([event(i)]);
  await ended;
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const finished = new Promise((resolve) => stream.on('end', resolve));
  stream.resume();
  await finished;
  const events = lines(Buffer.concat(chunks)) as WatchEvent[];
  assert.equal(events.at(-1)?.type, 'ERROR');
  assert.equal(events.at(-1)?.object['code'], 410);
  assert.ok(events.length < 1000);
  connection.close();
});

test('close() ends watches and lets go of the port', async () => {
  const listener = await startListener({
    ...options,
    handle: async () => ({
      kind: 'watch',
      contentType: 'application/json',
      run: (_onEvents, signal) =>
        new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    }),
  });
  const connection = session(listener.port);
  const stream = connection.request({ ':path': '/' });
  await new Promise((resolve) => stream.on('response', resolve));
  const ended = new Promise((resolve) => stream.on('end', resolve));
  stream.resume();
  await listener.close();
  await ended;
  const again = await startListener({ ...options, port: listener.port, handle: echo });
  await again.close();
});

test('a taken port is an operating error with a next step', async () => {
  const { port } = await start(echo);
  await assert.rejects(
    startListener({ ...options, port, handle: echo }),
    (error) => error instanceof OperatingError && error.code === 'PORT_TAKEN',
  );
});

// Floods: peers that send more than they should, or nothing at all. Each ends with its own connection, with a status
// where the protocol has room for one, while others are served.
import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { secureServer, type SecureServer } from '../testing/secure-server.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

async function dial({ port, certificates }: SecureServer, protocol: 'h2' | 'http/1.1'): Promise<TLSSocket> {
  const { authority, admin } = certificates;
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.key,
    ALPNProtocols: [protocol],
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

const lives = async (server: SecureServer): Promise<void> =>
  assert.equal((await server.call('/livez')).status, 200);

// ---- frames of HTTP/2 (RFC 9113)

const [HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION] = [1, 3, 4, 6, 7, 9];
const END_HEADERS = 4;
const END_STREAM = 1;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK: GET https, an authority, and the path `/`, all but the authority from the static table. */
const GET_ROOT = Buffer.concat([Buffer.from([0x82, 0x87, 0x84, 0x41, 1]), Buffer.from('a')]);

/** What the server has said, frame by frame. */
function framesOf(bytes: Buffer): readonly { readonly type: number; readonly payload: Buffer }[] {
  const frames = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    frames.push({ type: bytes[at + 3]!, payload: bytes.subarray(at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return frames;
}

/** Sends until the server ends the connection. Returns the code of its GOAWAY; undefined: it said none. */
async function flood(
  server: SecureServer,
  next: (i: number) => Buffer,
  reads = true,
): Promise<number | undefined> {
  const socket = await dial(server, 'h2');
  const heard: Buffer[] = [];
  if (reads) socket.on('data', (chunk: Buffer) => heard.push(chunk));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const drained = (): Promise<void> => new Promise((resolve) => socket.once('drain', () => resolve()));
  socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0))]));
  for (let i = 0; socket.writable; i++) {
    const more = socket.write(next(i));
    await (more ? new Promise((resolve) => setImmediate(resolve)) : Promise.race([drained(), closed]));
  }
  await closed;
  const goAway = framesOf(Buffer.concat(heard)).findLast(({ type }) => type === GOAWAY);
  return goAway?.payload.readUInt32BE(4);
}

test('rapid reset: whoever takes its streams back as fast as it opens them is asked to calm down', async () => {
  await using server = await secureServer();
  const code = await flood(server, (i) => {
    const stream = 2 * i + 1;
    const reset = Buffer.alloc(4);
    reset.writeUInt32BE(8);
    return Buffer.concat([
      frame(HEADERS, END_HEADERS | END_STREAM, stream, GET_ROOT),
      frame(RST_STREAM, 0, stream, reset),
    ]);
  });
  assert.ok(code !== undefined && code !== 0, `the connection ended with ${code}`);
  await lives(server);
});

test('a connection that has failed and that its peer leaves open is the end of nothing else', async () => {
  await using server = await secureServer({ connectionLimits: { pingMs: 20 } });
  const preface = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0))]);
  const failed = await dial(server, 'h2');
  // Not read: this side does not notice that the server has ended its own.
  failed.pause();
  failed.write(Buffer.concat([preface, frame(PING, 0, 1, Buffer.alloc(8))]));
  const watching = await dial(server, 'h2');
  watching.write(preface);
  let [heard, answered] = [Buffer.alloc(0), 0];
  for await (const chunk of watching) {
    heard = Buffer.concat([heard, chunk as Buffer]);
    const pings = framesOf(heard).filter(({ type }) => type === PING);
    for (; answered < pings.length; answered++) watching.write(frame(PING, 1, 0, pings[answered]!.payload));
    if (answered === 5) break;
  }
  await lives(server);
  failed.destroy();
});

test('pings that nobody reads the answers of end the connection', async () => {
  await using server = await secureServer({ connectionLimits: { pingMs: 200 } });
  const pings = Buffer.concat(Array.from({ length: 100 }, () => frame(PING, 0, 0, Buffer.alloc(8))));
  await flood(server, () => pings, false);
  await lives(server);
});

test('settings that nobody reads the answers of end the connection', async () => {
  await using server = await secureServer({ connectionLimits: { pingMs: 200 } });
  const settings = Buffer.concat(Array.from({ length: 100 }, () => frame(SETTINGS, 0, 0, Buffer.alloc(0))));
  await flood(server, () => settings, false);
  await lives(server);
});

test('headers that go on and on in further frames end the connection', async () => {
  await using server = await secureServer();
  const piece = Buffer.alloc(16_000, 0x82);
  const code = await flood(server, (i) =>
    i === 0 ? frame(HEADERS, END_STREAM, 1, GET_ROOT) : frame(CONTINUATION, 0, 1, piece),
  );
  assert.notEqual(code, 0, 'that was no good ending');
  await lives(server);
});

test('headers over HTTP/2 beyond the limit are answered with 431, and the connection goes on', async () => {
  await using server = await secureServer();
  const { authority, admin } = server.certificates;
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, {
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.key,
    // Otherwise the client itself refuses to send them.
    maxSendHeaderBlockLength: 1_000_000,
  });
  session.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => session.once('close', () => resolve()));
  const ask = (size: number, headers = 1): Promise<number | string> =>
    new Promise((resolve) => {
      const named = Object.fromEntries(
        Array.from({ length: headers }, (_, i) => [`x-${i}`, 'y'.repeat(size / headers)]),
      );
      const stream = session.request({ ':path': '/livez', ...named });
      stream.on('response', (answer) => resolve(Number(answer[':status'])));
      stream.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      stream.resume();
    });
  assert.equal(await ask(60_000), 200);
  assert.equal(await ask(70_000), 431);
  assert.equal(await ask(70_000, 10), 431);
  assert.equal(await ask(60_000, 10), 200);
  session.destroy();
  await ended;
  await lives(server);
});

// ---- HTTP/1.1

async function everything(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'close');
  return text;
}

test('slow-loris: headers that come drop by drop are answered with 408 when their time is up', async () => {
  await using server = await secureServer({ connectionLimits: { headersMs: 200 } });
  const socket = await dial(server, 'http/1.1');
  socket.write('GET /livez HTTP/1.1\r\nhost: a\r\n');
  const dripping = setInterval(() => socket.write('x: y\r\n'), 50);
  const answer = await everything(socket);
  clearInterval(dripping);
  assert.match(answer, /^HTTP\/1\.1 408 /);
  await lives(server);
});

test('a connection on which nothing is said is closed when the handshake has had its time', async () => {
  await using server = await secureServer({ connectionLimits: { headersMs: 200 } });
  const { connect: plain } = await import('node:net');
  const silent = plain(server.port, '127.0.0.1');
  silent.on('error', () => undefined);
  silent.resume();
  await once(silent, 'close');
  await lives(server);
});

test('headers over HTTP/1.1 beyond the limit are answered with 431', async () => {
  await using server = await secureServer();
  const socket = await dial(server, 'http/1.1');
  socket.write(`GET /livez HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`);
  assert.match(await everything(socket), /^HTTP\/1\.1 431 /);
  await lives(server);
});

// ---- what all together may take

test('connections beyond the limit are closed at once, and there is room again when others have gone', async () => {
  await using server = await secureServer({ connectionLimits: { connections: 3 } });
  const held = [await dial(server, 'h2'), await dial(server, 'h2'), await dial(server, 'h2')];
  await assert.rejects(server.call('/livez'));
  for (const socket of held.slice(0, 2)) {
    socket.destroy();
    await once(socket, 'close');
  }
  for (let tries = 0; ; tries++) {
    // The server hears of it a moment later.
    const status = await server.call('/livez').then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) break;
    assert.ok(tries < 200, 'there is no room again');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  held[2]!.destroy();
});

test('bodies that together hold too much are refused with 429 and when to come again', async () => {
  const MEGABYTE = 1024 * 1024;
  await using server = await secureServer({ connectionLimits: { bodyBytes: 2 * MEGABYTE } });
  await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'default' } } });
  const { authority, admin } = server.certificates;
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, {
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.key,
  });
  session.on('error', () => undefined);
  const post = { ':method': 'POST', ':path': MAPS, 'content-type': 'application/json' };
  const unfinished = session.request(post);
  unfinished.on('error', () => undefined);
  await new Promise((resolve) => unfinished.write(Buffer.alloc(1.5 * MEGABYTE, ' '), resolve));
  const body = ' '.repeat(MEGABYTE) + JSON.stringify({ metadata: { name: 'a' } });
  let answer = await server.call(MAPS, { method: 'POST', body });
  // The first body may still be on its way when the second arrives; then there was room for both.
  for (let tries = 0; answer.status !== 429 && tries < 50; tries++)
    answer = await server.call(MAPS, { method: 'POST', body });
  assert.equal(answer.status, 429, answer.text);
  assert.equal(answer.headers['retry-after'], '1');
  assert.equal(answer.body['reason'], 'TooManyRequests');
  session.destroy();
  for (let tries = 0; answer.status === 429 && tries < 200; tries++)
    answer = await server.call(MAPS, { method: 'POST', body });
  assert.ok(answer.status === 201 || answer.status === 409, answer.text);
  await lives(server);
});

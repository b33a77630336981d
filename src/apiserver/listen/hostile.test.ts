// Clients that mean harm, or are broken: each is refused, and the server goes on for everybody else.
import assert from 'node:assert/strict';
import { connect, type ClientHttp2Session } from 'node:http2';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemRandom } from '../../base/index.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import { secureServer, type SecureServer } from '../testing/secure-server.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

function session({ port, certificates }: SecureServer): ClientHttp2Session {
  const { authority, admin } = certificates;
  const opened = connect(`https://127.0.0.1:${port}`, {
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.key,
  });
  opened.on('error', () => undefined);
  return opened;
}

const lives = async (server: SecureServer): Promise<void> =>
  assert.equal((await server.call('/livez')).status, 200);

test('a connection may have only so many streams, and those beyond wait', async () => {
  await using server = await secureServer();
  const many = session(server);
  await new Promise((resolve) => many.on('remoteSettings', resolve));
  assert.equal(many.remoteSettings.maxConcurrentStreams, 1000);
  many.destroy();
  await lives(server);
});

test('a body that never ends is given up when the request has had its time', async () => {
  const clock = new ManualClock();
  await using server = await secureServer({ clock, random: systemRandom });
  const idle = clock.timerCount;
  const slow = session(server);
  const stream = slow.request({ ':method': 'POST', ':path': MAPS, 'content-type': 'application/json' });
  const answered = new Promise<number>((resolve) =>
    stream.on('response', (headers) => resolve(Number(headers[':status']))),
  );
  stream.write('{"metadata":');
  while (clock.timerCount === idle) await new Promise((resolve) => setTimeout(resolve, 5));
  await clock.advance(60_000);
  assert.equal(await answered, 504);
  slow.destroy();
});

const REFUSED: readonly (readonly [
  what: string,
  headers: Record<string, string>,
  body: string | Buffer,
  message: RegExp,
])[] = [
  ['nests without end', {}, '['.repeat(100_000), /exceeded max depth/],
  ['is packed', { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(50_000_000)), /json parse error/],
  ['stands for more than it says', { 'content-type': 'application/yaml' }, bomb(), /excessive aliasing/],
  [
    'has a number that would lose digits',
    {},
    '{"metadata":{"generation":9007199254740993}}',
    /cannot be kept exactly/,
  ],
];

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 10; i++)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`);
  return lines.join('\n');
}

for (const [what, headers, body, message] of REFUSED) {
  test(`a body that ${what} is refused with a reason`, async () => {
    await using server = await secureServer();
    await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'default' } } });
    const answer = await server.call(MAPS, { method: 'POST', headers, body });
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.body.message ?? '', message);
  });
}

test('keys of a body reach no prototype', async () => {
  await using server = await secureServer();
  await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'default' } } });
  const body =
    '{"metadata":{"name":"a","labels":{"__proto__":"x"}},"data":{"__proto__":"y","constructor":"z"},"__proto__":{"polluted":1}}';
  const made = await server.call(MAPS, { method: 'POST', body });
  assert.equal(made.status, 422, 'no label has such a name');
  const kept = await server.call(MAPS, {
    method: 'POST',
    body: body.replace('"labels":{"__proto__":"x"}', '"labels":{}'),
  });
  assert.equal(kept.status, 201, kept.text);
  assert.match(kept.text, /"data":\{[^}]*"__proto__":"y"/);
  assert.equal('polluted' in {}, false);
});

test('a request may ask for less time than it could have, not for nonsense', async () => {
  const held = Promise.withResolvers<void>();
  await using server = await secureServer({
    admission: [
      {
        name: 'Endless',
        handles: ({ resource }) => resource === 'configmaps',
        validate: () => held.promise,
      },
    ],
  });
  await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'default' } } });
  assert.equal((await server.call(`${MAPS}?timeout=soon`)).status, 400);
  assert.equal((await server.call(`${MAPS}?timeout=-1s`)).status, 400);
  assert.equal((await server.call(`${MAPS}?timeout=0s`)).status, 200);
  const answer = await server.call(`${MAPS}?timeout=50ms`, {
    method: 'POST',
    body: { metadata: { name: 'a' } },
  });
  assert.equal(answer.status, 504);
  assert.equal(answer.body['reason'], 'Timeout');
  held.resolve();
});

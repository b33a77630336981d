import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { http2Exchange, type Exchange } from './exchange.ts';

/** The server's side of one request, when its stream has closed. */
async function closedExchange(answer: (exchange: Exchange) => void, leavesWith?: number): Promise<Exchange> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const served = new Promise<Exchange>((resolve) => {
    server.on('stream', (stream: ServerHttp2Stream, headers, _flags, raw) => {
      const exchange = http2Exchange(stream, headers, raw);
      stream.on('close', () => resolve(exchange));
      answer(exchange);
    });
  });
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const request = session.request({ ':path': '/' });
  request.on('error', () => undefined);
  request.resume();
  if (leavesWith !== undefined) {
    await once(request, 'response');
    request.close(leavesWith);
  }
  const exchange = await served;
  session.close();
  server.close();
  return exchange;
}

test('a request that was answered has not been left', async () => {
  const { signal } = await closedExchange((exchange) => exchange.respond(200, {}, Buffer.from('ok')));
  assert.equal(signal.aborted, false);
});

test('an answer without a body is one, too', async () => {
  const { signal } = await closedExchange((exchange) => exchange.respond(204, {}, undefined));
  assert.equal(signal.aborted, false);
});

for (const [how, code] of [
  ['without an error', 0],
  ['and says so', 8],
] as const) {
  test(`whoever goes while the answer comes in parts has left: ${how}`, async () => {
    const { signal } = await closedExchange((exchange) => void exchange.openBody(200, {}), code);
    assert.equal(signal.aborted, true);
  });
}

test('a stream is let go of after its last bytes are out, not before', async () => {
  const finished: boolean[] = [];
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('stream', (stream: ServerHttp2Stream, headers, _flags, raw) => {
    stream.on('close', () => finished.push(stream.writableFinished));
    http2Exchange(stream, headers, raw).respond(200, {}, Buffer.from('ok'));
  });
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (let i = 0; i < 10; i++) {
    const request = session.request({ ':path': '/' });
    request.resume();
    await once(request, 'close');
  }
  session.close();
  server.close();
  await once(server, 'close');
  assert.deepEqual(new Set(finished), new Set([true]));
});

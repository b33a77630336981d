import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { http2Exchange, type Exchange } from './exchange.ts';

/** The server's side of one request, when its stream has closed. */
async function closedExchange(answer: (exchange: Exchange) => void, leaves: boolean): Promise<Exchange> {
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
  if (leaves) {
    await once(request, 'response');
    request.close(8);
  }
  const exchange = await served;
  session.close();
  server.close();
  return exchange;
}

test('a request that was answered has not been left', async () => {
  const { signal } = await closedExchange((exchange) => exchange.respond(200, {}, Buffer.from('ok')), false);
  assert.equal(signal.aborted, false);
});

test('an answer without a body is one, too', async () => {
  const { signal } = await closedExchange((exchange) => exchange.respond(204, {}, undefined), false);
  assert.equal(signal.aborted, false);
});

test('whoever goes while the answer comes in parts has left', async () => {
  const { signal } = await closedExchange((exchange) => void exchange.openBody(200, {}), true);
  assert.equal(signal.aborted, true);
});

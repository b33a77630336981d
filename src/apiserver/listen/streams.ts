// Sends answers that come in parts, and hands over connections that become something else. What must stay true: a
// reader that is slower than its source holds the source back, nothing piles up; and when one side goes, so does the
// other.
import { errorMessage, type Logger } from '../../base/index.ts';
import { StatusError } from '../../machinery/index.ts';
import type { ApiResponse, WriteBytes } from '../contract.ts';
import type { Exchange, ResponseBody, ResponseHeaders } from './exchange.ts';

export interface StreamOptions {
  readonly logger: Logger;
  /** Aborts when the listener closes: streams end. */
  readonly closing: AbortSignal;
}

const left = (): Error => new Error('the client left');

export async function sendStream(
  exchange: Exchange,
  response: Extract<ApiResponse, { kind: 'stream' }>,
  common: ResponseHeaders,
  { logger, closing }: StreamOptions,
): Promise<void> {
  if (exchange.signal.aborted) {
    // Whoever is at the other end holds something for this answer, and has to hear that nobody wants it.
    await response.run(() => Promise.reject(left()), exchange.signal).catch(() => undefined);
    return;
  }
  const headers: ResponseHeaders = { ...common, ...response.headers };
  const { status } = response;
  if (exchange.method === 'HEAD' || status === 204 || status === 304) {
    exchange.respond(status, headers, undefined);
    await response.run(() => Promise.resolve(), AbortSignal.any([exchange.signal, closing]));
    return;
  }
  const body = exchange.openBody(status, headers);
  const gone = new AbortController();
  body.onClose(() => gone.abort(left()));
  try {
    await response.run(writerTo(body, gone.signal), AbortSignal.any([gone.signal, closing]));
    body.end();
  } catch (error) {
    if (!gone.signal.aborted) logger.debug('an answer was cut off', { error: errorMessage(error) });
    // An end in order would let the reader take a part for the whole.
    body.destroy();
  }
}

function writerTo(body: ResponseBody, gone: AbortSignal): WriteBytes {
  let waiting: { resolve(): void; reject(error: Error): void } | undefined;
  body.onDrain(() => {
    waiting?.resolve();
    waiting = undefined;
  });
  gone.addEventListener('abort', () => waiting?.reject(left()), { once: true });
  return (bytes) => {
    if (gone.aborted) return Promise.reject(left());
    if (body.write(bytes)) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting = { resolve, reject };
    return promise;
  };
}

export async function handOver(
  exchange: Exchange,
  response: Extract<ApiResponse, { kind: 'upgrade' }>,
  { logger, closing }: StreamOptions,
): Promise<void> {
  const connection = exchange.upgrade?.take();
  // HTTP/2 has no upgrades, and neither has a request that did not ask for one.
  if (connection === undefined) throw new StatusError(400, 'BadRequest', 'Upgrade request required', {});
  const { socket } = connection;
  const gone = new AbortController();
  socket.on('close', () => gone.abort(left()));
  if (socket.destroyed) gone.abort(left());
  try {
    await response.run(connection, AbortSignal.any([gone.signal, closing]));
    socket.end();
  } catch (error) {
    if (!gone.signal.aborted) logger.debug('a connection was cut off', { error: errorMessage(error) });
    socket.destroy();
  }
}

// Turns what a socket brought into an ApiRequest and the ApiResponse back into bytes. What must stay true: every
// exchange is answered, errors as meta/v1 Status, and no fault of one request reaches another or the process.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { errorMessage, type Clock, type Logger, type Random } from '../../base/index.ts';
import {
  StatusError,
  badRequest,
  encodeJson,
  internalError,
  parseDuration,
  type UserInfo,
} from '../../machinery/index.ts';
import type { Auditor } from '../audit/auditor.ts';
import type { ApiRequest, ApiResponse, Authenticator } from '../contract.ts';
import type { Exchange, ResponseHeaders } from './exchange.ts';
import { readBody, type BodyBudget } from './request-body.ts';
import { handOver, sendStream } from './streams.ts';
import { createWatchStream } from './watch-stream.ts';

/** What the peer showed: nothing, a certificate that our client CA vouches for, or one that it does not. */
export type ClientCertificate = Parameters<Authenticator['authenticate']>[0]['certificate'] | 'untrusted';

export interface ServeOptions {
  readonly authenticator: Authenticator;
  readonly handle: (request: ApiRequest) => Promise<ApiResponse>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How much of bodies is in memory. */
  readonly bodies: BodyBudget;
  /** Told of requests that are refused before anybody can handle them. */
  readonly onRefused?: Auditor['refused'];
  /** Aborts when the listener closes: watches end. */
  readonly closing: AbortSignal;
}

// LIMIT: how long a request other than a watch may take, as kube-apiserver's --request-timeout.
const REQUEST_TIMEOUT_MS = 60_000;
// LIMIT: how long the last bytes of a watch that has ended may wait for their reader.
const LINGER_MS = 30_000;
// Below this, compressing costs more than sending; kube-apiserver's bound.
const GZIP_THRESHOLD_BYTES = 128 * 1024;
const gzipAsync = promisify(gzip);

export async function serve(
  exchange: Exchange,
  certificate: ClientCertificate,
  options: ServeOptions,
): Promise<void> {
  const auditId = auditIdOf(exchange, options.random);
  const common: ResponseHeaders = { 'audit-id': auditId, 'cache-control': 'no-cache, private' };
  const { path, query } = splitTarget(exchange.target);
  const { method, headers, address, upgrade } = exchange;
  const origin = { auditId, address };
  let user: UserInfo | undefined;
  let deadline: Deadline | undefined;
  try {
    let body: ApiRequest['body'];
    try {
      user = await authenticate(exchange, path, certificate, options.authenticator);
      deadline = new Deadline(exchange, options, timeoutOf(query));
      if (exchange.hasBody) body = await deadline.within(readBody(exchange, options.bodies));
    } catch (error) {
      const refusal = statusOf(error, options.logger);
      const refused = { method, path, query, headers, origin };
      options.onRefused?.(user === undefined ? refused : { ...refused, user }, refusal);
      throw refusal;
    }
    const from = user;
    const asked = upgrade === undefined ? {} : { upgrade: upgrade.protocol };
    const { signal } = deadline;
    const response = await deadline.within(
      options.handle({ method, path, query, headers, body, user: from, signal, origin, ...asked }),
    );
    deadline.end();
    await send(exchange, response, common, options);
  } catch (error) {
    sendError(exchange, error, common, options.logger.with({ auditId }));
  } finally {
    deadline?.end();
    options.bodies.release(exchange);
  }
}

/** COMPAT: a client may name its request, within reason. */
function auditIdOf({ headers }: Exchange, random: Random): string {
  const given = headers['audit-id'];
  return given !== undefined && /^[\x20-\x7e]{1,64}$/.test(given) ? given : random.uuid();
}

function send(
  exchange: Exchange,
  response: ApiResponse,
  common: ResponseHeaders,
  options: ServeOptions,
): Promise<void> {
  switch (response.kind) {
    case 'watch':
      return sendWatch(exchange, response, common, options);
    case 'stream':
      return sendStream(exchange, response, common, options);
    case 'upgrade':
      return handOver(exchange, response, options);
    case 'object':
    case 'bytes':
      return sendBody(exchange, response, common);
  }
}

async function authenticate(
  { headers }: Exchange,
  path: string,
  certificate: ClientCertificate,
  authenticator: Authenticator,
): Promise<UserInfo> {
  const untrusted = certificate === 'untrusted';
  // COMPAT: one good credential is enough. With none, a bad certificate is refused, not treated as anonymous.
  const user =
    untrusted && headers['authorization'] === undefined
      ? undefined
      : await authenticator.authenticate({ headers, certificate: untrusted ? undefined : certificate, path });
  if (user === undefined) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  return user;
}

function splitTarget(target: string): { path: string; query: URLSearchParams } {
  // Some HTTP/1.1 clients send the whole URL; the authority was settled by the connection.
  const local = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/]*/i, '');
  const mark = local.indexOf('?');
  return mark < 0
    ? { path: local === '' ? '/' : local, query: new URLSearchParams() }
    : { path: local.slice(0, mark) || '/', query: new URLSearchParams(local.slice(mark + 1)) };
}

/** How long the request may take: what it asks for, as far as the server grants that. */
function timeoutOf(query: URLSearchParams): number {
  const asked = query.get('timeout') ?? '';
  if (asked === '') return REQUEST_TIMEOUT_MS;
  let ms: number;
  try {
    ms = parseDuration(asked);
  } catch {
    throw badRequest('invalid timeout specified in the request URL');
  }
  if (ms < 0) throw badRequest('invalid timeout specified in the request URL');
  return ms === 0 ? REQUEST_TIMEOUT_MS : Math.min(ms, REQUEST_TIMEOUT_MS);
}

/** What a request has: some time, and somebody who waits for it. */
class Deadline {
  readonly #exchange: Exchange;
  readonly #controller = new AbortController();
  readonly #passed: Promise<never>;
  readonly #cancel: () => void;
  readonly #onLeft = (): void => this.#controller.abort(this.#exchange.signal.reason);

  constructor(exchange: Exchange, { clock }: ServeOptions, timeoutMs: number) {
    this.#exchange = exchange;
    exchange.signal.addEventListener('abort', this.#onLeft, { once: true });
    const { promise, reject } = Promise.withResolvers<never>();
    // It may pass while nobody waits.
    promise.catch(() => undefined);
    this.#passed = promise;
    this.#cancel = clock.after(timeoutMs, () => {
      const message = 'Timeout: request did not complete within the allotted timeout';
      const error = new StatusError(504, 'Timeout', message, {});
      reject(error);
      this.#controller.abort(error);
    });
  }

  /** Aborts when the time is over, or the peer has left. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects when the time is over. */
  within<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#passed]);
  }

  end(): void {
    this.#cancel();
    this.#exchange.signal.removeEventListener('abort', this.#onLeft);
  }
}

async function sendBody(
  exchange: Exchange,
  response: Extract<ApiResponse, { kind: 'object' | 'bytes' }>,
  common: ResponseHeaders,
): Promise<void> {
  const headers: ResponseHeaders = { ...common, ...response.headers };
  let bytes: Uint8Array;
  if (response.kind === 'object') {
    bytes = response.encode?.() ?? encodeJson(response.object);
    headers['content-type'] ??= 'application/json';
  } else {
    bytes = response.bytes;
    headers['content-type'] = response.contentType;
  }
  if (bytes.length > GZIP_THRESHOLD_BYTES && headers['content-encoding'] === undefined) {
    headers['vary'] = 'Accept-Encoding';
    if (acceptsGzip(exchange.headers['accept-encoding'])) {
      bytes = await gzipAsync(bytes, { level: 1 });
      headers['content-encoding'] = 'gzip';
    }
  }
  const bare = response.status === 204 || response.status === 304;
  if (!bare) headers['content-length'] = bytes.length;
  exchange.respond(response.status, headers, bare || exchange.method === 'HEAD' ? undefined : bytes);
}

function acceptsGzip(header: string | undefined): boolean {
  return (
    header !== undefined &&
    header.split(',').some((part) => /^\s*(gzip|\*)\s*(;|$)/i.test(part) && !/;\s*q=0(\.0*)?\s*$/i.test(part))
  );
}

async function sendWatch(
  exchange: Exchange,
  response: Extract<ApiResponse, { kind: 'watch' }>,
  common: ResponseHeaders,
  { closing, clock, logger }: ServeOptions,
): Promise<void> {
  if (exchange.signal.aborted) return;
  const headers = { ...common, ...response.headers, 'content-type': response.contentType };
  const body = exchange.openBody(200, headers);
  const controller = new AbortController();
  const stop = (): void => controller.abort(new Error('the watch ended'));
  if (closing.aborted) stop();
  closing.addEventListener('abort', stop, { once: true });
  let cancelLinger = (): void => undefined;
  body.onClose(() => {
    cancelLinger();
    stop();
  });
  const frame = response.frame?.bind(response);
  const onSent = response.onSent?.bind(response);
  const stream = createWatchStream(body, { logger, onDropped: stop, frame, onSent });
  try {
    await response.run((events) => stream.push(events), controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) {
      const status = statusOf(error, logger).status;
      stream.push([{ type: 'ERROR', object: status as unknown as never }]);
    }
  } finally {
    closing.removeEventListener('abort', stop);
    cancelLinger = clock.after(LINGER_MS, () => body.destroy());
    if (exchange.signal.aborted) cancelLinger();
    stream.end();
  }
}

function statusOf(error: unknown, logger: Logger): StatusError {
  if (error instanceof StatusError) return error;
  logger.error('request failed', { error });
  return internalError(errorMessage(error));
}

function sendError(exchange: Exchange, error: unknown, common: ResponseHeaders, logger: Logger): void {
  // Nobody is left to tell.
  if (exchange.signal.aborted) return;
  const status = statusOf(error, logger);
  const bytes = encodeJson(status.status);
  const retryAfterSeconds = status.status.details?.retryAfterSeconds;
  exchange.respond(
    status.code,
    {
      ...common,
      'content-type': 'application/json',
      'content-length': bytes.length,
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    exchange.method === 'HEAD' ? undefined : bytes,
  );
}

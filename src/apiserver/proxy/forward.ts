// Hands a request on to another server and its answer back, part by part; a connection that is to become something
// else is joined to one there. What must stay true: nobody is authenticated or impersonated there by what the client
// wrote, only by what `headers` says; and when one side of a stream goes, so does the other.
import http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { encodeJson } from '../../machinery/index.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import type { UpgradedConnection } from '../listen/exchange.ts';
import { goFailure } from '../webhooks/go-failures.ts';
import type { Upstream, UpstreamConnections } from './upstream.ts';

export interface Forwarding {
  readonly upstream: Upstream;
  /** Behind the path of the upstream's URL; as it is sent, without the query. */
  readonly path: string;
  /** Put in place of whatever the client sent under these names. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/** There was no answer; `message` as kube-apiserver's client words it. */
export class UpstreamError extends Error {
  override name = 'UpstreamError';
}

// RFC 9110 section 7.6.1, and what only we are told.
const NOT_FORWARDED = new Set([
  'authorization', 'connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive', 'proxy-authenticate',
  'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]); // prettier-ignore
const ABOUT_IDENTITY = /^(:|impersonate-|x-remote-)/;

function bodyOf({ body }: ApiRequest): Uint8Array | undefined {
  if (body === undefined) return undefined;
  return 'bytes' in body ? body.bytes : encodeJson(body.json);
}

function requestHeaders(request: ApiRequest, set: Forwarding['headers']): http.OutgoingHttpHeaders {
  const hop = new Set((request.headers['connection'] ?? '').toLowerCase().split(/\s*,\s*/));
  const headers: http.OutgoingHttpHeaders = {};
  for (const name in request.headers) {
    if (NOT_FORWARDED.has(name) || hop.has(name) || ABOUT_IDENTITY.test(name)) continue;
    headers[name] = request.headers[name];
  }
  if (request.upgrade !== undefined) {
    headers['connection'] = 'Upgrade';
    headers['upgrade'] = request.headers['upgrade'];
  }
  for (const name in set) headers[name] = set[name] as string | string[];
  return headers;
}

function responseHeaders(answer: http.IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const name in answer.headers) {
    const value = answer.headers[name];
    if (value !== undefined && !NOT_FORWARDED.has(name)) headers[name] = value;
  }
  const length = answer.headers['content-length'];
  if (length !== undefined) headers['content-length'] = length;
  return headers;
}

/** Sends the request on. Resolves when the other server has begun to answer; throws an UpstreamError when it does not. */
export function forward(
  connections: UpstreamConnections,
  request: ApiRequest,
  forwarding: Forwarding,
): Promise<ApiResponse> {
  const { upstream } = forwarding;
  const { url } = upstream;
  const body = bodyOf(request);
  const query = request.query.toString();
  const path = `${url.pathname.replace(/\/+$/, '')}${forwarding.path}${query === '' ? '' : `?${query}`}`;
  const headers = requestHeaders(request, forwarding.headers);
  const options: http.RequestOptions = {
    method: request.method,
    host: url.hostname,
    port: url.port,
    path,
    headers: { ...headers, host: url.host, ...(body === undefined ? {} : { 'content-length': body.length }) },
    // A connection that changes hands is never one that was used before.
    ...(request.upgrade === undefined
      ? { agent: connections.agentFor(upstream) }
      : { createConnection: dialling(connections, upstream) }),
  };
  return new Promise((resolve, reject) => {
    const send = (again: boolean): void => {
      const sent = http.request(options);
      const onAbort = (): void => void sent.destroy(request.signal.reason as Error);
      request.signal.addEventListener('abort', onAbort, { once: true });
      const settled = (): void => request.signal.removeEventListener('abort', onAbort);
      sent.on('response', (answer) => {
        settled();
        resolve(streamOf(answer));
      });
      sent.on('upgrade', (answer, socket, head) => {
        settled();
        resolve({ kind: 'upgrade', run: (client, signal) => join(client, { answer, socket, head }, signal) });
      });
      sent.on('error', (error) => {
        settled();
        const stale = sent.reusedSocket && (request.method === 'GET' || request.method === 'HEAD');
        if (stale && again && !request.signal.aborted) {
          send(false);
          return;
        }
        reject(new UpstreamError(goFailure(error, url.hostname, Number(url.port || 443)), { cause: error }));
      });
      if (request.signal.aborted) onAbort();
      sent.end(body);
    };
    send(true);
  });
}

function dialling(
  connections: UpstreamConnections,
  upstream: Upstream,
): NonNullable<http.ClientRequestArgs['createConnection']> {
  return (_options, done) => {
    connections.dial(upstream).then(
      (socket) => done(null, socket),
      (error: unknown) => done(error as Error, undefined as unknown as Duplex),
    );
    return undefined;
  };
}

function streamOf(answer: http.IncomingMessage): ApiResponse {
  // The reader may come later than the break; `run` sees it then.
  answer.on('error', () => undefined);
  return {
    kind: 'stream',
    status: answer.statusCode ?? 502,
    headers: responseHeaders(answer),
    async run(write, signal) {
      const stop = (): void => void answer.destroy();
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      try {
        for await (const chunk of answer) await write(chunk as Uint8Array);
        if (!answer.complete) throw new Error('the answer was cut off');
      } finally {
        signal.removeEventListener('abort', stop);
        answer.destroy();
      }
    },
  };
}

interface UpgradedAnswer {
  readonly answer: http.IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Passes on the answer, then everything in both directions until either side ends. */
async function join(client: UpgradedConnection, there: UpgradedAnswer, signal: AbortSignal): Promise<void> {
  const { answer } = there;
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
  }
  client.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (there.head.length > 0) client.socket.write(there.head);
  if (client.head.length > 0) there.socket.write(client.head);
  const sides = [client.socket, there.socket];
  await new Promise<void>((resolve) => {
    const end = (): void => {
      // What was sent last is still to arrive.
      for (const side of sides) (side as Socket).destroySoon();
      resolve();
    };
    for (const side of sides) {
      side.on('error', () => undefined);
      side.once('close', end);
    }
    if (signal.aborted || sides.some(({ destroyed }) => destroyed)) end();
    signal.addEventListener('abort', end, { once: true });
    client.socket.pipe(there.socket);
    there.socket.pipe(client.socket);
  });
}

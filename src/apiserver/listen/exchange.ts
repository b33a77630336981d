// One request and its answer as a socket carries them, the same for HTTP/1.1 and HTTP/2. What must stay true:
// an exchange is answered at most once, and its signal aborts when the peer goes away before the answer is out.
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

/** Names in lower case. Values of one name are joined by `, `, those of `impersonate-` names by a line break. */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;
export type ResponseHeaders = Record<string, string | number | readonly string[]>;

export interface Exchange {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly headers: RequestHeaders;
  readonly hasBody: boolean;
  /** The peer's IP address. */
  readonly address: string;
  /** Aborts when the peer leaves early. */
  readonly signal: AbortSignal;
  /** Calls `onChunk` for each part of the body, then resolves; rejects when the peer leaves before its end. */
  readBody(onChunk: (chunk: Uint8Array) => void): Promise<void>;
  /** Cuts the connection of an HTTP/1.1 peer, or resets the stream of an HTTP/2 one. */
  destroy(): void;
  /** Answers with a body that is known; `undefined` sends headers only. */
  respond(status: number, headers: ResponseHeaders, body: Uint8Array | undefined): void;
  /** Only where the client asked to turn its connection into something else. */
  readonly upgrade?: Upgrade;
  /** Answers with a body that comes in parts. */
  openBody(status: number, headers: ResponseHeaders): ResponseBody;
}

/** A connection that its client asked to turn into something else. Nothing has been answered yet. */
export interface UpgradedConnection {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the request. */
  readonly head: Buffer;
}

export interface Upgrade {
  /** In lower case. */
  readonly protocol: string;
  /** Takes the connection instead of answering; undefined when it was answered already. */
  take(): UpgradedConnection | undefined;
}

export interface ResponseBody {
  /** False: what was written waits in memory; call `onDrain`'s callback comes when it is out. */
  write(bytes: Uint8Array): boolean;
  onDrain(callback: () => void): void;
  onClose(callback: () => void): void;
  end(): void;
  destroy(): void;
}

// Repeated header lines are values of their own here, and a group's name may contain a comma.
const IMPERSONATE = 'impersonate-';

function splitImpersonation(
  headers: Record<string, string | string[] | undefined>,
  raw: readonly string[],
): RequestHeaders {
  let impersonated: Record<string, string> | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!name.startsWith(IMPERSONATE)) continue;
    impersonated ??= {};
    const before = impersonated[name];
    impersonated[name] = before === undefined ? raw[i + 1]! : `${before}\n${raw[i + 1]!}`;
  }
  // Both protocols join values already, but for set-cookie, which no request has.
  return impersonated === undefined
    ? (headers as RequestHeaders)
    : { ...(headers as RequestHeaders), ...impersonated };
}

function bodyOf(stream: {
  write(bytes: Uint8Array): boolean;
  on(event: 'drain' | 'close', callback: () => void): unknown;
  end(): unknown;
  destroy(): unknown;
}): ResponseBody {
  return {
    write: (bytes) => stream.write(bytes),
    onDrain: (callback) => void stream.on('drain', callback),
    onClose: (callback) => void stream.on('close', callback),
    end: () => void stream.end(),
    destroy: () => void stream.destroy(),
  };
}

function readAll(
  stream: IncomingMessage | ServerHttp2Stream,
  onChunk: (chunk: Uint8Array) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let ended = false;
    stream.on('data', onChunk);
    stream.on('end', () => {
      ended = true;
      resolve();
    });
    stream.on('error', reject);
    stream.on('close', () => {
      if (!ended) reject(new Error('the connection closed before the whole body had come'));
    });
  });
}

export function http1Exchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const controller = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) controller.abort(new Error('the client left'));
  });
  // An error of the socket also closes the response; unhandled it would end the process.
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  return {
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    headers: splitImpersonation(request.headers, request.rawHeaders),
    hasBody: request.headers['transfer-encoding'] !== undefined || contentLength(request.headers) > 0,
    address: request.socket.remoteAddress ?? '',
    signal: controller.signal,
    readBody: (onChunk) => readAll(request, onChunk),
    destroy: () => void request.destroy(),
    respond(status, headers, body) {
      if (response.headersSent || response.destroyed) return;
      response.writeHead(status, headers as Record<string, string | number | string[]>);
      response.end(body);
    },
    openBody(status, headers) {
      response.writeHead(status, headers as Record<string, string | number | string[]>);
      response.flushHeaders();
      return bodyOf(response);
    },
  };
}

/** What can be spoken on a connection besides HTTP. Other wishes are ignored, as HTTP wants it. */
export function isUpgrade({ headers }: IncomingMessage): boolean {
  return /^(websocket|spdy\/3\.1)$/i.test(headers.upgrade ?? '');
}

/** A request whose connection HTTP has let go of: answered by hand, or taken over. */
export function upgradeExchange(request: IncomingMessage, socket: Socket, head: Buffer): Exchange {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => {
    response.detachSocket(socket);
    socket.end();
  });
  return {
    ...http1Exchange(request, response),
    hasBody: false,
    upgrade: {
      protocol: (request.headers.upgrade ?? '').toLowerCase(),
      take() {
        if (response.headersSent) return undefined;
        response.detachSocket(socket);
        return { request, socket, head };
      },
    },
  };
}

export function http2Exchange(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  raw: readonly string[],
): Exchange {
  const controller = new AbortController();
  const onLeft = (): void => {
    // A stream whose end both sides have said closes before it is told that its last bytes are out, so that is not asked.
    if (!stream.writableEnded) controller.abort(new Error('the client left'));
  };
  // Nobody reads the end of a request without a body, and so Node.js lets go of its stream only when the last bytes are out.
  // Let go of before, it makes an error of these that nobody gets, at a tenth of what a read costs.
  stream.on('aborted', onLeft);
  stream.on('close', onLeft);
  stream.on('error', () => undefined);
  return {
    method: headers[':method'] ?? 'GET',
    target: headers[':path'] ?? '/',
    headers: splitImpersonation(headers, raw),
    hasBody: !stream.endAfterHeaders,
    address: stream.session?.socket.remoteAddress ?? '',
    signal: controller.signal,
    readBody: (onChunk) => readAll(stream, onChunk),
    destroy: () => stream.close(8 /* CANCEL */),
    respond(status, headers, body) {
      if (stream.headersSent || stream.destroyed) return;
      stream.respond(
        { ':status': status, ...(headers as Record<string, string | string[]>) },
        { endStream: body === undefined },
      );
      if (body !== undefined) stream.end(body);
    },
    openBody(status, headers) {
      stream.respond({ ':status': status, ...(headers as Record<string, string | string[]>) });
      return bodyOf(stream);
    },
  };
}

function contentLength(headers: IncomingHttpHeaders): number {
  return Number(headers['content-length'] ?? 0);
}

// The HTTPS door: one TLS port that speaks HTTP/2 and HTTP/1.1, asks for a client certificate but does not insist
// on one. What must stay true: after close() no socket, timer or watch of it is left.
import {
  STATUS_CODES,
  createServer as createHttp1Server,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { OperatingError, every, sleep, type Clock } from '../../base/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { http1Exchange, http2Exchange, isUpgrade, upgradeExchange, type Exchange } from './exchange.ts';
import { BodyBudget } from './request-body.ts';
import { serve, type ClientCertificate, type ServeOptions } from './serve.ts';

/** PEM texts. */
export interface TlsMaterial {
  readonly key: string;
  readonly certificate: string;
  /** Who may sign client certificates; several can follow each other. */
  readonly clientCa: string;
}

export interface ListenerOptions extends Omit<ServeOptions, 'closing' | 'bodies'> {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: TlsMaterial;
  /** Sees every new connection before its TLS handshake, and may end it. */
  readonly onConnection?: (socket: Socket) => void;
  readonly limits?: Partial<ConnectionLimits>;
}

/** LIMIT: what everybody together may take from the server before anybody is known by name. */
export interface ConnectionLimits {
  /** Those beyond are closed at once. */
  readonly connections: number;
  /** A peer that has not finished its TLS handshake or its HTTP/1.1 headers by then is cut off. */
  readonly headersMs: number;
  /** What the bodies of all requests under way may hold together. */
  readonly bodyBytes: number;
  /** How often an HTTP/2 peer is asked whether it still reads; one that has not answered twice as long is cut off. */
  readonly pingMs: number;
}

const DEFAULT_LIMITS: ConnectionLimits = {
  connections: 10_000,
  headersMs: 10_000,
  bodyBytes: 256 * 1024 * 1024,
  pingMs: 30_000,
};

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Takes effect for connections made from now on. */
  renewCertificate(tls: TlsMaterial): void;
  /** False: cuts all connections and gives the port back, so that new ones are refused. True: listens there again. */
  setListening(listening: boolean): Promise<void>;
  /** Ends watches, waits for requests under way (up to a limit), then cuts what is left. */
  close(): Promise<void>;
}

// LIMIT: what a broken or hostile HTTP/2 peer may do before its connection is closed: streams that it takes back at
// once, frames that make no sense, streams beyond the number above.
const RESET_BURST = 1000;
const RESETS_PER_SECOND = 100;
const INVALID_FRAMES = 100;
const REJECTED_STREAMS = 100;
// LIMIT: streams of one HTTP/2 connection; kube-apiserver's default. A controller's watches fit on one connection.
const CONCURRENT_STREAMS = 1000;
// Node's 64 KiB windows make each large upload wait for a round trip per window.
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024;
// LIMIT: headers of one request.
const HEADER_BYTES = 64 * 1024;
// Headers over HTTP/2 that are read to be refused with a status; beyond it the connection ends.
const READ_HEADER_BYTES = 256 * 1024;
// LIMIT: memory of one connection, for headers and what waits to be sent. Node's 10 MB refuse streams when a
// client lists several large collections at once.
const SESSION_MEMORY_MB = 256;
// LIMIT: how long an HTTP/1.1 request may take to arrive, and how often it is looked which ones have not.
const HTTP1_REQUEST_TIMEOUT_MS = 60_000;
const HTTP1_CHECK_MS = 5_000;
const KEEP_ALIVE_PROBE_MS = 30_000;
// LIMIT: how long close() waits for requests under way, and then for their last bytes.
const CLOSE_GRACE_MS = 5_000;
const FLUSH_MS = 500;

export async function startListener(options: ListenerOptions): Promise<Listener> {
  const closing = new AbortController();
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const bodies = new BodyBudget(limits.bodyBytes);
  const serving: ServeOptions = { ...options, closing: closing.signal, bodies };
  const sockets = new Set<Socket>();
  const sessions = new Map<ServerHttp2Session, TLSSocket>();
  const requests = new Set<Promise<void>>();
  const track = (request: Promise<void>): void => {
    requests.add(request);
    void request.finally(() => requests.delete(request));
  };

  const http1 = createHttp1Server({
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: Math.min(HTTP1_CHECK_MS, limits.headersMs),
    requestTimeout: HTTP1_REQUEST_TIMEOUT_MS,
    shouldUpgradeCallback: isUpgrade,
  });
  http1.on('request', (request: IncomingMessage, response: ServerResponse) =>
    track(serve(http1Exchange(request, response), certificateOf(request.socket as TLSSocket), serving)),
  );

  http1.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) =>
    track(serve(upgradeExchange(request, socket, head), certificateOf(socket), serving)),
  );

  http1.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    refuseUnread(error, socket, options.clock),
  );

  const tls = createTlsServer({
    ...secureContext(options.tls),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
    minVersion: 'TLSv1.2',
    handshakeTimeout: limits.headersMs,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
  });
  // A client that does not trust the server, or that speaks no TLS, is its own business. One that says nothing is not
  // closed by Node.js when its time is up.
  tls.on('tlsClientError', (error, socket) => {
    options.logger.debug('TLS handshake failed', { error: error.message });
    socket.destroy();
  });
  tls.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    options.onConnection?.(socket);
  });
  tls.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    if (socket.alpnProtocol !== 'h2') {
      http1.emit('connection', socket);
      return;
    }
    const session = acceptHttp2(socket, (exchange, certificate) =>
      track(serve(exchange, certificate, serving)),
    );
    sessions.set(session, socket);
    session.on('close', () => sessions.delete(session));
  });

  const stopPinging = every(options.clock, limits.pingMs, () => cutOffDeaf(sessions));
  tls.maxConnections = limits.connections;
  await listen(tls, options);
  // Starts the sweep that cuts slow HTTP/1.1 senders; it would start by itself if this server had its own port.
  http1.emit('listening');
  const address = tls.address() as AddressInfo;

  return {
    host: address.address,
    port: address.port,
    renewCertificate: (material) => tls.setSecureContext(secureContext(material)),
    async setListening(listening) {
      if (closing.signal.aborted || listening === tls.listening) return;
      if (listening) {
        await listen(tls, { ...options, port: address.port });
        return;
      }
      const closed = new Promise<void>((resolve) => tls.close(() => resolve()));
      for (const session of sessions.keys()) session.destroy();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async close() {
      if (closing.signal.aborted) return;
      stopPinging();
      closing.abort(new Error('the server is shutting down'));
      const closed = new Promise<void>((resolve) => tls.close(() => resolve()));
      await within(options.clock, CLOSE_GRACE_MS, Promise.all(requests));
      for (const session of sessions.keys()) session.close();
      http1.close();
      await within(options.clock, FLUSH_MS, closed);
      for (const session of sessions.keys()) session.destroy();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

// LIMIT: rounds without an answer. One is not enough: a peer may be as busy as this process was when it asked.
const SILENT_ROUNDS_MAX = 2;
const silentRounds = new WeakMap<ServerHttp2Session, number>();

/** Ends sessions whose peers take nothing in any more, and would be kept for ever; asks the others. */
function cutOffDeaf(sessions: ReadonlyMap<ServerHttp2Session, TLSSocket>): void {
  for (const [session, socket] of sessions) {
    if (session.destroyed) {
      // It waits for its peer to close the socket.
      socket.destroy();
      continue;
    }
    const silent = silentRounds.get(session) ?? 0;
    if (silent >= SILENT_ROUNDS_MAX) session.destroy();
    else if (silent > 0 || session.ping(() => void silentRounds.delete(session)))
      silentRounds.set(session, silent + 1);
  }
}

/** Answers an HTTP/1.1 request that could not be read, where the client still listens. */
function refuseUnread({ code }: NodeJS.ErrnoException, socket: Socket, clock: Clock): void {
  if (refused.has(socket)) return;
  const answered = (socket as { _httpMessage?: ServerResponse })._httpMessage?.headersSent === true;
  if (!socket.writable || answered || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, message] = UNREAD[code ?? ''] ?? [400, 'the request is no HTTP/1.1'];
  const text = refusal(status, message);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
  // What is still on its way is read and refused again: cut off at once, most clients would lose the answer.
  refused.add(socket);
  socket.once(
    'close',
    clock.after(FLUSH_MS, () => socket.destroy()),
  );
}

const refused = new WeakSet<Socket>();

function refusal(status: number, message: string): string {
  return JSON.stringify(new StatusError(status, '', message, {}).status);
}

const HEADERS_TOO_LARGE = [431, `Request header fields too large: limit is ${HEADER_BYTES} bytes`] as const;

const UNREAD: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: HEADERS_TOO_LARGE,
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Timeout: the request did not arrive within the allotted time'],
};

async function within(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const limit = sleep(clock, limitMs, done.signal).catch(() => undefined);
  await Promise.race([work, limit]);
  done.abort(new Error('done'));
}

function acceptHttp2(
  socket: TLSSocket,
  onExchange: (exchange: Exchange, certificate: ClientCertificate) => void,
): ServerHttp2Session {
  const certificate = certificateOf(socket);
  const session = performServerHandshake(socket, {
    maxSessionMemory: SESSION_MEMORY_MB,
    streamResetBurst: RESET_BURST,
    streamResetRate: RESETS_PER_SECOND,
    maxSessionInvalidFrames: INVALID_FRAMES,
    maxSessionRejectedStreams: REJECTED_STREAMS,
    settings: {
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: CONCURRENT_STREAMS,
      maxHeaderListSize: READ_HEADER_BYTES,
    },
  });
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  // What a broken peer does to its own connection concerns nobody else; its streams close with it.
  session.on('error', () => session.destroy());
  session.on('stream', (stream, headers, _flags, rawHeaders) => {
    if (headerBytes(rawHeaders) > HEADER_BYTES) refuseHeaders(stream);
    else onExchange(http2Exchange(stream, headers, rawHeaders), certificate);
  });
  return session;
}

/** @param rawHeaders names and values in turn */
function headerBytes(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}

/** Answers without looking at the body, and asks for no more of it. */
function refuseHeaders(stream: ServerHttp2Stream): void {
  const [status, message] = HEADERS_TOO_LARGE;
  stream.on('error', () => undefined);
  stream.respond({ ':status': status, 'content-type': 'application/json' });
  stream.end(refusal(status, message), () => stream.close());
}

function secureContext(tls: TlsMaterial): { key: string; cert: string; ca: string } {
  return { key: tls.key, cert: tls.certificate, ca: tls.clientCa };
}

const certificates = new WeakMap<TLSSocket, { readonly certificate: ClientCertificate }>();

/** The peer's certificate, parsed once per connection. */
function certificateOf(socket: TLSSocket): ClientCertificate {
  let known = certificates.get(socket);
  if (known === undefined) {
    known = { certificate: readCertificate(socket) };
    certificates.set(socket, known);
  }
  return known.certificate;
}

function readCertificate(socket: TLSSocket): ClientCertificate {
  const peer = socket.getPeerCertificate();
  // Without a certificate Node gives an empty object.
  if (peer?.subject === undefined) return undefined;
  if (!socket.authorized) return 'untrusted';
  const organizations = peer.subject.O;
  const commonName = peer.subject.CN;
  const certificate = socket.getPeerX509Certificate();
  return {
    commonName: [commonName ?? ''].flat().at(-1) ?? '',
    organizations: [organizations ?? []].flat(),
    ...(certificate === undefined
      ? {}
      : { fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase() }),
    // LIMIT: signed by the authority itself; certificates between the two are not looked at.
    signedBy: (authorities) =>
      authorities.some(
        (authority) =>
          certificate?.checkIssued(authority) === true && certificate.verify(authority.publicKey),
      ),
  };
}

function listen(server: TlsServer, { host, port }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const options = { cause: error };
  switch (error.code) {
    case 'EADDRINUSE':
      return new OperatingError(
        'PORT_TAKEN',
        `port ${port} on ${host} is taken by another process`,
        'stop that process or choose another port',
        options,
      );
    case 'EACCES':
      return new OperatingError(
        'PORT_FORBIDDEN',
        `this user may not listen on port ${port}`,
        'choose a port above 1023',
        options,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new OperatingError(
        'ADDRESS_UNKNOWN',
        `this machine has no address ${host}`,
        'listen on 127.0.0.1, on 0.0.0.0 or on an address of this machine',
        options,
      );
    default:
      return error;
  }
}

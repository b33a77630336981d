// The Transport to a Kubernetes API server over the network: HTTP/2 where the server knows it, HTTP/1.1 else. It adds
// who we are (certificate, token, impersonation), sets the time limits, and turns bytes into frozen objects.
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { systemClock, type Clock } from '../../base/index.ts';
import { encodeJson, freezeDecoded } from '../../machinery/index.ts';
import { ConnectionError, statusErrorFrom } from '../errors.ts';
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts';
import { createDial, type ClientCertificate, type Dial } from './dial.ts';
import { EventLines } from './event-lines.ts';
import type { AnswerSink, Connection, WireHeaders, WireRequest } from './exchange.ts';
import { Http1Connection } from './http1.ts';
import { Http2Connection } from './http2.ts';
import { impersonationHeaders, parseUrl, parseWarnings, queryText, type Impersonation } from './wire-text.ts';

/** Who we are to the server. */
export interface Credentials {
  readonly token?: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
  readonly basic?: { readonly username: string; readonly password: string } | undefined;
}

/** Credentials that change: token files, exec plugins, rotated certificates. Called per request, so it must be quick. */
export interface CredentialSource {
  get(): Promise<Credentials>;
  /** The server did not accept the last ones; get anew at the next call. */
  invalidate(): void;
}

export interface HttpsTransportSettings {
  /** `https://host:port`, perhaps with a path in front of the API; `http://` for a local proxy. */
  readonly server: string;
  /** PEM of the authorities to trust; default: the system's. */
  readonly ca?: string;
  /** PEM; goes with clientKey. */
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly bearerToken?: string;
  /** Instead of clientCert and bearerToken. */
  readonly credentials?: CredentialSource;
  readonly insecureSkipTlsVerify?: boolean;
  /** The name in the server's certificate, when it is not the host of `server`. */
  readonly serverName?: string;
  /** `http://` or `https://`, with user and password if it wants them. */
  readonly proxyUrl?: string;
  /** For the proxy; several values of one are separated by commas. */
  readonly proxyHeaders?: Readonly<Record<string, string>>;
  /** What the environment asks for; counts when `proxyUrl` is absent. */
  readonly environmentProxyUrl?: string;
  readonly impersonate?: Impersonation;
  readonly userAgent?: string;
  /** LIMIT: from sending to the end of the answer; for watches to its beginning. Default 60,000. */
  readonly timeoutMs?: number;
  /** LIMIT: for a connection to stand. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** A connection this quiet is asked whether it lives; default 5,000. */
  readonly pingIntervalMs?: number;
  /** How long it has to answer; default 5,000. */
  readonly pingTimeoutMs?: number;
  /** LIMIT: sessions of HTTP/2, each for as many streams as the server allows; default 8. */
  readonly maxSessions?: number;
  /** Asks for gzip: for slow lines. Default false. */
  readonly compress?: boolean;
  /** Told of the server's Warning headers. */
  readonly onWarning?: (text: string) => void;
  readonly clock?: Clock;
}

/** LIMIT: of one answer. */
const ANSWER_MAX_BYTES = 1024 * 1024 * 1024;
const HTTP1_CONNECTIONS_MAX = 256;

const gunzip = promisify(zlib.gunzip);

/** Connects at the first request, and again whenever needed. Throws OperatingError for settings that cannot be. */
export function createHttpsTransport(settings: HttpsTransportSettings): Transport {
  return new HttpsTransport(settings);
}

interface Answer {
  readonly status: number;
  readonly headers: WireHeaders;
  readonly bytes: Buffer;
}

class HttpsTransport implements Transport {
  private readonly settings: HttpsTransportSettings;
  private readonly clock: Clock;
  private readonly url: URL;
  private readonly prefix: string;
  private readonly server: string;
  private readonly baseHeaders: Readonly<Record<string, string | string[]>>;
  private readonly dial: Dial;
  private connection: Connection | undefined;
  private connecting: Promise<Connection> | undefined;
  private certificate: ClientCertificate | undefined;
  private closed: ConnectionError | undefined;
  private readonly closing = new AbortController();

  constructor(settings: HttpsTransportSettings) {
    this.settings = settings;
    this.clock = settings.clock ?? systemClock;
    this.url = parseUrl(settings.server, 'server');
    this.server = this.url.origin;
    this.prefix = this.url.pathname.replace(/\/+$/, '');
    this.baseHeaders = {
      'user-agent': settings.userAgent ?? 'navarch',
      ...(settings.compress === true ? { 'accept-encoding': 'gzip' } : {}),
      ...impersonationHeaders(settings.impersonate),
    };
    if (settings.clientCert !== undefined && settings.clientKey !== undefined)
      this.certificate = { cert: settings.clientCert, key: settings.clientKey };
    const proxyUrl = settings.proxyUrl ?? settings.environmentProxyUrl;
    this.dial = createDial({
      url: this.url,
      ca: settings.ca,
      insecureSkipTlsVerify: settings.insecureSkipTlsVerify,
      serverName: settings.serverName,
      proxyUrl: proxyUrl === undefined ? undefined : parseUrl(proxyUrl, 'proxy'),
      proxyHeaders: settings.proxyHeaders,
      clock: this.clock,
      connectTimeoutMs: settings.connectTimeoutMs ?? 10_000,
    });
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    let answer = await this.answer(request);
    if (answer.status === 401 && this.settings.credentials !== undefined) {
      this.settings.credentials.invalidate();
      answer = await this.answer(request);
    }
    const { status, headers } = answer;
    const bytes = headers['content-encoding'] === 'gzip' ? await gunzip(answer.bytes) : answer.bytes;
    return { status, headers, body: this.decode(bytes, headers) };
  }

  async watch(request: TransportRequest, onEvent: Parameters<Transport['watch']>[1]): Promise<void> {
    request.signal?.throwIfAborted();
    const { connection, wire } = await this.prepare(request, true);
    let refused: { status: number; headers: WireHeaders; chunks: Buffer[] } | undefined;
    const lines = new EventLines(onEvent);
    await this.exchange(connection, wire, request.signal, {
      watch: true,
      head(status, headers) {
        if (status !== 200) refused = { status, headers, chunks: [] };
      },
      data(chunk) {
        if (refused === undefined) lines.push(chunk);
        else refused.chunks.push(chunk);
      },
    });
    if (refused !== undefined) {
      if (refused.status === 401) this.settings.credentials?.invalidate();
      const body = this.decode(Buffer.concat(refused.chunks), refused.headers);
      throw statusErrorFrom(refused.status, body, refused.headers);
    }
    if (!lines.isComplete && request.signal?.aborted !== true)
      throw new ConnectionError('reset', `${this.server} ended a watch in the middle of an event`);
  }

  async close(): Promise<void> {
    if (this.closed !== undefined) return;
    this.closed = new ConnectionError('closed', `the connection to ${this.server} has been closed`);
    this.closing.abort(this.closed);
    this.connection?.close(this.closed);
    this.connection = undefined;
    await this.connecting?.catch(() => undefined);
  }

  private async answer(request: TransportRequest): Promise<Answer> {
    request.signal?.throwIfAborted();
    const { connection, wire } = await this.prepare(request, false);
    let status = 0;
    let headers: WireHeaders = {};
    let bytes = 0;
    const chunks: Buffer[] = [];
    await this.exchange(connection, wire, request.signal, {
      watch: false,
      head(code, received) {
        status = code;
        headers = received;
      },
      data: (chunk) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > ANSWER_MAX_BYTES)
          throw new ConnectionError(
            'protocol',
            `an answer of ${this.server} is over ${ANSWER_MAX_BYTES} bytes`,
          );
      },
    });
    return { status, headers, bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes) };
  }

  private async prepare(
    request: TransportRequest,
    watch: boolean,
  ): Promise<{ connection: Connection; wire: WireRequest }> {
    const { credentials, bearerToken } = this.settings;
    const own = credentials === undefined ? { token: bearerToken } : await credentials.get();
    if (credentials !== undefined) this.useCertificate(own.certificate);
    const connection = this.connection ?? (await this.connect(request.signal));
    const headers: Record<string, string | readonly string[]> = {
      accept: 'application/json',
      ...this.baseHeaders,
    };
    if (own.token !== undefined) headers['authorization'] = `Bearer ${own.token}`;
    else if (own.basic !== undefined) {
      const { username, password } = own.basic;
      headers['authorization'] = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    }
    for (const name in request.headers) headers[name.toLowerCase()] = request.headers[name] ?? '';
    let body: Uint8Array | undefined;
    if (request.body !== undefined) {
      body = encodeJson(request.body);
      headers['content-type'] = request.contentType ?? 'application/json';
    }
    const path = this.prefix + request.path + queryText(request.query, watch);
    return { connection, wire: { method: request.method, path, headers, body, watch } };
  }

  /** A new certificate means new connections; what is under way ends on the old ones. */
  private useCertificate(certificate: ClientCertificate | undefined): void {
    if (certificate?.cert === this.certificate?.cert && certificate?.key === this.certificate?.key) return;
    this.certificate = certificate;
    this.connection?.close(
      new ConnectionError('reset', `the client certificate for ${this.server} has been replaced`),
    );
    this.connection = undefined;
  }

  private connect(signal: AbortSignal | undefined): Promise<Connection> {
    if (this.closed !== undefined) return Promise.reject(this.closed);
    this.connecting ??= this.open().finally(() => (this.connecting = undefined));
    return signal === undefined ? this.connecting : abortable(this.connecting, signal);
  }

  private async open(): Promise<Connection> {
    const { certificate, server, url, clock } = this;
    const { pingIntervalMs = 5000, pingTimeoutMs = 5000, maxSessions = 8 } = this.settings;
    const dial = (): ReturnType<Dial> => this.dial(certificate, this.closing.signal);
    const first = await dial();
    if (this.closed !== undefined) {
      first.socket.destroy();
      throw this.closed;
    }
    const connection = first.http2
      ? new Http2Connection(
          {
            dial,
            server,
            clock,
            authority: url.host,
            scheme: 'https',
            pingIntervalMs,
            pingTimeoutMs,
            maxSessions,
          },
          first,
        )
      : new Http1Connection({ dial, server, url, maxConnections: HTTP1_CONNECTIONS_MAX }, first);
    this.connection = connection;
    return connection;
  }

  /** Resolves at the end of the answer; a watch also when the signal aborts it. Rejects with ConnectionError. */
  private exchange(
    connection: Connection,
    wire: WireRequest,
    signal: AbortSignal | undefined,
    sink: Pick<AnswerSink, 'head' | 'data'> & { readonly watch: boolean },
  ): Promise<void> {
    const { timeoutMs = 60_000 } = this.settings;
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      const giveUp = (error: Error): void => {
        finish();
        cancelExchange();
        reject(error);
      };
      const onAbort = (): void => {
        if (!sink.watch) {
          giveUp(signal?.reason as Error);
          return;
        }
        finish();
        cancelExchange();
        resolve();
      };
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const cancelTimer = this.clock.after(timeoutMs, () =>
        giveUp(
          new ConnectionError(
            'timeout',
            `${this.server} did not answer ${wire.method} ${wire.path} in ${timeoutMs} ms`,
          ),
        ),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      const cancelExchange = connection.exchange(wire, {
        head: (status, headers) => {
          if (sink.watch) cancelTimer();
          this.reportWarnings(headers);
          sink.head(status, headers);
        },
        data: (chunk) => {
          try {
            sink.data(chunk);
          } catch (error) {
            giveUp(error as Error);
          }
        },
        end: () => {
          finish();
          resolve();
        },
        fail: (error) => {
          finish();
          reject(error);
        },
      });
    });
  }

  private reportWarnings(headers: WireHeaders): void {
    const { onWarning } = this.settings;
    const { warning } = headers;
    if (onWarning === undefined || warning === undefined) return;
    for (const text of parseWarnings(typeof warning === 'string' ? warning : warning.join(', ')))
      onWarning(text);
  }

  private decode(bytes: Buffer, headers: WireHeaders): unknown {
    if (bytes.length === 0) return undefined;
    const text = bytes.toString('utf8');
    const type = headers['content-type'];
    if (typeof type !== 'string' || !/^application\/([a-z.-]+\+)?json\b/.test(type)) return text;
    try {
      return freezeDecoded(JSON.parse(text) as unknown);
    } catch (cause) {
      throw new ConnectionError('protocol', `${this.server} answered with broken JSON`, { cause });
    }
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

// Many requests over few HTTP/2 sessions, one as a rule; more only while all streams of it are taken. Sessions are made
// on demand, watched by pings, and replaced when they break, are told to go away, or answer no ping.
// INVARIANT: a request is sent again only when the server has certainly not acted on it.
import http2 from 'node:http2';
import type { Cancel, Clock } from '../../base/index.ts';
import { ConnectionError } from '../errors.ts';
import type { Dialled } from './dial.ts';
import type { AnswerSink, Connection, WireRequest } from './exchange.ts';
import { codeOf, toConnectionError } from './failure.ts';

export interface Http2Settings {
  /** Connects; only called for servers that agreed on HTTP/2. */
  readonly dial: () => Promise<Dialled>;
  /** As messages call it. */
  readonly server: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  readonly clock: Clock;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly maxSessions: number;
}

// Node's 64 KB make large lists crawl; these let a list of tens of megabytes flow at the speed of the line.
const STREAM_WINDOW_BYTES = 8 * 1024 * 1024;
const SESSION_WINDOW_BYTES = 64 * 1024 * 1024;
/** LIMIT: of what one session buffers, in megabytes; Node refuses streams beyond it. */
const SESSION_MEMORY_MB = 512;
/** LIMIT: of streams in one session, whatever the server allows. */
const STREAMS_MAX = 1000;
/** LIMIT: requests waiting for a stream. */
const WAITING_MAX = 20_000;
/** LIMIT: how often one request may be turned away unseen by the server before it fails. */
const TRIES_MAX = 3;

interface Waiting {
  readonly request: WireRequest;
  readonly sink: AnswerSink;
  tries: number;
  cancelled: boolean;
  stream: http2.ClientHttp2Stream | undefined;
}

/** First in, first out, without moving what stays. */
class Fifo<T> {
  private items: T[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    const item = this.items[this.head++];
    if (this.head > 1024 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  takeAll(): T[] {
    const all = this.items.slice(this.head);
    this.items = [];
    this.head = 0;
    return all;
  }
}

class Session {
  readonly session: http2.ClientHttp2Session;
  active = 0;
  watches = 0;
  /** Takes no more streams. */
  draining = false;
  lastHeardMs: number;
  failure: Error | undefined;
  /** None before the server has said how many it allows: what is sent too early is refused. */
  private limit = 0;

  constructor(session: http2.ClientHttp2Session, nowMs: number, onRoom: () => void) {
    this.session = session;
    this.lastHeardMs = nowMs;
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      this.limit = Math.min(maxConcurrentStreams ?? STREAMS_MAX, STREAMS_MAX);
      onRoom();
    });
  }

  /** Connected, but the server has not said how many streams it allows. */
  get isYoung(): boolean {
    return this.limit === 0 && !this.draining;
  }

  hasRoom(watch: boolean): boolean {
    if (this.draining || this.session.closed || this.session.destroyed || this.active >= this.limit)
      return false;
    // Watches stay for long: a quarter of the streams is kept for requests that come and go.
    return !watch || this.watches < Math.max(1, Math.floor(this.limit * 0.75));
  }
}

export class Http2Connection implements Connection {
  private readonly settings: Http2Settings;
  private readonly sessions = new Set<Session>();
  private readonly waitingRequests = new Fifo<Waiting>();
  private readonly waitingWatches = new Fifo<Waiting>();
  private connecting = false;
  private closed: Error | undefined;

  /** @param first a connection that has just been made */
  constructor(settings: Http2Settings, first: Dialled) {
    this.settings = settings;
    this.adopt(first);
  }

  exchange(request: WireRequest, sink: AnswerSink): Cancel {
    const one: Waiting = { request, sink, tries: 0, cancelled: false, stream: undefined };
    this.place(one);
    return () => {
      if (one.cancelled) return;
      one.cancelled = true;
      one.stream?.close(http2.constants.NGHTTP2_CANCEL);
    };
  }

  close(reason: Error): void {
    this.closed = reason;
    for (const one of this.sessions) this.drop(one, reason);
    this.failWaiting(reason);
  }

  private place(one: Waiting): void {
    if (this.closed !== undefined) {
      one.sink.fail(this.closed);
      return;
    }
    const session = this.roomFor(one.request.watch);
    if (session !== undefined) {
      this.start(session, one);
      return;
    }
    if (this.waitingCount >= WAITING_MAX) {
      one.sink.fail(
        new ConnectionError('timeout', `${this.settings.server} has ${WAITING_MAX} requests waiting already`),
      );
      return;
    }
    (one.request.watch ? this.waitingWatches : this.waitingRequests).push(one);
    this.connect();
  }

  private get waitingCount(): number {
    return this.waitingRequests.size + this.waitingWatches.size;
  }

  private roomFor(watch: boolean): Session | undefined {
    for (const session of this.sessions) if (session.hasRoom(watch)) return session;
    return undefined;
  }

  /** Opens one more session, unless one is on its way. */
  private connect(): void {
    if (this.connecting || this.sessions.size >= this.settings.maxSessions) return;
    for (const session of this.sessions) if (session.isYoung) return;
    this.connecting = true;
    this.settings.dial().then(
      (dialled) => {
        this.connecting = false;
        if (this.closed !== undefined) {
          dialled.socket.destroy();
          return;
        }
        if (!dialled.http2) {
          dialled.socket.destroy();
          const error = new ConnectionError('protocol', `${this.settings.server} no longer speaks HTTP/2`);
          this.failWaiting(error);
          return;
        }
        this.adopt(dialled);
      },
      (error: unknown) => {
        this.connecting = false;
        // With another session alive the waiting ones get their turn there.
        if (this.sessions.size === 0) this.failWaiting(toConnectionError(error, this.settings.server));
      },
    );
  }

  private failWaiting(error: Error): void {
    for (const queue of [this.waitingRequests, this.waitingWatches])
      for (const one of queue.takeAll()) if (!one.cancelled) one.sink.fail(error);
  }

  /** Gives room that has come free to who has waited longest. */
  private pump(): void {
    for (const queue of [this.waitingRequests, this.waitingWatches]) {
      while (queue.size > 0) {
        const session = this.roomFor(queue === this.waitingWatches);
        if (session === undefined) {
          this.connect();
          break;
        }
        const one = queue.shift()!;
        if (!one.cancelled) this.start(session, one);
      }
    }
  }

  private adopt({ socket, failure }: Dialled): void {
    const { clock, authority, scheme } = this.settings;
    const session = http2.connect(`${scheme}://${authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      maxSessionMemory: SESSION_MEMORY_MB,
    });
    const one = new Session(session, clock.now(), () => {
      this.pump();
      // From now on a session keeps the process alive only while something is under way. Until now somebody waited.
      if (one.active === 0) session.unref();
    });
    this.sessions.add(one);
    session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW_BYTES));
    session.on('goaway', () => {
      one.draining = true;
      this.pump();
    });
    session.on('error', (error) => {
      one.failure ??= error;
    });
    const onGone = (): void => {
      if (!this.sessions.delete(one)) return;
      one.failure ??= failure();
      // Refused before it could be used, as servers do that miss a certificate: waiting for the next is no use.
      if (one.isYoung && this.sessions.size === 0) this.failWaiting(this.failureOf(one, undefined));
      else this.pump();
    };
    session.on('close', onGone);
    // After an error of TLS a session waits for an end that nobody reads, and on a dead socket it never says that it
    // closed: the socket decides.
    socket.on('error', (error) => {
      one.failure ??= error;
      socket.destroy();
    });
    if (socket.destroyed) onGone();
    else socket.once('close', onGone);
    this.keepAlive(one);
  }

  private drop(one: Session, reason: Error): void {
    one.draining = true;
    one.failure ??= reason;
    this.sessions.delete(one);
    if (!one.session.destroyed) one.session.destroy(reason);
  }

  /** A peer that vanished without a word is noticed within interval plus timeout. */
  private keepAlive(one: Session): void {
    const { clock, pingIntervalMs, pingTimeoutMs, server } = this.settings;
    const { session } = one;
    let cancel: Cancel = () => undefined;
    const schedule = (delayMs: number): void => {
      cancel = clock.after(delayMs, check);
    };
    const check = (): void => {
      if (session.destroyed || session.closed) return;
      const quietMs = clock.now() - one.lastHeardMs;
      if (quietMs < pingIntervalMs) {
        schedule(pingIntervalMs - quietMs);
        return;
      }
      let answered = false;
      const sent = session.ping((error: Error | null) => {
        if (error !== null) return;
        answered = true;
        one.lastHeardMs = clock.now();
      });
      if (!sent) {
        schedule(pingIntervalMs);
        return;
      }
      const sentAtMs = clock.now();
      cancel = clock.after(pingTimeoutMs, () => {
        // If this process was busy itself, the answer lies unread in the socket: one more turn to read it.
        cancel = clock.after(50, () => {
          if (answered || one.lastHeardMs > sentAtMs) {
            schedule(pingIntervalMs);
            return;
          }
          const waitedMs = pingTimeoutMs + pingIntervalMs;
          this.drop(one, new ConnectionError('timeout', `${server} has been silent for over ${waitedMs} ms`));
          this.pump();
        });
      });
    };
    schedule(pingIntervalMs);
    session.once('close', () => cancel());
  }

  private start(session: Session, one: Waiting): void {
    const { request } = one;
    const { scheme, authority } = this.settings;
    let stream: http2.ClientHttp2Stream;
    try {
      stream = session.session.request(
        {
          ':method': request.method,
          ':path': request.path,
          ':scheme': scheme,
          ':authority': authority,
          ...(request.headers as http2.OutgoingHttpHeaders),
        },
        { endStream: request.body === undefined },
      );
    } catch (error) {
      // The session died between being chosen and being used; nothing has been sent.
      session.draining = true;
      this.again(one, error);
      return;
    }
    one.stream = stream;
    session.active++;
    if (request.watch) session.watches++;
    if (session.active === 1) session.session.ref();
    this.listen(session, one, stream);
    if (request.body !== undefined) stream.end(request.body);
  }

  private listen(session: Session, one: Waiting, stream: http2.ClientHttp2Stream): void {
    const { sink, request } = one;
    const { clock } = this.settings;
    let answered = false;
    let ended = false;
    let failure: Error | undefined;
    stream.on('response', (headers) => {
      answered = true;
      session.lastHeardMs = clock.now();
      if (!one.cancelled) sink.head(headers[':status'] ?? 0, headers);
    });
    stream.on('data', (chunk: Buffer) => {
      session.lastHeardMs = clock.now();
      if (!one.cancelled) sink.data(chunk);
    });
    stream.on('end', () => {
      ended = true;
    });
    stream.on('error', (error) => {
      failure = error;
    });
    stream.on('close', () => {
      session.active--;
      if (request.watch) session.watches--;
      if (session.active === 0 && !session.session.destroyed) session.session.unref();
      one.stream = undefined;
      if (!one.cancelled) {
        const { NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants;
        const clean =
          stream.rstCode === NGHTTP2_NO_ERROR && failure === undefined && session.failure === undefined;
        const refused =
          stream.rstCode === NGHTTP2_REFUSED_STREAM || codeOf(failure) === 'ERR_HTTP2_GOAWAY_SESSION';
        if (ended && answered && clean) sink.end();
        else if (!answered && refused) this.again(one, failure);
        else sink.fail(this.failureOf(session, failure));
      }
      this.pump();
    });
  }

  private failureOf(session: Session, failure: Error | undefined): ConnectionError {
    const { server } = this.settings;
    const cause = this.closed ?? session.failure ?? failure;
    return cause === undefined
      ? new ConnectionError('reset', `${server} ended the stream before the answer was complete`)
      : toConnectionError(cause, server);
  }

  private again(one: Waiting, error: unknown): void {
    one.tries++;
    if (one.tries < TRIES_MAX) {
      this.place(one);
      return;
    }
    one.sink.fail(toConnectionError(error ?? new Error('the stream was refused'), this.settings.server));
  }
}

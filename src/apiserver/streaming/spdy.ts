// SPDY/3.1 as Kubernetes speaks it: several streams on one connection, opened by the client, for commands (exec, attach)
// of kubectl up to 1.30 and for port-forwarding of all. No push, no priorities, and, as both of Kubernetes' own
// ends, no flow control but that of TCP.
//
//   connection ──frames──> #onFrame ──> SpdyStream.read()       one queue a stream
//   SpdyStream.write() ──frames──> connection
import type { Duplex } from 'node:stream';
import { HeaderReader, HeaderWriter, type SpdyHeaders } from './spdy-headers.ts';

const VERSION = 3;
const FIN = 0x01;
const FRAME = { synStream: 1, synReply: 2, reset: 3, settings: 4, ping: 6, goAway: 7, headers: 8 } as const;
const CANCEL = 5;

/** LIMIT: of one frame. Clients write what they read at once, some 32 KiB. */
const FRAME_MAX_BYTES = 4 * 1024 * 1024;
/** LIMIT: what waits to be read of all streams, before the connection is held back. */
const UNREAD_MAX_BYTES = 1024 * 1024;
/** LIMIT: open streams of one connection. Each connection through a forwarded port takes two. */
const STREAMS_MAX = 1024;
const DATA_MAX_BYTES = 32 * 1024;

export class SpdyStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #connection: SpdyConnection;
  readonly #unread: Buffer[] = [];
  #wake: (() => void) | undefined;
  #inputEnded = false;
  #outputEnded = false;

  constructor(connection: SpdyConnection, id: number, headers: SpdyHeaders) {
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
  }

  /** What the other side sends, until it ends. */
  async *read(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const chunk = this.#unread.shift();
      if (chunk !== undefined) {
        this.#connection.tookBytes(chunk.length);
        yield chunk;
      } else if (this.#inputEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  /** Resolves when there is room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#outputEnded; at += DATA_MAX_BYTES) {
      await this.#connection.sendData(this.id, bytes.subarray(at, at + DATA_MAX_BYTES), false);
    }
  }

  end(): void {
    if (this.#outputEnded) return;
    this.#outputEnded = true;
    void this.#connection.sendData(this.id, new Uint8Array(), true).catch(() => undefined);
    this.#forgetIfOver();
  }

  reset(): void {
    this.#outputEnded = true;
    this.endInput();
    this.#connection.sendReset(this.id);
    this.#connection.forget(this.id);
  }

  /** For the connection alone. */
  receive(bytes: Buffer): void {
    if (this.#inputEnded) {
      this.#connection.tookBytes(bytes.length);
      return;
    }
    this.#unread.push(bytes);
    this.#wake?.();
  }

  /** For the connection alone. */
  endInput(): void {
    this.#inputEnded = true;
    this.#wake?.();
    this.#forgetIfOver();
  }

  #forgetIfOver(): void {
    if (this.#inputEnded && this.#outputEnded) this.#connection.forget(this.id);
  }
}

export class SpdyConnection {
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #onStream: (stream: SpdyStream) => void;
  readonly #reader = new HeaderReader();
  readonly #writer = new HeaderWriter();
  readonly #streams = new Map<number, SpdyStream>();
  #buffered: Buffer = Buffer.alloc(0);
  #unreadBytes = 0;
  #parsing: Promise<void> = Promise.resolve();

  /** @param onStream called for each stream that the client opens, before anything of it is read */
  constructor(socket: Duplex, head: Buffer, onStream: (stream: SpdyStream) => void) {
    this.#socket = socket;
    this.#onStream = onStream;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#endAll();
      this.#reader.close();
      resolve();
    });
    socket.once('end', () => this.#endAll());
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    if (head.length > 0) this.#take(head);
  }

  close(): void {
    this.#socket.end();
  }

  tookBytes(count: number): void {
    const wasFull = this.#unreadBytes > UNREAD_MAX_BYTES;
    this.#unreadBytes -= count;
    if (wasFull && this.#unreadBytes <= UNREAD_MAX_BYTES) this.#socket.resume();
  }

  forget(id: number): void {
    this.#streams.delete(id);
  }

  sendData(id: number, bytes: Uint8Array, last: boolean): Promise<void> {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(id);
    head.writeUInt32BE(bytes.length, 4);
    head.writeUInt8(last ? FIN : 0, 4);
    return this.#send(Buffer.concat([head, bytes]));
  }

  sendReset(id: number): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(id);
    payload.writeUInt32BE(CANCEL, 4);
    this.#sendControl(FRAME.reset, 0, payload);
  }

  #sendControl(type: number, flags: number, payload: Buffer): void {
    const head = Buffer.alloc(8);
    head.writeUInt16BE(0x8000 | VERSION);
    head.writeUInt16BE(type, 2);
    head.writeUInt32BE(payload.length, 4);
    head.writeUInt8(flags, 4);
    this.#send(Buffer.concat([head, payload])).catch(() => undefined);
  }

  #send(frame: Buffer): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded)
      return Promise.reject(new Error('the connection is closed'));
    if (socket.write(frame)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        socket.off('drain', onDrain);
        socket.off('close', onClose);
      };
      const onDrain = (): void => {
        settle();
        resolve();
      };
      const onClose = (): void => {
        settle();
        reject(new Error('the connection is closed'));
      };
      socket.once('drain', onDrain);
      socket.once('close', onClose);
    });
  }

  #endAll(): void {
    for (const stream of this.#streams.values()) stream.endInput();
  }

  #take(bytes: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? bytes : Buffer.concat([this.#buffered, bytes]);
    // Headers are inflated in turn, so frames are as well.
    this.#parsing = this.#parsing.then(() => this.#parse()).catch(() => void this.#socket.destroy());
  }

  async #parse(): Promise<void> {
    for (;;) {
      if (this.#buffered.length < 8) return;
      const length = this.#buffered.readUInt32BE(4) & 0xffffff;
      if (length > FRAME_MAX_BYTES) throw new RangeError('the frame is too large');
      if (this.#buffered.length < 8 + length) return;
      const frame = this.#buffered.subarray(0, 8 + length);
      this.#buffered = this.#buffered.subarray(8 + length);
      await this.#onFrame(frame.readUInt32BE(0), frame.readUInt8(4), frame.subarray(8));
    }
  }

  async #onFrame(first: number, flags: number, payload: Buffer): Promise<void> {
    const last = (flags & FIN) !== 0;
    if (first >>> 31 === 0) {
      const stream = this.#streams.get(first);
      if (payload.length > 0 && stream !== undefined) {
        this.#unreadBytes += payload.length;
        if (this.#unreadBytes > UNREAD_MAX_BYTES) this.#socket.pause();
        stream.receive(payload);
      }
      if (last) stream?.endInput();
      return;
    }
    switch (first & 0xffff) {
      case FRAME.synStream:
        await this.#open(payload, last);
        return;
      case FRAME.reset:
        this.#streams.get(payload.readUInt32BE(0))?.endInput();
        return;
      case FRAME.ping:
        this.#sendControl(FRAME.ping, 0, payload);
        return;
      case FRAME.goAway:
        this.#endAll();
        return;
      case FRAME.headers:
      case FRAME.synReply: {
        // Nothing of it matters here, but the compressor's state does.
        await this.#reader.decode(payload.subarray(4));
        return;
      }
      default:
    }
  }

  async #open(payload: Buffer, last: boolean): Promise<void> {
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const headers = await this.#reader.decode(payload.subarray(10));
    if (this.#streams.size >= STREAMS_MAX || this.#streams.has(id)) {
      this.sendReset(id);
      return;
    }
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    const reply = Buffer.alloc(4);
    reply.writeUInt32BE(id);
    this.#sendControl(FRAME.synReply, 0, Buffer.concat([reply, this.#writer.encode({})]));
    if (last) stream.endInput();
    this.#onStream(stream);
  }
}

// Commands in containers (exec, attach) over a connection: standard streams, the size of the terminal, and how it
// ended. The protocols are v4.channel.k8s.io over SPDY, one stream each, and v5 and v4 over WebSockets, where the
// first byte of a message says which stream it belongs to.
import type { WebSocket } from 'ws';
import { sleep, type Clock } from '../../base/index.ts';
import type { Status } from '../../machinery/index.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import type { UpgradedConnection } from '../listen/exchange.ts';
import {
  acceptSpdy,
  acceptWebSocket,
  chooseSpdyProtocol,
  chooseSubprotocol,
  mustUpgrade,
} from './negotiate.ts';
import { SpdyConnection, type SpdyStream } from './spdy.ts';

export interface CommandOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface CommandStreams {
  /** Empty when the client sends nothing. */
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: (bytes: Uint8Array) => Promise<void>;
  readonly stderr: (bytes: Uint8Array) => Promise<void>;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

/** Runs a command; resolves with its exit code. */
export type RunCommand = (streams: CommandStreams) => Promise<number>;

const SPDY_PROTOCOLS = ['v4.channel.k8s.io'];
const WEBSOCKET_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
/** LIMIT: how long a SPDY client may take to open its streams; the kubelet's. */
const STREAMS_TIMEOUT_MS = 30_000;
/** LIMIT: of standard input that waits for the command, over WebSockets. */
const STDIN_MAX_BYTES = 1024 * 1024;

/** How a command ended, as clients read it. */
function resultOf(exitCode: number): Partial<Status> {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  } as unknown as Partial<Status>;
}

const encodeResult = (exitCode: number): Uint8Array => Buffer.from(JSON.stringify(resultOf(exitCode)));

/** Answers a request to run a command. Throws a StatusError when its connection cannot be used for that. */
export function remoteCommand(
  request: ApiRequest,
  options: CommandOptions,
  clock: Clock,
  run: RunCommand,
): ApiResponse {
  if (mustUpgrade(request) === 'spdy') {
    const protocol = chooseSpdyProtocol(request, SPDY_PROTOCOLS);
    return {
      kind: 'upgrade',
      run: (connection, signal) => overSpdy(connection, protocol, options, clock, run, signal),
    };
  }
  const protocol = chooseSubprotocol(request, WEBSOCKET_PROTOCOLS);
  return {
    kind: 'upgrade',
    run: (connection, signal) => overWebSocket(connection, protocol, options, run, signal),
  };
}

async function overSpdy(
  connection: UpgradedConnection,
  protocol: string,
  options: CommandOptions,
  clock: Clock,
  run: RunCommand,
  signal: AbortSignal,
): Promise<void> {
  const wanted = ['error', ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => options[name])];
  if (options.tty) wanted.push('resize');
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<void>();
  acceptSpdy(connection, protocol);
  const spdy = new SpdyConnection(connection.socket, connection.head, (stream) => {
    streams.set(stream.headers['streamtype'] ?? '', stream);
    if (wanted.every((name) => streams.has(name))) complete.resolve();
  });
  const gone = new AbortController();
  void spdy.closed.then(() => gone.abort(new Error('the client left')));
  const stopping = AbortSignal.any([signal, gone.signal]);
  await Promise.race([complete.promise, sleep(clock, STREAMS_TIMEOUT_MS, stopping).then(tooLate)]);
  const resize = streams.get('resize');
  if (resize !== undefined) void drain(resize);
  const exitCode = await run({
    stdin: streams.get('stdin')?.read() ?? nothing(),
    stdout: (bytes) => streams.get('stdout')?.write(bytes) ?? Promise.resolve(),
    stderr: (bytes) => streams.get('stderr')?.write(bytes) ?? Promise.resolve(),
    signal: stopping,
  });
  await streams.get('error')?.write(encodeResult(exitCode));
  for (const stream of streams.values()) stream.end();
  spdy.close();
}

function tooLate(): never {
  throw new Error('the client did not open its streams');
}

async function drain(stream: SpdyStream): Promise<void> {
  for await (const _size of stream.read());
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
  // There is no standard input.
}

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const;

async function overWebSocket(
  connection: UpgradedConnection,
  protocol: string | undefined,
  options: CommandOptions,
  run: RunCommand,
  signal: AbortSignal,
): Promise<void> {
  const socket = await acceptWebSocket(connection, protocol);
  const gone = new AbortController();
  const input = new MessageQueue(socket);
  socket.on('close', () => {
    input.end();
    gone.abort(new Error('the client left'));
  });
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer) => {
    const [channel] = data;
    if (channel === CHANNEL.stdin) input.push(data.subarray(1));
    else if (channel === CHANNEL.close && data[1] === CHANNEL.stdin) input.end();
  });
  if (!options.stdin) input.end();
  const send = (channel: number, bytes: Uint8Array): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.send(Buffer.concat([Uint8Array.of(channel), bytes]), () => resolve());
    return promise;
  };
  // COMPAT: an empty message tells the client that the command has begun.
  const first = (['stdout', 'stderr'] as const).find((name) => options[name]) ?? 'error';
  await send(CHANNEL[first], new Uint8Array());
  const exitCode = await run({
    stdin: input.read(),
    stdout: (bytes) => (options.stdout ? send(CHANNEL.stdout, bytes) : Promise.resolve()),
    stderr: (bytes) => (options.stderr ? send(CHANNEL.stderr, bytes) : Promise.resolve()),
    signal: AbortSignal.any([signal, gone.signal]),
  });
  await send(CHANNEL.error, encodeResult(exitCode));
  await closeWebSocket(socket);
}

/** Resolves when the other side has closed as well. */
export async function closeWebSocket(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.close(1000);
  await closed;
}

/** Messages as they come, for one reader; holds the socket back when too much waits. */
export class MessageQueue {
  readonly #socket: WebSocket;
  readonly #waiting: Buffer[] = [];
  #bytes = 0;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  push(bytes: Buffer): void {
    if (this.#ended) return;
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes > STDIN_MAX_BYTES) this.#socket.pause();
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *read(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const bytes = this.#waiting.shift();
      if (bytes !== undefined) {
        this.#bytes -= bytes.length;
        if (this.#bytes <= STDIN_MAX_BYTES) this.#socket.resume();
        yield bytes;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }
}

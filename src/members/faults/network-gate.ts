// What stands between a member and everybody outside it, so that networks can be cut, slowed down and brought back
// while both in-process and HTTPS users feel it.
//
//   socket ──> onConnection ──> TLS ──> around(handle) ──> API server      (HTTPS)
//   transport from outside ──> outside(transport) ──────> API server      (in process)
//   the member's own controllers ──> inside(transport) ─> API server      (no network in between)
//
// INVARIANT: while the network hangs, nothing gets through in either direction, and nothing is lost: what waits goes
// on when the network is back, as packets that are sent again do.
import type { Socket } from 'node:net';
import type { WatchEvent } from '../../api/index.ts';
import type { ApiRequest, ApiResponse, WriteBytes } from '../../apiserver/index.ts';
import { sleep, type Clock, type Random } from '../../base/index.ts';
import { ConnectionError, type Transport } from '../../client/index.ts';
import { Lane } from './lane.ts';

export type NetworkState =
  | { readonly kind: 'up' }
  /** Connections are reset. */
  | { readonly kind: 'drop' }
  /** Nothing is answered, nothing is refused. */
  | { readonly kind: 'hang' };

export interface Latency {
  readonly latencyMs: number;
  /** Added or taken away at most, evenly. */
  readonly jitterMs: number;
}

type Handle = (request: ApiRequest) => Promise<ApiResponse>;

/**
 * Stops or resumes taking bytes off a connection below TLS, so that pings of its peer stay unanswered too. There is no
 * public way: TLS reads from the handle and not from the socket.
 */
function setReading(socket: Socket, reading: boolean): void {
  const { _handle: handle } = socket as unknown as {
    readonly _handle?: { readStart?(): unknown; readStop?(): unknown } | null;
  };
  if (reading) handle?.readStart?.();
  else handle?.readStop?.();
}

/** Whom a cut reaches: users behind the network, or everybody when the API server itself is down. */
type Reach = 'outside' | 'everybody';

export class NetworkGate {
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly sockets = new Set<Socket>();
  private state: NetworkState = { kind: 'up' };
  private serverDown = false;
  private latency: Latency | undefined;
  /** Abort when connections are cut; replaced then. */
  private readonly cuts: Record<Reach, AbortController> = {
    outside: new AbortController(),
    everybody: new AbortController(),
  };
  private readonly waiting = new Set<() => void>();

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  setNetwork(state: NetworkState): void {
    this.state = state;
    for (const socket of this.sockets) setReading(socket, state.kind !== 'hang');
    if (state.kind === 'drop') {
      this.cutConnections('outside', new ConnectionError('reset', 'the network has been cut'));
    } else if (state.kind === 'up') {
      this.resume();
    }
  }

  setLatency(latency: Latency | undefined): void {
    this.latency = latency;
  }

  setServerDown(down: boolean): void {
    this.serverDown = down;
    if (down) this.cutConnections('everybody', serverIsDown());
  }

  private cutConnections(reach: Reach, reason: ConnectionError): void {
    const cut = this.cuts[reach];
    this.cuts[reach] = new AbortController();
    cut.abort(reason);
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  private resume(): void {
    const released = [...this.waiting];
    this.waiting.clear();
    for (const release of released) release();
  }

  /** For every new connection. */
  onConnection(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    // A socket that is reset while it shakes hands has nobody else to tell.
    socket.on('error', () => undefined);
    if (this.state.kind === 'drop' || this.serverDown) socket.resetAndDestroy();
    else if (this.state.kind === 'hang') setReading(socket, false);
  }

  /** Ends whatever still waits for the network. */
  close(): void {
    this.cutConnections('everybody', new ConnectionError('closed', 'the member has been stopped'));
  }

  private get isOpen(): boolean {
    return this.state.kind === 'up' && !this.serverDown && this.latency === undefined;
  }

  /** Resolves when a request or an answer may pass. Rejects when it is cut or its caller leaves. */
  private async pass(signal: AbortSignal): Promise<void> {
    if (this.serverDown) throw serverIsDown();
    if (this.state.kind === 'drop') throw new ConnectionError('reset', 'the network has been cut');
    if (this.state.kind === 'hang') await this.untilResumed(signal);
    if (this.latency !== undefined) {
      const { latencyMs, jitterMs } = this.latency;
      await sleep(this.clock, latencyMs + jitterMs * (2 * this.random.fraction() - 1), signal);
    }
  }

  private async untilResumed(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const any = AbortSignal.any([signal, this.cuts.outside.signal, this.cuts.everybody.signal]);
    const onAbort = (): void => reject(any.reason as Error);
    if (any.aborted) onAbort();
    any.addEventListener('abort', onAbort, { once: true });
    this.waiting.add(resolve);
    try {
      await promise;
    } finally {
      this.waiting.delete(resolve);
      any.removeEventListener('abort', onAbort);
    }
  }

  /** The API server as the network shows it to HTTPS clients. */
  around(handle: Handle): Handle {
    return async (request) => {
      if (!this.isOpen) await this.pass(request.signal);
      const response = await handle(request);
      if (response.kind === 'stream') {
        return {
          ...response,
          run: (write, signal) => this.slowed(signal, write, (slow, inner) => response.run(slow, inner)),
        } satisfies typeof response;
      }
      if (response.kind !== 'watch') return response;
      return {
        ...response,
        run: (onEvents, signal) =>
          this.behindNetwork<readonly WatchEvent[]>(signal, onEvents, (deliver, inner) =>
            response.run(deliver, inner),
          ),
      } satisfies typeof response;
    };
  }

  /** Runs a stream of bytes, each part of which waits for the network. Cutting it cuts its socket as well. */
  private slowed(
    asked: AbortSignal,
    write: WriteBytes,
    run: (write: WriteBytes, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { outside, everybody } = this.cuts;
    return breakable([asked, outside.signal, everybody.signal], (signal) =>
      run(async (bytes) => {
        if (!this.isOpen) await this.pass(signal);
        await write(bytes);
      }, signal),
    );
  }

  /** A transport for users outside the member. */
  outside(transport: Transport): Transport {
    const never = new AbortController().signal;
    return {
      send: async (request) => {
        if (!this.isOpen) await this.pass(request.signal ?? never);
        return transport.send(request);
      },
      watch: async (request, onEvent) => {
        if (!this.isOpen) await this.pass(request.signal ?? never);
        await this.behindNetwork<WatchEvent>(request.signal ?? never, onEvent, (deliver, signal) =>
          transport.watch({ ...request, signal }, deliver),
        );
      },
      close: () => transport.close(),
    };
  }

  /** A transport for the member's own controllers: no network in between, but the same API server. */
  inside(transport: Transport): Transport {
    return {
      send: async (request) => {
        if (this.serverDown) throw serverIsDown();
        return transport.send(request);
      },
      watch: async (request, onEvent) => {
        if (this.serverDown) throw serverIsDown();
        await breakable([request.signal, this.cuts.everybody.signal], (signal) =>
          transport.watch({ ...request, signal }, onEvent),
        );
      },
      close: () => transport.close(),
    };
  }

  /** Runs a watch whose events pass the network, and which breaks with it. */
  private behindNetwork<T>(
    asked: AbortSignal,
    deliver: (value: T) => void,
    run: (deliver: (value: T) => void, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { outside, everybody } = this.cuts;
    return breakable([asked, outside.signal, everybody.signal], (signal, fail) => {
      const lane = new Lane<T>({
        deliver,
        isOpen: () => this.isOpen,
        pass: () => this.pass(signal),
        onBroken: fail,
      });
      return run((value) => lane.push(value), signal);
    });
  }
}

function serverIsDown(): ConnectionError {
  return new ConnectionError('refused', 'the API server is down');
}

/**
 * Runs something until a signal aborts. The first signal is the caller's own and ends it in peace; the others, and
 * `fail`, break it: then it rejects with their reason.
 */
async function breakable(
  [asked, ...cuts]: readonly (AbortSignal | undefined)[],
  run: (signal: AbortSignal, fail: (reason: Error) => void) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const breaking = AbortSignal.any([failed.signal, ...cuts.filter((signal) => signal !== undefined)]);
  const any = asked === undefined ? breaking : AbortSignal.any([asked, breaking]);
  await run(any, (reason) => failed.abort(reason));
  if (breaking.aborted && asked?.aborted !== true) throw breaking.reason as Error;
}

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
import type { ApiRequest, ApiResponse } from '../../apiserver/index.ts';
import { sleep, type Clock, type Random } from '../../base/index.ts';
import { ConnectionError, type Transport, type TransportRequest } from '../../client/index.ts';

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

export class NetworkGate {
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly sockets = new Set<Socket>();
  private state: NetworkState = { kind: 'up' };
  private serverDown = false;
  private latency: Latency | undefined;
  /** Aborts when connections are cut; replaced afterwards. */
  private cut = new AbortController();
  private readonly waiting = new Set<() => void>();

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  setNetwork(state: NetworkState): void {
    this.state = state;
    for (const socket of this.sockets) setReading(socket, state.kind !== 'hang');
    if (state.kind === 'drop') this.cutConnections(new ConnectionError('reset', 'the network has been cut'));
    else if (state.kind === 'up') this.resume();
  }

  setLatency(latency: Latency | undefined): void {
    this.latency = latency;
  }

  setServerDown(down: boolean): void {
    this.serverDown = down;
    if (down) this.cutConnections(new ConnectionError('refused', 'the API server is down'));
  }

  private cutConnections(reason: ConnectionError): void {
    const { cut } = this;
    this.cut = new AbortController();
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
    this.cutConnections(new ConnectionError('closed', 'the member has been stopped'));
  }

  /** Resolves when a request or an answer may pass. Rejects when it is cut or its caller leaves. */
  private async pass(signal: AbortSignal): Promise<void> {
    if (this.serverDown) throw new ConnectionError('refused', 'the API server is down');
    if (this.state.kind === 'drop') throw new ConnectionError('reset', 'the network has been cut');
    if (this.state.kind === 'hang') await this.untilResumed(signal);
    if (this.latency !== undefined) {
      const { latencyMs, jitterMs } = this.latency;
      await sleep(this.clock, latencyMs + jitterMs * (2 * this.random.fraction() - 1), signal);
    }
  }

  private async untilResumed(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const either = AbortSignal.any([signal, this.cut.signal]);
    const onAbort = (): void => reject(either.reason as Error);
    if (either.aborted) onAbort();
    either.addEventListener('abort', onAbort, { once: true });
    this.waiting.add(resolve);
    try {
      await promise;
    } finally {
      this.waiting.delete(resolve);
      either.removeEventListener('abort', onAbort);
    }
  }

  private get isOpen(): boolean {
    return this.state.kind === 'up' && !this.serverDown && this.latency === undefined;
  }

  /** The API server as the network shows it to HTTPS clients. */
  around(handle: Handle): Handle {
    return async (request) => {
      if (!this.isOpen) await this.pass(request.signal);
      const response = await handle(request);
      return response.kind === 'watch' ? this.gatedWatch(response) : response;
    };
  }

  private gatedWatch(response: Extract<ApiResponse, { kind: 'watch' }>): ApiResponse {
    return {
      ...response,
      run: (onEvents, signal) => {
        const ordered = this.inOrder<readonly WatchEvent[]>(onEvents, signal);
        return response.run(ordered, signal);
      },
    };
  }

  /** Hands on what comes, in order, as soon as the network lets it through. */
  private inOrder<T>(deliver: (value: T) => void, signal: AbortSignal): (value: T) => void {
    let tail: Promise<void> | undefined;
    return (value) => {
      if (tail === undefined && this.isOpen) {
        deliver(value);
        return;
      }
      const before = tail ?? Promise.resolve();
      const next = before
        .then(() => this.pass(signal))
        .then(() => deliver(value))
        // A stream that is cut ends; what it had to say is read again by whoever comes back.
        .catch(() => undefined)
        .then(() => {
          if (tail === next) tail = undefined;
        });
      tail = next;
    };
  }

  /** A transport for users outside the member. */
  outside(transport: Transport): Transport {
    return this.gated(
      transport,
      (signal) => this.pass(signal),
      () => this.isOpen,
    );
  }

  /** A transport for the member's own controllers: only the API server's own end is theirs too. */
  inside(transport: Transport): Transport {
    const pass = async (): Promise<void> => {
      if (this.serverDown) throw new ConnectionError('refused', 'the API server is down');
    };
    return this.gated(transport, pass, () => !this.serverDown, true);
  }

  private gated(
    transport: Transport,
    pass: (signal: AbortSignal) => Promise<void>,
    isOpen: () => boolean,
    isInside = false,
  ): Transport {
    const never = new AbortController().signal;
    return {
      send: async (request) => {
        if (!isOpen()) await pass(request.signal ?? never);
        return transport.send(request);
      },
      watch: async (request, onEvent) => {
        if (!isOpen()) await pass(request.signal ?? never);
        await this.cuttable(request, isInside, (signal) => {
          const deliver = isInside ? onEvent : this.inOrder(onEvent, signal);
          return transport.watch({ ...request, signal }, deliver);
        });
      },
      close: () => transport.close(),
    };
  }

  /** Runs a watch that breaks when connections are cut. */
  private async cuttable(
    request: TransportRequest,
    isInside: boolean,
    run: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const inner = new AbortController();
    let broken: unknown;
    const onCut = (reason: unknown): void => {
      // A cut network does not reach those inside.
      if (isInside && !this.serverDown) {
        listen();
        return;
      }
      broken = reason;
      inner.abort(reason);
    };
    let stopListening = (): void => undefined;
    const listen = (): void => {
      const { signal } = this.cut;
      const onAbort = (): void => onCut(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      stopListening = () => signal.removeEventListener('abort', onAbort);
    };
    listen();
    try {
      const signal =
        request.signal === undefined ? inner.signal : AbortSignal.any([request.signal, inner.signal]);
      await run(signal);
    } finally {
      stopListening();
    }
    if (broken !== undefined) throw broken as Error;
  }
}

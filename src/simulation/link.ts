// The network between the hub and one member. Every request and every event takes its time; the link can be cut, fall
// silent, or lose some of what it carries, before or after the member acted on it.
// INVARIANT: events of a watch arrive in order and without gaps, or the watch breaks: what TCP promises.
// INVARIANT: a process that has died sends nothing more; what it had sent may still arrive, and its answer reaches nobody.
import type { KubeObject, WatchEvent } from '../api/index.ts';
import type { Clock } from '../base/index.ts';
import {
  ConnectionError,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from '../client/index.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface LinkCondition {
  /** `cut`: connections are refused and reset. `silent`: nothing arrives, nothing is refused. */
  readonly state: 'up' | 'cut' | 'silent';
  /** The share of requests that end in a reset, half of them after the member has acted. */
  readonly lossShare: number;
  /** How long one way takes, at most. */
  readonly latencyMs: number;
}

export const GOOD_LINK: LinkCondition = { state: 'up', lossShare: 0, latencyMs: 15 };

/** As production's HTTPS transport to members: see createHttpsTransport and its settings. */
const REQUEST_TIMEOUT_MS = 32_000;
const PING_TIMEOUT_MS = 10_000;
/** The share of requests whose sender gave up and that arrive all the same when a silent network is back. */
const LATE_SHARE = 0.3;
const LATENCY_MIN_MS = 0.1;

/** A process that uses the link. */
export interface Endpoint {
  readonly clock: Clock;
  /** Aborts when the process dies. */
  readonly dead: AbortSignal;
}

/** Sees every request that changes something, right before the member acts on it, and what became of it. */
export interface LinkObserver {
  arriving(request: TransportRequest): void;
  acted(request: TransportRequest, response: TransportResponse): void;
}

export interface LinkOptions {
  /** The member, as everybody outside of it reaches it. */
  readonly target: Transport;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly observer: LinkObserver;
}

export class Link {
  private readonly options: LinkOptions;
  private current = GOOD_LINK;
  /** Aborted and replaced when connections are cut. */
  private connections = new AbortController();
  private silenceStarted: (() => void)[] = [];
  private silenceEnded: (() => void)[] = [];

  constructor(options: LinkOptions) {
    this.options = options;
  }

  get condition(): LinkCondition {
    return this.current;
  }

  set(change: Partial<LinkCondition>): void {
    const before = this.current.state;
    this.current = { ...this.current, ...change };
    const { state } = this.current;
    if (state === before) return;
    if (state === 'cut') {
      const { connections } = this;
      this.connections = new AbortController();
      connections.abort(new ConnectionError('reset', 'the network was cut'));
    }
    if (state === 'silent') for (const tell of this.silenceStarted.splice(0)) tell();
    // What waited in a silent network is lost when that is cut, and goes on when it is back.
    if (before === 'silent') for (const tell of this.silenceEnded.splice(0)) tell();
  }

  /** The way to the member for a process. */
  transportFor(endpoint: Endpoint): Transport {
    return {
      send: (request) => this.send(endpoint, request),
      watch: (request, onEvent) => this.watch(endpoint, request, onEvent),
      close: () => Promise.resolve(),
    };
  }

  private send(endpoint: Endpoint, request: TransportRequest): Promise<TransportResponse> {
    return new Promise((resolve, reject) => {
      let over = false;
      const settle = (end: () => void): void => {
        if (over) return;
        over = true;
        cancelTimeout();
        request.signal?.removeEventListener('abort', onAbort);
        endpoint.dead.removeEventListener('abort', onDeath);
        end();
      };
      const onDeath = (): void => settle(() => reject(endpoint.dead.reason as Error));
      const onAbort = (): void => settle(() => reject(request.signal?.reason as Error));
      const cancelTimeout = endpoint.clock.after(REQUEST_TIMEOUT_MS, () =>
        settle(() => reject(new ConnectionError('timeout', `no answer within ${REQUEST_TIMEOUT_MS} ms`))),
      );
      if (request.signal?.aborted === true) {
        onAbort();
        return;
      }
      if (endpoint.dead.aborted) {
        onDeath();
        return;
      }
      request.signal?.addEventListener('abort', onAbort, { once: true });
      endpoint.dead.addEventListener('abort', onDeath, { once: true });
      this.carry(request, () => over).then(
        (response) => settle(() => resolve(response)),
        (error: Error) => settle(() => reject(error)),
      );
    });
  }

  /** Brings a request to the member and its answer back. */
  private async carry(request: TransportRequest, isGivenUp: () => boolean): Promise<TransportResponse> {
    const { random, target } = this.options;
    const lost = random.chance(this.current.lossShare);
    const before = random.chance(0.5);
    const { signal } = this.connections;
    await this.pass();
    signal.throwIfAborted();
    if (lost && before) throw new ConnectionError('reset', 'the connection broke before the request arrived');
    // A sender that gave up has closed its stream, unless the request was on the wire by then.
    if (isGivenUp() && !random.chance(LATE_SHARE)) throw new ConnectionError('reset', 'its sender gave up');
    const writes = request.method !== 'GET';
    if (writes) this.options.observer.arriving(request);
    const { signal: _caller, ...sent } = request;
    const response = await target.send(sent);
    if (writes) this.options.observer.acted(request, response);
    if (lost) throw new ConnectionError('reset', 'the connection broke before the answer arrived');
    await this.pass();
    signal.throwIfAborted();
    return response;
  }

  private watch(
    endpoint: Endpoint,
    request: TransportRequest,
    onEvent: (event: WatchEvent<KubeObject>) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = new AbortController();
      let over = false;
      const settle = (end: () => void): void => {
        if (over) return;
        over = true;
        stop.abort(new Error('nobody listens any more'));
        end();
      };
      if (endpoint.dead.aborted || request.signal?.aborted === true) {
        reject((endpoint.dead.aborted ? endpoint.dead : request.signal)?.reason as Error);
        return;
      }
      const broken = (reason: Error): void => settle(() => reject(reason));
      endpoint.dead.addEventListener('abort', () => broken(endpoint.dead.reason as Error), {
        once: true,
        signal: stop.signal,
      });
      request.signal?.addEventListener('abort', () => settle(resolve), { once: true });
      const { signal } = this.connections;
      const onCut = (): void => broken(signal.reason as Error);
      signal.addEventListener('abort', onCut, { once: true });
      this.breakWhenSilent(endpoint, stop.signal, broken);
      const lane = new EventLane(
        this.options.clock,
        () => this.latency(),
        () => this.untilLoud(),
        (event) => {
          if (!over) onEvent(event);
        },
      );
      const run = async (): Promise<void> => {
        await this.pass();
        signal.throwIfAborted();
        if (over) return;
        const { signal: _caller, ...sent } = request;
        await this.options.target.watch({ ...sent, signal: stop.signal }, (event) => lane.push(event));
        await lane.empty();
      };
      run().then(
        () => settle(resolve),
        (error: unknown) => broken(error as Error),
      );
    });
  }

  /** A watch over a network that fell silent ends when its pings stay unanswered for long enough. */
  private breakWhenSilent(endpoint: Endpoint, stopped: AbortSignal, broken: (reason: Error) => void): void {
    if (stopped.aborted) return;
    if (this.current.state !== 'silent') {
      const again = (): void => this.breakWhenSilent(endpoint, stopped, broken);
      this.silenceStarted.push(again);
      stopped.addEventListener('abort', () => remove(this.silenceStarted, again), { once: true });
      return;
    }
    const cancel = endpoint.clock.after(PING_TIMEOUT_MS, () => {
      if (this.current.state === 'silent')
        broken(new ConnectionError('timeout', 'the member has been silent'));
      else this.breakWhenSilent(endpoint, stopped, broken);
    });
    stopped.addEventListener('abort', cancel, { once: true });
  }

  private latency(): number {
    return this.options.random.between(LATENCY_MIN_MS, this.current.latencyMs);
  }

  /** One way through the network. */
  private async pass(): Promise<void> {
    if (this.current.state === 'cut') throw new ConnectionError('refused', 'the network is cut');
    await new Promise<void>((resolve) => void this.options.clock.after(this.latency(), resolve));
    await this.untilLoud();
  }

  /** What waits in a silent network goes on when that is back, or is lost with its connection. */
  private async untilLoud(): Promise<void> {
    let gone = false;
    while (this.current.state === 'silent' && !gone) {
      await new Promise<void>((resolve) => {
        const cancel = this.options.clock.after(PING_TIMEOUT_MS, () => {
          gone = true;
          remove(this.silenceEnded, onEnd);
          resolve();
        });
        const onEnd = (): void => {
          cancel();
          resolve();
        };
        this.silenceEnded.push(onEnd);
      });
    }
    if (gone) throw new ConnectionError('timeout', 'the member has been silent');
    if (this.current.state === 'cut') throw new ConnectionError('reset', 'the network was cut');
  }
}

function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}

/** Events one after the other, each after its own time, none before the one ahead of it. */
class EventLane {
  private readonly clock: Clock;
  private readonly latencyMs: () => number;
  private readonly untilLoud: () => Promise<void>;
  private readonly deliver: (event: WatchEvent<KubeObject>) => void;
  private waiting: WatchEvent<KubeObject>[] = [];
  private running: Promise<void> | undefined;

  constructor(
    clock: Clock,
    latencyMs: () => number,
    untilLoud: () => Promise<void>,
    deliver: (event: WatchEvent<KubeObject>) => void,
  ) {
    this.clock = clock;
    this.latencyMs = latencyMs;
    this.untilLoud = untilLoud;
    this.deliver = deliver;
  }

  push(event: WatchEvent<KubeObject>): void {
    this.waiting.push(event);
    this.running ??= this.run();
  }

  async empty(): Promise<void> {
    await this.running;
  }

  /** What has gathered meanwhile arrives together, as a stream's bytes do. */
  private async run(): Promise<void> {
    try {
      while (this.waiting.length > 0) {
        await new Promise<void>((resolve) => void this.clock.after(this.latencyMs(), resolve));
        await this.untilLoud();
        for (const event of this.waiting.splice(0)) this.deliver(event);
      }
    } catch {
      // The cut that ends this lane ends its watch too.
      this.waiting = [];
    } finally {
      this.running = undefined;
    }
  }
}

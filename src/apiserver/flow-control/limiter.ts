// Shares the server out among those who ask: priority and fairness as kube-apiserver has it. A request finds its flow
// and level, waits for its turn if its level is busy, and is refused with 429 when too many wait already.
import type { KubeObject } from '../../api/index.ts';
import { every, type Clock, type Logger } from '../../base/index.ts';
import { StatusError, type UserInfo } from '../../machinery/index.ts';
import type { Storage } from '../../storage/index.ts';
import type { ApiRequest, ApiResponse, RequestInfo } from '../contract.ts';
import type { MetricsRegistry } from '../metrics.ts';
import { objectFeed } from '../object-feed.ts';
import { storageRootOf } from '../resource.ts';
import { FairQueues, RejectedError } from './fair-queues.ts';
import { boundsOf, currentLimits, smooth, type LevelBounds } from './borrowing.ts';
import { DemandMeter } from './demand.ts';
import { levelOf, nominalLimits, type PriorityLevel } from './levels.ts';
import { flowOf, schemaOf, sortedSchemas, type Flow, type FlowSchema } from './schemas.ts';
import { SUGGESTED_LEVELS, SUGGESTED_SCHEMAS } from './suggested.ts';

export interface LimiterOptions {
  /** Requests that may be under way, as kube-apiserver adds up --max-requests-inflight and the mutating ones. */
  readonly maxInFlight: number;
}

export interface Limiter {
  /** Carries the request out when it is its turn; throws a 429 StatusError when it is not let in. */
  run(
    request: ApiRequest,
    user: UserInfo,
    info: RequestInfo,
    answer: () => Promise<ApiResponse>,
  ): Promise<ApiResponse>;
  close(): void;
}

const GROUP = 'flowcontrol.apiserver.k8s.io';
// LIMIT: how long a request waits for its turn, as upstream: a quarter of what it may take in all.
const MAX_WAIT_MS = 15_000;
const RETRY_SECONDS = 1;
/** How often levels lend to each other anew, as upstream. */
const ADJUSTMENT_MS = 10_000;

/** A level, with what it may use for now and what is asked of it. */
interface Shared {
  level: PriorityLevel;
  bounds: LevelBounds;
  readonly queues: FairQueues;
  readonly demand: DemandMeter;
  smoothed: number;
}

interface Environment {
  readonly storage: Storage<KubeObject>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: MetricsRegistry;
}

/** Resolves when what is stored has been read. */
export async function openLimiter(options: LimiterOptions, environment: Environment): Promise<Limiter> {
  const limiter = new PriorityLimiter(options, environment);
  await limiter.follow();
  return limiter;
}

class PriorityLimiter implements Limiter {
  readonly #options: LimiterOptions;
  readonly #environment: Environment;
  readonly #closing = new AbortController();
  readonly #schemas = new Map<string, FlowSchema>();
  readonly #levels = new Map<string, PriorityLevel>();
  readonly #shared = new Map<string, Shared>();
  readonly #meters: Meters | undefined;
  #sorted: readonly FlowSchema[] = [];

  constructor(options: LimiterOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    this.#meters = environment.metrics === undefined ? undefined : metersOf(environment.metrics);
    this.#settle();
    const stop = every(environment.clock, ADJUSTMENT_MS, () => this.#adjust());
    this.#closing.signal.addEventListener('abort', stop, { once: true });
  }

  async follow(): Promise<void> {
    await Promise.all([
      this.#followKind('flowschemas', this.#schemas, schemaOf),
      this.#followKind('prioritylevelconfigurations', this.#levels, levelOf),
    ]);
  }

  close(): void {
    this.#closing.abort(new Error('the API server is closing'));
  }

  async run(
    { signal }: ApiRequest,
    user: UserInfo,
    info: RequestInfo,
    answer: () => Promise<ApiResponse>,
  ): Promise<ApiResponse> {
    const flow = flowOf(this.#sorted, user, info);
    const level = flow === undefined ? undefined : this.#levels.get(flow.level);
    const shared = level === undefined ? undefined : this.#shared.get(level.name);
    if (flow === undefined || shared === undefined) return withHeaders(await answer(), flow, level);
    const done = shared.level.exempt ? this.#beginExempt(shared) : await this.#admit(flow, shared, signal);
    try {
      return withHeaders(await answer(), flow, level);
    } finally {
      done();
      this.#measure(shared);
    }
  }

  #beginExempt(shared: Shared): () => void {
    const done = shared.queues.beginExempt();
    this.#measure(shared);
    return done;
  }

  async #admit(flow: Flow, shared: Shared, signal: AbortSignal): Promise<() => void> {
    const waiting = new AbortController();
    const onLeft = (): void => waiting.abort(new RejectedError('cancelled'));
    signal.addEventListener('abort', onLeft, { once: true });
    const { clock } = this.#environment;
    const cancel = clock.after(MAX_WAIT_MS, () => waiting.abort(new RejectedError('time-out')));
    const labels = [flow.level, flow.schema.name];
    try {
      const admitted = shared.queues.admit(flow.key, waiting.signal);
      this.#measure(shared);
      const done = await admitted;
      this.#meters?.dispatched.increment(labels);
      return done;
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      this.#meters?.rejected.increment([...labels, error.rejection]);
      throw tooManyRequests();
    } finally {
      cancel();
      signal.removeEventListener('abort', onLeft);
      this.#measure(shared);
    }
  }

  #measure({ level, queues, demand }: Shared): void {
    const { queued, executing } = queues;
    demand.note(queued + executing, this.#environment.clock.now());
    this.#meters?.queued.set([level.name], queued);
    this.#meters?.executing.set([level.name], executing);
  }

  #followKind<T extends { readonly name: string }>(
    resource: string,
    into: Map<string, T>,
    read: (object: KubeObject) => T,
  ): Promise<void> {
    const prefix = storageRootOf(GROUP, resource);
    const put = (object: KubeObject): void => {
      const one = read(object);
      into.set(one.name, one);
    };
    return objectFeed({ ...this.#environment, prefix }).follow(
      {
        start: (objects) => {
          into.clear();
          objects.forEach(put);
          this.#settle();
        },
        put: (object) => {
          put(object);
          this.#settle();
        },
        removed: ({ metadata }) => {
          into.delete(metadata.name ?? '');
          this.#settle();
        },
      },
      this.#closing.signal,
    );
  }

  /** What is stored, and below it what every server has. */
  #settle(): void {
    for (const object of SUGGESTED_LEVELS) {
      const level = levelOf(object);
      if (!this.#levels.has(level.name)) this.#levels.set(level.name, level);
    }
    const schemas = new Map(this.#schemas);
    for (const object of SUGGESTED_SCHEMAS) {
      const schema = schemaOf(object);
      if (!schemas.has(schema.name)) schemas.set(schema.name, schema);
    }
    // One that names no level is as good as none.
    const usable = [...schemas.values()].filter(({ spec }) =>
      this.#levels.has(spec.priorityLevelConfiguration?.name ?? ''),
    );
    this.#sorted = sortedSchemas(usable);
    const { clock } = this.#environment;
    const total = this.#options.maxInFlight;
    const nominal = nominalLimits([...this.#levels.values()], total);
    for (const name of this.#shared.keys()) if (!this.#levels.has(name)) this.#shared.delete(name);
    for (const level of this.#levels.values()) {
      const bounds = boundsOf(level, nominal.get(level.name) ?? 0, total);
      const known = this.#shared.get(level.name);
      if (known === undefined) {
        const queues = new FairQueues(level, bounds.nominal);
        const demand = new DemandMeter(clock.now());
        this.#shared.set(level.name, { level, bounds, queues, demand, smoothed: 0 });
      } else {
        known.level = level;
        known.bounds = bounds;
      }
    }
    this.#adjust();
  }

  /** Lends what levels do not need to those that do. */
  #adjust(): void {
    const nowMs = this.#environment.clock.now();
    const states = [...this.#shared.values()].map((shared) => {
      const demand = shared.demand.take(nowMs);
      shared.smoothed = smooth(shared.smoothed, demand);
      const { bounds, level, smoothed } = shared;
      return { ...bounds, name: level.name, exempt: level.exempt, most: demand.most, smoothed };
    });
    const limits = currentLimits(states);
    for (const { level, queues, bounds } of this.#shared.values()) {
      const limit = limits.get(level.name) ?? bounds.nominal;
      queues.configure(level, Math.max(1, limit));
      this.#meters?.limit.set([level.name], limit);
    }
  }
}

function withHeaders(
  response: ApiResponse,
  flow: Flow | undefined,
  level: PriorityLevel | undefined,
): ApiResponse {
  if (flow === undefined || flow.schema.uid === '' || level === undefined) return response;
  // Who takes over a connection answers on it alone.
  if (response.kind === 'upgrade') return response;
  const headers = {
    ...response.headers,
    'x-kubernetes-pf-flowschema-uid': flow.schema.uid,
    'x-kubernetes-pf-prioritylevel-uid': level.uid,
  };
  return { ...response, headers };
}

export function tooManyRequests(): StatusError {
  const message = 'Too many requests, please try again later.';
  return new StatusError(429, 'TooManyRequests', message, { retryAfterSeconds: RETRY_SECONDS });
}

interface Meters {
  readonly dispatched: ReturnType<MetricsRegistry['counter']>;
  readonly rejected: ReturnType<MetricsRegistry['counter']>;
  readonly queued: ReturnType<MetricsRegistry['gauge']>;
  readonly executing: ReturnType<MetricsRegistry['gauge']>;
  readonly limit: ReturnType<MetricsRegistry['gauge']>;
}

function metersOf(metrics: MetricsRegistry): Meters {
  return {
    dispatched: metrics.counter(
      'apiserver_flowcontrol_dispatched_requests_total',
      'Number of requests executed by API Priority and Fairness subsystem',
      ['priority_level', 'flow_schema'],
    ),
    rejected: metrics.counter(
      'apiserver_flowcontrol_rejected_requests_total',
      'Number of requests rejected by API Priority and Fairness subsystem',
      ['priority_level', 'flow_schema', 'reason'],
    ),
    queued: metrics.gauge(
      'apiserver_flowcontrol_current_inqueue_requests',
      'Number of requests currently pending in queues of the API Priority and Fairness subsystem',
      ['priority_level'],
    ),
    limit: metrics.gauge(
      'apiserver_flowcontrol_current_limit_seats',
      'current derived number of execution seats available to each priority level',
      ['priority_level'],
    ),
    executing: metrics.gauge(
      'apiserver_flowcontrol_current_executing_requests',
      'Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem',
      ['priority_level'],
    ),
  };
}

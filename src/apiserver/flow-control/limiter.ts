// Shares the server out among those who ask: priority and fairness as kube-apiserver has it. A request finds its flow
// and level, waits for its turn if its level is busy, and is refused with 429 when too many wait already.
import type { KubeObject } from '../../api/index.ts';
import type { Clock, Logger } from '../../base/index.ts';
import { StatusError, type UserInfo } from '../../machinery/index.ts';
import type { Storage } from '../../storage/index.ts';
import type { ApiRequest, ApiResponse, RequestInfo } from '../contract.ts';
import type { MetricsRegistry } from '../metrics.ts';
import { objectFeed } from '../object-feed.ts';
import { storageRootOf } from '../resource.ts';
import { FairQueues, RejectedError } from './fair-queues.ts';
import { concurrencyLimits, levelOf, type PriorityLevel } from './levels.ts';
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
  readonly #queues = new Map<string, FairQueues>();
  readonly #meters: Meters | undefined;
  #sorted: readonly FlowSchema[] = [];

  constructor(options: LimiterOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    this.#meters = environment.metrics === undefined ? undefined : metersOf(environment.metrics);
    this.#settle();
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
    if (flow === undefined || level === undefined || level.exempt) {
      return withHeaders(await answer(), flow, level);
    }
    const queues = this.#queues.get(level.name)!;
    const done = await this.#admit(flow, queues, signal);
    try {
      return withHeaders(await answer(), flow, level);
    } finally {
      done();
      this.#measure(level.name, queues);
    }
  }

  async #admit(flow: Flow, queues: FairQueues, signal: AbortSignal): Promise<() => void> {
    const waiting = new AbortController();
    const onLeft = (): void => waiting.abort(new RejectedError('cancelled'));
    signal.addEventListener('abort', onLeft, { once: true });
    const { clock } = this.#environment;
    const cancel = clock.after(MAX_WAIT_MS, () => waiting.abort(new RejectedError('time-out')));
    const labels = [flow.level, flow.schema.name];
    try {
      const done = await queues.admit(flow.key, waiting.signal);
      this.#meters?.dispatched.increment(labels);
      return done;
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      this.#meters?.rejected.increment([...labels, error.rejection]);
      throw tooManyRequests();
    } finally {
      cancel();
      signal.removeEventListener('abort', onLeft);
      this.#measure(flow.level, queues);
    }
  }

  #measure(level: string, { queued, executing }: FairQueues): void {
    this.#meters?.queued.set([level], queued);
    this.#meters?.executing.set([level], executing);
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
    this.#sorted = sortedSchemas(schemas.values());
    const limits = concurrencyLimits(this.#levels.values(), this.#options.maxInFlight);
    for (const level of this.#levels.values()) {
      const limit = limits.get(level.name);
      if (limit === undefined) continue;
      const queues = this.#queues.get(level.name);
      if (queues === undefined) this.#queues.set(level.name, new FairQueues(level, limit));
      else queues.configure(level, limit);
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
    executing: metrics.gauge(
      'apiserver_flowcontrol_current_executing_requests',
      'Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem',
      ['priority_level'],
    ),
  };
}

// The frame around every controller of a simulated cluster: wait until the caches show what the last round wrote,
// gather, decide, act.
import { errorMessage, type Clock, type Logger } from '../base/index.ts';
import { isAlreadyExists, isNamespaceTerminating, type Client } from '../client/index.ts';
import {
  done,
  requeueAfter,
  retry,
  runController,
  type EventRecorder,
  type Outcome,
  type RuntimeMetrics,
  type Source,
} from '../runtime/index.ts';
import { carryOut, describeWrite, type Failure } from './act.ts';
import type { Caches, Written } from './caches.ts';
import type { Plan } from './plan.ts';

export interface LoopContext {
  readonly client: Client;
  readonly caches: Caches;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly metrics?: RuntimeMetrics;
}

export interface LoopSpec<Input> {
  /** As Kubernetes calls the controller, for events and logs. */
  readonly name: string;
  readonly sources: readonly Source[];
  /** Only cached reads. Undefined: the object is gone. */
  gather(key: string, nowMs: number): Input | undefined;
  decide(input: Input): Plan;
  /** What to decide on after a write failed, to report it; undefined: only try again. */
  afterFailure?(input: Input, failure: Failure): Input | undefined;
  /** How long to wait before a round, so that changes that come together are handled together. */
  readonly gatherMs?: (key: string) => number;
}

// How soon to look again for writes that a cache does not show yet. Its events usually come first; when they do not
// come at all, because the API server is down, asking gets rarer.
const CACHE_WAIT_MS = 5;
const CACHE_WAIT_MAX_MS = 1000;
// LIMIT: rounds under way at once per controller; they only wait for the API server.
const CONCURRENCY = 16;

export function runLoop<Input>(spec: LoopSpec<Input>, context: LoopContext): Promise<void> {
  const { client, caches, clock, signal, logger } = context;
  const gatherMs = spec.gatherMs?.bind(spec);
  const recorder = context.recorder.withComponent(spec.name);
  const pending = new Map<string, { readonly written: readonly Written[]; waitMs: number }>();

  const reconcile = async (key: string, callSignal: AbortSignal): Promise<Outcome> => {
    const last = pending.get(key);
    if (last !== undefined && !last.written.every((one) => caches.hasSeen(one))) {
      const { waitMs } = last;
      last.waitMs = Math.min(2 * waitMs, CACHE_WAIT_MAX_MS);
      return requeueAfter(waitMs, 'the cache does not show the last writes yet');
    }
    pending.delete(key);
    const input = spec.gather(key, clock.now());
    if (input === undefined) return done;
    const plan = spec.decide(input);
    const result = await carryOut(plan, client, recorder, callSignal);
    const written = [...result.written];
    const remember = (): void => {
      if (written.length > 0) pending.set(key, { written, waitMs: CACHE_WAIT_MS });
    };
    const failure = result.failures[0];
    if (failure === undefined) {
      remember();
      return plan.requeueAfterMs === undefined ? done : requeueAfter(plan.requeueAfterMs, 'time');
    }
    const report = spec.afterFailure?.(input, failure);
    if (report !== undefined) {
      const reported = await carryOut(spec.decide(report), client, recorder, callSignal);
      written.push(...reported.written);
    }
    remember();
    // Nothing new can come into a namespace that is going; its end is near.
    if (isNamespaceTerminating(failure.error)) return done;
    logger.debug('A write of a simulated controller failed', {
      controller: spec.name,
      write: describeWrite(failure.write),
      error: errorMessage(failure.error),
    });
    return retry(failure.error);
  };

  return runController({
    name: spec.name,
    sources: gatherMs === undefined ? spec.sources : spec.sources.map((one) => delayed(one, gatherMs)),
    clock,
    logger,
    signal,
    concurrency: CONCURRENCY,
    ...(context.metrics === undefined ? {} : { metrics: context.metrics }),
    reconcile: (key, { signal: callSignal }) => reconcile(key, callSignal),
  });
}

/** A source whose keys wait a little, so that what changes together is handled once. */
function delayed(source: Source, gatherMs: (key: string) => number): Source {
  return {
    synced: source.synced,
    start: (enqueue) =>
      source.start((key, options) => {
        const afterMs = gatherMs(key);
        enqueue(key, afterMs > 0 ? { ...options, afterMs } : options);
      }),
  };
}

/** Whether an attempt to create something failed because its name is taken. */
export function isNameTaken({ write, error }: Failure): boolean {
  return write.verb === 'create' && isAlreadyExists(error);
}

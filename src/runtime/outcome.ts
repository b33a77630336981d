// What becomes of a key after its reconcile: the one place where this is decided, for all controllers.
import { AssertionError, errorMessage } from '../base/index.ts';
import { isConflict, retryAfterMs } from '../client/index.ts';

/** What a reconcile returns. Failures may be thrown instead of returned as `retry`. */
export type Outcome =
  /** The world is as it should be; the next event brings the key back. */
  | { readonly kind: 'done' }
  /** Look again after this time, which is no failure. */
  | { readonly kind: 'requeue'; readonly afterMs: number; readonly reason: string }
  /** Failed; try again with back-off. */
  | { readonly kind: 'retry'; readonly error: unknown }
  /** Failed, and trying again cannot help before something changes. */
  | { readonly kind: 'terminal'; readonly error: unknown };

export const done: Outcome = Object.freeze({ kind: 'done' });

export function requeueAfter(afterMs: number, reason: string): Outcome {
  return { kind: 'requeue', afterMs, reason };
}

export function retry(error: unknown): Outcome {
  return { kind: 'retry', error };
}

export function terminal(error: unknown): Outcome {
  return { kind: 'terminal', error };
}

/** Thrown where trying again cannot help before something changes. */
export class TerminalError extends Error {
  override name = 'TerminalError';
}

export type OutcomeName = 'done' | 'requeue' | 'conflict' | 'error' | 'terminal' | 'quarantine' | 'stopped';

export interface Settlement {
  readonly name: OutcomeName;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly next:
    | { readonly do: 'forget' }
    | { readonly do: 'requeue'; readonly afterMs: number; readonly reason: string }
    | { readonly do: 'back-off'; readonly atLeastMs: number; readonly reason: string };
  readonly error?: unknown;
}

/** LIMIT: a key whose reconcile has a bug is tried this seldom, so that the bug cannot eat the process. */
export const QUARANTINE_MS = 60_000;

// What the language throws when the program is wrong, not the world.
function isBug(error: unknown): boolean {
  return (
    error instanceof AssertionError ||
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    error instanceof RangeError
  );
}

/**
 * Judges a reconcile.
 * @param stopping whether the controller is being stopped, which makes failures of aborted calls expected
 */
export function settle(outcome: Outcome, stopping: boolean): Settlement {
  switch (outcome.kind) {
    case 'done':
      return { name: 'done', level: 'debug', next: { do: 'forget' } };
    case 'requeue':
      return {
        name: 'requeue',
        level: 'debug',
        next: { do: 'requeue', afterMs: outcome.afterMs, reason: outcome.reason },
      };
    case 'terminal':
      return { name: 'terminal', level: 'error', next: { do: 'forget' }, error: outcome.error };
    case 'retry':
      return settleFailure(outcome.error, stopping);
  }
}

function settleFailure(error: unknown, stopping: boolean): Settlement {
  if (isBug(error)) {
    return {
      name: 'quarantine',
      level: 'error',
      next: { do: 'back-off', atLeastMs: QUARANTINE_MS, reason: 'quarantined after a bug' },
      error,
    };
  }
  if (stopping) return { name: 'stopped', level: 'debug', next: { do: 'forget' } };
  if (error instanceof TerminalError)
    return { name: 'terminal', level: 'error', next: { do: 'forget' }, error };
  if (isConflict(error)) {
    // Somebody was faster. The next reconcile gathers anew; nothing is wrong.
    return {
      name: 'conflict',
      level: 'debug',
      next: { do: 'back-off', atLeastMs: 0, reason: 'conflict' },
      error,
    };
  }
  return {
    name: 'error',
    level: 'warn',
    next: { do: 'back-off', atLeastMs: retryAfterMs(error) ?? 0, reason: errorMessage(error) },
    error,
  };
}

// How a long-running command is told to end, and ends: the first signal asks, the second insists, and no part that will not
// close keeps the others open.
import { errorMessage, sleep, systemClock, type Clock, type Logger } from '../base/index.ts';

export function stopOnSignals(): { readonly signal: AbortSignal; readonly requested: Promise<void> } {
  const abort = new AbortController();
  const requested = new Promise<void>((resolve) => {
    const onSignal = (): void => {
      // A second signal means now.
      if (abort.signal.aborted) process.exit(130);
      abort.abort(new Error('stopped by a signal'));
      resolve();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
  return { signal: abort.signal, requested };
}

/** A part of the process that was opened; parts are closed in the opposite order. */
export interface Part {
  readonly name: string;
  readonly close: () => Promise<void>;
}

// LIMIT: nothing that is acknowledged gets lost when a part is left behind, and whoever sent the signal kills after 30 s.
const CLOSE_LIMIT_MS = 15_000;

/** Closes all of them, the last one first. One that fails or takes too long is named in the log, and the next has its turn. */
export async function closeParts(
  parts: readonly Part[],
  logger: Logger,
  clock: Clock = systemClock,
  limitMs: number = CLOSE_LIMIT_MS,
): Promise<void> {
  for (const { name, close } of parts.toReversed()) {
    const closed = new AbortController();
    const limit = sleep(clock, limitMs, closed.signal).then(
      () => logger.error('A part does not stop, going on without', { part: name, waitedMs: limitMs }),
      () => undefined,
    );
    const closing = close().catch((error: unknown) =>
      logger.error('Stopping a part failed', { part: name, error: errorMessage(error) }),
    );
    await Promise.race([closing, limit]);
    closed.abort(new Error('closed'));
  }
}

// Waiting for no longer than somebody wants.

/** The promise, or the signal's reason when it aborts first, whether the other side notices it or not. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // Nobody hears of its failure any more, and that is no failure of the process.
  promise.catch(() => undefined);
  signal.throwIfAborted();
  const given = Promise.withResolvers<never>();
  const giveUp = (): void => given.reject(signal.reason as Error);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([promise, given.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

// How a long-running command is told to end: the first signal asks, the second insists.

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

// Time as a seam. Everything that waits or asks for the time takes a Clock, so that a simulation can own it.

/** Stops what a Clock scheduled; harmless when it already ran. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `callback` once, `delayMs` milliseconds from now. A waiting timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): Cancel;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    // LIMIT: Node fires timers above 2^31-1 ms at once; 24 days is as long as any wait here needs to be.
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), 2_147_483_647));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason when that comes first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Calls `callback` every `periodMs` until cancelled; the next call is timed from the end of the last. */
export function every(clock: Clock, periodMs: number, callback: () => void): Cancel {
  let cancel: Cancel = () => undefined;
  let stopped = false;
  const schedule = (): void => {
    cancel = clock.after(periodMs, () => {
      callback();
      if (!stopped) schedule();
    });
  };
  schedule();
  return () => {
    stopped = true;
    cancel();
  };
}

// Many objects are written in one second, and every one of them says when.
let lastSecond = Number.NaN;
let lastText = '';

/** `2026-11-21T03:04:05Z`: Kubernetes' metav1.Time, whole seconds in UTC. */
export function formatTime(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== lastSecond) {
    lastText = `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
}

/** `2026-11-21T03:04:05.678000Z`: Kubernetes' metav1.MicroTime. */
export function formatMicroTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 23)}000Z`;
}

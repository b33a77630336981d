// Events of a simulated cluster, within a budget: a thousand pods that start at once would otherwise cost more in
// stories about them than in pods.
import type { Clock } from '../base/index.ts';
import type { EventRecorder } from '../runtime/index.ts';

// LIMIT: Normal events, for the whole cluster: this many at once, then this many a second, which is what one kubelet
// may send. What goes wrong is always told.
const BURST = 200;
const PER_SECOND = 50;

/** A recorder that drops Normal events beyond the budget. All recorders made from it share the budget. */
export function budgetedRecorder(recorder: EventRecorder, clock: Clock): EventRecorder {
  let tokens = BURST;
  let filledMs = clock.now();
  const take = (): boolean => {
    const nowMs = clock.now();
    tokens = Math.min(BURST, tokens + (Math.max(nowMs - filledMs, 0) * PER_SECOND) / 1000);
    filledMs = nowMs;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
  const wrap = (inner: EventRecorder): EventRecorder => ({
    event(object, type, reason, message, fieldPath) {
      if (type === 'Warning' || take()) inner.event(object, type, reason, message, fieldPath);
    },
    withComponent: (component) => wrap(inner.withComponent(component)),
  });
  return wrap(recorder);
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { every, formatMicroTime, formatTime, sleep, systemClock, type Clock } from './index.ts';

test('times are printed as Kubernetes prints them', () => {
  const time = Date.UTC(2026, 10, 21, 3, 4, 5, 678);
  assert.equal(formatTime(time), '2026-11-21T03:04:05Z');
  assert.equal(formatTime(time + 321), '2026-11-21T03:04:05Z');
  assert.equal(formatTime(time + 322), '2026-11-21T03:04:06Z');
  assert.equal(formatTime(time), '2026-11-21T03:04:05Z');
  assert.throws(() => formatTime(Number.NaN), RangeError);
  assert.equal(formatMicroTime(time), '2026-11-21T03:04:05.678000Z');
});

test('an aborted sleep rejects with the reason and leaves no timer', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  let waiting = 0;
  const clock: Clock = {
    now: () => 0,
    after: () => {
      waiting++;
      return () => waiting--;
    },
  };
  const slept = sleep(clock, 60_000, controller.signal);
  controller.abort(reason);
  await assert.rejects(slept, reason);
  assert.equal(waiting, 0);
});

test('every() stops when its callback cancels it', async () => {
  let calls = 0;
  await new Promise<void>((resolve) => {
    const stop = every(systemClock, 1, () => {
      calls++;
      stop();
      resolve();
    });
  });
  await sleep(systemClock, 10);
  assert.equal(calls, 1);
});

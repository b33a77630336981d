import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fencedWaitMs, renewEveryMs, type OtherCopy } from './index.ts';

const times = { leaseMs: 10_000, nowMs: 100_000, startedMs: 0 };
const copy = (more: Partial<OtherCopy>): OtherCopy => ({
  cluster: 'm1',
  work: true,
  reachable: false,
  lastRenewedMs: 95_000,
  ...more,
});

const cases: readonly [what: string, others: readonly OtherCopy[], waitMs: number][] = [
  ['the first copy waits for nobody', [], 0],
  ['a copy that may run is waited for until its lease has run out and it has stopped', [copy({})], 10_000],
  ['also where the member answers: the end of its Work is told by the Work', [copy({ reachable: true })], 10_000],
  ['a lease that has run out fences', [copy({ lastRenewedMs: 85_000 })], 0],
  ['a copy whose Work is gone from a member that answers is gone', [copy({ work: false, reachable: true })], 0],
  ['one whose Work was dropped with its member may still run', [copy({ work: false })], 10_000],
  ['one of which nothing is known may have been renewed before we began', [copy({ lastRenewedMs: undefined })], 0],
  ['the longest wait counts', [copy({ lastRenewedMs: 85_000 }), copy({ cluster: 'm2' })], 10_000],
]; // prettier-ignore
for (const [what, others, waitMs] of cases)
  test(what, () => assert.equal(fencedWaitMs(others, times), waitMs));

test('after a start, what another process may have renewed is waited for', () => {
  const young = { ...times, startedMs: 99_000 };
  assert.equal(fencedWaitMs([copy({ lastRenewedMs: undefined })], young), 14_000);
});

test('a member that stops its copy within half a lease after the last renewal it saw has stopped before another starts', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_000, max: 60_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      (leaseMs, seenShare, stopShare) => {
        const lastRenewedMs = 0;
        // The member sees a renewal before its answer is back, and stops within half a lease of its end.
        const seenMs = -seenShare * renewEveryMs(leaseMs);
        const stoppedMs = seenMs + leaseMs + stopShare * leaseMs;
        const waitMs = fencedWaitMs([copy({ lastRenewedMs })], { leaseMs, nowMs: 0, startedMs: -1e9 });
        assert.ok(stoppedMs <= waitMs + 1e-6);
      },
    ),
  );
});

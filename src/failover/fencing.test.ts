import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fencedAfterMs, renewEveryMs, waitsForOthers, type OtherCopy } from './index.ts';

const copy = (more: Partial<OtherCopy>): OtherCopy => ({
  cluster: 'm1',
  work: true,
  reachable: false,
  renewed: true,
  over: false,
  ...more,
});

const cases: readonly [what: string, others: readonly OtherCopy[], waits: boolean][] = [
  ['the first copy waits for nobody', [], false],
  ['a copy that may run is waited for until its lease has run out and it has stopped', [copy({})], true],
  ['also where the member answers: the end of its Work is told by the Work', [copy({ reachable: true })], true],
  ['a lease that has run out fences', [copy({ over: true })], false],
  ['a copy whose Work is gone from a member that answers is gone', [copy({ work: false, reachable: true })], false],
  ['one whose Work was dropped with its member may still run', [copy({ work: false })], true],
  ['one of which nothing is known may have been renewed before we began', [copy({ renewed: false })], true],
  ['one that may run is enough', [copy({ over: true }), copy({ cluster: 'm2' })], true],
]; // prettier-ignore
for (const [what, others, waits] of cases) test(what, () => assert.equal(waitsForOthers(others), waits));

test('a member that stops its copy within half a lease after the last renewal it saw has stopped before another starts', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_000, max: 60_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      (leaseMs, seenShare, stopShare) => {
        // The member sees a renewal before its answer is back, and stops within half a lease of its end.
        const seenMs = -seenShare * renewEveryMs(leaseMs);
        assert.ok(seenMs + leaseMs + stopShare * leaseMs <= fencedAfterMs(leaseMs) + 1e-6);
      },
    ),
  );
});

test('an agent renews within a renewal period of saying so, and what it fences has stopped before another starts', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_000, max: 60_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (leaseMs, renewShare) => {
        const saidMs = 0;
        const renewedMs = saidMs + renewShare * renewEveryMs(leaseMs);
        assert.ok(renewedMs + leaseMs < saidMs + fencedAfterMs(leaseMs));
      },
    ),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FENCE_GATE, FENCE_LABEL } from '../../api/index.ts';
import type { Pod } from '../kinds.ts';
import { decideFencedPod, goodUntilMs } from './fence.ts';

const pod = (gates: readonly string[], deleted = false): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'job-1',
      namespace: 'shop',
      labels: { [FENCE_LABEL]: 'job' },
      ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { containers: [], schedulingGates: gates.map((name) => ({ name })) },
  }) as unknown as Pod;

const cases: readonly [
  what: string,
  pod: Pod,
  untilMs: number | undefined,
  does: string,
  againMs: number | undefined,
][] = [
  ['a pod waits while there is no lease', pod([FENCE_GATE]), undefined, '', undefined],
  ['it waits while the lease has run out', pod([FENCE_GATE]), 100, '', undefined],
  ['a good lease opens the gate', pod([FENCE_GATE]), 150, 'update', 50],
  ['other gates stay', pod([FENCE_GATE, 'other']), 150, 'update', 50],
  ['a running pod is looked at when its lease may have run out', pod([]), 150, '', 50],
  ['and is stopped when it has', pod([]), 100, 'delete', undefined],
  ['or when its lease is gone', pod([]), undefined, 'delete', undefined],
  ['one that is going is left alone', pod([], true), undefined, '', undefined],
];
for (const [what, fenced, untilMs, does, againMs] of cases) {
  test(`fencing: ${what}`, () => {
    const plan = decideFencedPod({ pod: fenced, goodUntilMs: untilMs, nowMs: 100 });
    assert.equal(
      plan.steps
        .flat()
        .map(({ verb }) => verb)
        .join(),
      does,
    );
    assert.equal(plan.requeueAfterMs, againMs);
    const [write] = plan.steps.flat();
    if (write?.verb === 'update')
      assert.equal(
        (write.object as Pod).spec.schedulingGates?.some(({ name }) => name === FENCE_GATE),
        false,
      );
  });
}

test('fencing: a lease counts from when its renewal was seen', () => {
  assert.equal(goodUntilMs({ renewTime: 'x', seenMs: 1_000, durationMs: 500 }), 1_500);
  assert.equal(goodUntilMs(undefined), undefined);
});

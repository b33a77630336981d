import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FleetPackage } from '../../api/index.ts';
import { suspensionHistory, suspensionNote } from '../../fleet/index.ts';
import {
  isRolloutSuspended,
  rolloutSuspensionProblem,
  stampRollout,
  withRolloutSuspension,
  withoutRolloutSuspension,
} from './rollout-suspension.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');
const anna = { user: 'anna', nowMs: NOW };
const bob = { user: 'bob', nowMs: NOW + 60_000 };
const web: FleetPackage = {
  apiVersion: 'navarch.io/v1alpha1',
  kind: 'FleetPackage',
  metadata: { name: 'web' },
  spec: { template: { packageInfo: { name: 'web', version: 'v1' } } },
};

test('who holds a roll-out, who changes that and who lets it go on is written down', () => {
  const held = stampRollout(withRolloutSuspension(web, { reason: 'audit' }), web, anna);
  assert.deepEqual(held.spec.suspension, { reason: 'audit' });
  assert.ok(isRolloutSuspended(held, NOW));
  const until = '2026-03-01T12:00:00Z';
  const changed = stampRollout(withRolloutSuspension(held, { until }), held, bob);
  assert.deepEqual(suspensionNote(changed), { by: 'anna', since: '2026-03-01T10:00:00Z' });
  assert.ok(!isRolloutSuspended(changed, Date.parse(until)));
  const resumed = stampRollout(withoutRolloutSuspension(changed, { reason: 'done' }), changed, bob);
  assert.deepEqual(resumed.spec, web.spec);
  assert.deepEqual(suspensionNote(resumed), {});
  assert.deepEqual(suspensionHistory(resumed), [
    { action: 'Suspended', at: '2026-03-01T10:00:00Z', by: 'anna', reason: 'audit' },
    { action: 'SuspensionChanged', at: '2026-03-01T10:01:00Z', by: 'bob', until },
    { action: 'Resumed', at: '2026-03-01T10:01:00Z', by: 'bob', reason: 'done' },
  ]);
  const late = { user: 'controller', nowMs: Date.parse(until) };
  const over = stampRollout(withoutRolloutSuspension(changed), changed, late);
  assert.deepEqual(suspensionHistory(over).at(-1), { action: 'SuspensionExpired', at: until });
});

test('nobody can claim what did not happen', () => {
  const claimed = {
    ...web,
    metadata: {
      ...web.metadata,
      annotations: { 'navarch.io/suspended-by': 'eve', 'navarch.io/suspension-history': '[{}]' },
    },
  };
  assert.deepEqual(stampRollout(claimed, web, anna), web);
  const held = stampRollout(withRolloutSuspension(claimed, {}), web, anna);
  assert.equal(suspensionNote(held).by, 'anna');
});

test('an end that is over, or none, is refused', () => {
  const at = (until: string): string | undefined =>
    rolloutSuspensionProblem(withRolloutSuspension(web, { until }), web, NOW);
  assert.match(at('2026-03-01T09:00:00Z') ?? '', /is over already/);
  assert.match(at('soon') ?? '', /is no time/);
  assert.equal(at('2026-03-01T11:00:00Z'), undefined);
});

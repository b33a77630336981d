import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultFeatureGates } from '../../base/index.ts';
import type { Binding } from '../../propagation/index.ts';
import type { Trigger } from '../../scheduling/index.ts';
import { defaultControllerSettings } from '../settings.ts';
import { LastLooks } from './last-looks.ts';

const binding = (uid: string, generation: number): Binding => ({
  apiVersion: 'work.karmada.io/v1alpha2',
  kind: 'ResourceBinding',
  metadata: { name: 'web-deployment', namespace: 'shop', uid, generation },
  spec: { resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
});
const due = (why: string): Trigger =>
  ({ due: true, why, type: 'ReconcileSchedule', mode: 'Steady' }) as Trigger;
const again = due('always looked at again');

test('the result of the last look is not looked at again while nothing changes', () => {
  const looks = new LastLooks(defaultControllerSettings);
  assert.ok(!looks.wouldRepeat('a', binding('u', 2), again));
  looks.note('a', binding('u', 2), looks.fleetOfNow);
  assert.ok(looks.wouldRepeat('a', binding('u', 2), again));
  assert.ok(!looks.wouldRepeat('b', binding('u', 2), again), 'another binding');
  assert.ok(!looks.wouldRepeat('a', binding('u', 3), again), 'another spec');
  assert.ok(!looks.wouldRepeat('a', binding('v', 2), again), 'another of the same name');
  assert.ok(!looks.wouldRepeat('a', binding('u', 2), due('reschedule requested')), 'somebody asks for it');
  looks.fleetChanged();
  assert.ok(!looks.wouldRepeat('a', binding('u', 2), again), 'another fleet');
});

test('a fleet that changed while the decision was written is another one', () => {
  const looks = new LastLooks(defaultControllerSettings);
  const decidedOver = looks.fleetOfNow;
  looks.fleetChanged();
  looks.note('a', binding('u', 2), decidedOver);
  assert.ok(!looks.wouldRepeat('a', binding('u', 2), again));
});

test('where decisions depend on more than binding and fleet, all are looked at again', () => {
  for (const settings of [
    { ...defaultControllerSettings, enableSchedulerEstimator: true },
    { ...defaultControllerSettings, gates: { ...defaultFeatureGates, WorkloadAffinity: true } },
    { ...defaultControllerSettings, gates: { ...defaultFeatureGates, SchedulingOvercommitProtection: true } },
  ]) {
    const looks = new LastLooks(settings);
    looks.note('a', binding('u', 2), looks.fleetOfNow);
    assert.ok(!looks.wouldRepeat('a', binding('u', 2), again));
  }
});

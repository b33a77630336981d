import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultFeatureGates, gatesWithoutEffect, parseFeatureGates } from './index.ts';

test('nothing said means the defaults', () => {
  assert.deepEqual(parseFeatureGates(''), defaultFeatureGates);
});

test('a gate named beats its stage', () => {
  const gates = parseFeatureGates('AllAlpha=true, WorkloadAffinity=false,Failover=T');
  assert.equal(gates.WorkloadAffinity, false);
  assert.equal(gates.StatefulFailoverInjection, true);
  assert.equal(gates.Failover, true);
  assert.equal(gates.GracefulEviction, true);
  // Upstream's stages say nothing about gates that upstream does not have.
  assert.equal(gates.SpreadByEveryField, false);
});

test('gates that this release does not act by are told apart', () => {
  assert.deepEqual(gatesWithoutEffect(defaultFeatureGates), []);
  const gates = parseFeatureGates('MultiClusterService=true,ControllerPriorityQueue=false,Failover=true');
  assert.deepEqual(gatesWithoutEffect(gates), ['MultiClusterService']);
});

for (const [text, code] of [
  ['Nonsense=true', 'UNKNOWN_FEATURE_GATE'],
  ['Failover=yes', 'BAD_FEATURE_GATE'],
  ['Failover', 'BAD_FEATURE_GATE'],
  ['__proto__=true', 'UNKNOWN_FEATURE_GATE'],
] as const) {
  test(`"${text}" is refused by name`, () => {
    assert.throws(() => parseFeatureGates(text), { code });
  });
}

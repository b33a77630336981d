import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Remedy } from '../api/index.ts';
import { remedyActions } from './index.ts';
import { testCluster, type ClusterTraits } from './testing/objects.ts';

const remedy = (spec: Remedy['spec']): Remedy => ({
  apiVersion: 'remedy.karmada.io/v1alpha1',
  kind: 'Remedy',
  metadata: { name: 'r' },
  spec: { actions: ['TrafficControl'], ...spec },
});
const dns = (operator: 'Equal' | 'NotEqual', conditionStatus: string): Remedy['spec'] => ({
  decisionMatches: [{ clusterConditionMatch: { conditionType: 'Dns', operator, conditionStatus } }],
});
const sick: ClusterTraits = { conditions: { Dns: 'False' } };
const acts = ['TrafficControl'];

const cases: readonly [string, ClusterTraits, readonly Remedy['spec'][], readonly string[] | undefined][] = [
  ['without matches a remedy always acts', {}, [{}], acts],
  ['an empty list of matches never does', sick, [{ decisionMatches: [] }], undefined],
  ['Equal compares', sick, [dns('Equal', 'False')], acts],
  ['NotEqual compares', sick, [dns('NotEqual', 'True')], acts],
  ['a missing condition matches not even NotEqual', { conditions: {} }, [dns('NotEqual', 'True')], undefined],
  ['no conditions at all match nothing', {}, [dns('Equal', 'False')], undefined],
  ['an empty list of clusters means none', sick, [{ clusterAffinity: { clusterNames: [] } }], undefined],
  ['an affinity without a list means none', sick, [{ clusterAffinity: {} }], undefined],
  ['a named cluster is meant', sick, [{ clusterAffinity: { clusterNames: ['m1'] } }], acts],
  ['actions come once, sorted', sick, [{ actions: ['b', 'a'] }, { actions: ['a'] }], ['a', 'b']],
]; // prettier-ignore
for (const [what, traits, specs, expected] of cases) {
  test(what, () => assert.deepEqual(remedyActions(testCluster('m1', traits), specs.map(remedy)), expected));
}

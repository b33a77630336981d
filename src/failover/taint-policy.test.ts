import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterTaintPolicy, Taint } from '../api/index.ts';
import { taintsByPolicies } from './index.ts';
import { testCluster, type ClusterTraits } from './testing/objects.ts';

const NOW = '2026-11-21T03:00:00Z';
const when = (conditionType: string, operator: 'In' | 'NotIn', ...statusValues: string[]) => ({
  conditionType,
  operator,
  statusValues,
});
const policy = (
  name: string,
  spec: Partial<ClusterTaintPolicy['spec']>,
  creationTimestamp = NOW,
): ClusterTaintPolicy => ({
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'ClusterTaintPolicy',
  metadata: { name, creationTimestamp },
  spec: { taints: [{ key: 'sick', effect: 'NoSchedule' }], ...spec },
});
const sick: Taint = { key: 'sick', effect: 'NoSchedule', timeAdded: NOW };
const own: Taint = { key: 'sick', effect: 'NoSchedule', value: 'x' };
const add = [when('Ready', 'In', 'False', 'Unknown')];
const remove = [when('Ready', 'In', 'True')];

const cases: readonly [
  what: string,
  cluster: ClusterTraits,
  policies: readonly ClusterTaintPolicy[],
  after: readonly Taint[],
][] = [
  ['a condition that holds adds', { conditions: { Ready: 'False' } }, [policy('p', { addOnConditions: add })], [sick]],
  ['a condition that is missing fails NotIn too', {}, [policy('p', { addOnConditions: [when('Ready', 'NotIn', 'True')] })], []],
  ['all conditions must hold', { conditions: { Ready: 'False', Disk: 'True' } }, [policy('p', { addOnConditions: [...add, when('Disk', 'In', 'False')] })], []],
  ['no conditions mean never', { conditions: { Ready: 'False' } }, [policy('p', { addOnConditions: [] })], []],
  ['a taint that is there keeps its value and time', { conditions: { Ready: 'False' }, taints: [own] }, [policy('p', { addOnConditions: add, taints: [{ key: 'sick', effect: 'NoSchedule', value: 'y' }] })], [own]],
  ['the other list removes', { conditions: { Ready: 'True' }, taints: [own] }, [policy('p', { removeOnConditions: remove })], []],
  ['in one policy removal wins', { conditions: { Ready: 'False' } }, [policy('p', { addOnConditions: add, removeOnConditions: add })], []],
  ['a later policy wins', { conditions: { Ready: 'False' } }, [policy('new', { addOnConditions: add }), policy('old', { removeOnConditions: add }, '2026-01-01T00:00:00Z')], [sick]],
  ['of the same age the later name wins', { conditions: { Ready: 'False' } }, [policy('b', { removeOnConditions: add }), policy('a', { addOnConditions: add })], []],
  ['the cluster must be meant', { conditions: { Ready: 'False' } }, [policy('p', { addOnConditions: add, targetClusters: { clusterNames: ['other'] } })], []],
  ['an effect of its own is another taint', { conditions: { Ready: 'False' }, taints: [own] }, [policy('p', { addOnConditions: add, taints: [{ key: 'sick', effect: 'NoExecute' }] })], [own, { key: 'sick', effect: 'NoExecute', timeAdded: NOW }]],
]; // prettier-ignore
for (const [what, traits, policies, after] of cases) {
  test(what, () =>
    assert.deepEqual(taintsByPolicies(testCluster('m1', traits), policies, NOW, undefined).taints, after),
  );
}

test('nothing to change returns the same list', () => {
  const cluster = testCluster('m1', { conditions: { Ready: 'False' }, taints: [own] });
  const found = taintsByPolicies(cluster, [policy('p', { addOnConditions: add })], NOW, undefined);
  assert.equal(found.taints, cluster.spec.taints);
});

test('what would evict is not added to a cluster that flaps; what keeps work away is, and removal goes on', () => {
  const both = [
    { key: 'sick', effect: 'NoSchedule' },
    { key: 'sick', effect: 'NoExecute' },
  ] as const;
  const lost = testCluster('m1', { conditions: { Ready: 'False' } });
  const adding = taintsByPolicies(
    lost,
    [policy('p', { addOnConditions: add, taints: both })],
    NOW,
    'it flaps',
  );
  assert.deepEqual(adding, { taints: [sick], held: true });
  const evicting: Taint = { ...sick, effect: 'NoExecute' };
  const there = testCluster('m1', { conditions: { Ready: 'False' }, taints: [sick, evicting] });
  const present = taintsByPolicies(
    there,
    [policy('p', { addOnConditions: add, taints: both })],
    NOW,
    'it flaps',
  );
  assert.deepEqual(present, { taints: [sick, evicting], held: false });
  const back = testCluster('m1', { conditions: { Ready: 'True' }, taints: [evicting] });
  const removing = taintsByPolicies(
    back,
    [policy('p', { removeOnConditions: remove, taints: both })],
    NOW,
    'it flaps',
  );
  assert.deepEqual(removing, { taints: [], held: false });
});

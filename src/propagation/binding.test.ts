import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze, type KubeObject, type PropagationPolicy } from '../api/index.ts';
import { desiredBinding, mergeBinding, type BindingInput } from './binding.ts';
import type { Policy } from './kinds.ts';

const gates = { WorkloadAffinity: false, ResourceQuotaEstimate: false };
const web: KubeObject = deepFreeze({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', uid: 'uid-web', resourceVersion: '7', labels: { app: 'web' } },
});
const policy: PropagationPolicy = deepFreeze({
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'PropagationPolicy',
  metadata: { name: 'p', namespace: 'shop', labels: { 'propagationpolicy.karmada.io/permanent-id': 'id-p' } },
  spec: {
    resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment' }],
    placement: { clusterAffinity: { clusterNames: ['member1'] } },
    schedulerName: 'default-scheduler',
    conflictResolution: 'Abort',
    preemption: 'Never',
    priority: 0,
  },
});
const input: BindingInput = { template: web, policy, replicas: 2, gates };
const withSpec = (spec: Partial<Policy['spec']>): PropagationPolicy => ({
  ...policy,
  spec: { ...policy.spec, ...spec },
});

test('binding: of a Deployment, as recorded (work-deployment)', () => {
  assert.deepEqual(desiredBinding(input), {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: {
      name: 'web-deployment',
      namespace: 'shop',
      labels: { 'propagationpolicy.karmada.io/permanent-id': 'id-p' },
      annotations: {
        'propagationpolicy.karmada.io/namespace': 'shop',
        'propagationpolicy.karmada.io/name': 'p',
      },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'uid-web', controller: true, blockOwnerDeletion: true },
      ],
      finalizers: ['karmada.io/binding-controller'],
    },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'uid-web', resourceVersion: '7' },
      replicas: 2,
      placement: { clusterAffinity: { clusterNames: ['member1'] } },
      schedulerName: 'default-scheduler',
      conflictResolution: 'Abort',
    },
  });
}); // prettier-ignore

test('binding: of a cluster scoped template (pol-cluster-scoped)', () => {
  const template: KubeObject = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'case:viewer', uid: 'u' },
  };
  const clusterPolicy: Policy = {
    ...policy,
    kind: 'ClusterPropagationPolicy',
    metadata: { name: 'c', labels: { 'clusterpropagationpolicy.karmada.io/permanent-id': 'id-c' } },
  };
  const binding = desiredBinding({ template, policy: clusterPolicy, gates, schedulePriority: 5 });
  assert.equal(binding.kind, 'ClusterResourceBinding');
  assert.equal(binding.metadata.name, 'case.viewer-clusterrole');
  assert.equal(binding.metadata.namespace, undefined);
  assert.deepEqual(binding.metadata.finalizers, ['karmada.io/cluster-resource-binding-controller']);
  assert.deepEqual(binding.metadata.annotations, { 'clusterpropagationpolicy.karmada.io/name': 'c' });
  assert.equal(binding.spec.schedulePriority, undefined);
});

test('binding: components stand instead of replicas', () => {
  const { spec } = desiredBinding({
    ...input,
    components: [{ name: 'a', replicas: 1 }],
    replicaRequirements: {},
  });
  assert.equal(spec.replicas, undefined);
  assert.equal(spec.replicaRequirements, undefined);
  assert.deepEqual(spec.components, [{ name: 'a', replicas: 1 }]);
});

test('binding: no replicas are an absent field', () => {
  assert.equal(Object.hasOwn(desiredBinding({ ...input, replicas: 0 }).spec, 'replicas'), false);
});

test('binding: requirements learn their namespace when quotas are estimated', () => {
  const replicaRequirements = { resourceRequest: { cpu: '1' } };
  const on = { ...gates, ResourceQuotaEstimate: true };
  assert.equal(
    desiredBinding({ ...input, replicaRequirements }).spec.replicaRequirements,
    replicaRequirements,
  );
  assert.equal(
    desiredBinding({ ...input, replicaRequirements, gates: on }).spec.replicaRequirements?.namespace,
    'shop',
  );
});

test('binding: affinity groups are made of label values, and only of those that are there (aff-anti)', () => {
  const groups = withSpec({
    placement: {
      workloadAffinity: { affinity: { groupByLabelKey: 'absent' }, antiAffinity: { groupByLabelKey: 'app' } },
    },
  });
  const on = { ...gates, WorkloadAffinity: true };
  const groupsOf = (of: BindingInput): unknown => desiredBinding(of).spec.workloadAffinityGroups;
  assert.equal(groupsOf({ ...input, policy: groups }), undefined);
  assert.deepEqual(groupsOf({ ...input, policy: groups, gates: on }), { antiAffinityGroup: 'app=web' });
  const none = withSpec({ placement: { workloadAffinity: { affinity: { groupByLabelKey: 'absent' } } } });
  assert.equal(groupsOf({ ...input, policy: none, gates: on }), undefined);
});

test('binding: the same again changes nothing', () => {
  const binding = desiredBinding(input);
  assert.deepEqual(mergeBinding(binding, desiredBinding(input)), { result: 'unchanged' });
});

test('binding: an update keeps what others wrote', () => {
  const created = desiredBinding(input);
  const existing = deepFreeze({
    ...created,
    metadata: {
      ...created.metadata,
      uid: 'uid-binding',
      labels: {
        ...created.metadata.labels,
        'resourcebinding.karmada.io/permanent-id': 'id-b',
        foreign: 'yes',
      },
      finalizers: ['karmada.io/binding-controller', 'karmada.io/binding-dependencies-distributor'],
    },
    spec: {
      ...created.spec,
      clusters: [{ name: 'member1', replicas: 2 }],
      gracefulEvictionTasks: [{ fromCluster: 'member2', reason: 'X', producer: 'Y' }],
      requiredBy: [{ name: 'other' }],
      rescheduleTriggeredAt: '2026-01-01T00:00:00Z',
      suspension: { scheduling: true, dispatching: true },
    },
  });
  const edited = { ...web, metadata: { ...web.metadata, resourceVersion: '8' } };
  const update = mergeBinding(existing, desiredBinding({ ...input, template: edited, replicas: 5 }));
  assert.equal(update.result, 'updated');
  if (update.result !== 'updated') return;
  const { metadata, spec } = update.binding;
  assert.equal(metadata.uid, 'uid-binding');
  assert.equal(metadata.labels?.['foreign'], 'yes');
  assert.equal(metadata.labels?.['resourcebinding.karmada.io/permanent-id'], 'id-b');
  assert.equal(metadata.finalizers?.length, 2);
  assert.equal(spec.replicas, 5);
  assert.equal(spec.resource.resourceVersion, '8');
  assert.deepEqual(spec.clusters, existing.spec.clusters);
  assert.deepEqual(spec.gracefulEvictionTasks, existing.spec.gracefulEvictionTasks);
  assert.deepEqual(spec.requiredBy, existing.spec.requiredBy);
  assert.equal(spec.rescheduleTriggeredAt, '2026-01-01T00:00:00Z');
  assert.deepEqual(spec.suspension, { scheduling: true });
});

test('binding: fields that the policy no longer has are dropped', () => {
  const before = desiredBinding({
    ...input,
    policy: withSpec({
      propagateDeps: true,
      preserveResourcesOnDeletion: true,
      suspension: { dispatching: true },
    }),
  });
  assert.deepEqual(before.spec.suspension, { dispatching: true });
  const update = mergeBinding(before, desiredBinding(input));
  assert.equal(update.result === 'updated' && Object.hasOwn(update.binding.spec, 'propagateDeps'), false);
  assert.equal(update.result === 'updated' && Object.hasOwn(update.binding.spec, 'suspension'), false);
});

test('binding: a namespaced policy drives out the marks of a cluster policy', () => {
  const clusterPolicy: Policy = {
    ...policy,
    kind: 'ClusterPropagationPolicy',
    metadata: { name: 'c', labels: { 'clusterpropagationpolicy.karmada.io/permanent-id': 'id-c' } },
  };
  const update = mergeBinding(desiredBinding({ ...input, policy: clusterPolicy }), desiredBinding(input));
  assert.equal(update.result, 'updated');
  if (update.result !== 'updated') return;
  assert.deepEqual(update.binding.metadata.labels, { 'propagationpolicy.karmada.io/permanent-id': 'id-p' });
  assert.equal(
    Object.keys(update.binding.metadata.annotations ?? {}).some((key) => key.startsWith('cluster')),
    false,
  );
});

test('binding: one that belongs to another template is not touched, one without an owner is taken over', () => {
  const existing = desiredBinding(input);
  const recreated = { ...web, metadata: { ...web.metadata, uid: 'uid-new' } };
  const desired = desiredBinding({ ...input, template: recreated });
  assert.deepEqual(mergeBinding(existing, desired), { result: 'conflict', ownerUid: 'uid-web' });
  const { ownerReferences: _, ...metadata } = existing.metadata;
  assert.equal(mergeBinding({ ...existing, metadata }, desired).result, 'updated');
});

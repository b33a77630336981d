import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ObjectMeta, ResourceBinding, ResourceBindingSpec, Work } from '../api/index.ts';
import { aggregateWorks, awaitsFirstReport, existingClusters } from './binding-status.ts';
import { decideUpdate, isDrift, isManaged, releasedManifest, type UpdateDecision } from './member-object.ts';
import { appliedCondition, dispatchingCondition, manifestStatus, withCondition } from './work-status.ts';

const MANAGED = { 'karmada.io/managed': 'true' };
const LABEL_LIST = 'resourcetemplate.karmada.io/managed-labels';
const ANNOTATION_LIST = 'resourcetemplate.karmada.io/managed-annotations';

function conf(metadata: ObjectMeta, rest: object = { data: { v: '1' } }): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'conf', namespace: 'shop', ...metadata },
    ...rest,
  };
}
const keep = (desired: KubeObject): Promise<KubeObject> => Promise.resolve(desired);
const decide = (desired: KubeObject, observed: KubeObject): Promise<UpdateDecision> =>
  decideUpdate(desired, observed, keep, 'member1');
async function updated(desired: KubeObject, observed: KubeObject): Promise<KubeObject> {
  const decision = await decide(desired, observed);
  return decision.action === 'update' ? decision.object : assert.fail(decision.action);
}

test('member object: one that is not ours is refused, in the words of upstream (conflict-abort)', async () => {
  const decision = await decide(conf({ labels: MANAGED }), conf({ labels: { own: 'yes' } }));
  assert.deepEqual(decision, {
    action: 'refuse',
    why:
      'resource(kind=ConfigMap, shop/conf) already exists in the cluster member1 and the ' +
      'work.karmada.io/conflict-resolution strategy value is empty, Karmada will not manage this resource',
  });
});

test('member object: a refusal of what has no namespace keeps the slash', async () => {
  const role = { ...conf({}), kind: 'ClusterRole', metadata: { name: 'reader' } };
  const decision = await decide(role, role);
  assert.match(
    decision.action === 'refuse' ? decision.why : '',
    /^resource\(kind=ClusterRole, \/reader\) already /,
  );
});

test('member object: taken over when that was asked for, foreign keys stay (conflict-overwrite)', async () => {
  const annotations = { 'work.karmada.io/conflict-resolution': 'overwrite' };
  const desired = conf({ labels: { a: '1', ...MANAGED }, annotations });
  const result = await updated(
    desired,
    conf({ labels: { own: 'yes' }, annotations: { note: 'm' }, resourceVersion: '5' }, {}),
  );
  assert.deepEqual(result.metadata.labels, { own: 'yes', a: '1', ...MANAGED });
  assert.deepEqual(result.metadata.annotations, { note: 'm', ...annotations });
  assert.equal(result.metadata.resourceVersion, '5');
});

test('member object: keys that we wrote before and no longer want go', async () => {
  const observed = conf({
    labels: { a: '1', b: '2', c: '3', ...MANAGED },
    annotations: { [LABEL_LIST]: 'a,b,karmada.io/managed' },
  });
  const result = await updated(conf({ labels: { a: '9', ...MANAGED } }), observed);
  assert.deepEqual(result.metadata.labels, { a: '9', c: '3', ...MANAGED });
});

test('member object: finalizers and owners are the member’s', async () => {
  const ownerReferences = [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u' }];
  const observed = conf({ labels: MANAGED, finalizers: ['f'], ownerReferences }, { data: {} });
  const { metadata } = await updated(conf({ labels: MANAGED }), observed);
  assert.deepEqual(metadata.finalizers, ['f']);
  assert.deepEqual(metadata.ownerReferences, ownerReferences);
});

test('member object: what is there already is not written again', async () => {
  const annotations = {
    [LABEL_LIST]: 'karmada.io/managed',
    [ANNOTATION_LIST]: `${LABEL_LIST},${ANNOTATION_LIST}`,
  };
  const desired = conf({ labels: MANAGED, annotations });
  const observed = conf(
    {
      labels: { ...MANAGED, foreign: 'x' },
      annotations,
      uid: 'u',
      generation: 3,
      creationTimestamp: 't',
      resourceVersion: '9',
    },
    { data: { v: '1' }, status: { phase: 'x' } },
  );
  assert.deepEqual(await decide(desired, observed), { action: 'none' });
  const edited = { ...observed, data: { v: 'hacked' } };
  assert.deepEqual((await updated(desired, edited))['data'], { v: '1' });
});

test('member object: what the kind retains belongs to the member', async () => {
  const retain = (desired: KubeObject): Promise<KubeObject> =>
    Promise.resolve({ ...desired, kept: 'theirs' });
  const observed = conf({ labels: MANAGED }, { data: { v: '1' }, kept: 'theirs' });
  const decision = await decideUpdate(conf({ labels: MANAGED }), observed, retain, 'm');
  assert.deepEqual(decision, { action: 'none' });
});

test('member object: only our mark makes one ours', () => {
  assert.equal(isManaged(conf({ labels: MANAGED })), true);
  assert.equal(isManaged(conf({ labels: { 'karmada.io/managed': 'yes' } })), false);
  assert.equal(isManaged(conf({})), false);
});

test('member object: left behind without our marks (preserve-policy)', () => {
  const left = releasedManifest(
    conf({
      labels: {
        ...MANAGED,
        team: 'red',
        'propagationpolicy.karmada.io/permanent-id': 'p',
        'resourcebinding.karmada.io/permanent-id': 'b',
        'work.karmada.io/permanent-id': 'w',
      },
      annotations: {
        'propagationpolicy.karmada.io/name': 'p',
        'propagationpolicy.karmada.io/namespace': 'shop',
        'resourcebinding.karmada.io/name': 'b',
        'resourcebinding.karmada.io/namespace': 'shop',
        'resourcetemplate.karmada.io/uid': 'u',
        'resourcetemplate.karmada.io/generation': '2',
        [LABEL_LIST]: 'x',
        [ANNOTATION_LIST]: 'x',
        'work.karmada.io/name': 'w',
        'work.karmada.io/namespace': 'n',
        'work.karmada.io/conflict-resolution': 'abort',
      },
    }),
  );
  assert.deepEqual(left.metadata.labels, { team: 'red' });
  assert.deepEqual(left.metadata.annotations, { 'work.karmada.io/conflict-resolution': 'abort' });
});

// ---- works add up to a binding

function binding(
  spec: Partial<ResourceBindingSpec>,
  status: ResourceBinding['status'] = {},
): ResourceBinding {
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: 'conf-configmap', namespace: 'shop' },
    spec: { resource: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'conf' }, ...spec },
    status,
  };
}

function work(
  cluster: string,
  applied: 'True' | 'False' | undefined,
  more: object = {},
  name = 'conf',
): Work {
  const manifest = conf({ name });
  const conditions =
    applied === undefined
      ? []
      : [
          {
            type: 'Applied',
            status: applied,
            reason: 'r',
            message: applied === 'False' ? 'why' : 'ok',
            lastTransitionTime: '',
          },
        ];
  return {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: { name: 'w', namespace: `karmada-es-${cluster}`, ...more },
    spec: { workload: { manifests: [manifest as never] } },
    status: { conditions, manifestStatuses: [manifestStatus(manifest, 0, { a: 1 }, 'Healthy')] },
  };
}
const NOW = '2026-03-01T00:00:00Z';
const two = binding({ clusters: [{ name: 'm1' }, { name: 'm2' }] });

test('aggregation: all applied', () => {
  const { status, items } = aggregateWorks(two, [work('m2', 'True'), work('m1', 'True')], NOW);
  assert.deepEqual(items, [
    { clusterName: 'm1', applied: true, status: { a: 1 }, health: 'Healthy' },
    { clusterName: 'm2', applied: true, status: { a: 1 }, health: 'Healthy' },
  ]);
  assert.deepEqual(status?.conditions, [
    {
      type: 'FullyApplied',
      status: 'True',
      reason: 'FullyAppliedSuccess',
      message: 'All works have been successfully applied',
      lastTransitionTime: NOW,
    },
  ]);
  const again = { ...two, status: status ?? {} };
  assert.equal(aggregateWorks(again, [work('m1', 'True'), work('m2', 'True')], 'later').status, again.status);
});

const incomplete: [sentence: string, of: ResourceBinding, works: Work[]][] = [
  ['one is missing', two, [work('m1', 'True')]],
  ['one could not be applied', two, [work('m1', 'True'), work('m2', 'False')]],
  ['one is suspended', two, [work('m1', 'True'), work('m2', undefined)]],
  ['one is in a cluster that is left', two, [work('m1', 'True'), work('m2', 'True'), work('m3', 'True')]],
  ['one is being deleted', two, [work('m1', 'True'), work('m2', 'True', { deletionTimestamp: NOW })]],
  ['there is nowhere to be', binding({}), []],
];
for (const [sentence, of, works] of incomplete) {
  test(`aggregation: not fully applied when ${sentence}`, () => {
    const { status } = aggregateWorks(of, works, NOW);
    assert.equal(status?.conditions?.[0]?.reason, 'FullyAppliedFailed');
  });
}

const silentWork = (cluster: string, more: object = {}): Work => ({
  ...work(cluster, 'True', more),
  status: {},
});
const reports: [sentence: string, of: ResourceBinding, works: Work[], awaits: boolean][] = [
  ['all have said something', two, [work('m1', 'True'), work('m2', 'False')], false],
  ['one is suspended, and says so', two, [work('m1', 'True'), work('m2', undefined)], false],
  ['one has no Work yet', two, [work('m1', 'True')], true],
  ['one has a Work that says nothing yet', two, [work('m1', 'True'), silentWork('m2')], true],
  [
    'one that says nothing is on its way out',
    two,
    [work('m1', 'True'), silentWork('m2', { deletionTimestamp: NOW })],
    false,
  ],
  ['there is nowhere to be', binding({}), [], false],
];
for (const [sentence, of, works, awaits] of reports) {
  test(`first reports are ${awaits ? '' : 'not '}awaited when ${sentence}`, () => {
    assert.equal(awaitsFirstReport(of, works), awaits);
  });
}

test('aggregation: what could not be applied says why and nothing else (conflict-abort)', () => {
  const { items } = aggregateWorks(two, [work('m1', 'False'), work('m2', undefined)], NOW);
  assert.deepEqual(items, [
    { clusterName: 'm1', appliedMessage: 'why', health: 'Unknown' },
    { clusterName: 'm2', health: 'Unknown' },
  ]);
});

test('aggregation: an object that an override renamed is still of its binding', () => {
  const { items } = aggregateWorks(
    binding({ clusters: [{ name: 'm1' }] }),
    [work('m1', 'True', {}, 'renamed')],
    NOW,
  );
  assert.equal(items[0]?.health, 'Healthy');
});

test('existing clusters: targets, those of what needs it, and those being left but not purged', () => {
  const spec = binding({
    clusters: [{ name: 'a' }],
    requiredBy: [{ name: 'x', clusters: [{ name: 'b' }] }, { name: 'y' }],
    gracefulEvictionTasks: [
      { fromCluster: 'c', reason: 'r', producer: 'p', purgeMode: 'Gracefully' },
      { fromCluster: 'd', reason: 'r', producer: 'p', purgeMode: 'Directly' },
      { fromCluster: 'e', reason: 'r', producer: 'p' },
    ],
  }).spec;
  assert.deepEqual([...existingClusters(spec)].sort(), ['a', 'b', 'c', 'e']);
});

// ---- conditions of Works

test('conditions: as recorded (work-configmap, work-suspend, conflict-abort)', () => {
  assert.equal(appliedCondition(1, []).message, 'Manifest has been successfully applied');
  assert.equal(appliedCondition(1, ['x']).message, 'Failed to apply all manifests (0/1): x');
  assert.equal(appliedCondition(3, ['x', 'y']).message, 'Failed to apply all manifests (1/3): [x, y]');
  assert.equal(dispatchingCondition(true).message, 'Work dispatching is in a suspended state.');
  assert.equal(dispatchingCondition(false).message, 'Work is being dispatched to member clusters.');
});

test('conditions: the time moves with the status only', () => {
  const first = withCondition([], appliedCondition(1, ['x']), 't1');
  assert.equal(withCondition(first, appliedCondition(1, ['x']), 't2'), first);
  assert.equal(withCondition(first, appliedCondition(1, ['y']), 't2')[0]?.lastTransitionTime, 't1');
  assert.equal(withCondition(first, appliedCondition(1, []), 't2')[0]?.lastTransitionTime, 't2');
  assert.equal(withCondition(first, dispatchingCondition(false), 't2').length, 2);
});

const job = (spec: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', resourceVersion: '1', ...metadata },
  spec,
});
const updates: [what: string, after: KubeObject, drift: boolean][] = [
  ['its status and version', { ...job({ completions: 1 }, { resourceVersion: '2' }), status: { active: 1 } }, false],
  ['how long it stays when it is done', job({ completions: 1, ttlSecondsAfterFinished: 5 }), false],
  ['that it is on its way out', job({ completions: 1 }, { deletionTimestamp: 'T', finalizers: ['x/y'] }), false],
  ['who owns it', job({ completions: 1 }, { ownerReferences: [{ name: 'o' }] }), false],
  ['its spec', job({ completions: 2 }), true],
  ['its labels', job({ completions: 1 }, { labels: { a: 'b' } }), true],
]; // prettier-ignore
for (const [what, after, drift] of updates) {
  test(`member object: ${what} is ${drift ? '' : 'no '}drift`, () => {
    assert.equal(isDrift(job({ completions: 1 }), after), drift);
  });
}

test('member object: how long a Job stays in a member is nothing to put right', async () => {
  const ours = job({ completions: 1 }, { labels: MANAGED });
  const theirs = job({ completions: 1, ttlSecondsAfterFinished: 5 }, { labels: MANAGED });
  assert.equal((await decide(ours, theirs)).action, 'none');
});

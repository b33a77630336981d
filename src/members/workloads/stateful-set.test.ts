import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatefulSetStatus } from '../../api/index.ts';
import type { ControllerRevision, Pod, StatefulSet } from '../kinds.ts';
import type { Plan } from '../plan.ts';
import { NOW, meta, ownedBy, pod, readyStatus, secondsAgo, statefulSet } from '../testing/objects.ts';
import { outline, statusIn, writesOf } from '../testing/plans.ts';
import { historyOf } from './revisions.ts';
import { decideStatefulSet, ordinalOf } from './stateful-set.ts';

const revisionName = (set: StatefulSet): string =>
  historyOf({ owner: set, revisions: [], collisionCount: 0 }).update.name;

const revisionOf = (set: StatefulSet, revision: number): ControllerRevision => {
  const { update } = historyOf({ owner: set, revisions: [], collisionCount: 0 });
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: meta(update.name, ownedBy('StatefulSet', 'db')),
    data: update.data!,
    revision,
  };
};

const member = (ordinal: number, set: StatefulSet, parts: Parameters<typeof pod>[1] = {}): Pod =>
  pod(`db-${ordinal}`, {
    status: readyStatus(),
    ...parts,
    metadata: {
      labels: { app: 'db', 'controller-revision-hash': revisionName(set) },
      ...ownedBy('StatefulSet', 'db'),
      ...parts.metadata,
    },
  });

const decide = (set: StatefulSet, pods: readonly Pod[], revisions = [revisionOf(set, 1)]): Plan =>
  decideStatefulSet({ statefulSet: set, pods, revisions, claimNamed: () => undefined, nowMs: NOW });

const changes = (plan: Plan): string[] =>
  outline(plan).filter((line) => line.includes(' Pod ') || line.includes('Claim'));

const pending = { status: { phase: 'Pending' as const } };
const leaving = { metadata: { deletionTimestamp: secondsAgo(1) } };

test('ordinals are read from names of the set only', () => {
  const of = (name: string): number | undefined => ordinalOf({ metadata: { name } }, 'db');
  assert.deepEqual(
    [of('db-0'), of('db-12'), of('db-01'), of('db-x'), of('db'), of('dba-1'), of('db-a-1')],
    [0, 12, undefined, undefined, undefined, undefined, undefined],
  );
});

test('ordered: pods are created one by one, each after the one before is ready', () => {
  const set = statefulSet();
  assert.deepEqual(changes(decide(set, [])), ['create Pod db-0']);
  assert.deepEqual(changes(decide(set, [member(0, set, pending)])), []);
  assert.deepEqual(changes(decide(set, [member(0, set)])), ['create Pod db-1']);
  assert.deepEqual(changes(decide(set, [member(0, set), member(2, set)])), ['create Pod db-1']);
});

test('parallel: all missing pods at once', () => {
  const set = statefulSet({ podManagementPolicy: 'Parallel' });
  assert.deepEqual(changes(decide(set, [member(1, set, pending)])), ['create Pod db-0', 'create Pod db-2']);
});

test('a pod has its name, its index, its host name and claims of its own', () => {
  const set = statefulSet({
    volumeClaimTemplates: [
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: {} },
    ],
  });
  const plan = decide(set, []);
  assert.deepEqual(changes(plan), ['create PersistentVolumeClaim data-db-0', 'create Pod db-0']);
  const [created] = writesOf(plan, 'create', 'Pod') as unknown as Pod[];
  assert.equal(created?.metadata.labels?.['statefulset.kubernetes.io/pod-name'], 'db-0');
  assert.equal(created?.metadata.labels?.['apps.kubernetes.io/pod-index'], '0');
  assert.equal(created?.spec.hostname, 'db-0');
  assert.equal(created?.spec.subdomain, 'db');
  assert.equal(created?.spec.volumes?.[0]?.persistentVolumeClaim?.claimName, 'data-db-0');
  const [claim] = writesOf(plan, 'create', 'PersistentVolumeClaim');
  assert.deepEqual(claim?.metadata.labels, { app: 'db' });
});

test('scaling down removes the highest ordinal first, and waits for it', () => {
  const set = statefulSet({ replicas: 1 });
  const pods = [0, 1, 2].map((ordinal) => member(ordinal, set));
  assert.deepEqual(changes(decide(set, pods)), ['delete Pod db-2']);
  assert.deepEqual(changes(decide(set, [...pods.slice(0, 2), member(2, set, leaving)])), []);
  const parallel = statefulSet({ replicas: 1, podManagementPolicy: 'Parallel' });
  const all = [0, 1, 2].map((ordinal) => member(ordinal, parallel));
  assert.deepEqual(changes(decide(parallel, all)), ['delete Pod db-2', 'delete Pod db-1']);
});

test('a finished pod is replaced', () => {
  const set = statefulSet();
  const plan = decide(set, [member(0, set, { status: { phase: 'Failed' } })]);
  assert.deepEqual(changes(plan), ['delete Pod db-0']);
  assert.equal(plan.events[0]?.reason, 'RecreatingFailedPod');
});

test('the first ordinal can be another than 0', () => {
  const set = statefulSet({ ordinals: { start: 5 }, replicas: 2 });
  assert.deepEqual(changes(decide(set, [])), ['create Pod db-5']);
  assert.deepEqual(changes(decide(set, [member(5, set), member(6, set), member(0, set)])), [
    'delete Pod db-0',
  ]);
});

const changed = (spec: Parameters<typeof statefulSet>[0] = {}): { set: StatefulSet; old: StatefulSet } => {
  const old = statefulSet();
  const set = statefulSet(
    {
      template: {
        metadata: { labels: { app: 'db' } },
        spec: { containers: [{ name: 'main', image: 'postgres:2' }] },
      },
      ...spec,
    },
    { currentRevision: revisionName(old) },
  );
  return { set, old };
};

test('a rolling update replaces from the highest ordinal down, one at a time', () => {
  const { set, old } = changed();
  const revisions = [revisionOf(old, 1), revisionOf(set, 2)];
  const pods = [0, 1, 2].map((ordinal) => member(ordinal, old));
  assert.deepEqual(changes(decide(set, pods, revisions)), ['delete Pod db-2']);
  const next = [member(0, old), member(1, old), member(2, set)];
  assert.deepEqual(changes(decide(set, next, revisions)), ['delete Pod db-1']);
  const waiting = [member(0, old), member(1, old), member(2, set, pending)];
  assert.deepEqual(changes(decide(set, waiting, revisions)), []);
});

test('a partition keeps lower ordinals, also when they are created anew', () => {
  const { set, old } = changed({
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
  });
  const revisions = [revisionOf(old, 1), revisionOf(set, 2)];
  const done = [member(0, old), member(1, set), member(2, set)];
  assert.deepEqual(changes(decide(set, done, revisions)), []);
  const [created] = writesOf(decide(set, done.slice(1), revisions), 'create', 'Pod') as unknown as Pod[];
  assert.equal(created?.spec.containers[0]?.image, 'postgres:1');
  assert.equal(created?.metadata.labels?.['controller-revision-hash'], revisionName(old));
});

test('several pods may be replaced at once when that many may be unavailable', () => {
  const { set, old } = changed({
    podManagementPolicy: 'Parallel',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
  });
  const revisions = [revisionOf(old, 1), revisionOf(set, 2)];
  const pods = [0, 1, 2].map((ordinal) => member(ordinal, old));
  assert.deepEqual(changes(decide(set, pods, revisions)), ['delete Pod db-2', 'delete Pod db-1']);
  const halfway = [member(0, old), member(1, set, pending), member(2, set, pending)];
  assert.deepEqual(changes(decide(set, halfway, revisions)), []);
});

test('OnDelete leaves replacing to the user', () => {
  const { set, old } = changed({ updateStrategy: { type: 'OnDelete' } });
  const revisions = [revisionOf(old, 1), revisionOf(set, 2)];
  const pods = [0, 1, 2].map((ordinal) => member(ordinal, old));
  assert.deepEqual(changes(decide(set, pods, revisions)), []);
});

test('the status tells how far an update is, and the update revision becomes the current one at its end', () => {
  const { set, old } = changed();
  const revisions = [revisionOf(old, 1), revisionOf(set, 2)];
  const status = (pods: readonly Pod[]): StatefulSetStatus | undefined =>
    statusIn<StatefulSetStatus>(decide(set, pods, revisions), 'StatefulSet');
  const halfway = status([member(0, old), member(1, old), member(2, set)]);
  assert.equal(halfway?.currentReplicas, 2);
  assert.equal(halfway?.updatedReplicas, 1);
  assert.equal(halfway?.currentRevision, revisionName(old));
  assert.equal(halfway?.updateRevision, revisionName(set));
  const end = status([0, 1, 2].map((ordinal) => member(ordinal, set)));
  assert.equal(end?.currentRevision, revisionName(set));
  assert.equal(end?.currentReplicas, 3);
  assert.equal(end?.readyReplicas, 3);
});

test('going back reuses the revision under a higher number', () => {
  const { set, old } = changed();
  const revisions = [revisionOf(old, 1), revisionOf(set, 2)];
  const [updated] = writesOf(decide(old, [], revisions), 'update', 'ControllerRevision');
  assert.equal(updated?.metadata.name, revisionName(old));
  assert.equal(updated?.['revision'], 3);
});

test('what is told of pods and claims names the set', () => {
  const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' } } as const;
  const told = (plan: Plan): unknown[] =>
    plan.steps
      .flat()
      .flatMap((write) => ('words' in write && write.words !== undefined ? [write.words] : []));
  const set = statefulSet({ replicas: 1, volumeClaimTemplates: [claim] });
  assert.deepEqual(told(decide(set, [])), [
    {
      done: 'create Claim data-db-0 Pod db-0 in StatefulSet db success',
      failed: 'create Claim data-db-0 for Pod db-0 in StatefulSet db failed error',
    },
    {
      done: 'create Pod db-0 in StatefulSet db successful',
      failed: 'create Pod db-0 in StatefulSet db failed error',
    },
  ]);
  const [words] = told(decide(statefulSet({ replicas: 0 }), [member(0, statefulSet({ replicas: 0 }))]));
  assert.deepEqual(words, {
    done: 'delete Pod db-0 in StatefulSet db successful',
    failed: 'delete Pod db-0 in StatefulSet db failed error',
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Deployment, ReplicaSet } from '../../kinds.ts';
import type { Plan } from '../../plan.ts';
import {
  NOW,
  deployment,
  meta,
  ownedBy,
  pod,
  readyStatus,
  replicaSet,
  secondsAgo,
} from '../../testing/objects.ts';
import { writesOf } from '../../testing/plans.ts';
import { decideDeployment } from './deployment.ts';
import { boundsOf, newReplicaSetSize, scaleSizes, shrinkOld } from './rollout.ts';

const decide = (
  of: Deployment,
  replicaSets: readonly ReplicaSet[],
  more: Partial<Parameters<typeof decideDeployment>[0]> = {},
): Plan => decideDeployment({ deployment: of, replicaSets, pods: [], nowMs: NOW, ...more });

const conditionOf = (plan: Plan, type: string): { status?: string; reason?: string } | undefined => {
  const status = writesOf(plan, 'updateStatus', 'Deployment')[0]?.['status'] as Deployment['status'];
  return status?.conditions?.find((condition) => condition.type === type);
};

test('bounds: surge rounds up, unavailability down, and both zero leave one unavailable', () => {
  const bounds = (replicas: number, maxSurge: string | number, maxUnavailable: string | number): unknown =>
    boundsOf(
      deployment({
        replicas,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      }),
    );
  assert.deepEqual(bounds(3, '25%', '25%'), { maxSurge: 1, maxUnavailable: 0 });
  assert.deepEqual(bounds(10, '25%', '25%'), { maxSurge: 3, maxUnavailable: 2 });
  assert.deepEqual(bounds(1, 0, '50%'), { maxSurge: 0, maxUnavailable: 1 });
  assert.deepEqual(bounds(2, 0, 5), { maxSurge: 0, maxUnavailable: 2 });
});

test('the new ReplicaSet grows into the surge only', () => {
  const of = deployment({
    replicas: 10,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } },
  });
  assert.equal(newReplicaSetSize(of, 0, 10), 2);
  assert.equal(newReplicaSetSize(of, 2, 10), 2);
  assert.equal(newReplicaSetSize(of, 2, 7), 5);
  assert.equal(newReplicaSetSize(of, 12, 0), 10);
});

test('old ReplicaSets first lose pods that are not healthy', () => {
  const of = deployment({
    replicas: 4,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
  });
  const fresh = replicaSet('web-b', { image: 'nginx:2', replicas: 1, status: { availableReplicas: 0 } });
  const old = replicaSet('web-a', { replicas: 4, status: { availableReplicas: 2 } });
  assert.deepEqual([...shrinkOld(of, fresh, [old])], [['uid-web-a', 3]]);
});

test('old ReplicaSets keep what is needed for availability', () => {
  const of = deployment({
    replicas: 4,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  });
  const fresh = replicaSet('web-b', { image: 'nginx:2', replicas: 1, status: { availableReplicas: 0 } });
  const old = replicaSet('web-a', { replicas: 4 });
  assert.equal(shrinkOld(of, fresh, [old]).size, 0);
  const ready = replicaSet('web-b', { image: 'nginx:2', replicas: 1 });
  assert.deepEqual([...shrinkOld(of, ready, [old])], [['uid-web-a', 3]]);
});

test('scaling in the middle of a rollout is shared out in proportion', () => {
  const of = deployment({
    replicas: 20,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 2 } },
  });
  const old = replicaSet('web-a', { replicas: 6 });
  const fresh = replicaSet('web-b', { image: 'nginx:2', replicas: 4, status: { availableReplicas: 3 } });
  const sizes = scaleSizes(of, fresh, [old], () => 10);
  assert.deepEqual(Object.fromEntries(sizes), { 'uid-web-a': 12, 'uid-web-b': 8 });
});

test('a new Deployment gets a ReplicaSet with revision 1, and says that it progresses', () => {
  const plan = decide(deployment({}, { metadata: meta('web', { annotations: { team: 'a' } }) }), []);
  const [created] = writesOf(plan, 'create', 'ReplicaSet');
  assert.match(created?.metadata.name ?? '', /^web-[a-z0-9]+$/);
  assert.equal(created?.metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
  assert.equal(created?.metadata.annotations?.['deployment.kubernetes.io/desired-replicas'], '3');
  assert.equal(created?.metadata.annotations?.['deployment.kubernetes.io/max-replicas'], '4');
  assert.equal(created?.metadata.annotations?.['team'], 'a');
  const [reported] = writesOf(plan, 'updateStatus', 'Deployment');
  assert.equal(reported?.metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
  assert.equal(conditionOf(plan, 'Progressing')?.reason, 'NewReplicaSetCreated');
  assert.equal(conditionOf(plan, 'Available')?.status, 'False');
  assert.equal(plan.events[0]?.message, `Scaled up replica set ${created?.metadata.name} from 0 to 3`);
});

test('a complete rollout reports success and decides nothing more', () => {
  const set = replicaSet('web-a', {
    replicas: 3,
    metadata: { annotations: { 'deployment.kubernetes.io/revision': '1' } },
  });
  const plan = decide(deployment(), [set]);
  assert.equal(conditionOf(plan, 'Progressing')?.reason, 'NewReplicaSetAvailable');
  assert.equal(conditionOf(plan, 'Available')?.reason, 'MinimumReplicasAvailable');
  const [reported] = writesOf(plan, 'updateStatus', 'Deployment');
  const again = decide(reported as Deployment, [set]);
  assert.deepEqual(again.steps, []);
  assert.equal(again.requeueAfterMs, undefined);
});

test('going back to an earlier template reuses its ReplicaSet under a new revision', () => {
  const older = replicaSet('web-a', {
    replicas: 0,
    metadata: { annotations: { 'deployment.kubernetes.io/revision': '1' } },
  });
  const newer = replicaSet('web-b', {
    image: 'nginx:2',
    replicas: 3,
    metadata: { annotations: { 'deployment.kubernetes.io/revision': '2' } },
  });
  const plan = decide(deployment(), [older, newer]);
  assert.equal(writesOf(plan, 'create', 'ReplicaSet').length, 0);
  const back = writesOf(plan, 'update', 'ReplicaSet').find(({ metadata }) => metadata.name === 'web-a');
  assert.equal(back?.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  assert.equal(back?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
});

test('a paused Deployment scales but does not roll out', () => {
  const old = replicaSet('web-b', { image: 'nginx:2', replicas: 3 });
  const plan = decide(deployment({ paused: true, replicas: 5 }), [old]);
  assert.equal(writesOf(plan, 'create', 'ReplicaSet').length, 0);
  assert.deepEqual(
    writesOf(plan, 'update', 'ReplicaSet').map(({ metadata, ...rest }) => [
      metadata.name,
      (rest['spec'] as { replicas: number }).replicas,
    ]),
    [['web-b', 5]],
  );
  assert.equal(conditionOf(plan, 'Progressing')?.reason, 'DeploymentPaused');
});

test('Recreate waits until the old pods are gone', () => {
  const of = deployment({ strategy: { type: 'Recreate' } });
  const old = replicaSet('web-b', { image: 'nginx:2', replicas: 3 });
  const down = decide(of, [old]);
  assert.equal(writesOf(down, 'create', 'ReplicaSet').length, 0);
  const [shrunk] = writesOf(down, 'update', 'ReplicaSet') as ReplicaSet[];
  assert.equal(shrunk?.spec.replicas, 0);

  const empty = replicaSet('web-b', { image: 'nginx:2', replicas: 0 });
  const leaving = pod('web-b-1', {
    metadata: { ...ownedBy('ReplicaSet', 'web-b'), deletionTimestamp: secondsAgo(1) },
    status: readyStatus(),
  });
  assert.equal(writesOf(decide(of, [empty], { pods: [leaving] }), 'create', 'ReplicaSet').length, 0);
  assert.equal(writesOf(decide(of, [empty]), 'create', 'ReplicaSet').length, 1);
});

test('a rollout that does not progress is reported after its deadline, and looked at when it ends', () => {
  const progressing = {
    type: 'Progressing',
    status: 'True',
    reason: 'ReplicaSetUpdated',
    lastUpdateTime: secondsAgo(50),
    lastTransitionTime: secondsAgo(50),
  };
  const stuck = replicaSet('web-a', { replicas: 3, status: { readyReplicas: 0, availableReplicas: 0 } });
  const at = (progressDeadlineSeconds: number): Plan =>
    decide(
      deployment(
        { progressDeadlineSeconds },
        { status: { replicas: 3, updatedReplicas: 3, conditions: [progressing] } },
      ),
      [stuck],
    );
  assert.equal(at(60).requeueAfterMs, 11_000);
  assert.equal(conditionOf(at(60), 'Progressing')?.reason, 'ReplicaSetUpdated');
  assert.equal(conditionOf(at(40), 'Progressing')?.reason, 'ProgressDeadlineExceeded');
  assert.equal(conditionOf(at(40), 'Progressing')?.status, 'False');
});

test('ReplicaSets beyond the history limit are deleted, oldest first, and only when empty', () => {
  const old = [1, 2, 3].map((revision) =>
    replicaSet(`web-${revision}`, {
      image: `nginx:old${revision}`,
      replicas: 0,
      metadata: { annotations: { 'deployment.kubernetes.io/revision': String(revision) } },
    }),
  );
  const current = replicaSet('web-c', {
    replicas: 3,
    metadata: { annotations: { 'deployment.kubernetes.io/revision': '4' } },
  });
  const plan = decide(deployment({ revisionHistoryLimit: 1 }), [...old, current]);
  assert.deepEqual(
    writesOf(plan, 'delete', 'ReplicaSet').map(({ metadata }) => metadata.name),
    ['web-1', 'web-2'],
  );
});

test('an orphan that matches is adopted, and one that no longer matches is let go', () => {
  const orphan = replicaSet('web-a', { replicas: 3, metadata: { ownerReferences: [] } });
  const [adopted] = writesOf(decide(deployment(), [orphan]), 'update', 'ReplicaSet');
  assert.equal(adopted?.metadata.ownerReferences?.[0]?.uid, 'uid-web');
  const stranger = replicaSet('web-b', { replicas: 3, metadata: { labels: { app: 'other' } } });
  const [released] = writesOf(decide(deployment(), [stranger]), 'update', 'ReplicaSet');
  assert.deepEqual(released?.metadata.ownerReferences, []);
});

test('a name that is taken salts the hash of the next try', () => {
  const plan = decide(deployment(), [], { nameTaken: true });
  assert.equal(writesOf(plan, 'create', 'ReplicaSet').length, 0);
  const [reported] = writesOf(plan, 'updateStatus', 'Deployment') as Deployment[];
  assert.equal(reported?.status?.collisionCount, 1);
  const names = [plan, decide(reported ?? deployment(), [])].map(
    (one) => writesOf(one, 'create', 'ReplicaSet')[0]?.metadata.name,
  );
  assert.notEqual(names[1], writesOf(decide(deployment(), []), 'create', 'ReplicaSet')[0]?.metadata.name);
});

/** Plays ReplicaSet controller and kubelet: sizes become pods, and some pods become available. */
class World {
  sets = new Map<string, ReplicaSet>();
  deployment: Deployment;
  serial = 0;

  constructor(start: Deployment) {
    this.deployment = start;
  }

  apply(plan: Plan): void {
    for (const { verb, object } of plan.steps.flat()) {
      const { name = '' } = object.metadata;
      if (object.kind === 'Deployment') {
        this.deployment = object as Deployment;
      } else if (verb === 'delete') {
        this.sets.delete(name);
      } else {
        const before = this.sets.get(name);
        const metadata = {
          ...object.metadata,
          uid: before?.metadata.uid ?? `uid-${++this.serial}`,
          resourceVersion: '1',
          creationTimestamp: before?.metadata.creationTimestamp ?? secondsAgo(1000 - this.serial),
        };
        this.sets.set(name, {
          ...(before ?? { status: { replicas: 0 } }),
          ...object,
          metadata,
        } as ReplicaSet);
      }
    }
  }

  /** Each ReplicaSet follows its spec; `progress` says which share of its new pods becomes available. */
  settle(progress: number): void {
    for (const [name, set] of this.sets) {
      const replicas = set.spec.replicas ?? 1;
      const before = Math.min(set.status?.availableReplicas ?? 0, replicas);
      const available = before + Math.ceil((replicas - before) * progress);
      const status = {
        replicas,
        readyReplicas: available,
        availableReplicas: available,
        observedGeneration: 1,
      };
      this.sets.set(name, { ...set, status });
    }
  }

  total(count: (set: ReplicaSet) => number): number {
    return [...this.sets.values()].reduce((sum, set) => sum + count(set), 0);
  }
}

test('a rolling update stays within its bounds at every step, and ends', () => {
  const amount = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      amount,
      amount,
      fc.array(fc.constantFrom(0, 0.3, 1), { minLength: 5, maxLength: 20 }),
      (replicas, maxSurge, maxUnavailable, progress) => {
        const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge, maxUnavailable } };
        const world = new World(deployment({ replicas, strategy }));
        const step = (share: number): void => {
          const sets = [...world.sets.values()];
          world.apply(
            decideDeployment({ deployment: world.deployment, replicaSets: sets, pods: [], nowMs: NOW }),
          );
          const bounds = boundsOf(world.deployment);
          assert.ok(
            world.total((set) => set.spec.replicas ?? 0) <= replicas + bounds.maxSurge,
            'too many pods',
          );
          world.settle(share);
        };
        for (let i = 0; i < 3; i++) step(1);
        assert.equal(
          world.total((set) => set.status?.availableReplicas ?? 0),
          replicas,
        );
        const image = { containers: [{ name: 'main', image: 'nginx:2' }] };
        const spec = {
          ...world.deployment.spec,
          template: { ...world.deployment.spec.template, spec: image },
        };
        world.deployment = { ...world.deployment, spec };
        const least = replicas - boundsOf(world.deployment).maxUnavailable;
        for (const share of [...progress, ...Array.from({ length: 80 }, () => 1)]) {
          step(share);
          assert.ok(world.total((set) => set.status?.availableReplicas ?? 0) >= least, 'too few available');
        }
        const current = [...world.sets.values()].filter((set) => (set.spec.replicas ?? 0) > 0);
        assert.equal(current.length, 1);
        assert.equal(current[0]?.spec.replicas, replicas);
        assert.equal(current[0]?.spec.template?.spec?.containers[0]?.image, 'nginx:2');
      },
    ),
    { numRuns: 60 },
  );
});

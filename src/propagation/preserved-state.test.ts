import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ResourceBindingSpec, WorkloadState } from '../api/index.ts';
import { preservedState, withFields } from './preserved-state.ts';

type Task = NonNullable<ResourceBindingSpec['gracefulEvictionTasks']>[number];

const task = (fromCluster: string, more: Partial<Task> = {}): Task => ({
  fromCluster,
  reason: 'r',
  producer: 'p',
  purgeMode: 'Directly',
  ...more,
});
const labelled = (more: Partial<Task> = {}): Task =>
  task('a', { preservedLabelState: { job: '1' }, ...more });
const known: WorkloadState = {
  apiVersion: 'navarch.io/v1alpha1',
  kind: 'WorkloadState',
  metadata: { name: 'web' },
  status: {
    clusters: [
      {
        cluster: 'a',
        observedAt: '',
        values: [
          { value: 's3://x/1', source: 'S/1', field: 'spec.job.initialSavepointPath' },
          { value: 'one', source: 'S/1', label: 'snapshot' },
          { value: 's3://x/1', source: 'S/1', annotation: 'from' },
        ],
      },
    ],
  },
};
const fromA = {
  labels: { snapshot: 'one' },
  annotations: { from: 's3://x/1' },
  fields: { 'spec.job.initialSavepointPath': 's3://x/1' },
};
const labelsOnly = { labels: { job: '1' }, annotations: {}, fields: {} };

const cases: readonly [
  what: string,
  tasks: readonly Task[],
  targets: readonly string[],
  state: WorkloadState | undefined,
  found: unknown,
][] = [
  ['labels go into the single new copy after a direct purge (fo-state-flinkjob)', [labelled({ clustersBeforeFailover: ['a'] })], ['b'], undefined, labelsOnly],
  ['not into a copy that was there before', [labelled({ clustersBeforeFailover: ['b'] })], ['b'], known, undefined],
  ['not into several copies', [labelled()], ['b', 'c'], known, undefined],
  ['not while the old copy still runs', [labelled({ purgeMode: 'Gracefully' })], ['b'], known, undefined],
  ['not without a target', [labelled()], [], known, undefined],
  ['not without a failover', [], ['b'], known, undefined],
  ['not without state', [task('a')], ['b'], undefined, undefined],
  ['state of related objects goes along', [task('a')], ['b'], known, fromA],
  ['through a second failover, when the first replacement never had any of its own', [task('a'), task('b')], ['c'], known, fromA],
  ['what the returned cluster knew of itself is not told to it', [task('a')], ['a'], known, undefined],
  ['only the last task counts for labels', [labelled(), task('b')], ['c'], undefined, undefined],
]; // prettier-ignore
for (const [what, tasks, targets, state, found] of cases) {
  test(`preserved state: ${what}`, () => {
    const spec: ResourceBindingSpec = {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'shop' },
      gracefulEvictionTasks: tasks,
    };
    assert.deepEqual(
      preservedState(
        spec,
        targets.map((name) => ({ name })),
        state,
      ),
      found,
    );
  });
}

test('a field is set, and what is on the way is made; the object itself stays as it is', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'x' },
    spec: { job: { jar: 'a' } },
  } as KubeObject;
  const changed = withFields(object, { 'spec.job.path': 'p', 'spec.new.deep': 'q' });
  assert.deepEqual(changed['spec'], { job: { jar: 'a', path: 'p' }, new: { deep: 'q' } });
  assert.deepEqual(object['spec'], { job: { jar: 'a' } });
  assert.equal(withFields(object, {}), object);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, Work } from '../api/index.ts';
import { systemRandom } from '../base/index.ts';
import { StatusError } from '../machinery/index.ts';
import { completeWork } from './work.ts';

const random = { ...systemRandom, uuid: () => 'id-1' };

function complete(...manifests: readonly unknown[]): Work {
  const work = {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: { name: 'w', namespace: 'karmada-es-m1' },
    spec: { workload: { manifests } },
  };
  return completeWork(work, random) as Work;
}

const manifestsOf = (work: Work): readonly KubeObject[] =>
  (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];

test('a Work written by hand gets an id, and its manifests lose what is not theirs', () => {
  const work = complete(
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'j', namespace: 'shop', uid: 'u', finalizers: ['x/y'] },
      spec: { ttlSecondsAfterFinished: 60, completions: 1 },
      status: { active: 1 },
    },
    { apiVersion: 'v1', kind: 'ConfigMap' },
  );
  assert.equal(work.metadata.labels?.['work.karmada.io/permanent-id'], 'id-1');
  const [job, bare] = manifestsOf(work);
  const marks = {
    labels: { 'work.karmada.io/permanent-id': 'id-1' },
    annotations: {
      'resourcetemplate.karmada.io/managed-annotations':
        'resourcetemplate.karmada.io/managed-annotations,resourcetemplate.karmada.io/managed-labels',
      'resourcetemplate.karmada.io/managed-labels': 'work.karmada.io/permanent-id',
    },
  };
  assert.deepEqual(job, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', namespace: 'shop', ...marks },
    spec: { completions: 1 },
  });
  assert.deepEqual(bare, { apiVersion: 'v1', kind: 'ConfigMap', metadata: marks });
});

test('labels that are no map give way to ours', () => {
  const [odd] = manifestsOf(
    complete({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c', labels: 'text', annotations: null },
    }),
  );
  assert.deepEqual(odd?.metadata.labels, { 'work.karmada.io/permanent-id': 'id-1' });
  assert.equal(Object.keys(odd?.metadata.annotations ?? {}).length, 2);
});

test('what is complete comes back as it is', () => {
  const once = complete({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } });
  assert.equal(completeWork(once, random), once);
});

test('a manifest without a kind is refused as upstream refuses it', () => {
  assert.throws(
    () => complete({ metadata: { name: 'c' } }),
    (error) =>
      error instanceof StatusError &&
      error.code === 500 &&
      error.message ===
        `admission webhook "work.karmada.io" denied the request: Object 'Kind' is missing in '{"metadata":{"name":"c"}}'`,
  );
});

test('a Work of nothing has a workload that says nothing', () => {
  assert.deepEqual(complete().spec, { workload: {} });
  const bare = { apiVersion: 'v1', kind: 'Work', metadata: { name: 'w' }, spec: {} };
  assert.deepEqual((completeWork(bare, random) as Work).spec, { workload: {} });
});

test('what is no list of objects is left to the schema', () => {
  assert.deepEqual(manifestsOf(complete('text')), ['text']);
});

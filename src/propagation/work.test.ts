import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject, ResourceBinding, ResourceBindingSpec, Work } from '../api/index.ts';
import { divideCompletions, mergeWork, renderTargets, renderWork } from './work.ts';

const template = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'uid-1',
    generation: 2,
    labels: { app: 'web' },
    annotations: { note: 'n' },
  },
  spec: { replicas: 2, template: { spec: {} } },
  status: { replicas: 1 },
} as unknown as KubeObject;

function binding(spec: JsonObject = {}): ResourceBinding {
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: {
      name: 'web-deployment',
      namespace: 'shop',
      labels: { 'resourcebinding.karmada.io/permanent-id': 'rb-1' },
    },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      ...spec,
    },
  } as unknown as ResourceBinding;
}

const render = (spec: JsonObject = {}, from = template): ReturnType<typeof renderWork> =>
  renderWork({
    binding: binding(spec),
    template: from,
    cluster: 'm1',
    overridden: { manifest: from, annotations: {} },
  });

const manifestsOf = (work: Work): KubeObject[] =>
  (work.spec.workload?.manifests ?? []) as unknown as KubeObject[];

test("the Work has upstream's name, its manifest leads back to it, and nothing of the hub is in it", () => {
  const work = render();
  assert.equal(work.metadata.name, 'web-56d6c779bb');
  assert.equal(work.metadata.namespace, 'karmada-es-m1');
  const [manifest] = manifestsOf(work);
  assert.ok(manifest);
  assert.equal(manifest['status'], undefined);
  assert.equal(manifest.metadata.uid, undefined);
  assert.deepEqual(manifest.metadata.labels, {
    app: 'web',
    'karmada.io/managed': 'true',
    'resourcebinding.karmada.io/permanent-id': 'rb-1',
  });
  assert.equal(manifest.metadata.annotations?.['resourcetemplate.karmada.io/generation'], '2');
  assert.equal(manifest.metadata.annotations?.['work.karmada.io/name'], 'web-56d6c779bb');
  assert.equal(manifest.metadata.annotations?.['work.karmada.io/conflict-resolution'], 'abort');
});

test('what nothing touched is the very subtree of the template', () => {
  const [manifest] = manifestsOf(render());
  assert.equal(manifest?.['spec'], template['spec']);
});

for (const [annotation, policy, expected] of [
  ['overwrite', 'Abort', 'overwrite'],
  ['abort', 'Overwrite', 'abort'],
  ['else', 'Overwrite', 'overwrite'],
  [undefined, undefined, 'abort'],
] as const) {
  test(`template says ${annotation}, policy says ${policy}: ${expected}`, () => {
    const from = {
      ...template,
      metadata: {
        ...template.metadata,
        annotations: annotation === undefined ? {} : { 'work.karmada.io/conflict-resolution': annotation },
      },
    };
    const work = render(policy === undefined ? {} : { conflictResolution: policy }, from);
    assert.equal(work.metadata.annotations?.['work.karmada.io/conflict-resolution'], expected);
  });
}

test('an override may say for one cluster what is to become of an object that is there', () => {
  const annotations = { 'work.karmada.io/conflict-resolution': 'overwrite' };
  const manifest = { ...template, metadata: { ...template.metadata, annotations } };
  const work = renderWork({
    binding: binding(),
    template,
    cluster: 'm1',
    overridden: { manifest, annotations: {} },
  });
  assert.equal(work.metadata.annotations?.['work.karmada.io/conflict-resolution'], 'overwrite');
});

test('dispatching is suspended as a whole or for single clusters', () => {
  const is = (suspension: JsonObject): unknown => render({ suspension }).spec.suspendDispatching;
  assert.equal(is({ dispatching: true }), true);
  assert.equal(is({ dispatchingOnClusters: { clusterNames: ['m1'] } }), true);
  assert.equal(is({ dispatchingOnClusters: { clusterNames: ['m2'] } }), false);
});

test('rendering the same again over what was stored changes nothing', () => {
  const stored = render();
  const identified = mergeWork(
    {
      ...stored,
      metadata: {
        ...stored.metadata,
        labels: { ...stored.metadata.labels, 'work.karmada.io/permanent-id': 'w-1' },
      },
    },
    render(),
  );
  assert.equal(identified.result, 'updated');
  assert.ok(identified.result === 'updated');
  assert.equal(mergeWork(identified.work, render()).result, 'unchanged');
});

test('annotations of others stay on a Work, an override that no longer applies goes', () => {
  const stored = render();
  const existing = {
    ...stored,
    metadata: {
      ...stored.metadata,
      annotations: {
        ...stored.metadata.annotations,
        theirs: '1',
        'policy.karmada.io/applied-overrides': '[]',
      },
    },
  };
  const merged = mergeWork(existing, render(), ['policy.karmada.io/applied-overrides']);
  assert.ok(merged.result === 'updated');
  assert.equal(merged.work.metadata.annotations?.['theirs'], '1');
  assert.equal(merged.work.metadata.annotations?.['policy.karmada.io/applied-overrides'], undefined);
});

test("targets are the binding's own first, then those of what needs it, each once", () => {
  const spec = {
    clusters: [{ name: 'b', replicas: 1 }],
    requiredBy: [
      {
        namespace: 'n',
        name: 'x',
        clusters: [
          { name: 'a', replicas: 9 },
          { name: 'b', replicas: 9 },
        ],
      },
    ],
  } as unknown as ResourceBindingSpec;
  assert.deepEqual(renderTargets(spec), [
    { name: 'b', replicas: 1 },
    { name: 'a', replicas: 9 },
  ]);
});

const job = (completions: number | undefined, uid: string): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', uid },
  spec: { completions },
});
const divided = {
  replicas: 3,
  placement: { replicaScheduling: { replicaSchedulingType: 'Divided' } },
} as unknown as ResourceBindingSpec;
for (const [completions, weights, uid, expected] of [
  [10, { m1: 1, m2: 2 }, 'x', { m1: 3, m2: 7 }],
  [5, { a: 1, b: 1 }, 'a', { a: 3, b: 2 }],
  [5, { a: 1, b: 1 }, 'b', { a: 2, b: 3 }],
] as const) {
  test(`${completions} completions over ${JSON.stringify(weights)} for uid ${uid}`, () => {
    const targets = Object.entries(weights).map(([name, replicas]) => ({ name, replicas }));
    assert.deepEqual(
      Object.fromEntries(divideCompletions(job(completions, uid), divided, targets) ?? []),
      expected,
    );
  });
}

test('without completions, or not divided, a Job stays as it is', () => {
  assert.equal(divideCompletions(job(undefined, 'x'), divided, [{ name: 'a', replicas: 1 }]), undefined);
  assert.equal(
    divideCompletions(job(5, 'x'), { replicas: 3 } as unknown as ResourceBindingSpec, [
      { name: 'a', replicas: 1 },
    ]),
    undefined,
  );
  assert.equal(divideCompletions(job(5, 'x'), divided, [{ name: 'a', replicas: 0 }]), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ResourceBindingSpec, TargetCluster } from '../api/index.ts';
import { Interpretations, createInterpreter, nativeLayer } from '../interpreter/index.ts';
import { withShare } from './share.ts';

const NOW = (): string => '2026-01-01T00:00:00Z';
const interpretations = new Interpretations(NOW);
interpretations.load([
  {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'ResourceInterpretation',
    metadata: { name: 'queue' },
    spec: {
      target: { apiVersion: 'example.com/v1', kind: 'Queue' },
      replicas: { path: '.spec.size' },
      components: [{ name: 'pool', replicas: { path: '.spec.pool' } }],
    },
  } as never,
]);
const interpreter = createInterpreter([interpretations.layer, nativeLayer(NOW)]);

const of = (apiVersion: string, kind: string, spec: object): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'web', namespace: 'shop' },
  spec,
});
const web = of('apps/v1', 'Deployment', { replicas: 9, paused: false });
const settings = of('v1', 'ConfigMap', {});
const job = of('batch/v1', 'Job', { parallelism: 4, completions: 10 });
const queue = of('example.com/v1', 'Queue', { size: 5, pool: 2 });
const parts = [{ name: 'pool', replicas: 2 }];

const shares: [
  sentence: string,
  template: KubeObject,
  spec: Partial<ResourceBindingSpec>,
  target: Partial<TargetCluster>,
  expected: unknown,
][] = [
  ['gets the replicas that fell to the cluster', web, { replicas: 9 }, { replicas: 4 }, { replicas: 4, paused: false }],
  ['gets none where none fell to it', web, { replicas: 9 }, {}, { replicas: 0, paused: false }],
  ['that is no workload for its binding stays', web, {}, { replicas: 4 }, web['spec']],
  ['of a kind without replicas stays', settings, {}, {}, {}],
  ['with components keeps what it has as a whole', queue, { components: parts }, {}, queue['spec']],
  ['with components gets those', queue, { components: parts }, { components: [{ name: 'pool', replicas: 7 }] }, { size: 5, pool: 7 }],
]; // prettier-ignore
for (const [sentence, template, spec, target, expected] of shares) {
  test(`a template ${sentence}`, async () => {
    const whole = { resource: { apiVersion: '', kind: '', name: '' }, ...spec } as ResourceBindingSpec;
    const revised = await withShare(interpreter, template, whole, { name: 'm1', ...target }, undefined);
    assert.deepEqual(revised['spec'], expected);
  });
}

test('a Job gets its part of the completions, or none of them', async () => {
  const spec = { resource: { apiVersion: '', kind: '', name: '' }, replicas: 4 };
  const completions = new Map([['m1', 3]]);
  const sent = async (name: string): Promise<unknown> =>
    (await withShare(interpreter, job, spec, { name, replicas: 1 }, completions))['spec'];
  assert.deepEqual(await sent('m1'), { parallelism: 1, completions: 3 });
  assert.deepEqual(await sent('m2'), { parallelism: 1, completions: 0 });
});

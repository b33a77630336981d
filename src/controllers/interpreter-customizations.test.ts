import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceInterpreterCustomization } from '../api/index.ts';
import {
  Customizations,
  Interpretations,
  InterpreterHooks,
  createInterpreter,
  nativeLayer,
} from '../interpreter/index.ts';
import { kinds, resource } from '../client/index.ts';
import { StatusError } from '../machinery/index.ts';
import { detector } from './detector/index.ts';
import {
  customizationResource,
  followInterpretation,
  interpretationResource,
} from './interpreter-customizations.ts';
import { startControlPlane } from './testing/control-plane.ts';

function customization(name: string, luaScript: string): ResourceInterpreterCustomization {
  return {
    apiVersion: 'config.karmada.io/v1alpha1',
    kind: 'ResourceInterpreterCustomization',
    metadata: { name },
    spec: {
      target: { apiVersion: 'example.io/v1', kind: 'Widget' },
      customizations: { healthInterpretation: { luaScript } },
    },
  };
}

test('customizations are in force from their creation to their deletion, and checked against each other', async () => {
  await using plane = await startControlPlane();
  const customizations = new Customizations();
  const widget = { apiVersion: 'example.io/v1', kind: 'Widget', metadata: { name: 'w' } };
  const kind = { group: 'example.io', version: 'v1', kind: 'Widget' };
  const has = (): boolean => customizations.layer.has(kind, 'InterpretHealth');
  const script = (answer: string): string => `function InterpretHealth() return ${answer} end`;
  await plane.client.create(customizationResource, customization('one', script('true')));
  plane.run({
    name: 'customizations',
    run: ({ informers, interpretationChanges }) =>
      followInterpretation(
        informers,
        {
          customizations,
          hooks: new InterpreterHooks(),
          interpretations: new Interpretations(() => ''),
        },
        interpretationChanges,
      ),
  });
  await plane.until('the first load', () => Promise.resolve(has()));
  assert.equal(customizations.layer.health(widget), true);

  await assert.rejects(
    plane.client.create(customizationResource, customization('two', script('false'))),
    (error) =>
      error instanceof StatusError &&
      error.message ===
        'admission webhook "resourceinterpretercustomization.karmada.io" denied the request: conflicting with InterpreterOperation(InterpretHealth) of existing ResourceInterpreterCustomization(one)',
  );
  await plane.client.patch(
    customizationResource,
    { name: 'one' },
    {
      type: 'merge',
      body: { spec: { customizations: { healthInterpretation: { luaScript: script('false') } } } },
    },
  );
  await plane.until('the change', () => Promise.resolve(customizations.layer.health(widget) === false));
  await plane.client.delete(customizationResource, { name: 'one' });
  await plane.until('the deletion', () => Promise.resolve(!has()));
});

test('what is there already is looked at anew when its kind comes to mean something else', async () => {
  const now = (): string => '2026-01-01T00:00:00Z';
  const customizations = new Customizations();
  const hooks = new InterpreterHooks();
  const interpretations = new Interpretations(now);
  await using plane = await startControlPlane(
    {},
    createInterpreter([customizations.layer, interpretations.layer, nativeLayer(now)]),
  );
  const { client } = plane;
  const jobs = resource({ group: 'batch', version: 'v1', resource: 'cronjobs', namespaced: true });
  const pods = { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' };
  await client.create(jobs, {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'report', namespace: 'shop' },
    spec: {
      schedule: '0 0 * * *',
      successfulJobsHistoryLimit: 7,
      jobTemplate: { spec: { template: { spec: pods } } },
    },
  });
  await client.create(kinds.propagationPolicies, {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { name: 'all', namespace: 'shop' },
    spec: { resourceSelectors: [{ apiVersion: 'batch/v1', kind: 'CronJob' }] },
  });
  plane.run(
    {
      name: 'interpretation',
      run: ({ informers, interpretationChanges }) =>
        followInterpretation(informers, { customizations, hooks, interpretations }, interpretationChanges),
    },
    detector,
  );
  const key = { namespace: 'shop', name: 'report-cronjob' };
  const replicas = async (): Promise<number | undefined> =>
    (await client.find(kinds.resourceBindings, key))?.spec.replicas;
  await plane.until(
    'it is bound',
    async () => (await client.find(kinds.resourceBindings, key)) !== undefined,
  );
  assert.equal(await replicas(), undefined);
  await client.create(interpretationResource, {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'ResourceInterpretation',
    metadata: { name: 'cron' },
    spec: {
      target: { apiVersion: 'batch/v1', kind: 'CronJob' },
      replicas: { path: '.spec.successfulJobsHistoryLimit' },
    },
  });
  await plane.until('it has replicas', async () => (await replicas()) === 7);
  await client.delete(interpretationResource, { name: 'cron' });
  await plane.until('it has none again', async () => (await replicas()) === undefined);
});

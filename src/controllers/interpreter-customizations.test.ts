import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceInterpreterCustomization } from '../api/index.ts';
import { Customizations, Interpretations, InterpreterHooks } from '../interpreter/index.ts';
import { StatusError } from '../machinery/index.ts';
import { customizationResource, followInterpretation } from './interpreter-customizations.ts';
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
    run: ({ informers }) =>
      followInterpretation(informers, {
        customizations,
        hooks: new InterpreterHooks(),
        interpretations: new Interpretations(() => ''),
      }),
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

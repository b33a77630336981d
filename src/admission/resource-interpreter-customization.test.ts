import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceInterpreterCustomization } from '../api/index.ts';
import { customizationRefusal } from './resource-interpreter-customization.ts';

function customization(
  name: string,
  customizations: ResourceInterpreterCustomization['spec']['customizations'],
  kind = 'Widget',
): ResourceInterpreterCustomization {
  return {
    apiVersion: 'config.karmada.io/v1alpha1',
    kind: 'ResourceInterpreterCustomization',
    metadata: { name },
    spec: { target: { apiVersion: 'example.io/v1', kind }, customizations },
  };
}

const health = { healthInterpretation: { luaScript: 'function InterpretHealth() return true end' } };
const dependencies = { dependencyInterpretation: { luaScript: 'function GetDependencies() return {} end' } };

test('every script must compile', () => {
  const broken = customization('a', { ...health, retention: { luaScript: 'function Retain(a' } });
  assert.equal(
    customizationRefusal(broken, []),
    'InterpreterOperation(Retain) Lua script error: <string> at EOF:   syntax error\n',
  );
  assert.equal(customizationRefusal(customization('a', health), []), undefined);
  assert.equal(customizationRefusal(customization('a', { retention: { luaScript: '' } }), []), undefined);
});

test('two customizations may not answer the same question for a kind', () => {
  const one = customization('one', { ...health, ...dependencies });
  assert.equal(
    customizationRefusal(customization('two', health), [one]),
    'conflicting with InterpreterOperation(InterpretHealth) of existing ResourceInterpreterCustomization(one)',
  );
  assert.equal(customizationRefusal(one, [one]), undefined, 'with itself');
  assert.equal(
    customizationRefusal(customization('two', dependencies), [one]),
    undefined,
    'dependencies add up',
  );
  assert.equal(
    customizationRefusal(customization('two', health, 'Gadget'), [one]),
    undefined,
    'another kind',
  );
});

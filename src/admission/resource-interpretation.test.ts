import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceInterpretation } from '../api/index.ts';
import { interpretationRefusal } from './resource-interpretation.ts';

function interpretation(name: string, spec: Partial<ResourceInterpretation['spec']>): ResourceInterpretation {
  const target = { apiVersion: 'example.io/v1', kind: 'Queue' };
  return {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'ResourceInterpretation',
    metadata: { name },
    spec: { target, ...spec },
  };
}

const health = { health: { expression: 'true' } };
const needs = { dependencies: { podTemplatePaths: ['.spec.template'] } };

test('an interpretation must make sense by itself', () => {
  assert.equal(interpretationRefusal(interpretation('a', health), []), undefined);
  assert.deepEqual(interpretationRefusal(interpretation('a', { health: { expression: '1' } }), []), [
    {
      type: 'FieldValueInvalid',
      path: 'spec.health.expression',
      message: 'Invalid value: "1": must give true or false, not int',
    },
  ]);
});

test('two interpretations may not answer the same question for a kind, but may both say what it needs', () => {
  const one = interpretation('one', { ...health, ...needs });
  assert.equal(interpretationRefusal(one, [one]), undefined);
  assert.equal(interpretationRefusal(interpretation('two', needs), [one]), undefined);
  assert.equal(
    interpretationRefusal(interpretation('two', health), [one]),
    'InterpretHealth of example.io/v1 Queue is answered by ResourceInterpretation(one) already',
  );
  const elsewhere = { ...health, target: { apiVersion: 'example.io/v2', kind: 'Queue' } };
  assert.equal(interpretationRefusal(interpretation('two', elsewhere), [one]), undefined);
});

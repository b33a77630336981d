import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OverridePolicy } from '../api/index.ts';
import { defaultOverridePolicy, validateOverridePolicy } from './override-policy.ts';

type Spec = OverridePolicy['spec'];

function complaints(spec: Spec): readonly string[] {
  const policy: OverridePolicy = {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'OverridePolicy',
    metadata: { name: 'o', namespace: 'shop' },
    spec,
  };
  return validateOverridePolicy(policy).map(({ path, message }) => `${path}: ${message}`);
}

const replace = { path: '/spec/x', operator: 'replace' as const, value: 1 };
const badCluster = {
  fieldSelector: { matchExpressions: [{ key: 'color', operator: 'In', values: ['red'] }] },
};
const shown =
  '{"matchExpressions":[{"key":"color","operator":"In","values":["red"]}]}: unsupported key "color", must be provider, region, or zone';
const cases: readonly (readonly [name: string, spec: Spec, expected: readonly string[]])[] = [
  ['nothing at all', {}, []],
  ['rules', { overrideRules: [{ overriders: { plaintext: [replace] } }] }, []],
  ['the deprecated pair', { targetCluster: {}, overriders: { plaintext: [replace] } }, []],
  ['a bad target of the deprecated pair', { targetCluster: badCluster, overriders: {} }, [`spec.targetCluster.fieldSelector: Invalid value: ${shown}`]],
  ['rules beside overriders that hold nothing', { overrideRules: [], overriders: { plaintext: [] } }, []],
  ['rules beside overriders', { overrideRules: [], overriders: { plaintext: [replace] } }, ['spec.overriders: Invalid value: {"plaintext":[{"path":"/spec/x","operator":"replace","value":1}]}: overrideRules and overriders can\'t co-exist']],
  ['rules beside labels, which are named in their order', { overrideRules: [], overriders: { labelsOverrider: [{ operator: 'add', value: { b: '1', a: '2' } }] } }, ['spec.overriders: Invalid value: {"labelsOverrider":[{"operator":"add","value":{"a":"2","b":"1"}}]}: ']],
  ['rules beside field overriders', { overrideRules: [], overriders: { fieldOverrider: [{ fieldPath: '/x', json: [] }] } }, []],
  ['rules beside a target, empty as they are', { overrideRules: [], targetCluster: {} }, ["spec.targetCluster: Invalid value: {}: overrideRules and targetCluster can't co-exist"]],
  ['a bad target of a rule, after its overriders', { overrideRules: [{ targetCluster: badCluster, overriders: { labelsOverrider: [{ operator: 'add', value: { 'a b': 'x' } }] } }] }, ['spec.overrideRules[0].overriders.labelsOverrider[0].value: Invalid value: "a b": ', `spec.overrideRules[0].targetCluster.fieldSelector: Invalid value: ${shown}`]],
  ['a field that is overridden by nothing, at no pointer', { overrideRules: [{ overriders: { fieldOverrider: [{ fieldPath: 'x' }] } }] }, ['spec.overrideRules[0].overriders.fieldOverrider[0]: Required value: FieldOverrider must have either JSON or YAML set', 'spec.overrideRules[0].overriders.fieldOverrider[0].fieldPath: Invalid value: "x": JSON pointer must be empty']],
  ['an operation without its value', { overrideRules: [{ overriders: { fieldOverrider: [{ fieldPath: '/x', json: [{ subPath: '/a', operator: 'add' }] }] } }] }, ['spec.overrideRules[0].overriders.fieldOverrider[0].json[0].value: Invalid value: null: value is required for add or replace operation']],
  ['a selector of another namespace', { resourceSelectors: [{ apiVersion: 'v1', kind: 'Secret', namespace: 'other' }] }, ['spec.resourceSelectors[0].namespace: Invalid value: "other": namespace of resource selector must be the same as the namespace of the policy']],
]; // prettier-ignore

for (const [name, spec, expected] of cases) {
  test(`an override policy with ${name}`, () => {
    const found = complaints(spec);
    assert.deepEqual(
      found.map((text, i) => text.slice(0, expected[i]?.length)),
      expected,
    );
  });
}

const completed: readonly (readonly [name: string, given: unknown, expected: unknown])[] = [
  ['a selector of no namespace', { resourceSelectors: [{ apiVersion: 'v1', kind: 'Secret' }] }, { resourceSelectors: [{ apiVersion: 'v1', kind: 'Secret', namespace: 'shop' }], overriders: {} }],
  ['no rules at all', { overrideRules: [] }, { overriders: {} }],
  ['a rule that says nothing', { overrideRules: [{}] }, { overrideRules: [{ overriders: {} }], overriders: {} }],
  ['changes that leave out what is required',
    { overrideRules: [{ overriders: { plaintext: [{ operator: 'add' }], imageOverrider: [{ predicate: {}, operator: 'add' }], fieldOverrider: [{ json: [{}] }] } }] },
    { overrideRules: [{ overriders: { plaintext: [{ operator: 'add', path: '' }], imageOverrider: [{ predicate: { path: '' }, operator: 'add', component: '' }], fieldOverrider: [{ json: [{ subPath: '', operator: '' }], fieldPath: '' }] } }], overriders: {} }],
]; // prettier-ignore
for (const [name, spec, expected] of completed) {
  test(`an override policy with ${name} is completed`, () => {
    const metadata = { name: 'o', namespace: 'shop' };
    const policy = { apiVersion: 'policy.karmada.io/v1alpha1', kind: 'OverridePolicy', metadata, spec };
    const done = defaultOverridePolicy(policy as OverridePolicy);
    assert.deepEqual(done.spec, expected);
    assert.equal(defaultOverridePolicy(done), done);
  });
}

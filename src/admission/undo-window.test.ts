import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorthKeeping } from './undo-window.ts';

const claimed = { 'propagationpolicy.karmada.io/permanent-id': 'x' };
const controller = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u', controller: true };
const cases: readonly [what: string, apiVersion: string, kind: string, metadata: object, kept: boolean][] = [
  ['a template that a policy claimed', 'apps/v1', 'Deployment', { labels: claimed }, true],
  ['one that a cluster policy claimed', 'v1', 'ConfigMap', { labels: { 'clusterpropagationpolicy.karmada.io/permanent-id': 'x' } }, true],
  ['an object that goes nowhere', 'v1', 'ConfigMap', {}, false],
  ['what a claimed object made', 'v1', 'ConfigMap', { labels: claimed, ownerReferences: [controller] }, false],
  ['a policy', 'policy.karmada.io/v1alpha1', 'PropagationPolicy', {}, true],
  ['another kind of that name', 'example.com/v1', 'PropagationPolicy', {}, false],
  ['a package that comes in waves', 'navarch.io/v1alpha1', 'ClusterFleetPackage', {}, true],
  ['a cluster', 'cluster.karmada.io/v1alpha1', 'Cluster', {}, true],
  ['a namespace', 'v1', 'Namespace', {}, true],
  ['the namespace of a cluster', 'v1', 'Namespace', { labels: { 'karmada.io/system': 'true' } }, false],
  ['a binding', 'work.karmada.io/v1alpha2', 'ResourceBinding', { labels: claimed }, false],
]; // prettier-ignore

for (const [what, apiVersion, kind, metadata, kept] of cases) {
  test(`when it is deleted, ${what} is ${kept ? '' : 'not '}kept`, () => {
    assert.equal(isWorthKeeping({ apiVersion, kind, metadata: { name: 'x', ...metadata } }), kept);
  });
}

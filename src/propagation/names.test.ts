import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindingName, bindingReferenceKey, policyNameFor, promotedPolicyName, workName } from './names.ts';

const cases: [sentence: string, actual: string, expected: string][] = [
  ['the binding of a ClusterRole with a colon', bindingName('ClusterRole', 'system:Node-Reader'), 'system.node-reader-clusterrole'],
  ['the binding of a Role with two colons', bindingName('Role', 'system:a:b'), 'system.a.b-role'],
  ['a binding keeps dots', bindingName('ConfigMap', 'one.two'), 'one.two-configmap'],
  ['the work of a Deployment', workName('Deployment', 'shop', 'web'), 'web-56d6c779bb'],
  ['the work of a Service', workName('Service', 'shop', 'web'), 'web-b97f76f44'],
  ['the work of a ConfigMap', workName('ConfigMap', 'shop', 'web-cfg'), 'web-cfg-64d47c5848'],
  ['the work of a cluster scoped object', workName('ClusterRole', '', 'system:viewer'), 'system.viewer-68f59547f'],
  ['a recorded work (work-configmap)', workName('ConfigMap', 't-work-configmap', 'web-cfg'), 'web-cfg-6d66dcd9b7'],
  ['a recorded work (pol-cluster-scoped)', workName('ClusterRole', '', 'case:pol-viewer'), 'case.pol-viewer-b5c88884b'],
  ['a recorded work of a namespace (ns-propagate)', workName('Namespace', '', 't-ns-propagate'), 't-ns-propagate-6566ffc657'],
  ['a recorded work of a quota (quota-static)', workName('ResourceQuota', 't-quota-static', 'quota'), 'quota-9cdfcc7cf'],
  ['the key of a dependency label', bindingReferenceKey('shop', 'web-deployment'), '8546649456'],
  ['a recorded dependency label (deps-all)', bindingReferenceKey('t-deps-all', 'web-deployment'), '5cb84857cc'],
  ['the key without a namespace, which a name might be too long for', bindingReferenceKey('', 'pvc-0c4f-persistentvolume'), '976495b4'],
  ['the name of a promoted policy', policyNameFor('ns-foo', 'system:foo', 'rand'), 'system.foo-b4978784'],
]; // prettier-ignore
for (const [sentence, actual, expected] of cases) {
  test(`names: ${sentence}`, () => assert.equal(actual, expected));
}

test('names: a promoted policy is named after the kind as Go prints it', () => {
  const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
  assert.equal(
    promotedPolicyName('shop', 'web', kind),
    policyNameFor('shop', 'web', 'apps/v1, Kind=Deployment'),
  );
  // As recorded (case cli-apply).
  assert.equal(
    promotedPolicyName('t-cli-apply', 'every', { group: '', version: 'v1', kind: 'ConfigMap' }),
    'every-586c578fd8',
  );
});

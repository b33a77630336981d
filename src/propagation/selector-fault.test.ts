import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEligibility } from './eligibility.ts';
import { selectorFault, type ServedKind } from './selector-fault.ts';

const kind = (apiVersion: string, name: string, rest: Partial<ServedKind> = {}): ServedKind => {
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const verbs = ['get', 'list', 'watch', 'delete'];
  return { group, version, kind: name, namespaced: true, verbs, preferred: true, ...rest };
};
const served = [
  kind('v1', 'ConfigMap'),
  kind('apps/v1', 'Deployment'),
  kind('apps/v1beta1', 'Deployment', { preferred: false }),
  kind('v1', 'Namespace', { namespaced: false }),
  kind('authorization.k8s.io/v1', 'SubjectAccessReview', { namespaced: false, verbs: ['create'] }),
  kind('policy.karmada.io/v1alpha1', 'PropagationPolicy'),
];
const eligibility = createEligibility();

const cases: readonly [sentence: string, apiVersion: string, kind: string, namespace: string | undefined, fault: string | undefined][] = [
  ['a kind that is served', 'apps/v1', 'Deployment', 'shop', undefined],
  ['a letter less', 'apps/v1', 'Deploymnt', 'shop', 'the control plane serves no apps/v1 Deploymnt; close is apps/v1 Deployment'],
  ['the wrong case', 'apps/v1', 'deployment', 'shop', 'the control plane serves no apps/v1 deployment; close is apps/v1 Deployment'],
  ['the wrong group', 'v1', 'Deployment', 'shop', 'the control plane serves no v1 Deployment; close is apps/v1 Deployment'],
  ['nothing like it', 'example.io/v1', 'Spaceship', 'shop', 'the control plane serves no example.io/v1 Spaceship'],
  ['a version that is not preferred', 'apps/v1beta1', 'Deployment', 'shop', 'objects count in the version that their group prefers, which is apps/v1 and not apps/v1beta1'],
  ['no namespace, by a policy of one', 'v1', 'Namespace', 'shop', 'Namespace has no namespace, so only a ClusterPropagationPolicy can select it'],
  ['no namespace, by a cluster policy', 'v1', 'Namespace', undefined, undefined],
  ['a namespace that is skipped', 'v1', 'ConfigMap', 'kube-public', 'what is in namespace kube-public is not propagated'],
  ['a kind that is skipped', 'policy.karmada.io/v1alpha1', 'PropagationPolicy', 'shop', 'objects of policy.karmada.io/v1alpha1 PropagationPolicy are not propagated'],
  ['a kind without objects', 'authorization.k8s.io/v1', 'SubjectAccessReview', undefined, 'SubjectAccessReview is no kind of object that can be listed, watched and deleted'],
]; // prettier-ignore
for (const [sentence, apiVersion, name, namespace, fault] of cases) {
  test(`selector fault: ${sentence}`, () => {
    assert.equal(selectorFault({ apiVersion, kind: name }, namespace, served, eligibility), fault);
  });
}

test('selector fault: a cluster policy that names a skipped namespace', () => {
  const selector = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system' };
  assert.equal(
    selectorFault(selector, undefined, served, eligibility),
    'what is in namespace kube-system is not propagated',
  );
});

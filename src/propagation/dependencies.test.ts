import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ObjectMeta, ResourceBinding, ResourceBindingSpec } from '../api/index.ts';
import type { Dependency } from '../interpreter/index.ts';
import {
  Needs,
  attachedKey,
  decideAttach,
  dependedByLabel,
  dependenciesOf,
  dependenciesText,
  dependencyFault,
  dependsOn,
  detached,
  followsDependencies,
  isMeantBy,
  isStillNeeded,
  withDependencies,
  withoutDependencies,
  type AttachDecision,
} from './dependencies.ts';

const needsConf: Dependency = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 't-deps-all', name: 'conf' };
const conf: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'conf',
    namespace: 't-deps-all',
    uid: 'uid-conf',
    resourceVersion: '3',
    labels: { app: 'x' },
  },
};

function independent(
  name: string,
  spec: Partial<ResourceBindingSpec> = {},
  metadata: ObjectMeta = {},
): ResourceBinding {
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: {
      name: `${name}-deployment`,
      namespace: 't-deps-all',
      labels: { 'resourcebinding.karmada.io/permanent-id': `id-${name}` },
      ...metadata,
    },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 't-deps-all', name },
      propagateDeps: true,
      clusters: [{ name: 'member1', replicas: 1 }],
      conflictResolution: 'Abort',
      ...spec,
    },
  };
}
const web = independent('web');
const api = independent('api', { clusters: [{ name: 'member2', replicas: 3 }] });
const known = [web, api];
const find = (namespace: string, name: string): ResourceBinding | undefined =>
  known.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);

function attach(by: ResourceBinding, existing?: ResourceBinding, among = find): AttachDecision {
  return decideAttach({ independent: by, dependency: conf, existing, find: among });
}
function bindingOf(decision: AttachDecision): ResourceBinding {
  return 'binding' in decision ? decision.binding : assert.fail(decision.action);
}

test('attaching: the binding of something that is needed, as recorded (deps-all)', () => {
  const decision = attach(web);
  assert.deepEqual(decision, {
    action: 'create',
    conflicts: [],
    binding: {
      apiVersion: 'work.karmada.io/v1alpha2',
      kind: 'ResourceBinding',
      metadata: {
        name: 'conf-configmap',
        namespace: 't-deps-all',
        labels: { 'resourcebinding.karmada.io/depended-by-5cb84857cc': 'id-web' },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'ConfigMap', name: 'conf', uid: 'uid-conf', controller: true, blockOwnerDeletion: true },
        ],
        finalizers: ['karmada.io/binding-controller'],
      },
      spec: {
        resource: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 't-deps-all', name: 'conf', uid: 'uid-conf', resourceVersion: '3' },
        requiredBy: [{ namespace: 't-deps-all', name: 'web-deployment', clusters: [{ name: 'member1', replicas: 1 }] }],
        conflictResolution: 'Abort',
        preserveResourcesOnDeletion: false,
      },
    },
  });
}); // prettier-ignore

test('attaching: who needs it and is nowhere is named without clusters', () => {
  const { spec } = bindingOf(attach(independent('web', { clusters: [] })));
  assert.deepEqual(spec.requiredBy, [{ namespace: 't-deps-all', name: 'web-deployment' }]);
});

test('attaching: a second one that needs it joins, the same again changes nothing', () => {
  const first = bindingOf(attach(web));
  const both = bindingOf(attach(api, first));
  assert.deepEqual(
    both.spec.requiredBy?.map(({ name }) => name),
    ['web-deployment', 'api-deployment'],
  );
  assert.equal(Object.keys(both.metadata.labels ?? {}).length, 2);
  assert.equal(attach(api, both).action, 'unchanged');
  const moved = independent('web', { clusters: [{ name: 'member3' }] });
  const after = bindingOf(attach(moved, both));
  assert.deepEqual(after.spec.requiredBy?.[0]?.clusters, [{ name: 'member3' }]);
  assert.equal(after.spec.requiredBy?.length, 2);
});

test('attaching: fields that follow from all who need it, and a word when they disagree', () => {
  const bold = independent('bold', { conflictResolution: 'Overwrite', preserveResourcesOnDeletion: true });
  const decision = attach(bold, bindingOf(attach(web)));
  const { spec } = bindingOf(decision);
  assert.equal(spec.conflictResolution, 'Overwrite');
  assert.equal(spec.preserveResourcesOnDeletion, true);
  assert.deepEqual('conflicts' in decision && decision.conflicts, [
    'conflictResolution',
    'preserveResourcesOnDeletion',
  ]);
});

test('attaching: one that is gone counts no more', () => {
  const first = bindingOf(attach(independent('gone', { conflictResolution: 'Overwrite' })));
  const { spec } = bindingOf(attach(web, first));
  assert.equal(spec.conflictResolution, 'Abort');
});

test('attaching: what has a policy of its own keeps what the policy says', () => {
  const own: ResourceBinding = {
    ...bindingOf(attach(web)),
    spec: {
      resource: { apiVersion: 'v1', kind: 'ConfigMap', name: 'conf' },
      placement: {},
      clusters: [{ name: 'member9' }],
      conflictResolution: 'Overwrite',
    },
  };
  const { spec } = bindingOf(attach(web, own));
  assert.equal(spec.conflictResolution, 'Overwrite');
  assert.equal(spec.preserveResourcesOnDeletion, undefined);
  assert.deepEqual(spec.clusters, [{ name: 'member9' }]);
  assert.equal(spec.requiredBy?.length, 1);
});

test('attaching: a binding of an object that is gone is waited for', () => {
  const foreign = bindingOf(attach(web));
  const recreated = { ...conf, metadata: { ...conf.metadata, uid: 'uid-new' } };
  const decision = decideAttach({ independent: web, dependency: recreated, existing: foreign, find });
  assert.deepEqual(decision, { action: 'wait', ownerUid: 'uid-conf' });
});

test('attaching: what has no namespace is bound beside who needs it', () => {
  const role: KubeObject = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'a:b' },
  };
  assert.deepEqual(attachedKey(web, role), { namespace: 't-deps-all', name: 'a.b-clusterrole' });
});

test('detaching: the last one takes everything along but the binding (deps-removed)', () => {
  const both = bindingOf(attach(api, bindingOf(attach(web))));
  const key = (name: string): { namespace: string; name: string } => ({ namespace: 't-deps-all', name });
  const one = detached(both, key('web-deployment'), find);
  assert.deepEqual(
    one.spec.requiredBy?.map(({ name }) => name),
    ['api-deployment'],
  );
  assert.equal(one.spec.preserveResourcesOnDeletion, false);
  const none = detached(one, key('api-deployment'), find);
  assert.equal(none.metadata.labels, undefined);
  assert.deepEqual(Object.keys(none.spec).sort(), ['conflictResolution', 'resource']);
  assert.equal(none.spec.conflictResolution, 'Abort');
  assert.equal(detached(none, key('api-deployment'), find), none);
});

test('detaching: with a policy of its own only the mark goes', () => {
  const first = bindingOf(attach(web));
  const own = { ...first, spec: { ...first.spec, placement: {}, conflictResolution: 'Overwrite' as const } };
  const { spec } = detached(own, { namespace: 't-deps-all', name: 'web-deployment' }, find);
  assert.equal(spec.conflictResolution, 'Overwrite');
  assert.equal(spec.requiredBy, undefined);
});

const meant: [sentence: string, dependency: Dependency, expected: boolean][] = [
  ['by name', needsConf, true],
  ['another name', { ...needsConf, name: 'other' }, false],
  ['another namespace', { ...needsConf, namespace: 'elsewhere' }, false],
  ['another kind', { ...needsConf, kind: 'Secret' }, false],
  ['by labels', { apiVersion: 'v1', kind: 'ConfigMap', namespace: 't-deps-all', labelSelector: { matchLabels: { app: 'x' } } }, true],
  ['by an empty selector', { apiVersion: 'v1', kind: 'ConfigMap', namespace: 't-deps-all', labelSelector: {} }, true],
  ['other labels', { apiVersion: 'v1', kind: 'ConfigMap', namespace: 't-deps-all', labelSelector: { matchLabels: { app: 'y' } } }, false],
  ['a name wins over labels', { ...needsConf, labelSelector: { matchLabels: { app: 'y' } } }, true],
  ['neither name nor labels', { apiVersion: 'v1', kind: 'ConfigMap', namespace: 't-deps-all' }, false],
]; // prettier-ignore
for (const [sentence, dependency, expected] of meant) {
  test(`a dependency means an object: ${sentence}`, () =>
    assert.equal(isMeantBy(conf, dependency), expected));
}

test('dependencies: written in order, so that asking again changes nothing', () => {
  const secret: Dependency = { apiVersion: 'v1', kind: 'Secret', namespace: 't-deps-all', name: 'pass' };
  const once = withDependencies(web, [secret, needsConf]);
  assert.deepEqual(once.metadata.finalizers, ['karmada.io/binding-dependencies-distributor']);
  assert.equal(withDependencies(once, [needsConf, secret]), once);
  assert.deepEqual(dependenciesOf(once), [needsConf, secret]);
  assert.equal(dependenciesText([]), '[]');
  assert.equal(withoutDependencies(once).metadata.finalizers, undefined);
  assert.equal(dependsOn(once, conf), true);
  assert.equal(dependsOn({ ...once, metadata: { ...once.metadata, deletionTimestamp: 't' } }, conf), false);
  assert.deepEqual(
    dependenciesOf(independent('x', {}, { annotations: { 'resourcebinding.karmada.io/dependencies': '{' } })),
    [],
  );
});

test('dependencies: followed while they are asked for', () => {
  assert.equal(followsDependencies(web), true);
  assert.equal(followsDependencies(independent('x', { propagateDeps: false })), false);
  assert.equal(followsDependencies(independent('x', {}, { deletionTimestamp: 't' })), false);
});

test('dependencies: no longer needed when nothing names or selects the object', () => {
  const attached = bindingOf(attach(web));
  const selected: Dependency = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: 't-deps-all',
    labelSelector: { matchLabels: { app: 'x' } },
  };
  assert.equal(isStillNeeded(attached, [needsConf], undefined), true);
  assert.equal(isStillNeeded(attached, [], conf), false);
  assert.equal(isStillNeeded(attached, [selected], conf), true);
  assert.equal(isStillNeeded(attached, [selected], undefined), false);
});

test('dependencies: what an interpreter must not name', () => {
  assert.equal(dependencyFault(needsConf), undefined);
  assert.match(dependencyFault({ apiVersion: '', kind: 'X', name: 'x' }) ?? '', /no apiVersion/);
  assert.match(dependencyFault({ apiVersion: 'v1', kind: '', name: 'x' }) ?? '', /no kind/);
  assert.match(dependencyFault({ apiVersion: 'v1', kind: 'X' }) ?? '', /neither a name/);
  const bad = { matchLabels: { 'a b': 'x' } };
  assert.match(
    dependencyFault({ apiVersion: 'v1', kind: 'X', labelSelector: bad }) ?? '',
    /bad labelSelector/,
  );
});

test('dependencies: the label of one that needs something', () => {
  assert.equal(
    dependedByLabel('shop', 'web-deployment'),
    'resourcebinding.karmada.io/depended-by-8546649456',
  );
});

const need = (name: string, optional?: boolean): Dependency => ({
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: 'shop',
  name,
  ...(optional === undefined ? {} : { optional }),
});

test('what is needed twice is needed once, and cannot be done without when one of both cannot', () => {
  const needs = new Needs([need('a', true), need('b')]);
  needs.add([need('b', true), need('a'), need('c', true)]);
  assert.deepEqual(needs.list, [need('a'), need('b'), need('c', true)]);
});

test('a chain of needs without an end is refused', () => {
  const needs = new Needs([]);
  assert.throws(() => {
    for (let i = 0; ; i++) needs.add([need(`s${i}`)]);
  }, /more than 500 objects are needed/);
  assert.equal(needs.size, 500);
});

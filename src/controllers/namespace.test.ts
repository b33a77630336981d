import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executionNamespace, type PropagationPolicy, type ResourceBinding, type Work } from '../api/index.ts';
import { kinds, type Resource } from '../client/index.ts';
import { workName } from '../propagation/index.ts';
import { executionController } from './execution/index.ts';
import { namespaceController } from './namespace.ts';
import { startControlPlane, type ControlPlane } from './testing/control-plane.ts';
import { joinReady, startMemberApi } from './testing/member-api.ts';

const policy = {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'PropagationPolicy',
  metadata: { name: 'kept', namespace: 'shop' },
  spec: {
    resourceSelectors: [{ apiVersion: 'v1', kind: 'ConfigMap' }],
    preserveResourcesOnDeletion: true,
  },
} as PropagationPolicy;
const binding = {
  apiVersion: 'work.karmada.io/v1alpha2',
  kind: 'ResourceBinding',
  metadata: { name: 'conf-configmap', namespace: 'shop' },
  spec: {
    resource: { apiVersion: 'v1', kind: 'ConfigMap', name: 'conf', namespace: 'shop' },
    preserveResourcesOnDeletion: true,
  },
} as ResourceBinding;
const key = { namespace: executionNamespace('m1'), name: workName('Namespace', '', 'shop') };

async function preserves({ client }: ControlPlane): Promise<boolean | undefined> {
  const work = await client.find<Work>(kinds.works, key);
  return work === undefined ? undefined : work.spec.preserveResourcesOnDeletion === true;
}

for (const { what, resource, object } of [
  { what: 'a propagation policy', resource: kinds.propagationPolicies as Resource, object: policy },
  { what: 'a binding', resource: kinds.resourceBindings as Resource, object: binding },
])
  test(`a namespace stays in members as long as ${what} preserves something in it`, async () => {
    await using plane = await startControlPlane();
    const { client } = plane;
    await joinReady(plane, 'm1');
    plane.run(namespaceController);
    await plane.until('it is sent', async () => (await preserves(plane)) === false);
    await client.create(resource, object);
    await plane.until('it would stay', async () => (await preserves(plane)) === true);
    const { name = '', namespace } = object.metadata;
    const said = { type: 'merge', body: { spec: { preserveResourcesOnDeletion: null } } } as const;
    await client.patch(resource, { name, namespace }, said);
    await plane.until('it would go', async () => (await preserves(plane)) === false);
  });

test('what was said of a namespace holds when who said it goes with it', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await joinReady(plane, 'm1');
  plane.run(namespaceController);
  await client.create(kinds.resourceBindings, binding);
  await plane.until('it would stay', async () => (await preserves(plane)) === true);
  // Nobody lets it go here, so it stays on its way out.
  await client.delete(kinds.namespaces, { name: 'shop' });
  await client.delete(kinds.resourceBindings, { name: 'conf-configmap', namespace: 'shop' });
  const next = { ...key, name: workName('Namespace', '', 'next') };
  await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'next' } });
  await plane.until(
    'what came after it was dealt with',
    async () => (await client.find(kinds.works, next)) !== undefined,
  );
  assert.equal(await preserves(plane), true);
});

test('the Work of a namespace that somebody deletes is made again, and the namespace in the member with it', async () => {
  await using member = await startMemberApi();
  await using plane = await startControlPlane({}, undefined, () => member.transport);
  const { client } = plane;
  const inMember = member.clientOf('somebody');
  await joinReady(plane, 'm1');
  plane.run(namespaceController, executionController);
  const team = { ...key, name: workName('Namespace', '', 'team') };
  await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
  const isThere = async (): Promise<boolean> =>
    (await inMember.find(kinds.namespaces, { name: 'team' })) !== undefined;
  await plane.until('the namespace is in the member', isThere);

  const before = await client.get<Work>(kinds.works, team);
  await client.delete(kinds.works, team);
  await plane.until('another Work is there', async () => {
    const now = await client.find<Work>(kinds.works, team);
    return now !== undefined && now.metadata.uid !== before.metadata.uid;
  });
  await plane.until('the namespace is in the member again', isThere);
  assert.equal((await client.get<Work>(kinds.works, team)).metadata.deletionTimestamp, undefined);
});

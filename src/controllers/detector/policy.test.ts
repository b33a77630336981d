import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROPAGATION_POLICY_ID_LABEL, type PropagationPolicy } from '../../api/index.ts';
import { kinds, resource } from '../../client/index.ts';
import { startControlPlane } from '../testing/control-plane.ts';
import { detector } from './index.ts';

const configMaps = resource({
  group: '',
  version: 'v1',
  resource: 'configmaps',
  namespaced: true,
});
const key = { namespace: 'shop', name: 'settings' };
const policyKey = { namespace: 'shop', name: 'all' };
const policy = {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'PropagationPolicy',
  metadata: policyKey,
  spec: { resourceSelectors: [{ apiVersion: 'v1', kind: 'ConfigMap' }] },
} as PropagationPolicy;

for (const together of [false, true])
  test(`a policy that goes ${together ? 'together with its namespace leaves its claim on what goes, too' : 'takes its claim along'}`, async () => {
    await using plane = await startControlPlane();
    const { client } = plane;
    plane.run(detector);
    await client.create(kinds.propagationPolicies, policy);
    await client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: key });
    const isClaimed = async (): Promise<boolean> =>
      (await client.get(configMaps, key)).metadata.labels?.[PROPAGATION_POLICY_ID_LABEL] !== undefined;
    await plane.until('it is claimed', isClaimed);
    // Nobody lets it go here, so it stays on its way out.
    if (together) await client.delete(kinds.namespaces, { name: 'shop' });
    await client.delete(kinds.propagationPolicies, policyKey);
    await plane.until(
      'the policy is gone',
      async () => (await client.find(kinds.propagationPolicies, policyKey)) === undefined,
    );
    assert.equal(await isClaimed(), together);
  });

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FederatedResourceQuota, ResourceBinding } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { quotaResource } from '../controllers/index.ts';
import { startControlPlane, type ControlPlane } from '../controllers/testing/control-plane.ts';
import { StatusError } from '../machinery/index.ts';
import { validateFederatedResourceQuota } from './federated-resource-quota.ts';

type Amounts = Record<string, string>;

function quota(name: string, overall: Amounts, shares: Record<string, Amounts> = {}): FederatedResourceQuota {
  const staticAssignments = Object.entries(shares).map(([clusterName, hard]) => ({ clusterName, hard }));
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'FederatedResourceQuota',
    metadata: { name, namespace: 'shop' },
    spec: { overall, ...(staticAssignments.length === 0 ? {} : { staticAssignments }) },
  };
}

function binding(name: string, cpu: string, replicas: number): ResourceBinding {
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name, namespace: 'shop' },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name },
      replicaRequirements: { resourceRequest: { cpu } },
      clusters: [{ name: 'member1', replicas }],
    },
  };
}

const objections: readonly (readonly [string, FederatedResourceQuota, readonly string[]])[] = [
  [
    'what Kubernetes counts',
    quota('q', { pods: '3', 'requests.storage': '1Gi', 'hugepages-2Mi': '4Mi' }),
    [],
  ],
  ['resources of vendors', quota('q', { 'example.com/gpu': '2' }), []],
  [
    'half a device',
    quota('q', { 'example.com/gpu': '500m' }),
    ['spec.overall[example.com/gpu]: Invalid value: "500m": must be an integer'],
  ],
  [
    'storage, which no quota counts',
    quota('q', { storage: '1Gi' }),
    ['spec.overall[storage]: Invalid value: "storage": must be a standard resource for quota'],
  ],
  ['shares that add up to the whole', quota('q', { cpu: '3' }, { a: { cpu: '1' }, b: { cpu: '2' } }), []],
  [
    'a share of no cluster',
    quota('q', { cpu: '3' }, { '': { cpu: '1' } }),
    ['spec.staticAssignments[0].clusterName: Invalid value: "": must be not empty'],
  ],
  [
    'a share of nothing',
    quota('q', { cpu: '3' }, { a: { constructor: '1' } }),
    [
      'spec.staticAssignments[0].hard[constructor]: Invalid value: "constructor": must be a standard resource type or fully qualified',
      'spec.staticAssignments[0].hard[constructor]: Invalid value: "constructor": must be a standard resource for quota',
      'spec.staticAssignments[0].hard[constructor]: Invalid value: "constructor": assignment resourceName is not exist in overall',
    ],
  ],
];
for (const [what, given, expected] of objections) {
  test(`a quota with ${what} is ${expected.length === 0 ? 'accepted' : 'refused'}`, () => {
    const found = validateFederatedResourceQuota(given);
    assert.deepEqual(
      found.map(({ path, message }) => `${path}: ${message}`),
      expected,
    );
  });
}

const ENFORCED = { FederatedQuotaEnforcement: true };

async function used({ client }: ControlPlane, name: string): Promise<unknown> {
  return (await client.get(quotaResource, { namespace: 'shop', name })).status?.overallUsed ?? {};
}

async function refusal(write: Promise<unknown>): Promise<string> {
  try {
    await write;
  } catch (error) {
    assert.ok(error instanceof StatusError);
    assert.equal(error.status.code, 403);
    return `${error.status.reason}: ${error.status.message}`;
  }
  return 'accepted';
}

test('what a binding takes and gives back is counted, and growth above the limit refused', async () => {
  await using plane = await startControlPlane(ENFORCED);
  const { client } = plane;
  await client.create(quotaResource, quota('q', { cpu: '4' }));
  const web = await client.create(kinds.resourceBindings, binding('web', '1', 2));
  assert.deepEqual(await used(plane, 'q'), { cpu: '2' });
  const scaled = (replicas: number): ResourceBinding => ({
    ...web,
    spec: { ...web.spec, clusters: [{ name: 'member1', replicas }] },
  });
  assert.equal(
    await refusal(client.update(kinds.resourceBindings, scaled(5))),
    'QuotaExceeded: admission webhook "resourcebinding.karmada.io" denied the request: FederatedResourceQuota(shop/q) exceeded for resource cpu: requested sum 5, limit 4.',
  );
  assert.deepEqual(await used(plane, 'q'), { cpu: '2' });
  await client.update(kinds.resourceBindings, scaled(1));
  assert.deepEqual(await used(plane, 'q'), { cpu: '1' });
});

test('a refusal by one quota leaves the others as they were', async () => {
  await using plane = await startControlPlane(ENFORCED);
  await plane.client.create(quotaResource, quota('a-large', { cpu: '100' }));
  await plane.client.create(quotaResource, quota('b-small', { cpu: '1' }));
  const answer = await refusal(plane.client.create(kinds.resourceBindings, binding('web', '1', 2)));
  assert.match(answer, /^QuotaExceeded: .*b-small/);
  assert.deepEqual([await used(plane, 'a-large'), await used(plane, 'b-small')], [{}, {}]);
});

test('a dry run counts nothing', async () => {
  await using plane = await startControlPlane(ENFORCED);
  await plane.client.create(quotaResource, quota('q', { cpu: '4' }));
  await plane.client.create(kinds.resourceBindings, binding('web', '1', 2), { dryRun: true });
  assert.deepEqual(await used(plane, 'q'), {});
});

test('of bindings that come at once only as many get in as fit', async () => {
  await using plane = await startControlPlane(ENFORCED);
  await plane.client.create(quotaResource, quota('q', { cpu: '4' }));
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      refusal(plane.client.create(kinds.resourceBindings, binding(`web-${index}`, '1', 1))),
    ),
  );
  assert.equal(answers.filter((answer) => answer === 'accepted').length, 4);
  assert.deepEqual(await used(plane, 'q'), { cpu: '4' });
});

test('without the gate a quota refuses nothing', async () => {
  await using plane = await startControlPlane();
  await plane.client.create(quotaResource, quota('q', { cpu: '1' }));
  assert.equal(
    await refusal(plane.client.create(kinds.resourceBindings, binding('web', '1', 2))),
    'accepted',
  );
  assert.deepEqual(await used(plane, 'q'), {});
});

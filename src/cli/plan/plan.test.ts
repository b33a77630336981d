// Plans against a real control plane with the real detector, scheduler and taint manager: what a plan shows is what comes to
// pass, and a plan whose world has moved is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, Placement, PropagationPolicy } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { createRestMapper, kinds, resource } from '../../client/index.ts';
import { hubControllers } from '../../controllers/index.ts';
import { joinClusters } from '../../controllers/testing/clusters.ts';
import { startControlPlane, type ControlPlane } from '../../controllers/testing/control-plane.ts';
import { preview, type Change, type Preview, type WorldView } from '../../explain/index.ts';
import { WorldReader, readFleet } from '../world.ts';
import { carryOut } from './carry-out.ts';
import type { PlannedWrite } from './edits.ts';
import { planOf, stillHolds } from './saved.ts';

const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const running = hubControllers.filter(({ name }) => ['resourceDetector', 'scheduler'].includes(name));

async function startPlane(): Promise<ControlPlane> {
  const plane = await startControlPlane();
  const { client } = plane;
  await joinClusters(plane, { one: { tier: 'gold' }, two: { tier: 'iron' }, three: { tier: 'iron' } });
  for (const name of ['web', 'api', 'job']) await client.create(deployments, deployment(name, 5));
  plane.run(...running);
  return plane;
}

function deployment(name: string, replicas: number): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop', labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'c:1' }] } },
    },
  };
}

function policy(
  name: string,
  placement: Placement,
  more: Partial<PropagationPolicy['spec']> = {},
): PropagationPolicy {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { name, namespace: 'shop' },
    spec: { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment' }], placement, ...more },
  };
}

function gather({ client }: ControlPlane): Promise<WorldView> {
  return readFleet(new WorldReader(client, systemClock), createRestMapper(client.transport), () => [
    { apiVersion: 'apps/v1', kind: 'Deployment' },
  ]);
}

async function plan(plane: ControlPlane, ...changes: readonly Change[]): Promise<Preview> {
  const view = await gather(plane);
  return preview(view, changes, { largeMovePercent: 100 });
}

/** `web: one3 two2`, of every binding. */
async function places({ client }: ControlPlane): Promise<ReadonlyMap<string, string>> {
  const { items } = await client.list(kinds.resourceBindings, { namespace: 'shop' });
  return new Map(items.map(({ spec }) => [spec.resource.name, placesText(spec.clusters ?? [])]));
}

function placesText(targets: Preview['moves'][number]['after']): string {
  return targets
    .map(({ name, replicas }) => `${name}${replicas ?? ''}`)
    .sort()
    .join(' ');
}

const DIVIDED = { replicaScheduling: { replicaSchedulingType: 'Divided' } } as const;
const GOLD: Placement = { clusterAffinity: { labelSelector: { matchLabels: { tier: 'gold' } } } };
const taints = [{ key: 'k', effect: 'NoSchedule' as const }];

interface Step {
  readonly name: string;
  readonly change: (plane: ControlPlane) => Promise<readonly Change[]>;
  readonly make: (plane: ControlPlane) => Promise<unknown>;
}

const dryRun = { dryRun: true } as const;
const created = (object: PropagationPolicy): Omit<Step, 'name'> => ({
  change: async ({ client }) => [
    { kind: 'put', object: await client.create(kinds.propagationPolicies, object, dryRun) },
  ],
  make: ({ client }) => client.create(kinds.propagationPolicies, object),
});
const edited = (object: PropagationPolicy): Omit<Step, 'name'> => {
  const key = { namespace: 'shop', name: object.metadata.name ?? '' };
  const placed = { type: 'merge', body: { spec: { placement: object.spec.placement } } } as const;
  return {
    change: async ({ client }) => [
      { kind: 'put', object: await client.patch(kinds.propagationPolicies, key, placed, dryRun) },
    ],
    make: ({ client }) => client.patch(kinds.propagationPolicies, key, placed),
  };
};
const patchedCluster = (name: string, body: object, change: Change): Omit<Step, 'name'> => ({
  change: () => Promise.resolve([change]),
  make: ({ client }) => client.patch(kinds.clusters, { name }, { type: 'merge', body }),
});

const steps: readonly Step[] = [
  { name: 'a first policy places all', ...created(policy('all', {})) },
  {
    name: 'a policy for one name changes nothing that is claimed',
    ...created(
      policy('named', GOLD, {
        resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }],
      }),
    ),
  },
  { name: 'the policy divides', ...edited(policy('all', DIVIDED)) },
  {
    name: 'a taint moves nothing that is divided',
    ...patchedCluster(
      'three',
      { spec: { taints } },
      { kind: 'taint', cluster: 'three', key: 'k', value: '', effect: 'NoSchedule' },
    ),
  },
  { name: 'the policy asks for gold', ...edited(policy('all', { ...GOLD, ...DIVIDED })) },
  {
    name: 'a label lets a cluster in, and divided replicas stay',
    ...patchedCluster(
      'two',
      { metadata: { labels: { tier: 'gold' } } },
      { kind: 'label', cluster: 'two', key: 'tier', value: 'gold' },
    ),
  },
  {
    name: 'the policy goes, and the named one claims its own',
    change: async ({ client }) => [
      {
        kind: 'remove',
        object: await client.get(kinds.propagationPolicies, { namespace: 'shop', name: 'all' }),
      },
    ],
    make: ({ client }) => client.delete(kinds.propagationPolicies, { namespace: 'shop', name: 'all' }),
  },
];

test('what a plan shows is what comes to pass', async () => {
  await using plane = await startPlane();
  for (const step of steps) {
    const shown = await plan(plane, ...(await step.change(plane)));
    const expected = new Map(await places(plane));
    for (const { object, after } of shown.moves) expected.set(object.name, placesText(after));
    assert.equal(expected.size, 3);
    await step.make(plane);
    await plane.until(`${step.name}: ${JSON.stringify([...expected])}`, async () => {
      const now = await places(plane);
      return [...expected].every(([name, where]) => now.get(name) === where);
    });
    // Nothing more is to come: another look at the same world shows no move.
    assert.deepEqual((await plan(plane)).moves, []);
  }
});

test('a plan is carried out as it was, or refused by the names of what moved', async () => {
  await using plane = await startPlane();
  const { client } = plane;
  await client.create(kinds.propagationPolicies, policy('all', {}));
  await plane.until('all are placed', async () => (await places(plane)).size === 3);
  const object = await client.get(kinds.propagationPolicies, { namespace: 'shop', name: 'all' });
  const write: PlannedWrite = {
    verb: 'delete',
    called: 'PropagationPolicy shop/all',
    resource: kinds.propagationPolicies,
    namespace: 'shop',
    name: 'all',
    uid: object.metadata.uid ?? '',
    resourceVersion: object.metadata.resourceVersion ?? '',
  };
  const changes: readonly Change[] = [{ kind: 'remove', object }];
  const view = await gather(plane);
  const shown = await preview(view, changes, { largeMovePercent: 20 });
  const kept = planOf({ writes: [write], changes }, shown, view.world);
  stillHolds(kept, shown, view.world);
  const labels = { touched: 'yes' };
  await client.patch(
    kinds.propagationPolicies,
    { namespace: 'shop', name: 'all' },
    { type: 'merge', body: { metadata: { labels } } },
  );
  const latest = await gather(plane);
  const again = await preview(latest, changes, { largeMovePercent: 20 });
  assert.throws(() => stillHolds(kept, again, latest.world), {
    code: 'PLAN_OUTDATED',
    message: /PropagationPolicy shop\/all changed; nothing was written/,
  });
  // Were it written all the same, the version would stop it.
  await assert.rejects(carryOut(client, [write]), { code: 'NOT_APPLIED' });
  assert.notEqual(
    await client.find(kinds.propagationPolicies, { namespace: 'shop', name: 'all' }),
    undefined,
  );
});

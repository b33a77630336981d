// Each checker finds what it is there for, and nothing where all is well. In worlds without the controllers in question
// the tests do what these must not do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../../api/index.ts';
import { objectCodec } from '../../apiserver/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import { NO_CONTROLLERS, deployment, policy, shop, startTestWorld } from '../testing/world.ts';
import { acknowledgedWrites } from './acknowledged-writes.ts';
import { convergence } from './convergence.ts';
import { lastCopy } from './last-copy.ts';
import { orphans } from './orphans.ts';
import { replicaSums } from './replica-sums.ts';
import { singleCopy } from './single-copy.ts';
import { suspension } from './suspension.ts';

const WEB = '/apis/apps/v1/namespaces/shop/deployments/web';
const SPACE = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'karmada-es-member1' } };

test('removing the only healthy copy is found', async () => {
  const { world, perform, sendAsHub, found } = await startTestWorld([lastCopy]);
  await perform(
    { apply: shop },
    { apply: policy('web', { clusterAffinity: { clusterNames: ['member1'] } }) },
    { apply: deployment('web', 2) },
  );
  await world.run(10_000);
  await sendAsHub('member1', { method: 'DELETE', path: WEB });
  assert.deepEqual(found(), [
    'Deployment shop/web: the healthy copy in member1 is removed, and no other is healthy (targets member1)',
  ]);
});

test('removing one of two healthy copies is not, nor what goes with its template', async () => {
  const { world, perform, sendAsHub, found } = await startTestWorld([lastCopy]);
  await perform({ apply: shop }, { apply: policy('web', {}) }, { apply: deployment('web', 2) });
  await world.run(10_000);
  await sendAsHub('member1', { method: 'DELETE', path: WEB });
  await world.run(10_000);
  await perform({ delete: 'Deployment shop/web' });
  await world.run(10_000);
  assert.equal(world.member('member1').mirror.list('apps/deployments').length, 0);
  assert.deepEqual(found(), []);
});

test('an object with our mark that no Work asks for is an orphan', async () => {
  const { world, watch, perform, found } = await startTestWorld([orphans]);
  await perform({ apply: shop }, { apply: policy('web', {}) }, { apply: deployment('web', 2) });
  await watch.rest(600_000);
  assert.deepEqual(found(), []);
  const metadata = {
    name: 'left',
    namespace: 'shop',
    labels: { 'karmada.io/managed': 'true' },
    annotations: { 'work.karmada.io/name': 'gone', 'work.karmada.io/namespace': 'karmada-es-member1' },
  };
  const transport = world.member('member1').client.transport;
  await world.settle(
    'the object',
    transport.send({
      method: 'POST',
      path: '/api/v1/namespaces/shop/configmaps',
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata },
    }),
  );
  await watch.rest(600_000);
  assert.deepEqual(found(), ['ConfigMap shop/left in member1 carries our mark, and no Work asks for it']);
});

/** A binding as a scheduler would have left it. */
function scheduledBinding(clusters: readonly object[], placement: object): object {
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: 'web-deployment', namespace: 'shop' },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      replicas: 4,
      clusters,
      placement,
    },
  };
}

const divided = {
  replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Weighted' },
};
for (const [name, replicas, clusters, placement, expected] of [
  ['shares that add up are right', 4, [3, 1], divided, []],
  [
    'a replica too few is found',
    4,
    [2, 1],
    divided,
    ['Deployment shop/web: its targets have 3 of 4 replicas'],
  ],
  [
    'a replica too many is found',
    4,
    [4, 1],
    divided,
    ['Deployment shop/web: its targets have 5 of 4 replicas'],
  ],
  ['each target has all of what is duplicated', 4, [4, 4], {}, []],
  [
    'a target with fewer is found',
    4,
    [4, 3],
    {},
    ['Deployment shop/web: target member2 has 3 of 4 replicas'],
  ],
  [
    'a binding that does not follow its template is found',
    6,
    [4, 4],
    {},
    ['Deployment shop/web asks for 6 replicas, its binding for 4'],
  ],
] as const) {
  test(`replica sums: ${name}`, async () => {
    const { world, watch, perform, found } = await startTestWorld([replicaSums], {
      settings: NO_CONTROLLERS,
    });
    const targets = clusters.map((share, index) => ({ name: `member${index + 1}`, replicas: share }));
    await perform(
      { apply: shop },
      { apply: deployment('web', replicas) },
      { apply: scheduledBinding(targets, placement) as JsonObject },
    );
    const path = '/apis/work.karmada.io/v1alpha2/namespaces/shop/resourcebindings/web-deployment';
    const conditions = [
      {
        type: 'Scheduled',
        status: 'True',
        reason: 'Success',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ];
    const body = { status: { schedulerObservedGeneration: 1, conditions } };
    await world.settle(
      'the status',
      world.hub.client('test').transport.send({
        method: 'PATCH',
        path: `${path}/status`,
        body,
        contentType: 'application/merge-patch+json',
      }),
    );
    await watch.rest(0);
    assert.deepEqual(found(), expected);
  });
}

test('what is never applied does not converge', async () => {
  const { watch, perform, found } = await startTestWorld([convergence], { settings: NO_CONTROLLERS });
  await perform({
    apply: {
      apiVersion: 'work.karmada.io/v1alpha1',
      kind: 'Work',
      metadata: { name: 'web', namespace: 'karmada-es-member1' },
      spec: {
        workload: {
          manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } }],
        },
      },
    },
  });
  await watch.rest(600_000);
  assert.deepEqual(found(), ['Work web for member1 is not applied']);
});

test('a disk that keeps its promise loses nothing that was acknowledged', async () => {
  const { world, perform, found } = await startTestWorld([acknowledgedWrites], { settings: NO_CONTROLLERS });
  await perform({ apply: shop }, { killHub: { downFor: '1s' } });
  await world.run(60_000);
  assert.deepEqual(found(), []);
});

test('a store that comes back empty has lost what was acknowledged', async () => {
  const empty = { isOn: false };
  const { world, perform, found } = await startTestWorld(
    [
      (world) => {
        // Under the ledger: what it wraps is what the process gets.
        world.overStorage((storage) =>
          empty.isOn ? createMemoryStorage(objectCodec, { clock: world.clock }) : storage,
        );
        return { name: 'a broken disk' };
      },
      acknowledgedWrites,
    ],
    { settings: NO_CONTROLLERS },
  );
  await perform({ apply: shop });
  empty.isOn = true;
  await perform({ killHub: { downFor: '1s' } });
  await world.run(60_000);
  assert.match(
    found().join('\n'),
    /core\/namespaces\/default: revision \d+ was acknowledged, and nothing is there/,
  );
});

test('a write to what is suspended is found', async () => {
  const { world, perform, sendAsHub, found } = await startTestWorld([suspension], {
    settings: NO_CONTROLLERS,
  });
  const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } };
  await perform({
    apply: {
      apiVersion: 'work.karmada.io/v1alpha1',
      kind: 'Work',
      metadata: { name: 'a', namespace: SPACE.metadata.name },
      spec: { suspendDispatching: true, workload: { manifests: [settings] } },
    },
  });
  await world.run(120_000);
  await sendAsHub('member2', {
    method: 'POST',
    path: '/api/v1/namespaces/default/configmaps',
    body: settings,
  });
  assert.deepEqual(found(), [], 'another member is not suspended');
  await sendAsHub('member1', {
    method: 'POST',
    path: '/api/v1/namespaces/default/configmaps',
    body: settings,
  });
  assert.deepEqual(found(), ['POST /api/v1/namespaces/default/configmaps in member1, while a is suspended']);
});

test('what must run at most once and runs in two members is found, and in one after the other is not', async () => {
  const found: string[] = [];
  const { world } = await startTestWorld([], { settings: NO_CONTROLLERS });
  const { observer } = singleCopy(world, (what) => found.push(what));
  const pod = (phase: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'orders', namespace: 'shop', labels: { 'navarch.io/fence': 'orders' } },
    status: { phase },
  });
  const see = (member: string, after: KubeObject | undefined): void =>
    observer?.memberChanged?.(member, { resource: 'core/pods', before: pod('Pending'), after });
  see('member1', pod('Running'));
  see('member2', pod('Pending'));
  see('member1', undefined);
  see('member2', pod('Running'));
  assert.deepEqual(found, []);
  see('member1', pod('Running'));
  assert.deepEqual(found, ['shop/orders (navarch.io/at-most-once) runs in member1 and member2']);
});

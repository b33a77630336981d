import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, OverridePolicy, Placement } from '../api/index.ts';
import { defaultFeatureGates } from '../base/index.ts';
import type { Change } from './change.ts';
import { fingerprints, movedSince } from './fingerprint.ts';
import { preview, previewEssence, type Preview } from './preview.ts';
import { previewText } from './preview-text.ts';
import { cluster, deployment, interpreter, policy, settled, world } from './testing/world.ts';
import { WorldView, type World } from './world.ts';

const three = [cluster('one'), cluster('two'), cluster('three')];
const only = (...clusterNames: readonly string[]): Placement => ({ clusterAffinity: { clusterNames } });
const dividedAmong = (...names: readonly string[]): Placement => ({
  ...only(...names),
  replicaScheduling: { replicaSchedulingType: 'Divided' },
});
const put = (object: KubeObject): Change => ({ kind: 'put', object });

async function play(now: World, ...changes: readonly Change[]): Promise<Preview> {
  return preview(new WorldView(now, interpreter), changes, { largeMovePercent: 20 });
}

/** `web: one2 two2 -> one2 three2`, object by object. */
function shifts({ moves }: Preview): readonly string[] {
  const text = (targets: Preview['moves'][number]['before']): string =>
    targets
      .map(({ name, replicas }) => `${name}${replicas ?? ''}`)
      .sort()
      .join(' ');
  return moves.map(({ object, before, after }) => `${object.name}: ${text(before)} -> ${text(after)}`);
}

const codes = ({ risks }: Preview): readonly string[] => risks.map(({ code }) => code);

function start(parts: Partial<World> = {}): Promise<World> {
  return settled({
    clusters: three,
    templates: [deployment(4)],
    policies: [policy('web', { placement: only('one', 'two') })],
    ...parts,
  });
}

test('preview: nothing to do', async () => {
  const result = await play(await start());
  assert.deepEqual([result.moves, result.risks, result.unchanged], [[], [], 0]);
});

test('preview: an edited policy moves what it holds', async () => {
  const result = await play(await start(), put(policy('web', { placement: only('two', 'three') })));
  assert.deepEqual(shifts(result), ['web: one4 two4 -> three4 two4']);
  assert.deepEqual(codes(result), ['DROPS_TO_ZERO', 'CLUSTER_EMPTIES', 'LARGE_MOVE']);
  assert.deepEqual(
    result.clusters.map(({ cluster: name, replicas }) => [name, replicas.before, replicas.after]),
    [
      ['one', 4, 0],
      ['three', 0, 4],
    ],
  );
  assert.deepEqual(
    result.edits[0]?.changes.map(({ path }) => path),
    ['spec.placement.clusterAffinity.clusterNames[0]', 'spec.placement.clusterAffinity.clusterNames[1]'],
  );
});

test('preview: a policy that selects nothing is pointed out, and why where that is known', async () => {
  const now = await start();
  const of = (kind: string, name?: string): Change =>
    put(
      policy('new', {
        resourceSelectors: [{ apiVersion: 'apps/v1', kind, ...(name === undefined ? {} : { name }) }],
      }),
    );
  const served = [
    { group: 'apps', version: 'v1', kind: 'Deployment', namespaced: true, preferred: true, verbs: ['delete', 'list', 'watch'] },
  ]; // prettier-ignore
  const says = async (change: Change): Promise<readonly string[]> =>
    (await play(world({ ...now, served }), change)).risks.flatMap(({ code, says: text }) =>
      code === 'SELECTS_NOTHING' ? [text] : [],
    );
  assert.deepEqual(await says(of('Deployment', 'web')), []);
  assert.deepEqual(await says(of('Deployment', 'wbe')), [
    'PropagationPolicy shop/new selects no object that is there now',
  ]);
  assert.deepEqual(await says(of('Deploymnt')), [
    'PropagationPolicy shop/new selects apps/v1 Deploymnt * in vain: the control plane serves no apps/v1 Deploymnt; close is apps/v1 Deployment',
  ]);
  const override = (name: string): Change =>
    put({
      apiVersion: 'policy.karmada.io/v1alpha1',
      kind: 'OverridePolicy',
      metadata: { name: 'ov', namespace: 'shop' },
      spec: { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment', name }], overrideRules: [] },
    });
  assert.deepEqual(await says(override('web')), []);
  assert.deepEqual(await says(override('wbe')), ['OverridePolicy shop/ov selects no object']);
});

test('preview: a divided workload is shared out anew', async () => {
  const now = await start({ policies: [policy('web', { placement: dividedAmong('one', 'two') })] });
  const result = await play(now, put(policy('web', { placement: dividedAmong('one', 'two', 'three') })));
  assert.deepEqual(shifts(result), ['web: one2 two2 -> one2 three1 two1']);
});

test('preview: a new policy claims what nobody held, and a new template is placed', async () => {
  const now = await start({ policies: [] });
  assert.deepEqual(shifts(await play(now, put(policy('web', { placement: only('one') })))), [
    'web:  -> one4',
  ]);
  const other = await play(await start(), put(deployment(3, 'api')));
  assert.deepEqual(shifts(other), ['api:  -> one3 two3']);
});

test('preview: a deleted policy leaves things where they are, unless another takes over', async () => {
  const left = await play(await start(), { kind: 'remove', object: policy('web') });
  assert.deepEqual(shifts(left), ['web: one4 two4 -> one4 two4']);
  assert.deepEqual(codes(left), ['LOSES_POLICY']);
  const heir = policy('heir', { placement: only('three'), priority: -1 });
  const policies = [policy('web', { placement: only('one', 'two') }), heir];
  const taken = await play(await start({ policies }), { kind: 'remove', object: policy('web') });
  assert.deepEqual(shifts(taken), ['web: one4 two4 -> three4']);
  assert.equal(taken.moves[0]?.policyAfter, 'PropagationPolicy shop/heir');
});

test('preview: a policy edited away from a template lets go of it', async () => {
  const away = policy('web', { resourceSelectors: [{ apiVersion: 'v1', kind: 'Service' }] });
  assert.deepEqual(codes(await play(await start(), put(away))), ['LOSES_POLICY', 'SELECTS_NOTHING']);
});

test('preview: a stronger policy takes a template over only by preemption, and only with its gate', async () => {
  const strong = policy('strong', {
    priority: 5,
    preemption: 'Always',
    placement: only('three'),
    resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }],
  });
  const now = await start();
  assert.deepEqual((await play(now, put(strong))).moves, []);
  const gates = { ...defaultFeatureGates, PropagationPolicyPreemption: true };
  const preempted = await play({ ...now, settings: { ...now.settings, gates } }, put(strong));
  assert.deepEqual(shifts(preempted), ['web: one4 two4 -> three4']);
  assert.ok(codes(preempted).includes('PREEMPTS'));
});

test('preview: the edit of a lazy policy moves nothing until the template is edited', async () => {
  const lazy = (placement: Placement): KubeObject =>
    policy('web', { placement, activationPreference: 'Lazy' });
  const now = await start({
    policies: [policy('web', { placement: only('one'), activationPreference: 'Lazy' })],
  });
  assert.deepEqual((await play(now, put(lazy(only('two'))))).moves, []);
  const edited = await play(
    now,
    put(lazy(only('two'))),
    put({ ...now.templates[0]!, spec: { ...(now.templates[0]!['spec'] as object), paused: true } }),
  );
  assert.deepEqual(shifts(edited), ['web: one4 -> two4']);
});

test('preview: taints move what is looked at again, and evict where that is on', async () => {
  const taint: Change = { kind: 'taint', cluster: 'one', key: 'k', value: '', effect: 'NoExecute' };
  const now = await start({ policies: [policy('web', { placement: {} })] });
  assert.deepEqual((await play(now, taint)).moves, []);
  const evicting = { ...now, settings: { ...now.settings, evictsByTaint: true } };
  const result = await play(evicting, taint);
  assert.deepEqual(shifts(result), ['web: one4 three4 two4 -> three4 two4']);
  assert.deepEqual(result.moves[0]?.leaving, ['one']);
});

test('preview: a label lets a cluster in', async () => {
  const placement: Placement = { clusterAffinity: { labelSelector: { matchLabels: { tier: 'gold' } } } };
  const clusters = [cluster('one', { labels: { tier: 'gold' } }), cluster('two')];
  const now = await start({ clusters, policies: [policy('web', { placement })] });
  const result = await play(now, { kind: 'label', cluster: 'two', key: 'tier', value: 'gold' });
  assert.deepEqual(shifts(result), ['web: one4 -> one4 two4']);
});

test('preview: the last cluster that fits goes', async () => {
  const now = await start({ policies: [policy('web', { placement: only('one') })] });
  const result = await play(now, { kind: 'gone', cluster: 'one' });
  assert.deepEqual(shifts(result), ['web: one4 -> ']);
  assert.ok(codes(result).includes('LAST_COPY_LEAVES'));
  assert.ok(codes(result).includes('CANNOT_BE_PLACED'));
});

test('preview: a deleted template goes from everywhere', async () => {
  const now = await start();
  const result = await play(now, { kind: 'remove', object: now.templates[0]! });
  assert.deepEqual(shifts(result), ['web: one4 two4 -> ']);
});

const registry = (path = '/spec/template/spec/containers/0/image'): OverridePolicy => ({
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'OverridePolicy',
  metadata: { name: 'registry', namespace: 'shop' },
  spec: {
    overrideRules: [
      {
        targetCluster: { clusterNames: ['two'] },
        overriders: { plaintext: [{ path, operator: 'replace', value: 'eu/web:1' }] },
      },
    ],
  },
});

test('preview: an override shows which manifests differ, and that pods are replaced', async () => {
  const result = await play(await start(), put(registry()));
  assert.deepEqual(result.moves[0]?.manifests, [
    {
      cluster: 'two',
      changes: [{ path: 'spec.template.spec.containers[0].image', before: 'web:1', after: 'eu/web:1' }],
      restartsPods: true,
    },
  ]);
  assert.deepEqual(codes(result), ['RESTARTS_PODS']);
  assert.match(previewText(result, { wide: false }), /manifest in two, pods are replaced:/);
});

test('preview: an override that fails', async () => {
  const result = await play(await start(), put(registry('/spec/nowhere/0')));
  assert.deepEqual(codes(result), ['OVERRIDE_FAILS']);
  assert.match(result.moves[0]?.failure ?? '', /in two: override policy shop\/registry/);
});

test('preview: what is about to happen anyway is no consequence of the change', async () => {
  const now = await start();
  // The binding does not know of the edited template yet.
  const scaled = { ...now.templates[0]!, spec: { ...(now.templates[0]!['spec'] as object), replicas: 9 } };
  const result = await play(world({ ...now, templates: [scaled] }), {
    kind: 'label',
    cluster: 'one',
    key: 'a',
    value: 'b',
  });
  assert.deepEqual(result.moves, []);
});

test('preview: the input stays as it is, and the same input gives the same result', async () => {
  const now = await start();
  const change = put(policy('web', { placement: only('three') }));
  const before = JSON.stringify(now);
  const [first, second] = [await play(now, change), await play(now, change)];
  assert.equal(JSON.stringify(now), before);
  assert.equal(previewEssence(first), previewEssence(second));
});

test('fingerprints: heartbeats do not count; edits, new and gone objects do', async () => {
  const now = await start();
  const plan = await play(now, put(policy('web', { placement: only('three') })));
  const read = fingerprints(now, plan);
  const [one, ...others] = now.clusters;
  const beaten = { ...one!, metadata: { ...one!.metadata, resourceVersion: '99' } };
  assert.deepEqual(movedSince(read, fingerprints({ ...now, clusters: [beaten, ...others] }, plan)), []);
  const labelled = { ...one!, metadata: { ...one!.metadata, labels: { a: 'b' } } };
  const moved = fingerprints(
    { ...now, clusters: [labelled, ...others.slice(1)], policies: [...now.policies, policy('new')] },
    plan,
  );
  assert.deepEqual(movedSince(read, moved), [
    'Cluster one changed',
    'Cluster two is gone',
    'PropagationPolicy shop/new is new',
  ]);
});

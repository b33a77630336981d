// A rehearsal against a hub that runs: here one that is simulated itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultFeatureGates } from '../../base/index.ts';
import { presetTimeline } from '../../failover/index.ts';
import { deployment, policy, shop, startTestWorld } from '../testing/world.ts';
import { copyHub, type HubCopy } from './copy.ts';
import { rehearse, type RehearsalOptions } from './rehearse.ts';
import type { Rehearsed } from './rehearsed.ts';
import { reportLines, reportObject } from './report.ts';
import { parseRehearsal } from './scenario.ts';

const settings = { ...presetTimeline('platform'), gates: { ...defaultFeatureGates, Failover: true } };
const divided = {
  replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Weighted' },
};

/** Made once: nothing changes it. Two members; `web` is divided over both, `pinned` may only be in member1. */
let copied: Promise<HubCopy> | undefined;
function copyOfTwo(): Promise<HubCopy> {
  return (copied ??= makeCopy());
}

async function makeCopy(): Promise<HubCopy> {
  const { world, perform } = await startTestWorld([], { settings });
  await perform(
    { apply: shop },
    { apply: policy('web', divided) },
    { apply: policy('pinned', { clusterAffinity: { clusterNames: ['member1'] } }) },
    { apply: deployment('web', 4) },
    { apply: deployment('pinned', 1) },
  );
  await world.run(30_000);
  const revision = world.disk.revision;
  const copy = await world.settle(
    'the copy',
    copyHub(world.hub.client('reader'), new AbortController().signal),
  );
  await world.run(0);
  assert.equal(world.disk.revision, revision, 'copying writes nothing');
  await world.close();
  return copy;
}

const asOfMs = Date.UTC(2026, 10, 21, 12);
const lost: RehearsalOptions['timeline'] = [
  { at: '0s', silence: ['member1'] },
  { at: '8m', heal: ['member1'] },
];

function row(found: Rehearsed, workload: string): Rehearsed['workloads'][number] {
  const one = found.workloads.find((candidate) => candidate.workload === workload);
  assert.ok(one !== undefined);
  return one;
}

test('it says what moves where, what has no place and why, and says the same again', async () => {
  const copy = await copyOfTwo();
  const options = { copy, seed: '7', asOfMs, settings, timeline: lost, source: 'test' };
  const found = await rehearse(options);
  const web = row(found, 'Deployment shop/web');
  assert.deepEqual(
    [web.before, web.during, web.servingBefore, web.servingLeast],
    ['member1: 2, member2: 2', 'member2: 4', 4, 2],
  );
  assert.ok(web.shortMs > 300_000 && web.shortMs < 360_000, `short for ${web.shortMs} ms`);
  const pinned = row(found, 'Deployment shop/pinned');
  assert.deepEqual([pinned.before, pinned.during, pinned.after], ['member1: 1', 'nowhere', 'member1: 1']);
  const [unplaced] = found.stuck.filter(({ what }) => what === 'not placed');
  assert.equal(unplaced?.workload, 'Deployment shop/pinned');
  assert.match(unplaced?.message ?? '', /clusters are available/);
  assert.deepEqual(found.notes, []);
  const again = await rehearse(options);
  assert.deepEqual(reportObject(again, 'x'), reportObject(found, 'x'));
  const text = reportLines(found, 'member1 is lost for 8m').join('\n');
  assert.match(text, /seed 7: member1 is lost for 8m/);
  assert.match(text, /cluster member1 +cannot be reached any more/);
  assert.match(text, /Without a place:\n {2}Deployment shop\/pinned: NoClusterFit/);
});

test('nothing happens to a fleet that nothing is done to', async () => {
  const copy = await copyOfTwo();
  const found = await rehearse({
    copy,
    seed: '1',
    asOfMs,
    settings,
    timeline: [{ at: '5m', heal: [] }],
    source: 'test',
  });
  assert.deepEqual(
    [found.evictions, found.stuck, found.problems, found.workloads.filter(({ shortMs }) => shortMs > 0)],
    [0, [], [], []],
  );
  assert.equal(row(found, 'Deployment shop/web').after, 'member1: 2, member2: 2');
});

test('what is expected and does not hold is a problem', async () => {
  const copy = await copyOfTwo();
  const timeline = [
    { at: '0s', taint: { cluster: 'member1', key: 'drain', effect: 'NoExecute' } as const },
    { at: '10m', expect: [{ object: 'Deployment shop/web', scheduledTo: ['member2'] }] },
    { at: '10m', expect: [{ object: 'Deployment shop/web', scheduledTo: ['member1'] }] },
  ];
  const { problems } = await rehearse({ copy, seed: '1', asOfMs, settings, timeline, source: 'test' });
  assert.deepEqual(problems, ['targets of Deployment shop/web: expected ["member1"], found ["member2"]']);
});

test('a cluster that is not there is refused by name', async () => {
  const copy = await copyOfTwo();
  const timeline = [{ at: '0s', silence: ['elsewhere'] }];
  await assert.rejects(rehearse({ copy, seed: '1', asOfMs, settings, timeline, source: 'drill.yaml' }), {
    code: 'UNKNOWN_CLUSTER',
    message: 'drill.yaml: there is no cluster elsewhere',
  });
  await assert.rejects(
    rehearse({
      copy: { ...copy, clusters: [] },
      seed: '1',
      asOfMs,
      settings,
      timeline,
      source: 'drill.yaml',
    }),
    { code: 'NO_CLUSTERS' },
  );
});

test('a file for a rehearsal has a timeline, and no fleet', () => {
  assert.deepEqual(parseRehearsal('timeline: [{ at: 0s, heal: [] }]', 'a.yaml').timeline, [
    { at: '0s', heal: [] },
  ]);
  assert.throws(() => parseRehearsal('timeline: []\nfleet: []', 'a.yaml'), {
    code: 'BAD_SCENARIO',
    message: /fleet/,
  });
});

// The same seed is the same run, down to the last write, whatever ran before it in this process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeed, shrink, swarmScenario } from './swarm.ts';

test('a seed replays exactly, also after another one', async () => {
  const first = await runSeed('replay');
  const other = await runSeed('another');
  const again = await runSeed('replay');
  assert.notEqual(first.digest, other.digest);
  assert.equal(again.digest, first.digest);
  assert.deepEqual(again.story, first.story);
});

test('a failing schedule is shortened to the steps that make it fail', async () => {
  const scenario = swarmScenario('short');
  const needed = { at: '70s', cut: ['member1'] };
  const steps = [...scenario.timeline.slice(0, 3), needed];
  const shorter = await shrink(
    'short',
    { ...scenario, timeline: steps, restWithin: '1s' },
    ({ violations }) => violations.some(({ what }) => what === 'Cluster member1 is not ready'),
  );
  assert.deepEqual(shorter.timeline, [needed]);
});

// Copies in a cluster that came back were deleted because of what was decided while it was away.
for (const seed of ['256', '258']) {
  test(`seed ${seed}, which once failed, holds`, async () => {
    const { problems } = await runSeed(seed);
    assert.deepEqual(problems, []);
  });
}

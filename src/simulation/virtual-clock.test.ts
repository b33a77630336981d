import assert from 'node:assert/strict';
import { test } from 'node:test';
import { every, sleep } from '../base/index.ts';
import { ProcessClock, VirtualClock } from './virtual-clock.ts';

test('timers run in order of their time, then of their making, and what follows runs before time goes on', async () => {
  const clock = new VirtualClock(1_000);
  const seen: string[] = [];
  const note = (what: string) => seen.push(`${clock.now()} ${what}`);
  clock.after(20, () => note('later'));
  clock.after(10, () => {
    note('first');
    void Promise.resolve().then(async () => {
      await Promise.resolve();
      note('what follows from it');
    });
  });
  clock.after(10, () => note('second'));
  await clock.run(15);
  assert.deepEqual(seen, ['1010 first', '1010 what follows from it', '1010 second']);
  assert.equal(clock.now(), 1_015);
});

test('a thousand hours without anything to do pass at once, and waits end in them', async () => {
  const clock = new VirtualClock(0);
  let calls = 0;
  const stop = every(clock, 3_600_000, () => calls++);
  const over = sleep(clock, 999 * 3_600_000);
  await clock.run(1_000 * 3_600_000);
  await over;
  stop();
  assert.equal(calls, 1_000);
});

test('what goes round without time passing is a bug, not a hang', async () => {
  const clock = new VirtualClock(0);
  const again = (): void => void clock.after(0, again);
  again();
  await assert.rejects(clock.run(1), /without time passing/);
});

test('until: it stops at once when the condition holds, and at the limit when it never does', async () => {
  const clock = new VirtualClock(0);
  let done = false;
  clock.after(5, () => (done = true));
  assert.equal(
    await clock.runUntil(
      100,
      () => done,
      () => undefined,
    ),
    true,
  );
  assert.equal(clock.now(), 5);
  assert.equal(
    await clock.runUntil(
      100,
      () => false,
      () => undefined,
    ),
    false,
  );
  assert.equal(clock.now(), 100);
});

test('a clock whose hands jump keeps its timers, and a stopped one runs none', async () => {
  const world = new VirtualClock(0);
  const clock = new ProcessClock(world, 500);
  const seen: number[] = [];
  clock.after(100, () => seen.push(clock.now()));
  clock.jump(-10_000);
  await world.run(100);
  assert.deepEqual(seen, [-9_400]);
  clock.after(100, () => seen.push(0));
  clock.stop();
  clock.after(100, () => seen.push(1));
  await world.run(1_000);
  assert.equal(seen.length, 1);
});

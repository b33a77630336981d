import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../base/index.ts';
import { Turns } from './turns.ts';

/** Turns by hand: whoever has work without end would keep a clock busy for ever. */
function turnByTurn(): { readonly clock: Clock; readonly next: () => void } {
  const timers: (() => void)[] = [];
  const after = (_delayMs: number, callback: () => void): (() => void) => {
    timers.push(callback);
    return () => undefined;
  };
  return { clock: { now: () => 0, after }, next: () => timers.shift()?.() };
}

test('all who share a clock start so many in a turn, and each gets its share of the next', () => {
  const { clock, next } = turnByTurn();
  const started = [0, 0, 0, 0];
  const controllers = started.map((_, i) => {
    const turns = Turns.of(clock);
    const go = (): void => {
      while (turns.tryStart(go)) started[i]!++;
    };
    return go;
  });
  for (const go of controllers) go();
  assert.deepEqual(started, [64, 0, 0, 0]);
  next();
  assert.deepEqual(started, [80, 16, 16, 16]);
  next();
  assert.deepEqual(started, [96, 32, 32, 32]);
});

test('what one leaves of its share is there for the others', () => {
  const { clock, next } = turnByTurn();
  const turns = Turns.of(clock);
  let [one, many] = [0, 0];
  const goOne = (): void => {
    if (turns.tryStart(goOne)) one++;
  };
  const goMany = (): void => {
    while (turns.tryStart(goMany)) many++;
  };
  goMany();
  goOne();
  next();
  assert.deepEqual([one, many], [1, 127]);
});

test('nobody starves where more wait than may start in a turn', () => {
  const { clock, next } = turnByTurn();
  const turns = Turns.of(clock);
  const started = Array.from({ length: 100 }, () => 0);
  for (const i of started.keys()) {
    const go = (): void => {
      while (turns.tryStart(go)) started[i]!++;
    };
    go();
  }
  for (let turn = 0; turn < 4; turn++) next();
  assert.ok(started.every((count) => count >= 1));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../runtime/testing/manual-clock.ts';
import { Lane } from './lane.ts';

function laneOf(): {
  lane: Lane<number>;
  out: number[];
  gate: { open: boolean; passes: ((error?: Error) => void)[] };
  broken: string[];
} {
  const out: number[] = [];
  const broken: string[] = [];
  const gate = { open: true, passes: [] as ((error?: Error) => void)[] };
  const lane = new Lane<number>({
    deliver: (value) => void out.push(value),
    isOpen: () => gate.open,
    pass: () =>
      new Promise((resolve, reject) =>
        gate.passes.push((error) => (error === undefined ? resolve() : reject(error))),
      ),
    onBroken: ({ message }) => void broken.push(message),
  });
  return { lane, out, gate, broken };
}

test('an open lane delivers at once', () => {
  const { lane, out } = laneOf();
  lane.push(1);
  assert.deepEqual(out, [1]);
});

test('what waits keeps its order, also when later values may pass sooner', async () => {
  const { lane, out, gate } = laneOf();
  gate.open = false;
  lane.push(1);
  lane.push(2);
  gate.open = true;
  lane.push(3);
  gate.passes[1]!();
  gate.passes[2]!();
  await settled();
  assert.deepEqual(out, []);
  gate.passes[0]!();
  await settled();
  assert.deepEqual(out, [1, 2, 3]);
  lane.push(4);
  assert.deepEqual(out, [1, 2, 3, 4]);
});

test('after a cut nothing comes out, so that there is no gap', async () => {
  const { lane, out, gate, broken } = laneOf();
  gate.open = false;
  lane.push(1);
  lane.push(2);
  gate.passes[0]!(new Error('cut'));
  gate.passes[1]!();
  await settled();
  gate.open = true;
  lane.push(3);
  assert.deepEqual(out, []);
  assert.deepEqual(broken, ['cut']);
});

test('a lane that holds too much breaks', () => {
  const { lane, gate, broken } = laneOf();
  gate.open = false;
  for (let i = 0; i < 4096; i++) lane.push(i);
  assert.deepEqual(broken, []);
  lane.push(4096);
  assert.deepEqual(broken, ['too many events wait for the network']);
});

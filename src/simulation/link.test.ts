import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transport } from '../client/index.ts';
import { Link } from './link.ts';
import { seededRandom } from './seeded-random.ts';
import { ProcessClock, VirtualClock } from './virtual-clock.ts';

function startLink() {
  const clock = new VirtualClock(0);
  const acted: string[] = [];
  const ends = new Set<(event: unknown) => void>();
  const target: Transport = {
    send: async ({ method, path }) => {
      acted.push(`${clock.now() < 1_000 ? 'early' : 'late'} ${method} ${path}`);
      return { status: 200, body: path };
    },
    watch: (request, onEvent) =>
      new Promise((resolve) => {
        const push = (event: unknown): void => onEvent(event as never);
        ends.add(push);
        request.signal?.addEventListener('abort', () => {
          ends.delete(push);
          resolve();
        });
      }),
    close: () => Promise.resolve(),
  };
  const observer = { arriving: () => undefined, acted: () => undefined };
  const link = new Link({ target, clock, random: seededRandom('link'), observer });
  const death = new AbortController();
  const process = new ProcessClock(clock);
  const transport = link.transportFor({ clock: process, dead: death.signal });
  const outcomes: string[] = [];
  const send = (path: string, method: 'GET' | 'PUT' = 'PUT', signal?: AbortSignal): void =>
    void transport.send({ method, path, ...(signal === undefined ? {} : { signal }) }).then(
      ({ body }) => outcomes.push(`answer ${String(body)}`),
      (error: Error) => outcomes.push(error.message),
    );
  const events: string[] = [];
  const watch = (): void =>
    void transport
      .watch({ method: 'GET', path: '/w' }, (event) => events.push(event as unknown as string))
      .then(
        () => events.push('ended'),
        (error: Error) => events.push(error.message),
      );
  const push = (event: string): void => ends.forEach((tell) => tell(event));
  return {
    clock,
    link,
    acted,
    outcomes,
    send,
    events,
    watch,
    push,
    ends,
    die: () => (process.stop(), death.abort(new Error('died'))),
  };
}

test('a request takes its time there and back', async () => {
  const { clock, acted, outcomes, send } = startLink();
  send('/a');
  await clock.run(0);
  assert.deepEqual([acted, outcomes], [[], []]);
  await clock.run(50);
  assert.deepEqual([acted, outcomes], [['early PUT /a'], ['answer /a']]);
});

test('a cut network refuses at once, resets what is under way, and is as good as new afterwards', async () => {
  const { clock, link, acted, outcomes, send } = startLink();
  send('/under-way');
  await clock.run(0);
  link.set({ state: 'cut' });
  send('/refused');
  await clock.run(100);
  assert.deepEqual(outcomes.sort(), ['the network is cut', 'the network was cut']);
  link.set({ state: 'up' });
  send('/again');
  await clock.run(100);
  assert.deepEqual(outcomes.at(-1), 'answer /again');
  assert.equal(acted.length, 1);
});

test('what a silent network holds goes on when it is back soon, and is lost when it is not', async () => {
  const { clock, link, acted, outcomes, send } = startLink();
  link.set({ state: 'silent' });
  send('/soon');
  await clock.run(5_000);
  assert.deepEqual([acted, outcomes], [[], []]);
  link.set({ state: 'up' });
  await clock.run(100);
  assert.deepEqual(outcomes, ['answer /soon']);
  link.set({ state: 'silent' });
  send('/never');
  await clock.run(60_000);
  link.set({ state: 'up' });
  await clock.run(60_000);
  assert.deepEqual(outcomes.slice(1), ['the member has been silent']);
  assert.equal(acted.length, 1);
});

test('a lossy network loses requests before and after the member has acted on them', async () => {
  const { clock, link, acted, outcomes, send } = startLink();
  link.set({ lossShare: 1 });
  for (let i = 0; i < 40; i++) send(`/${i}`);
  await clock.run(1_000);
  assert.equal(outcomes.length, 40);
  assert.ok(outcomes.every((outcome) => outcome.startsWith('the connection broke')));
  assert.ok(acted.length > 5 && acted.length < 35, `${acted.length} of 40 arrived`);
});

test('events arrive in order, and a watch breaks when the network has been silent for long', async () => {
  const { clock, link, events, watch, push, ends } = startLink();
  watch();
  await clock.run(100);
  for (let i = 0; i < 20; i++) {
    push(String(i));
    await clock.run(2);
  }
  await clock.run(100);
  assert.deepEqual(
    events,
    Array.from({ length: 20 }, (_, i) => String(i)),
  );
  link.set({ state: 'silent' });
  push('lost');
  await clock.run(30_000);
  assert.deepEqual(events.slice(20), ['the member has been silent']);
  assert.equal(ends.size, 0);
});

test('a caller that leaves hears so at once', async () => {
  const { clock, link, outcomes, send } = startLink();
  link.set({ state: 'silent' });
  const leave = new AbortController();
  send('/a', 'PUT', leave.signal);
  await clock.run(10);
  leave.abort(new Error('I left'));
  await clock.run(10);
  assert.deepEqual(outcomes, ['I left']);
});

test('a process that died hears of nothing but that, sends nothing more, and its watches end in the member', async () => {
  const { clock, acted, outcomes, send, events, watch, push, ends, die } = startLink();
  watch();
  await clock.run(100);
  send('/a');
  push('x');
  die();
  await clock.run(60_000);
  assert.deepEqual([outcomes, events, ends.size], [['died'], ['died'], 0]);
  const before = acted.length;
  send('/b');
  await clock.run(60_000);
  assert.deepEqual([outcomes, acted.length], [['died', 'died'], before]);
});

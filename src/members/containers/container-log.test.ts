import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instanceOf, linesOf, nextLineMs, selected, shown, type Instance } from './container-log.ts';

const startedAt = '2026-11-21T00:00:00Z';
const startedMs = Date.parse(startedAt);
const running: Instance = { container: 'web', image: 'nginx', startedMs, ended: undefined, said: ['hello'] };
const ended: Instance = { ...running, ended: { atMs: startedMs + 15_000, exitCode: 3 } };
const web = { name: 'web', image: 'nginx' };
const status = { name: 'web', image: '', imageID: '', ready: false, restartCount: 0 };
const terminated = { exitCode: 1, startedAt, finishedAt: '2026-11-21T00:00:05Z' };

const texts = (instance: Instance, afterMs: number): readonly string[] =>
  linesOf(instance, startedMs + afterMs).map(({ text }) => text);

test('a container that has not started has written nothing', () => assert.deepEqual(texts(running, -1), []));

test('a container says that it started, what its command says, and lives', () => {
  const first = ['web: simulated container of image nginx has started', 'hello'];
  assert.deepEqual(texts(running, 0), first);
  assert.deepEqual(texts(running, 9_999), first);
  assert.deepEqual(texts(running, 10_000), [...first, 'web: has been running for 10 s']);
  assert.equal(texts(ended, 60_000).at(-1), 'web: has exited with code 3');
  assert.equal(texts(ended, 60_000).length, 4);
});

test('what was written long ago is gone, as where logs are rotated', () => {
  const lines = linesOf(running, startedMs + 1000 * 24 * 3_600_000);
  assert.equal(lines.length, 10_000);
  assert.equal(lines.at(-1)?.text, 'web: has been running for 86400000 s');
});

test('the next line comes with the next sign of life, or the end', () => {
  assert.equal(nextLineMs(running, startedMs), startedMs + 10_000);
  assert.equal(nextLineMs(running, startedMs + 10_000), startedMs + 20_000);
  assert.equal(nextLineMs(ended, startedMs + 10_000), startedMs + 15_000);
  assert.equal(nextLineMs(ended, startedMs + 15_000), undefined);
});

test('a log can be cut to its end, and to what came since', () => {
  const lines = linesOf(running, startedMs + 30_000);
  const all = { tailLines: undefined, sinceMs: undefined, timestamps: false };
  assert.equal(selected(lines, all).length, 5);
  assert.equal(selected(lines, { ...all, tailLines: 0 }).length, 0);
  assert.equal(selected(lines, { ...all, tailLines: 9 }).length, 5);
  assert.equal(selected(lines, { ...all, tailLines: 2 })[0]?.text, 'web: has been running for 20 s');
  assert.equal(selected(lines, { ...all, sinceMs: startedMs + 20_000 }).length, 2);
  assert.equal(shown(lines[1]!, true), '2026-11-21T00:00:00.000000000Z hello\n');
  assert.equal(shown(lines[1]!, false), 'hello\n');
});

for (const [name, given, previous, expected] of [
  ['no status yet', undefined, false, 'container "web" in pod "p" is waiting to start: ContainerCreating'],
  [
    'an image that cannot be had',
    { ...status, state: { waiting: { reason: 'ErrImagePull' } } },
    false,
    'container "web" in pod "p" is waiting to start: ErrImagePull',
  ],
  ['a first run', { ...status, state: { running: { startedAt } } }, false, 'running'],
  [
    'a first run, asked for the one before',
    { ...status, state: { running: { startedAt } } },
    true,
    'previous terminated container "web" in pod "p" not found',
  ],
  ['a run that ended', { ...status, state: { terminated } }, false, 'ended with 1'],
  [
    'a second run, asked for the one before',
    { ...status, state: { running: { startedAt } }, lastState: { terminated } },
    true,
    'ended with 1',
  ],
  [
    'a crash loop',
    { ...status, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated } },
    false,
    'ended with 1',
  ],
] as const) {
  test(`the log of a container with ${name}`, () => {
    const found = instanceOf('p', web, given, previous);
    const text =
      found.kind === 'refused'
        ? found.message
        : found.instance.ended === undefined
          ? 'running'
          : `ended with ${found.instance.ended.exitCode}`;
    assert.equal(text, expected);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { summarizePod, type PodSummary } from './pod-status.ts';

const NOW = Date.UTC(2026, 0, 1);
const running = (name: string, ready = true, restartCount = 0): object => ({
  name,
  ready,
  restartCount,
  state: { running: { startedAt: '2025-12-31T23:00:00Z' } },
});
const waiting = (reason: string): object => ({
  name: 'main',
  ready: false,
  restartCount: 0,
  state: { waiting: { reason } },
});
const ended = (terminated: object, restartCount = 0): object => ({
  name: 'main',
  ready: false,
  restartCount,
  state: { terminated },
});
const ready = (status: string): object[] => [{ type: 'Ready', status }];

const CASES: readonly [why: string, pod: object, expected: PodSummary][] = [
  ['nothing is known yet', { phase: 'Pending' }, { ready: '0/1', status: 'Pending', restarts: '0' }],
  [
    'all is well',
    { phase: 'Running', conditions: ready('True'), containerStatuses: [running('main')] },
    { ready: '1/1', status: 'Running', restarts: '0' },
  ],
  [
    'an image cannot be had',
    { phase: 'Pending', containerStatuses: [waiting('ImagePullBackOff')] },
    { ready: '0/1', status: 'ImagePullBackOff', restarts: '0' },
  ],
  [
    'it has ended well',
    { phase: 'Succeeded', containerStatuses: [ended({ exitCode: 0, reason: 'Completed' })] },
    { ready: '0/1', status: 'Completed', restarts: '0' },
  ],
  [
    'it has ended with a code and no reason',
    { phase: 'Failed', containerStatuses: [ended({ exitCode: 3 })] },
    { ready: '0/1', status: 'ExitCode:3', restarts: '0' },
  ],
  [
    'it was killed',
    { phase: 'Failed', containerStatuses: [ended({ exitCode: 137, signal: 9 })] },
    { ready: '0/1', status: 'Signal:9', restarts: '0' },
  ],
  [
    'the node evicted it',
    { phase: 'Failed', reason: 'Evicted' },
    { ready: '0/1', status: 'Evicted', restarts: '0' },
  ],
  [
    'its first step waits',
    {
      phase: 'Pending',
      initContainerStatuses: [{ name: 'init', ready: false, restartCount: 0, state: { waiting: {} } }],
    },
    { ready: '0/1', status: 'Init:0/1', restarts: '0' },
  ],
  [
    'its first step crashes again and again',
    {
      phase: 'Pending',
      initContainerStatuses: [
        { name: 'init', ready: false, restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } },
      ],
    },
    { ready: '0/1', status: 'Init:CrashLoopBackOff', restarts: '2' },
  ],
  [
    'it was restarted a while ago',
    {
      phase: 'Running',
      conditions: ready('True'),
      containerStatuses: [
        {
          ...running('main', true, 4),
          lastState: { terminated: { exitCode: 1, finishedAt: '2025-12-31T23:55:00Z' } },
        },
      ],
    },
    { ready: '1/1', status: 'Running', restarts: '4 (5m ago)' },
  ],
];

for (const [why, status, expected] of CASES) {
  test(`a pod is summed up as ${expected.status} when ${why}`, () => {
    const init = 'initContainerStatuses' in status ? { initContainers: [{ name: 'init' }] } : {};
    const pod = { metadata: { name: 'web' }, spec: { containers: [{ name: 'main' }], ...init }, status };
    assert.deepEqual(summarizePod(pod as unknown as Pod, NOW), expected);
  });
}

test('a pod that is going is shown as such, and one whose node is lost as unknown', () => {
  const metadata = { name: 'web', deletionTimestamp: '2026-01-01T00:00:30Z' };
  const spec = { containers: [{ name: 'main' }] };
  const pod = { metadata, spec, status: { phase: 'Running', containerStatuses: [running('main')] } };
  assert.equal(summarizePod(pod as unknown as Pod, NOW).status, 'Terminating');
  const lost = { ...pod, status: { ...pod.status, reason: 'NodeLost' } };
  assert.equal(summarizePod(lost as unknown as Pod, NOW).status, 'Unknown');
});

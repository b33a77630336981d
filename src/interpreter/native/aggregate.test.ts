import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../../api/index.ts';
import { createInterpreter, nativeLayer, type StatusItem } from '../index.ts';

const interpreter = createInterpreter([nativeLayer(() => '2026-01-01T00:00:00Z')]);
const item = (clusterName: string, status?: JsonObject): StatusItem => ({ clusterName, status });

function aggregated(kind: string, status: JsonObject, items: readonly StatusItem[]): unknown {
  const template: KubeObject = { apiVersion: 'v1', kind, metadata: { name: 'x' }, status };
  return (interpreter.aggregate(template, items) as KubeObject)['status'];
}

test('of the containers of Pods nothing but their states is told, as the API server keeps it', () => {
  const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const report = {
    phase: 'Running',
    qosClass: 'Burstable',
    podIP: '10.0.0.1',
    containerStatuses: [
      { name: 'c', ready: true, state: running, restartCount: 4, image: 'i', imageID: 'd' },
    ],
    initContainerStatuses: [{ name: 'i' }],
  };
  const nothing = { name: '', lastState: {}, restartCount: 0, image: '', imageID: '' };
  const status = aggregated('Pod', { phase: 'Pending', qosClass: 'BestEffort', message: 'old' }, [
    item('m1', report),
  ]) as JsonObject;
  assert.deepEqual(status, {
    phase: 'Running',
    qosClass: 'BestEffort',
    containerStatuses: [{ ...nothing, ready: true, state: running }],
    initContainerStatuses: [{ ...nothing, ready: false, state: {} }],
  });
  assert.deepEqual(aggregated('Pod', status, [item('m1', report)]), status);
});

test('a volume keeps since when it is in its phase, and leaves it to the API server to say when that changes', () => {
  const since = '2026-01-01T00:00:00Z';
  const of = (phase: string): unknown =>
    aggregated('PersistentVolume', { phase: 'Pending', lastPhaseTransitionTime: since, reason: 'old' }, [
      item('m1', { phase, lastPhaseTransitionTime: '2026-02-02T00:00:00Z' }),
    ]);
  assert.deepEqual(of('Pending'), { phase: 'Pending', lastPhaseTransitionTime: since });
  assert.deepEqual(of('Bound'), { phase: 'Bound' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeletedObject } from '../api/index.ts';
import { deletedObjects, keptForMs, undoWindowController } from './undo-window.ts';
import { startControlPlane } from './testing/control-plane.ts';

const now = Date.parse('2026-01-01T01:00:00Z');
const one = (creationTimestamp?: string): DeletedObject =>
  ({ metadata: creationTimestamp === undefined ? {} : { creationTimestamp } }) as DeletedObject;

test('a deletion is kept until the window is over, and no longer than there is room', () => {
  assert.equal(keptForMs(one('2026-01-01T00:50:00Z'), 0, 3_600_000, now), 3_000_000);
  assert.equal(keptForMs(one('2026-01-01T00:00:00Z'), 0, 3_600_000, now), 0);
  assert.equal(keptForMs(one('2026-01-01T01:00:00Z'), 1_000, 3_600_000, now), 0);
  assert.equal(keptForMs(one(), 0, 3_600_000, now), 3_600_000);
});

test('what is over goes from the control plane', async () => {
  await using plane = await startControlPlane({}, undefined, undefined, { settings: { undoWindowMs: 50 } });
  await plane.client.create(deletedObjects, {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'DeletedObject',
    metadata: { name: 'd' },
    spec: { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'u', by: 'me', objects: ['{}'] },
  });
  plane.run(undoWindowController);
  await plane.until(
    'it is gone',
    async () => (await plane.client.find(deletedObjects, { name: 'd' })) === undefined,
  );
});

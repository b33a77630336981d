import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolume } from '../../api/index.ts';
import { serve } from '../testing/served.ts';

const VOLUMES = '/api/v1/persistentvolumes';
const PUT_BY_CLIENT = '2026-03-03T00:00:00Z';

test('a volume says since when it is in its phase', async () => {
  const served = await serve();
  const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } };
  const made = await served.must('POST', VOLUMES, { metadata: { name: 'a' }, spec });
  const status = (made as unknown as PersistentVolume).status ?? {};
  assert.equal(status.phase, 'Pending');
  assert.match(status.lastPhaseTransitionTime ?? '', /^\d{4}-/);

  const write = async (next: object): Promise<PersistentVolume['status']> => {
    const { status: _, ...rest } = await served.must('GET', `${VOLUMES}/a`);
    const body = { ...rest, status: next };
    return ((await served.must('PUT', `${VOLUMES}/a/status`, body)) as unknown as PersistentVolume).status;
  };
  // Nobody has to say it again, and who says it is believed.
  assert.deepEqual(await write({ phase: 'Pending' }), status);
  assert.deepEqual(await write({ phase: 'Pending', lastPhaseTransitionTime: PUT_BY_CLIENT }), {
    phase: 'Pending',
    lastPhaseTransitionTime: PUT_BY_CLIENT,
  });
  const released = await write({ phase: 'Released', lastPhaseTransitionTime: PUT_BY_CLIENT });
  assert.notEqual(released?.lastPhaseTransitionTime, PUT_BY_CLIENT);
  const bound = await write({ phase: 'Bound', lastPhaseTransitionTime: '2026-04-04T00:00:00Z' });
  assert.equal(bound?.lastPhaseTransitionTime, '2026-04-04T00:00:00Z');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorkload } from './index.ts';

test('workload: replicas, requirements or components make one', () => {
  assert.equal(isWorkload({}), false);
  assert.equal(isWorkload({ replicas: 0 }), false);
  assert.equal(isWorkload({ replicas: 1 }), true);
  assert.equal(isWorkload({ replicas: 0, replicaRequirements: {} }), true);
  assert.equal(isWorkload({ components: [] }), false);
  assert.equal(isWorkload({ components: [{ name: 'a', replicas: 0 }] }), true);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject, KubeObject } from '../api/index.ts';
import { objectHealth } from './health.ts';

function deployment(replicas: number | undefined, status: JsonObject, generation = 2): KubeObject {
  const spec = replicas === undefined ? {} : { replicas };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', generation }, spec, status };
}

describe('a Deployment', () => {
  const cases: readonly [what: string, object: KubeObject, says: string | undefined][] = [
    ['is ready when all its pods are, and are new', deployment(2, { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2 }), undefined],
    ['is not, before its controller has looked', deployment(2, { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2 }), 'its latest change has not been acted on yet'],
    ['is not, while pods are missing', deployment(2, { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 1 }), '1 of 2 replicas are ready'],
    ['is not, while the ready ones are those of before', deployment(1, { observedGeneration: 2, replicas: 2, updatedReplicas: 1, readyReplicas: 1 }), '1 of 1 ready replicas are still those of before'],
    ['that is to have none is ready', deployment(0, { observedGeneration: 2 }), undefined],
    ['that does not say how many is ready with one', deployment(undefined, { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1 }), undefined],
  ]; // prettier-ignore
  for (const [what, object, says] of cases)
    test(what, () => {
      const health = objectHealth(object);
      assert.equal('why' in health ? health.why : undefined, says);
    });
});

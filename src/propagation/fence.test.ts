import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { fenceOf, fencedManifest, isAtMostOnce } from './fence.ts';

const fence = { lease: 'fence-x' };
const object = (annotations: Record<string, string>, spec: object): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'once', namespace: 'shop', annotations },
  spec,
});

test('pods made from a template carry the lease and wait behind the gate; other gates stay', () => {
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [], schedulingGates: [{ name: 'other' }] },
  };
  const fenced = fencedManifest(object({}, { template }), fence);
  assert.equal(fenced.metadata.annotations?.['navarch.io/fence'], 'fence-x');
  assert.deepEqual((fenced['spec'] as { template: unknown }).template, {
    metadata: { labels: { app: 'a', 'navarch.io/fence': 'fence-x' } },
    spec: { containers: [], schedulingGates: [{ name: 'other' }, { name: 'navarch.io/fence' }] },
  });
  assert.deepEqual(fencedManifest(fenced, fence), fenced, 'once is enough');
});

test('another path to the pod template is gone by', () => {
  const annotations = { 'navarch.io/pod-template-path': 'spec.podTemplate' };
  const fenced = fencedManifest(object(annotations, { podTemplate: {} }), fence);
  assert.deepEqual((fenced['spec'] as { podTemplate: { metadata: unknown } }).podTemplate.metadata, {
    labels: { 'navarch.io/fence': 'fence-x' },
  });
});

test('what makes no pods only says by which lease it is fenced', () => {
  const fenced = fencedManifest(object({}, { jar: 'x' }), fence);
  assert.deepEqual(fenced['spec'], { jar: 'x' });
  assert.equal(fenced.metadata.annotations?.['navarch.io/fence'], 'fence-x');
});

test('a lease has a name of its own for each workload, short enough for a label', () => {
  const long = { apiVersion: 'v1', kind: 'Job', metadata: { name: 'x'.repeat(200), namespace: 'shop' } };
  assert.ok(fenceOf(long).lease.length <= 63);
  assert.notEqual(fenceOf(long).lease, fenceOf({ ...long, kind: 'CronJob' }).lease);
  assert.equal(isAtMostOnce(object({ 'navarch.io/at-most-once': 'true' }, {})), true);
  assert.equal(isAtMostOnce(object({ 'navarch.io/at-most-once': 'yes' }, {})), false);
});

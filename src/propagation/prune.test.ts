import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../api/index.ts';
import { prune } from './prune.ts';
import { withManagedKeys } from './managed-keys.ts';

function object(kind: string, fields: JsonObject, metadata: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', namespace: 'shop', ...metadata },
    ...fields,
  };
}

test('what an API server writes for itself stays behind', () => {
  const pruned = prune(
    object(
      'ConfigMap',
      { data: { a: '1' }, status: { x: 1 } },
      {
        uid: 'u',
        resourceVersion: '7',
        generation: 2,
        creationTimestamp: 't',
        deletionTimestamp: 't',
        managedFields: [],
        ownerReferences: [],
        finalizers: ['f'],
        labels: { a: 'b' },
        annotations: { c: 'd' },
      },
    ),
    true,
  );
  assert.deepEqual(
    pruned,
    object('ConfigMap', { data: { a: '1' } }, { labels: { a: 'b' }, annotations: { c: 'd' } }),
  );
});

test('an object with nothing to prune is the same object', () => {
  const clean = object('ConfigMap', { data: {} });
  assert.equal(prune(clean, true), clean);
});

const cases: readonly [string, KubeObject, KubeObject][] = [
  [
    "a Deployment's revision annotations go, others stay",
    object('Deployment', {}, { annotations: { 'deployment.kubernetes.io/revision': '3', note: 'n' } }),
    object('Deployment', {}, { annotations: { note: 'n' } }),
  ],
  [
    'a Job loses its generated selector and labels and its time to live',
    object('Job', {
      spec: {
        ttlSecondsAfterFinished: 5,
        selector: { matchLabels: { 'controller-uid': 'u', own: 'x' } },
        template: {
          metadata: { labels: { 'job-name': 'x', 'batch.kubernetes.io/controller-uid': 'u', app: 'a' } },
        },
      },
    }),
    object('Job', {
      spec: { selector: { matchLabels: { own: 'x' } }, template: { metadata: { labels: { app: 'a' } } } },
    }),
  ],
  [
    'a Job with a selector of its own keeps it',
    object('Job', { spec: { manualSelector: true, selector: { matchLabels: { 'controller-uid': 'u' } } } }),
    object('Job', { spec: { manualSelector: true, selector: { matchLabels: { 'controller-uid': 'u' } } } }),
  ],
  [
    "a Service's addresses are the member's to give, node ports stay",
    object('Service', {
      spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ nodePort: 30001 }] },
    }),
    object('Service', { spec: { ports: [{ nodePort: 30001 }] } }),
  ],
  [
    'a headless Service stays headless',
    object('Service', { spec: { clusterIP: 'None' } }),
    object('Service', { spec: { clusterIP: 'None' } }),
  ],
  [
    'a service account keeps only secrets that were not generated for it',
    object('ServiceAccount', { secrets: [{ name: 'x-token-abc' }, { name: 'mine' }] }),
    object('ServiceAccount', { secrets: [{ name: 'mine' }] }),
  ],
  [
    'a token secret travels without its token',
    object(
      'Secret',
      { type: 'kubernetes.io/service-account-token', data: { token: 'x' } },
      { annotations: { 'kubernetes.io/service-account.uid': 'u' } },
    ),
    object('Secret', { type: 'kubernetes.io/service-account-token', data: null }),
  ],
  [
    'a token secret says that its data are not ours, though there are none yet',
    object('Secret', { type: 'kubernetes.io/service-account-token' }),
    object('Secret', { type: 'kubernetes.io/service-account-token', data: null }),
  ],
  [
    'a service account whose secrets were all generated keeps an empty list',
    object('ServiceAccount', { secrets: [{ name: 'x-token-abc' }] }),
    object('ServiceAccount', { secrets: [] }),
  ],
  [
    'a volume claim forgets the node it was made for',
    object('PersistentVolumeClaim', {}, { annotations: { 'volume.kubernetes.io/selected-node': 'n' } }),
    object('PersistentVolumeClaim', {}),
  ],
];
for (const [what, before, after] of cases) test(what, () => assert.deepEqual(prune(before, true), after));

test('the lists of managed keys name themselves and the id of the Work, and settle at once', () => {
  const marked = withManagedKeys(
    object('ConfigMap', {}, { labels: { b: '1' }, annotations: { z: '1' } }),
    'id',
  );
  assert.equal(
    marked.metadata.annotations?.['resourcetemplate.karmada.io/managed-labels'],
    'b,work.karmada.io/permanent-id',
  );
  assert.equal(
    marked.metadata.annotations?.['resourcetemplate.karmada.io/managed-annotations'],
    'resourcetemplate.karmada.io/managed-annotations,resourcetemplate.karmada.io/managed-labels,z',
  );
  assert.equal(withManagedKeys(marked, 'id'), marked);
});

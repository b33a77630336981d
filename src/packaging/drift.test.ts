import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { driftOf, planText, plannedChanges, type ComparedObject } from './drift.ts';

const secret = (data: Record<string, string>, more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys', namespace: 'shop', ...more },
  data,
});

const deployment = (
  replicas: number,
  image: string,
  more: Partial<KubeObject['metadata']> = {},
): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', ...more },
  spec: { replicas, template: { spec: { containers: [{ name: 'web', image }] } } },
});

const SERVER = { uid: 'u', resourceVersion: '7', generation: 3, creationTimestamp: '2026-01-01T00:00:00Z' };

test('what is as it was applied is no drift, whatever the server wrote beside it', () => {
  const live: KubeObject = {
    ...deployment(2, 'nginx:1', {
      ...SERVER,
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    }),
    status: { readyReplicas: 2 },
  };
  assert.deepEqual(
    driftOf([{ wanted: deployment(2, 'nginx:1'), live, applied: deployment(2, 'nginx:1') }], []),
    [],
  );
  assert.deepEqual(driftOf([{ wanted: deployment(2, 'nginx:1'), live }], []), []);
  assert.deepEqual(driftOf([], []), []);
});

test('changed fields are named with who wrote them', () => {
  const live = deployment(5, 'nginx:2', {
    ...SERVER,
    managedFields: [
      { manager: 'packages.glasskube.dev/package-controller', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      {
        manager: 'kubectl-edit',
        fieldsV1: {
          'f:spec': {
            'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } } } },
          },
        },
      },
      { manager: 'hpa', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      { manager: 'bystander', fieldsV1: { 'f:metadata': { 'f:labels': { 'f:a': {} } } } },
    ],
  });
  assert.deepEqual(
    driftOf([{ wanted: deployment(2, 'nginx:1'), live, applied: deployment(2, 'nginx:1') }], []),
    [
      {
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
        name: 'web',
        namespace: 'shop',
        class: 'Modified',
        paths: ['/spec/replicas', '/spec/template/spec/containers/0/image'],
        managers: ['hpa', 'kubectl-edit'],
      },
    ],
  );
});

test('a field that an apply would take away is drift too; without asking, only what is wanted counts', () => {
  const live = {
    ...deployment(2, 'nginx:1'),
    metadata: { name: 'web', namespace: 'shop', labels: { extra: '1' } },
  };
  const [found] = driftOf(
    [{ wanted: deployment(2, 'nginx:1'), live, applied: deployment(2, 'nginx:1') }],
    [],
  );
  assert.deepEqual(found?.paths, ['/metadata/labels']);
  assert.deepEqual(driftOf([{ wanted: deployment(2, 'nginx:1'), live }], []), []);
});

test('what is missing, and what is there and should not be', () => {
  const extra = { group: '', version: 'v1', kind: 'ConfigMap', name: 'old', namespace: 'shop' };
  assert.deepEqual(
    driftOf([{ wanted: deployment(2, 'nginx:1') }], [extra]).map((change) => [change.kind, change.class]),
    [
      ['Deployment', 'Missing'],
      ['ConfigMap', 'Unexpected'],
    ],
  );
});

test('values of secrets are in nothing that is recorded', () => {
  const pair: ComparedObject = {
    wanted: secret({ password: 'b3VycyEh' }),
    live: secret({ password: 'dGhlaXJzISE=', other: 'eA==' }),
    applied: secret({ password: 'b3VycyEh', other: 'eA==' }),
  };
  const drift = driftOf([pair], []);
  assert.deepEqual(drift[0]?.paths, ['/data/password']);
  const [planned] = plannedChanges([pair], []);
  for (const text of [JSON.stringify(drift), JSON.stringify(planned?.change)])
    assert.doesNotMatch(text, /b3VycyEh|dGhlaXJzISE/);
});

test('a pointer escapes what is special in it', () => {
  const live = secret({}, { annotations: { 'a/b~c': '1' } });
  const wanted = secret({}, { annotations: { 'a/b~c': '2' } });
  assert.deepEqual(driftOf([{ wanted, live }], [])[0]?.paths, ['/metadata/annotations/a~1b~0c']);
});

test('no more is told than there is room for', () => {
  const many = Array.from({ length: 150 }, (_, i) => ({
    wanted: { ...secret({}), metadata: { name: `s${i}` } },
  }));
  assert.equal(driftOf(many, []).length, 100);
  const fields = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'eA==']));
  const emptied = Object.fromEntries(Object.keys(fields).map((key) => [key, '']));
  assert.equal(driftOf([{ wanted: secret(fields), live: secret(emptied) }], [])[0]?.paths?.length, 20);
});

test('the text of a plan depends on what it changes, and on nothing else', () => {
  const update = {
    wanted: deployment(2, 'nginx:1'),
    live: deployment(5, 'nginx:1'),
    applied: deployment(2, 'nginx:1'),
  };
  const create = { wanted: secret({ a: 'eA==' }) };
  const going = [{ group: '', version: 'v1', kind: 'ConfigMap', name: 'old', namespace: 'shop' }];
  const text = planText(plannedChanges([update, create], going));
  assert.equal(planText(plannedChanges([create, update], going)), text);
  const touched = { ...update, live: { ...deployment(5, 'nginx:1', SERVER), status: { replicas: 5 } } };
  assert.equal(planText(plannedChanges([touched, create], going)), text);
  assert.notEqual(
    planText(
      plannedChanges(
        [{ ...update, live: deployment(6, 'nginx:1'), applied: deployment(3, 'nginx:1') }, create],
        going,
      ),
    ),
    text,
  );
  assert.notEqual(planText(plannedChanges([update, { wanted: secret({ a: 'eQ==' }) }], going)), text);
  assert.notEqual(planText(plannedChanges([update, create], [])), text);
  assert.equal(planText(plannedChanges([], [])), '[]');
  assert.deepEqual(
    plannedChanges([update, create], going).map(({ change }) => `${change.operation} ${change.kind}`),
    ['Delete ConfigMap', 'Create Secret', 'Update Deployment'],
  );
});

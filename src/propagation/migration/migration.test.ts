import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { inRebuildOrder } from './order.ts';
import { contentOf, keptOriginal, restoredOriginal } from './original.ts';
import {
  decideMigration,
  promotedTemplate,
  undoOrder,
  type MigrationInput,
  type MigrationSubject,
} from './plan.ts';

function object(kind: string, name: string, more: object = {}, metadata: object = {}): KubeObject {
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1';
  return { apiVersion, kind, metadata: { name, namespace: 'shop', ...metadata }, ...more };
}

function subject(one: KubeObject, more: Partial<MigrationSubject> = {}): MigrationSubject {
  return { role: 'Selected', object: one, onHub: undefined, becomes: one, ...more };
}

function input(subjects: readonly MigrationSubject[], more: Partial<MigrationInput> = {}): MigrationInput {
  return {
    cluster: 'm1',
    subjects,
    dependencies: true,
    autoCreatePolicy: true,
    policyName: undefined,
    namespaces: new Set(['shop']),
    hasPolicy: () => false,
    ...more,
  };
}

describe('the order in which things are made', () => {
  test('is definitions, namespaces, accounts, configuration, storage, workloads, services', () => {
    const kinds = ['Service', 'Deployment', 'Widget', 'PersistentVolumeClaim', 'Secret', 'ServiceAccount', 'Namespace', 'CustomResourceDefinition']; // prettier-ignore
    const ordered = inRebuildOrder(
      kinds.map((kind) => object(kind, 'x')),
      (one) => one,
    );
    assert.deepEqual(
      ordered.map(({ kind }) => kind),
      ['CustomResourceDefinition', 'Namespace', 'ServiceAccount', 'Secret', 'PersistentVolumeClaim', 'Deployment', 'Widget', 'Service'], // prettier-ignore
    );
  });

  test('of nothing is nothing', () => {
    assert.deepEqual(
      inRebuildOrder([], (one) => one),
      [],
    );
  });
});

describe('what an object was', () => {
  const ours = {
    'karmada.io/managed': 'true',
    'work.karmada.io/permanent-id': 'x',
    'navarch.io/origin': 'y',
  };
  const cases: readonly {
    readonly name: string;
    readonly before: object;
    readonly now: object;
    readonly expected: object | undefined;
  }[] = [
    { name: 'that nobody touched is left alone', before: { labels: { a: '1' } }, now: { labels: { a: '1' } }, expected: undefined },
    { name: 'that the hub took over loses its marks', before: { labels: { a: '1' } }, now: { labels: { a: '1', ...ours } }, expected: { labels: { a: '1' } } },
    { name: 'that had no labels has none again', before: {}, now: { labels: ours, annotations: { 'work.karmada.io/name': 'w' } }, expected: {} },
    { name: 'keeps what others changed meanwhile', before: { labels: { a: '1', b: '2' } }, now: { labels: { a: '9', c: '3', ...ours } }, expected: { labels: { a: '9', c: '3' } } },
    { name: 'gets back a mark of its own that taking over replaced', before: { annotations: { 'work.karmada.io/conflict-resolution': 'abort' } }, now: { annotations: { 'work.karmada.io/conflict-resolution': 'overwrite' } }, expected: { annotations: { 'work.karmada.io/conflict-resolution': 'abort' } } },
    { name: 'and a mark of its own that releasing took away', before: { labels: { 'karmada.io/system': 'true' } }, now: {}, expected: { labels: { 'karmada.io/system': 'true' } } },
    { name: 'keeps a label whose key only looks like ours', before: {}, now: { labels: { 'karmada.io.example/x': '1', karmada: '1' } }, expected: undefined },
  ]; // prettier-ignore
  for (const { name, before, now, expected } of cases) {
    test(`an object ${name}`, () => {
      const current = object('ConfigMap', 'c', { data: { a: 'b' } }, { resourceVersion: '7', ...now });
      const restored = restoredOriginal(object('ConfigMap', 'c', {}, before), current);
      if (expected === undefined) return assert.equal(restored, undefined);
      const { labels, annotations, resourceVersion } = restored?.metadata ?? {};
      assert.deepEqual(
        {
          ...(labels === undefined ? {} : { labels }),
          ...(annotations === undefined ? {} : { annotations }),
        },
        expected,
      );
      assert.equal(resourceVersion, '7');
      assert.deepEqual(restored?.['data'], { a: 'b' });
    });
  }

  test('is kept without status and ownership, and a secret without its data', () => {
    const kept = keptOriginal(
      object('Secret', 's', { type: 'Opaque', data: { p: 'eA==' }, status: {} }, { managedFields: [] }),
    );
    assert.deepEqual(Object.keys(kept).sort(), ['apiVersion', 'kind', 'metadata', 'type']);
    assert.equal(kept.metadata.managedFields, undefined);
  });

  test('does not count what each API server fills in', () => {
    const service = (ip: string): KubeObject =>
      object('Service', 's', { spec: { clusterIP: ip, ports: [] }, status: {} });
    assert.deepEqual(contentOf(service('10.0.0.1')), contentOf(service('10.9.9.9')));
  });
});

describe('a plan', () => {
  test('for nothing has no steps', () => {
    const plan = decideMigration(input([]));
    assert.deepEqual([plan.steps, plan.policies, plan.problems], [[], [], []]);
  });

  test('makes namespace, dependencies, templates and policies in this order, then waits for the member', () => {
    const plan = decideMigration(
      input(
        [
          subject(object('Deployment', 'web', { spec: {} })),
          subject(object('ConfigMap', 'conf'), { role: 'Dependency' }),
        ],
        { namespaces: new Set() },
      ),
    );
    assert.deepEqual(
      plan.steps.map(({ action, kind }) => `${action} ${kind}`),
      [
        'EnsureNamespace Namespace',
        'CreateTemplate ConfigMap',
        'CreateTemplate Deployment',
        'CreatePolicy PropagationPolicy',
        'Adopt ConfigMap',
        'Adopt Deployment',
      ],
    );
    assert.deepEqual(
      undoOrder(plan.steps).map(({ action, kind }) => `${action} ${kind}`),
      [
        'CreateTemplate Deployment',
        'CreateTemplate ConfigMap',
        'Adopt Deployment',
        'Adopt ConfigMap',
        'CreatePolicy PropagationPolicy',
        'EnsureNamespace Namespace',
      ],
    );
    assert.deepEqual(plan.problems, []);
  });

  test('without a policy waits for nothing, since nothing goes to the member', () => {
    const plan = decideMigration(input([subject(object('ConfigMap', 'c'))], { autoCreatePolicy: false }));
    assert.deepEqual(
      plan.steps.map(({ action }) => action),
      ['CreateTemplate'],
    );
  });

  const refused: readonly { readonly name: string; readonly one: MigrationSubject; readonly reason: string }[] = [
    { name: 'managed by a hub', one: subject(object('ConfigMap', 'c', {}, { labels: { 'karmada.io/managed': 'true' } })), reason: 'AlreadyManaged' },
    { name: 'on its way out', one: subject(object('ConfigMap', 'c', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })), reason: 'BeingDeleted' },
    { name: 'made by a controller', one: subject(object('Pod', 'p', {}, { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true }] })), reason: 'Owned' },
    { name: 'that the hub would change', one: subject(object('Deployment', 'd', { spec: { a: 1 } }), { becomes: object('Deployment', 'd', { spec: { a: 1, b: 2 } }) }), reason: 'WouldChange' },
    { name: 'needed, and other on the hub', one: subject(object('ConfigMap', 'c', { data: { a: '1' } }), { role: 'Dependency', onHub: object('ConfigMap', 'c', { data: { a: '2' } }) }), reason: 'DiffersOnHub' },
  ]; // prettier-ignore
  for (const { name, one, reason } of refused) {
    test(`is refused for an object ${name}`, () => {
      const { problems } = decideMigration(input([one]));
      assert.deepEqual(
        problems.map((problem) => problem.reason),
        [reason],
      );
    });
  }

  test('is refused when the policy is there, and takes a dependency on the hub that is the same', () => {
    const one = object('ConfigMap', 'c', { data: { a: '1' } });
    const same = subject(one, { role: 'Dependency', onHub: one });
    const plan = decideMigration(input([same, subject(object('Secret', 's'))], { hasPolicy: () => true }));
    assert.deepEqual(
      plan.problems.map(({ reason }) => reason),
      ['PolicyExists'],
    );
    assert.deepEqual(plan.present, [same]);
  });

  test('names the fields that would change', () => {
    const [problem] = decideMigration(
      input([
        subject(object('Deployment', 'd', { spec: { a: 1 } }), {
          becomes: object('Deployment', 'd', { spec: { a: 2 } }),
        }),
      ]),
    ).problems;
    assert.match(problem?.message ?? '', /^Deployment shop\/d would change in m1, .*: spec\.a$/);
  });
});

test('a template that says how conflicts are resolved keeps its word', () => {
  const annotations = { 'work.karmada.io/conflict-resolution': 'abort' };
  assert.deepEqual(
    promotedTemplate(object('ConfigMap', 'c', {}, { annotations })).metadata.annotations,
    annotations,
  );
  assert.deepEqual(promotedTemplate(object('ConfigMap', 'c')).metadata.annotations, {
    'work.karmada.io/conflict-resolution': 'overwrite',
  });
});

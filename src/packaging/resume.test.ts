import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, KubeObject, Package } from '../api/index.ts';
import {
  decideResume,
  isResuming,
  needsReview,
  onDriftOf,
  parseConflictField,
  resumePendingCondition,
  withoutConflictField,
  withoutKeptFields,
} from './resume.ts';
import { effectiveSuspension } from './suspension.ts';

const PREFIX = 'packages.glasskube.dev';

function pkg(annotations: Record<string, string> = {}, pending?: 'True' | 'False'): Package {
  const conditions: Condition[] =
    pending === undefined
      ? []
      : [
          {
            type: 'ResumePending',
            status: pending,
            reason: 'R',
            message: 'm',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ];
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'Package',
    metadata: { name: 'web', namespace: 'shop', annotations },
    spec: { packageInfo: { name: 'nginx', version: 'v1' } },
    status: { conditions },
  };
}
const state = (one: Package) => effectiveSuspension({ package: one, nowMs: 0 });

test('a package resumes until what had to wait is carried out', () => {
  assert.equal(isResuming(pkg()), false);
  assert.equal(isResuming({ ...pkg(), status: { suspension: { active: false } } }), false);
  assert.equal(isResuming({ ...pkg(), status: { suspension: { active: false, resuming: true } } }), true);
});

test('a review is wanted by whoever suspended, and does not go away with them', () => {
  const review: Package = { ...pkg(), spec: { ...pkg().spec, suspension: { onResume: 'Review' } } };
  assert.equal(needsReview(review, state(review)), true);
  assert.equal(needsReview(pkg(), state(pkg())), false);
  assert.equal(needsReview(pkg({}, 'True'), state(pkg())), true);
  const told: Package = { ...pkg(), status: { suspension: { active: true, onResume: 'Review' } } };
  assert.equal(needsReview(told, state(told)), true, 'the policy that wanted it is gone');
});

test('what changes nothing needs nobody; what was approved is done; anything else waits', () => {
  assert.deepEqual(decideResume(pkg(), 'h1', 0), { do: 'Apply', approved: false });
  assert.deepEqual(decideResume(pkg({ [`${PREFIX}/approved-plan`]: 'h1' }), 'h1', 2), {
    do: 'Apply',
    approved: true,
  });
  const waits = decideResume(pkg(), 'h1', 1);
  assert.equal(waits.do, 'Wait');
  assert.match(
    waits.do === 'Wait' ? waits.message : '',
    /1 object changes when it goes on\. Approve plan h1/,
  );
  const stale = decideResume(pkg({ [`${PREFIX}/approved-plan`]: 'h0' }), 'h1', 3);
  assert.match(
    stale.do === 'Wait' ? stale.message : '',
    /3 objects change .*approved \(h0\) is not what would happen now/,
  );
});

test('the condition tells whether it waits, and says nothing where it never did', () => {
  const waits = decideResume(pkg(), 'h1', 1);
  assert.equal(resumePendingCondition(pkg(), waits)?.reason, 'ReviewRequired');
  assert.equal(resumePendingCondition(pkg(), { do: 'Apply', approved: true }), undefined);
  assert.equal(resumePendingCondition(pkg({}, 'True'), { do: 'Apply', approved: true })?.reason, 'Approved');
  assert.equal(resumePendingCondition(pkg({}, 'True'), undefined)?.reason, 'NothingToReview');
  assert.equal(resumePendingCondition(pkg({}, 'False'), undefined)?.reason, 'R');
});

test('the wish about drift is one of two words', () => {
  assert.equal(onDriftOf(pkg({ [`${PREFIX}/on-drift`]: 'keep' })), 'keep');
  assert.equal(onDriftOf(pkg({ [`${PREFIX}/on-drift`]: 'overwrite' })), 'overwrite');
  assert.equal(onDriftOf(pkg({ [`${PREFIX}/on-drift`]: 'abort' })), undefined);
  assert.equal(onDriftOf(pkg()), undefined);
});

test('fields of conflicts are read as the API server writes them', () => {
  assert.deepEqual(parseConflictField('.spec.replicas'), [{ field: 'spec' }, { field: 'replicas' }]);
  assert.deepEqual(
    parseConflictField('.spec.containers[name="a]b"].ports[containerPort=80,protocol="TCP"]'),
    [
      { field: 'spec' },
      { field: 'containers' },
      { keys: { name: 'a]b' } },
      { field: 'ports' },
      { keys: { containerPort: 80, protocol: 'TCP' } },
    ],
  );
  assert.deepEqual(parseConflictField('.finalizers[="x"]'), [{ field: 'finalizers' }, { value: 'x' }]);
  assert.deepEqual(parseConflictField('.items[3]'), [{ field: 'items' }, { index: 3 }]);
  for (const text of ['', 'spec', '.a[', '.a[b]', '.a[="x]', '.a[name=x]'])
    assert.equal(parseConflictField(text), undefined, text);
});

const object: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', labels: { 'app.kubernetes.io/name': 'web', tier: 'front' } },
  spec: {
    replicas: 2,
    template: {
      spec: {
        containers: [
          { name: 'web', image: 'nginx' },
          { name: 'log', image: 'fluent' },
        ],
      },
    },
  },
};

test('fields are taken out where they are, and nothing else is touched', () => {
  const spec = (one: KubeObject) =>
    one['spec'] as {
      replicas?: number;
      template: { spec: { containers: { name: string; image?: string }[] } };
    };
  assert.equal(spec(withoutConflictField(object, '.spec.replicas')).replicas, undefined);
  const image = spec(withoutConflictField(object, '.spec.template.spec.containers[name="log"].image'));
  assert.deepEqual(image.template.spec.containers, [{ name: 'web', image: 'nginx' }, { name: 'log' }]);
  const label = withoutConflictField(object, '.metadata.labels.app.kubernetes.io/name');
  assert.deepEqual(label.metadata.labels, { tier: 'front' });
  const whole = spec(withoutConflictField(object, '.spec.template.spec.containers[name="log"]'));
  assert.equal(whole.template.spec.containers.length, 1);
  for (const nowhere of [
    '.spec.nothing',
    '.spec.template.spec.containers[name="x"].image',
    '.spec.replicas.x',
    '.constructor',
    'odd',
  ])
    assert.equal(withoutConflictField(object, nowhere), object, nowhere);
});

test('fields that were left to others are left out of later applies', () => {
  const kept = [
    { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web', paths: ['.spec.replicas'] },
  ];
  assert.equal((withoutKeptFields(object, kept)['spec'] as { replicas?: number }).replicas, undefined);
  assert.equal(withoutKeptFields(object, [{ ...kept[0]!, name: 'other' }]), object);
  assert.equal(withoutKeptFields(object), object);
});

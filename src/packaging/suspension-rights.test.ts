import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, Package, PackageSpec, PackageSuspension } from '../api/index.ts';
import {
  packageSuspensionProblem,
  policySuspensionProblem,
  verbsForNamespace,
  verbsForPackage,
  verbsForPolicy,
} from './suspension-rights.ts';

const P = 'packages.glasskube.dev';
const NOW = Date.parse('2026-03-01T10:00:00Z');
const EARLY = '2026-03-01T11:00:00Z';
const LATE = '2026-03-01T12:00:00Z';

function pkg(spec: Partial<PackageSpec> = {}, annotations: Record<string, string> = {}): Package {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'Package',
    metadata: { name: 'web', namespace: 'shop', annotations },
    spec: { packageInfo: { name: 'nginx', version: 'v1' }, ...spec },
  };
}
const on = (
  suspension: NonNullable<PackageSpec['suspension']> = {},
  annotations?: Record<string, string>,
): Package => pkg({ suspend: true, suspended: true, suspension }, annotations);

const changes: readonly (readonly [name: string, next: Package, old: Package | undefined, verbs: string])[] =
  [
    ['a package is made', pkg(), undefined, ''],
    ['a package is made suspended', on(), undefined, 'suspend'],
    ['anything else changes', pkg({ values: {} }), pkg(), ''],
    ['it is suspended', on(), pkg(), 'suspend'],
    ['it is resumed', pkg(), on(), 'resume'],
    ['it lasts longer', on({ until: LATE }), on({ until: EARLY }), 'suspend'],
    ['it lasts for ever', on(), on({ until: EARLY }), 'suspend'],
    ['it lasts less long', on({ until: EARLY }), on({ until: LATE }), 'resume'],
    ['it gets an end', on({ until: LATE }), on(), 'resume'],
    ['changes only become all', on({ mode: 'Full' }), on({ mode: 'ChangesOnly' }), 'suspend'],
    ['all becomes changes only', on({ mode: 'ChangesOnly' }), on(), 'resume'],
    ['components are let go', on({ cascade: 'None' }), on(), 'resume'],
    [
      'longer, but less of it',
      on({ until: LATE, mode: 'ChangesOnly' }),
      on({ until: EARLY }),
      'resume,suspend',
    ],
    ['only the reason', on({ reason: 'b' }), on({ reason: 'a' }), ''],
    ['an exemption is written', pkg({}, { [`${P}/suspension-exempt`]: 'freeze' }), pkg(), 'resume'],
    ['an exemption is taken back', pkg(), pkg({}, { [`${P}/suspension-exempt`]: 'freeze' }), 'suspend'],
    ['a plan is approved', pkg({}, { [`${P}/approved-plan`]: 'h' }), pkg(), 'resume'],
    ['an approval goes', pkg(), pkg({}, { [`${P}/approved-plan`]: 'h' }), ''],
    ['drift is to be overwritten', pkg({}, { [`${P}/on-drift`]: 'overwrite' }), pkg(), 'resume'],
  ];
for (const [name, next, old, verbs] of changes)
  test(`verbs of packages: ${name}`, () => assert.equal(verbsForPackage(next, old).join(), verbs));

function policy(spec: PackageSuspension['spec'] = {}): PackageSuspension {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'PackageSuspension',
    metadata: { name: 'p' },
    spec,
  };
}
const WINDOW = { kind: 'deny' as const, schedule: '0 22 * * *', duration: '2h' };
const policies: readonly (readonly [
  string,
  PackageSuspension | undefined,
  PackageSuspension | undefined,
  string,
])[] = [
  ['made', policy(), undefined, 'suspend'],
  ['deleted', undefined, policy(), 'resume'],
  ['longer', policy({ until: LATE }), policy({ until: EARLY }), 'suspend'],
  ['shorter', policy({ until: EARLY }), policy({ until: LATE }), 'resume'],
  ['the reason', policy({ reason: 'b' }), policy({ reason: 'a' }), ''],
  ['other windows', policy({ windows: [WINDOW] }), policy(), 'resume,suspend'],
  ['other packages', policy({ selector: { names: ['a'] } }), policy(), 'resume,suspend'],
];
for (const [name, next, old, verbs] of policies)
  test(`verbs of policies: ${name}`, () => assert.equal(verbsForPolicy(next, old).join(), verbs));

test('verbs of namespaces', () => {
  const namespace = (value?: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', annotations: value === undefined ? {} : { [`${P}/suspend`]: value } },
  });
  assert.deepEqual(verbsForNamespace(namespace('true'), undefined), ['suspend']);
  assert.deepEqual(verbsForNamespace(namespace('true'), namespace('false')), ['suspend']);
  assert.deepEqual(verbsForNamespace(namespace(), namespace('true')), ['resume']);
  assert.deepEqual(verbsForNamespace(namespace('false'), namespace()), []);
});

test('what no suspension may say', () => {
  const problem = (next: Package, old?: Package): string => packageSuspensionProblem(next, old, NOW) ?? '';
  assert.equal(problem(pkg()), '');
  assert.equal(problem(on({ until: LATE, reason: 'x' })), '');
  assert.equal(problem(pkg({ suspension: { driftDetection: 'Disabled', onResume: 'Review' } })), '');
  assert.match(
    problem(pkg({ suspension: { reason: 'x' } })),
    /spec\.suspension\.reason: .* set spec\.suspend to true too/,
  );
  assert.match(problem(on({ until: '2026-03-01T10:00:00Z' })), /is over already/);
  assert.match(problem(on({ until: 'noon' })), /"noon" is no time/);
  // What is stored does not stand in the way.
  assert.equal(
    problem(on({ until: '2026-03-01T09:00:00Z', reason: 'b' }), on({ until: '2026-03-01T09:00:00Z' })),
    '',
  );

  const ofPolicy = (spec: PackageSuspension['spec']): string =>
    policySuspensionProblem(policy(spec), undefined, NOW) ?? '';
  assert.equal(ofPolicy({ windows: [WINDOW] }), '');
  assert.match(
    ofPolicy({ windows: [WINDOW, { ...WINDOW, schedule: 'noon' }] }),
    /^spec\.windows\[1\]: expected exactly 5 fields/,
  );
  assert.match(ofPolicy({ until: '2020-01-01T00:00:00Z' }), /^spec\.until: .* is over already/);
});

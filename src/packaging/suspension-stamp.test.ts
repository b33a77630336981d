import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, Package, PackageSpec } from '../api/index.ts';
import { suspendsItsPackages } from './suspension-rights.ts';
import {
  stampPackage,
  stampSuspender,
  withPackageSuspension,
  withoutPackageSuspension,
} from './suspension-stamp.ts';

const P = 'packages.glasskube.dev';
const NOW = Date.parse('2026-03-01T10:00:00Z');
const anna = { user: 'anna', nowMs: NOW };
const bob = { user: 'bob', nowMs: NOW + 60_000 };

function pkg(spec: Partial<PackageSpec> = {}, annotations?: Record<string, string>): Package {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'Package',
    metadata: { name: 'web', namespace: 'shop', ...(annotations === undefined ? {} : { annotations }) },
    spec: { packageInfo: { name: 'nginx', version: 'v1' }, ...spec },
  };
}

type Switch = Pick<PackageSpec, 'suspend' | 'suspended'>;
const ON: Switch = { suspend: true, suspended: true };
const switches: readonly (readonly [name: string, next: Switch, old: Switch | undefined, stored: Switch])[] =
  [
    ['neither name', {}, undefined, {}],
    ['the one name on creation', { suspend: true }, undefined, ON],
    ['the other name on creation', { suspended: true }, undefined, ON],
    [
      'an explicit false keeps being said',
      { suspend: false },
      undefined,
      { suspend: false, suspended: false },
    ],
    ['both names alike', ON, undefined, ON],
    [
      'both names, and they differ, as where Glasskube wrote its own',
      { suspend: false, suspended: true },
      undefined,
      ON,
    ],
    ['turned on by the one name', { suspend: true }, {}, ON],
    [
      'turned on by the one name from false',
      { suspend: true, suspended: false },
      { suspend: false, suspended: false },
      ON,
    ],
    ['turned off by the one name', { suspend: false, suspended: true }, ON, {}],
    ['turned off by the other name', { suspend: true, suspended: false }, ON, {}],
    ['the one name removed', { suspended: true }, ON, {}],
    ['the other name removed', { suspend: true }, ON, {}],
    ['both names removed', {}, ON, {}],
  ];
for (const [name, next, old, stored] of switches)
  test(`one switch with two names: ${name}`, () => {
    const { suspend, suspended } = stampPackage(
      pkg(next),
      old === undefined ? undefined : pkg(old),
      anna,
    ).spec;
    assert.deepEqual({ suspend, suspended }, { suspend: stored.suspend, suspended: stored.suspended });
  });

test('who suspended first stays, whoever changes it or claims otherwise', () => {
  const suspended = stampPackage(withPackageSuspension(pkg(), { reason: 'migration' }), pkg(), anna);
  assert.deepEqual(suspended.metadata.annotations, {
    [`${P}/suspended-by`]: 'anna',
    [`${P}/suspended-at`]: '2026-03-01T10:00:00Z',
  });
  const changed = withPackageSuspension(pkg({}, { [`${P}/suspended-by`]: 'mallory' }), { reason: 'longer' });
  const stored = stampPackage(changed, suspended, bob);
  assert.equal(stored.metadata.annotations?.[`${P}/suspended-by`], 'anna');
  assert.equal(stored.spec.suspension?.reason, 'longer');
});

test('resuming names who and why, and takes what was said of the suspension with it', () => {
  const detail = {
    reason: 'migration',
    until: '2026-03-02T00:00:00Z',
    mode: 'Full',
    onResume: 'Review',
  } as const;
  const suspended = stampPackage(withPackageSuspension(pkg(), detail), pkg(), anna);
  const resumed = stampPackage(
    withoutPackageSuspension(suspended, { reason: 'done', onDrift: 'keep' }),
    suspended,
    bob,
  );
  assert.deepEqual(resumed.spec, {
    packageInfo: { name: 'nginx', version: 'v1' },
    suspension: { onResume: 'Review' },
  });
  assert.deepEqual(resumed.metadata.annotations, {
    [`${P}/resumed-by`]: 'bob',
    [`${P}/resumed-at`]: '2026-03-01T10:01:00Z',
    [`${P}/resume-reason`]: 'done',
    [`${P}/on-drift`]: 'keep',
  });
  // A client that only turns the switch off leaves nothing behind either.
  const { suspend: _suspend, suspended: _suspended, ...rest } = suspended.spec;
  assert.deepEqual(stampPackage({ ...suspended, spec: rest }, suspended, bob).spec.suspension, {
    onResume: 'Review',
  });
  // What was said at one resumption is not said at the next.
  const again = stampPackage(withPackageSuspension(resumed, {}), resumed, anna);
  assert.deepEqual(Object.keys(again.metadata.annotations ?? {}).sort(), [
    `${P}/suspended-at`,
    `${P}/suspended-by`,
  ]);
});

test('nobody resumed what was over', () => {
  const suspended = stampPackage(
    withPackageSuspension(pkg(), { until: '2026-03-01T10:00:30Z' }),
    pkg(),
    anna,
  );
  const over = stampPackage(withoutPackageSuspension(suspended), suspended, {
    user: 'operator',
    nowMs: NOW + 30_000,
  });
  assert.equal(over.metadata.annotations, undefined);
});

test('annotations of ours on what is not suspended go', () => {
  const forged = pkg({}, { [`${P}/suspended-by`]: 'x', [`${P}/resumed-by`]: 'y', mine: 'kept' });
  assert.deepEqual(stampPackage(forged, pkg(), anna).metadata.annotations, { mine: 'kept' });
  const plain = pkg();
  assert.equal(stampPackage(plain, plain, anna), plain);
});

test('a namespace that suspends says who made it do so', () => {
  const namespace = (annotations: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', annotations },
  });
  const on = stampSuspender(
    namespace({ [`${P}/suspend`]: 'true' }),
    namespace({}),
    suspendsItsPackages,
    anna,
  );
  assert.equal(on.metadata.annotations?.[`${P}/suspended-by`], 'anna');
  const later = stampSuspender(namespace({ [`${P}/suspend`]: 'true', a: 'b' }), on, suspendsItsPackages, bob);
  assert.equal(later.metadata.annotations?.[`${P}/suspended-by`], 'anna');
  assert.deepEqual(
    stampSuspender(namespace({ a: 'b' }), later, suspendsItsPackages, bob).metadata.annotations,
    { a: 'b' },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { packageRules } from './package.ts';

function objectionTo(kind: string, name: string, packageInfo: object, metadata: object = {}): unknown {
  const resource = `${kind.toLowerCase()}s`;
  const rule = packageRules.find((one) => one.resource === resource)!;
  const object: KubeObject = {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind,
    metadata: { name, ...metadata },
    spec: { packageInfo },
  };
  return rule.validate?.({ object } as Parameters<NonNullable<typeof rule.validate>>[0]);
}

for (const [called, kind, name, packageInfo, why] of [
  ['a ClusterPackage under its own name', 'ClusterPackage', 'a', { name: 'a', version: 'v1' }, undefined],
  ['a Package under any name', 'Package', 'b', { name: 'a', version: 'v1' }, undefined],
  [
    'a ClusterPackage under another name',
    'ClusterPackage',
    'b',
    { name: 'a', version: 'v1' },
    /name it "a" instead of "b"/,
  ],
  ['no version', 'Package', 'b', { name: 'a', version: '' }, /version is empty/],
  [
    'a version that leads out of the repository',
    'Package',
    'b',
    { name: 'a', version: '..' },
    /version cannot be "\.\."/,
  ],
  ['a name with a slash', 'Package', 'b', { name: 'a/b', version: 'v1' }, /name cannot be "a\/b"/],
] as const)
  test(`${called} is ${why === undefined ? 'taken' : 'refused'}`, () => {
    const objection = objectionTo(kind, name, packageInfo);
    if (why === undefined) assert.equal(objection, undefined);
    else assert.match(String(objection), why);
  });

test('what is being deleted may always be written', () => {
  assert.equal(
    objectionTo('Package', 'b', { name: 'a', version: '' }, { deletionTimestamp: '2026-11-28T00:00:00Z' }),
    undefined,
  );
});

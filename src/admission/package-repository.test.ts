import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterPackage, PackageRepository } from '../api/index.ts';
import { packageRepositoryRule } from './package-repository.ts';

const repository = (isDefault: boolean): PackageRepository => ({
  apiVersion: 'packages.glasskube.dev/v1alpha1',
  kind: 'PackageRepository',
  metadata: {
    name: 'main',
    ...(isDefault ? { annotations: { 'packages.glasskube.dev/default-repository': 'true' } } : {}),
  },
  spec: { url: 'http://main.test' },
});
const installed = (name: string, repositoryName?: string): ClusterPackage => ({
  apiVersion: 'packages.glasskube.dev/v1alpha1',
  kind: 'ClusterPackage',
  metadata: { name },
  spec: { packageInfo: { name, version: 'v1', ...(repositoryName === undefined ? {} : { repositoryName }) } },
});

for (const [called, isDefault, packages, why] of [
  ['a repository that nothing comes from', true, [installed('a', 'other')], undefined],
  [
    'one that a package names',
    false,
    [installed('a', 'main')],
    /ClusterPackage a come from the repository "main"/,
  ],
  ['the default one, which a package means without naming it', true, [installed('a')], /ClusterPackage a/],
  ['another than the default one', false, [installed('a')], undefined],
  [
    'one that many come from',
    false,
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => installed(name, 'main')),
    /ClusterPackage e and 2 more/,
  ],
] as const)
  test(`deleting ${called} is ${why === undefined ? 'let pass' : 'refused'}`, async () => {
    const rule = packageRepositoryRule(() => Promise.resolve(packages));
    const objection = await rule.validate?.({
      oldObject: repository(isDefault),
    } as unknown as Parameters<NonNullable<typeof rule.validate>>[0]);
    if (why === undefined) assert.equal(objection, undefined);
    else assert.match(objection as string, why);
  });

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyPackage } from '../../packaging/index.ts';
import { inDependencyOrder } from './resume.ts';

function one(name: string, ...needs: readonly string[]): AnyPackage {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'ClusterPackage',
    metadata: { name },
    spec: { packageInfo: { name, version: 'v1' } },
    status: {
      ownedPackages: needs.map((need) => ({
        group: 'packages.glasskube.dev',
        version: 'v1alpha1',
        kind: 'ClusterPackage',
        name: need,
      })),
    },
  };
}

const orders: readonly (readonly [name: string, packages: readonly AnyPackage[], expected: string])[] = [
  ['nothing', [], ''],
  [
    'what is needed comes first, whatever it is called',
    [one('a', 'c'), one('b'), one('c', 'd'), one('d')],
    'd,c,a,b',
  ],
  ['what is not there is not waited for', [one('a', 'gone')], 'a'],
  ['a circle ends somewhere', [one('a', 'b'), one('b', 'a')], 'b,a'],
];
for (const [name, packages, expected] of orders)
  test(name, () => {
    assert.equal(
      inDependencyOrder(packages)
        .map(({ metadata }) => metadata.name)
        .join(),
      expected,
    );
  });

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomResourceDefinition } from '../../api/index.ts';
import { compareVersions, deprecationWarning } from './versions.ts';

test('versions are preferred as Kubernetes does: stable, beta, alpha, others by name', () => {
  const order = [
    'v10',
    'v2',
    'v1',
    'v11beta2',
    'v10beta3',
    'v3beta1',
    'v12alpha1',
    'v11alpha2',
    'foo1',
    'foo10',
  ];
  assert.deepEqual([...order].reverse().sort(compareVersions), order);
});

test('a deprecated version names a better one that is served', () => {
  const version = (
    name: string,
    more: object = {},
  ): CustomResourceDefinition['spec']['versions'][number] => ({
    name,
    served: true,
    storage: false,
    ...more,
  });
  const crd = (versions: CustomResourceDefinition['spec']['versions']): CustomResourceDefinition => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {},
    spec: { group: 'example.com', scope: 'Cluster', names: { plural: 'widgets', kind: 'Widget' }, versions },
  });
  const old = version('v1beta1', { deprecated: true });
  assert.equal(
    deprecationWarning(crd([old, version('v2', { served: false }), version('v1')]), old),
    'example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget',
  );
  assert.equal(deprecationWarning(crd([old]), old), 'example.com/v1beta1 Widget is deprecated');
  const own = version('v1', { deprecated: true, deprecationWarning: 'go away' });
  assert.equal(deprecationWarning(crd([own]), own), 'go away');
  assert.equal(deprecationWarning(crd([version('v1')]), version('v1')), undefined);
});

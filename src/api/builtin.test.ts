import assert from 'node:assert/strict';
import { test } from 'node:test';
import { staleFiles } from '../../scripts/generate.ts';
import {
  bootstrapRbac,
  builtinDefinitions,
  builtinResources,
  builtinSchema,
  definitionFor,
  protobufFields,
  protobufMessageFor,
  referencedDefinition,
  resolveRef,
  type Schema,
} from './index.ts';

test('the generated files are those of the reference data', (context) => {
  const stale = staleFiles();
  if (stale === undefined) return context.skip('no reference data beside the repository');
  assert.deepEqual(stale, [], 'run: npm run generate');
});

test('resources carry their names, verbs and subresources', () => {
  const deployments = builtinResources().find(({ plural }) => plural === 'deployments');
  assert.equal(deployments?.group, 'apps');
  assert.equal(deployments.kind, 'Deployment');
  assert.deepEqual(deployments.shortNames, ['deploy']);
  assert.deepEqual(deployments.categories, ['all']);
  assert.deepEqual(
    deployments.subresources.map(({ name, group, kind }) => [name, group, kind]),
    [
      ['scale', 'autoscaling', 'Scale'],
      ['status', 'apps', 'Deployment'],
    ],
  );
  const pods = builtinResources().find(({ plural }) => plural === 'pods');
  assert.deepEqual(
    pods?.subresources.find(({ name }) => name === 'eviction'),
    { name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
  );
});

test('only two resources are served in two versions', () => {
  const versions = Map.groupBy(builtinResources(), ({ kind }) => kind);
  const several = [...versions].filter(([, entries]) => entries.length > 1);
  assert.deepEqual(
    several.map(([kind, entries]) => [kind, entries.map(({ group, version }) => `${group}/${version}`)]),
    [
      ['Event', ['/v1', 'events.k8s.io/v1']],
      ['HorizontalPodAutoscaler', ['autoscaling/v2', 'autoscaling/v1']],
    ],
  );
});

test('every resource that stores objects has a schema, and every reference in a schema leads to one', () => {
  for (const resource of builtinResources()) {
    assert.ok(definitionFor(resource) !== undefined, `${resource.plural} has a definition`);
  }
  const visit = (schema: Schema): void => {
    if (schema.$ref !== undefined) assert.ok(resolveRef(schema.$ref));
    for (const inner of Object.values(schema.properties ?? {})) visit(inner);
    for (const inner of [...(schema.allOf ?? []), ...(schema.items === undefined ? [] : [schema.items])])
      visit(inner);
    if (typeof schema.additionalProperties === 'object') visit(schema.additionalProperties);
  };
  for (const definition of builtinDefinitions()) visit(builtinSchema(definition) ?? {});
});

test('schemas are found by kind, across groups, and names from the outside find nothing', () => {
  const scale = definitionFor({ group: 'autoscaling', version: 'v1', kind: 'Scale' });
  assert.equal(scale, 'io.k8s.api.autoscaling.v1.Scale');
  assert.equal(
    definitionFor({ group: 'storage.k8s.io', version: 'v1', kind: 'DeleteOptions' }),
    'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  );
  assert.equal(definitionFor({ group: '', version: 'v1', kind: 'PodExecOptions' }), undefined);
  assert.equal(builtinSchema('constructor'), undefined);
  assert.equal(protobufFields('__proto__'), undefined);
  assert.equal(referencedDefinition('#/components/schemas/x.Y'), 'x.Y');
  assert.throws(() => resolveRef('#/definitions/x.Y'), /points to no definition/);
});

test('merge keys and list types are part of the schemas', () => {
  const containers = builtinSchema('io.k8s.api.core.v1.PodSpec')?.properties?.['containers'];
  assert.equal(containers?.['x-kubernetes-patch-merge-key'], 'name');
  assert.deepEqual(containers['x-kubernetes-list-map-keys'], ['name']);
});

test('protobuf messages name their field types in full', () => {
  const fields = protobufFields(protobufMessageFor('io.k8s.api.core.v1.Pod'));
  assert.deepEqual(fields?.[0], {
    name: 'metadata',
    number: 1,
    type: 'k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta',
    cardinality: 'single',
  });
  const meta = protobufFields('k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  assert.deepEqual(
    meta?.find(({ name }) => name === 'labels'),
    { name: 'labels', number: 11, type: 'string', cardinality: 'map' },
  );
  assert.equal(meta.find(({ name }) => name === 'ownerReferences')?.cardinality, 'repeated');
  for (const definition of builtinDefinitions()) {
    if (/\.(api|apimachinery|apiextensions-apiserver|kube-aggregator)\./.test(definition)) {
      assert.ok(protobufFields(protobufMessageFor(definition)), definition);
    }
  }
});

test('the bootstrap roles are complete objects', () => {
  const admin = bootstrapRbac().find(({ metadata }) => metadata.name === 'cluster-admin');
  assert.equal(admin?.apiVersion, 'rbac.authorization.k8s.io/v1');
  assert.ok(Array.isArray(admin['rules']));
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { referenceDirectory } from '../../../scripts/generate.ts';
import {
  clusterKind,
  clusterOfExecutionNamespace,
  executionNamespace,
  isReservedNamespace,
  crdOf,
  hubCrds,
  karmadaKinds,
  resolveRef,
  type JsonObject,
  type Schema,
} from '../index.ts';

const reference = path.join(referenceDirectory, 'karmada-1.19');
const absent = existsSync(reference) ? false : 'no reference data beside the repository';

// The recording dropped every key of these names wherever it stood, so it cannot say anything about them.
const UNRECORDED = new Set(['uid', 'resourceVersion', 'creationTimestamp', 'caBundle']);

function structure(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structure);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.keys(object)
      .filter((key) => !UNRECORDED.has(key) && !(key === 'description' && typeof object[key] === 'string'))
      .sort()
      .map((key) => {
        const inner = object[key];
        const names = key === 'required' && Array.isArray(inner) ? [...(inner as string[])].sort() : inner;
        return [key, structure(names)];
      }),
  );
}

function recorded(file: string): JsonObject {
  return JSON.parse(readFileSync(path.join(reference, file), 'utf8')) as JsonObject;
}

const webhook = { url: 'https://karmada-webhook.karmada-system.svc:443/convert', caBundle: 'PEM' };

for (const crd of karmadaKinds.map((kind) => crdOf(kind, webhook))) {
  test(`${crd.spec.names.kind} has the structure of the recorded CRD`, { skip: absent }, () => {
    const expected = recorded(`${crd.metadata.name}.json`);
    assert.deepEqual(structure(crd.spec), structure(expected['spec']));
  });
}

test('every field of every kind has a sentence for kubectl explain', () => {
  const visit = (schema: Schema, at: string): void => {
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      if (at !== '' || name !== 'metadata') assert.match(inner.description ?? '', /\.$/, `${at}.${name}`);
      visit(inner, `${at}.${name}`);
    }
    if (schema.items !== undefined) visit(schema.items, `${at}[]`);
    if (typeof schema.additionalProperties === 'object') visit(schema.additionalProperties, `${at}{}`);
  };
  for (const crd of hubCrds()) {
    for (const version of crd.spec.versions) visit(version.schema?.openAPIV3Schema ?? {}, '');
  }
  for (const { schema } of clusterKind.versions) visit(schema, '');
});

test('Cluster has the fields of the recorded API', { skip: absent }, () => {
  const definitions = recorded('aggregated-apis.schemas.json') as unknown as Record<string, Schema>;
  const resolve = (reference: string): Schema =>
    definitions[reference.slice('#/components/schemas/'.length)] ?? resolveRef(reference);
  const kindOfValue = (schema: Schema): string => {
    if (schema.oneOf !== undefined || schema['x-kubernetes-int-or-string'] === true) return 'quantity';
    return `${schema.type ?? ''} ${schema.format ?? ''}`;
  };
  const compare = (ours: Schema | undefined, written: Schema, at: string): void => {
    const reference = written.$ref ?? written.allOf?.[0]?.$ref;
    const theirs = reference === undefined ? written : resolve(reference);
    assert.ok(ours !== undefined, `${at} is missing`);
    assert.equal(kindOfValue(ours), kindOfValue(theirs), at);
    assert.deepEqual([...(ours.required ?? [])].sort(), [...(theirs.required ?? [])].sort(), at);
    assert.deepEqual(
      Object.keys(ours.properties ?? {}).sort(),
      Object.keys(theirs.properties ?? {}).sort(),
      at,
    );
    for (const [name, inner] of Object.entries(theirs.properties ?? {})) {
      compare(ours.properties?.[name], inner, `${at}.${name}`);
    }
    if (theirs.items !== undefined) compare(ours.items, theirs.items, `${at}[]`);
    if (typeof theirs.additionalProperties === 'object') {
      assert.equal(typeof ours.additionalProperties, 'object', at);
      compare(ours.additionalProperties as Schema, theirs.additionalProperties, `${at}{}`);
    }
  };
  const prefix = 'com.github.karmada-io.karmada.pkg.apis.cluster.v1alpha1.';
  const schema = clusterKind.versions[0]?.schema;
  compare(schema?.properties?.['spec'], definitions[`${prefix}ClusterSpec`] ?? {}, 'spec');
  compare(schema?.properties?.['status'], definitions[`${prefix}ClusterStatus`] ?? {}, 'status');
});

test('without a webhook no CRD asks for one', () => {
  for (const crd of hubCrds()) assert.deepEqual(crd.spec.conversion, { strategy: 'None' });
});

test('execution namespaces name their cluster, and nothing of the control plane is propagated', () => {
  assert.equal(executionNamespace('m1'), 'karmada-es-m1');
  assert.equal(clusterOfExecutionNamespace('karmada-es-m1'), 'm1');
  assert.equal(clusterOfExecutionNamespace('shop'), undefined);
  assert.deepEqual(['karmada-system', 'karmada-cluster', 'karmada-es-m1', 'shop'].map(isReservedNamespace), [
    true,
    true,
    true,
    false,
  ]);
});

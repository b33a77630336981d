import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtinSchema, resolveRef, type JsonObject } from '../../api/index.ts';
import { endpointOf, type Endpoint } from './endpoint.ts';
import { firstOwnership } from './first-ownership.ts';
import { STRIPPED, updateManaged } from './take-over.ts';

function endpoint(definition: string, apiVersion: string, kind: string): Endpoint {
  const schema = builtinSchema(definition)!;
  return endpointOf({ apiVersion, kind, schema, resolveRef, resetFields: [['status']] });
}

const deployments = endpoint('io.k8s.api.apps.v1.Deployment', 'apps/v1', 'Deployment');
const free = endpointOf({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  schema: {
    type: 'object',
    properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  },
});

/** What the general way finds. */
function generally(object: JsonObject, of: Endpoint): JsonObject | undefined {
  const [entry] = updateManaged(of.blank, object, new Map(), 'm', 0, of).values();
  return entry?.set.toFields();
}

function directly(object: JsonObject, of: Endpoint): JsonObject | undefined {
  const owned = firstOwnership(of.blank, object, of.type, { whole: of.reset, alone: STRIPPED });
  return owned === 'unusual' ? generally(object, of) : owned.fields;
}

const metadata = { name: 'a', namespace: 'n', uid: 'u', labels: { app: 'x' }, finalizers: ['b', 'a'] };
const container = (name: string): JsonObject => ({
  name,
  image: 'i',
  ports: [
    { containerPort: 80, protocol: 'TCP' },
    { containerPort: 80, protocol: 'UDP' },
  ],
  env: [{ name: 'B' }, { name: 'A', value: '1' }, { name: 'B', value: '2' }],
  resources: {},
  livenessProbe: { httpGet: { port: 80 } },
  securityContext: {},
});

const cases: readonly (readonly [string, JsonObject])[] = [
  ['nothing but a name', { metadata: { name: 'a' } }],
  ['metadata', { metadata }],
  [
    'a whole Deployment, its status left out',
    {
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'x' } },
        strategy: {},
        template: {
          metadata: { labels: {} },
          spec: { containers: [container('b'), container('a')], volumes: null },
        },
      },
      status: { replicas: 3 },
    },
  ],
  [
    'lists without items and items without keys',
    { metadata, spec: { template: { spec: { containers: [], volumes: [{}] } } } },
  ],
];

for (const [name, fields] of cases) {
  test(`a creator owns the same by both ways: ${name}`, () => {
    const object: JsonObject = { apiVersion: 'apps/v1', kind: 'Deployment', ...fields };
    assert.deepEqual(directly(object, deployments), generally(object, deployments));
    assert.equal(
      JSON.stringify(directly(object, deployments)),
      JSON.stringify(generally(object, deployments)),
    );
  });
}

test('a creator owns the same by both ways: anything without a schema', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (spec) => {
      const object: JsonObject = {
        apiVersion: 'example.com/v1',
        kind: 'Widget',
        metadata: { name: 'a' },
        spec,
      };
      assert.deepEqual(directly(object, free), generally(object, free));
    }),
  );
});

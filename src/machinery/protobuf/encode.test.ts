import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../api/index.ts';
import { decodeProtobuf } from './decode.ts';
import { encodeProtobuf, hasProtobuf } from './encode.ts';

const cases: readonly (readonly [string, JsonObject])[] = [
  [
    'maps, quantities and ports of both kinds',
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', labels: { b: '2', a: '1' }, creationTimestamp: '2026-01-02T03:04:05Z' },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'nginx',
            resources: { limits: { cpu: '500m' } },
            livenessProbe: { httpGet: { port: 'http', path: '/' }, periodSeconds: 10 },
            readinessProbe: { tcpSocket: { port: 80 } },
          },
        ],
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 'c', configMap: { name: 'conf', defaultMode: 420 } },
        ],
        terminationGracePeriodSeconds: 0,
      },
    },
  ],
  [
    'bytes',
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { k: 'AAEC' }, type: 'Opaque' },
  ],
  [
    'raw JSON and negative numbers',
    {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: 'r',
        managedFields: [{ manager: 'm', operation: 'Update', fieldsV1: { 'f:data': { '.': {} } } }],
      },
      data: { spec: { x: [1, 2] } },
      revision: -7,
    },
  ],
  [
    'schemas of schemas',
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'x' },
      spec: {
        group: 'g',
        scope: 'Namespaced',
        names: { plural: 'ws', kind: 'W' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  a: { type: 'array', items: { type: 'integer', default: 3, minimum: 1.5 } },
                  b: { 'x-kubernetes-int-or-string': true, additionalProperties: true },
                },
              },
            },
          },
        ],
      },
    },
  ],
];

for (const [name, object] of cases) {
  test(`what is encoded is decoded to the same object: ${name}`, () => {
    const bytes = encodeProtobuf(object as unknown as { apiVersion: string; kind: string });
    assert.deepEqual(JSON.parse(JSON.stringify(decodeProtobuf(bytes))), object);
  });
}

test('custom resources have no protobuf form', () => {
  assert.equal(hasProtobuf({ apiVersion: 'example.com/v1', kind: 'Widget' }), false);
});

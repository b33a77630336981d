import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinSchema, type JsonObject, type KubeObject } from '../../api/index.ts';
import type { StatusError } from '../../machinery/index.ts';
import { TypedDecoders } from './decoder.ts';

const decoders = new TypedDecoders((definition) => builtinSchema(definition));
const IDENTITY = { group: 'apps', version: 'v1', kind: 'Deployment' };

function decode(value: object, problems: string[] = []): KubeObject {
  return decoders.decodeKind('io.k8s.api.apps.v1.Deployment', IDENTITY, value as JsonObject, { problems });
}

const podSpec = (spec: unknown): object => ({ spec: { template: { spec } } });
const container = (more: object): object => podSpec({ containers: [{ name: 'a' }, { name: 'b', ...more }] });

const MISMATCHES: readonly [value: object, message: string][] = [
  [
    { spec: { replicas: 'three' } },
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { spec: { replicas: 1.5 } },
    'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { metadata: { labels: { n: 1 } } },
    'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
  ],
  [
    { metadata: { labels: ['a'] } },
    'json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string',
  ],
  [
    container({ env: [{ name: 'A', value: 1 }] }),
    'json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
  ],
  [
    podSpec({ containers: {} }),
    'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
  ],
  [
    podSpec('no'),
    'json: cannot unmarshal string into Go struct field PodTemplateSpec.spec.template.spec of type v1.PodSpec',
  ],
  [
    container({ ports: [{ containerPort: true }] }),
    'json: cannot unmarshal bool into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32',
  ],
  [
    { spec: { strategy: { rollingUpdate: { maxSurge: true } } } },
    'json: cannot unmarshal bool into Go value of type int32',
  ],
  [{ metadata: { creationTimestamp: 5 } }, 'json: cannot unmarshal number into Go value of type string'],
];

for (const [value, message] of MISMATCHES) {
  test(`a wrong type is refused: ${message}`, () => {
    assert.throws(
      () => decode(value),
      (error: StatusError) => {
        assert.equal(error.status.code, 400);
        assert.equal(
          error.status.message,
          `Deployment in version "v1" cannot be handled as a Deployment: ${message}`,
        );
        return true;
      },
    );
  });
}

test('unknown fields are left out and told of with their paths', () => {
  const problems: string[] = [];
  const value = { ...container({ imagee: 'x' }), colour: 'red' };
  const decoded = decode(value, problems);
  assert.equal('colour' in decoded, false);
  assert.deepEqual(problems, [
    'unknown field "spec.template.spec.containers[1].imagee"',
    'unknown field "colour"',
  ]);
});

test('quantities and times are kept in their canonical form', () => {
  const decoded = decode({
    metadata: { creationTimestamp: '2026-01-01T01:00:00+01:00' },
    ...container({ resources: { requests: { cpu: '0.5', memory: 1024 } } }),
  });
  assert.equal(decoded.metadata.creationTimestamp, '2026-01-01T00:00:00Z');
  assert.partialDeepStrictEqual(decoded, {
    spec: {
      template: { spec: { containers: [{}, { resources: { requests: { cpu: '500m', memory: '1024' } } }] } },
    },
  });
});

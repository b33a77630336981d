import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtinSchema, deepFreeze, resolveRef, type JsonValue, type Schema } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { StatusError, decodeTyped, pruneBySchema } from './index.ts';

function schemaOf(name: string): Schema {
  const schema = builtinSchema(`io.k8s.api.${name}`);
  assert(schema !== undefined, name);
  return schema;
}
const decode = (name: string, value: JsonValue): ReturnType<typeof decodeTyped> =>
  decodeTyped(deepFreeze(value), schemaOf(name), resolveRef);

const decoded: [name: string, type: string, value: JsonValue, result: JsonValue, unknown: string[]][] = [
  [
    'what is right is shared',
    'core.v1.ConfigMap',
    { metadata: { name: 'a' }, data: { k: 'v' } },
    { metadata: { name: 'a' }, data: { k: 'v' } },
    [],
  ],
  [
    'unknown fields in the order in which they stand',
    'core.v1.ConfigMap',
    { metadata: { name: 'a', nope: 'x' }, datta: {} },
    { metadata: { name: 'a' } },
    ['metadata.nope', 'datta'],
  ],
  [
    'unknown fields in lists',
    'core.v1.PodSpec',
    { containers: [{ name: 'a' }, { name: 'b', bogus: 1 }] },
    { containers: [{ name: 'a' }, { name: 'b' }] },
    ['containers[1].bogus'],
  ],
  ['names are case-sensitive', 'core.v1.ConfigMap', { Data: { k: 'v' } }, {}, ['Data']],
  [
    'null is absent',
    'core.v1.ConfigMap',
    { metadata: { name: 'a', creationTimestamp: null }, data: null },
    { metadata: { name: 'a' } },
    [],
  ],
  [
    'null in a map and in a list is the zero value',
    'core.v1.PodSpec',
    { containers: [null], nodeSelector: { a: null } },
    { containers: [{}], nodeSelector: { a: '' } },
    [],
  ],
  [
    'empty lists and maps are left out, empty structs and required lists stay',
    'core.v1.PodSpec',
    { containers: [], nodeSelector: {}, tolerations: [], securityContext: {} },
    { containers: [], securityContext: {} },
    [],
  ],
  [
    'quantities in canonical form',
    'core.v1.ResourceRequirements',
    { limits: { cpu: '1000m', memory: 1024 }, requests: { cpu: 0.5 } },
    { limits: { cpu: '1', memory: '1024' }, requests: { cpu: '500m' } },
    [],
  ],
  [
    'times in UTC and whole seconds',
    'core.v1.ConfigMap',
    { metadata: { creationTimestamp: '2026-01-01T02:00:00.5+01:00' } },
    { metadata: { creationTimestamp: '2026-01-01T01:00:00Z' } },
    [],
  ],
  [
    'micro times keep their digits',
    'coordination.v1.LeaseSpec',
    { renewTime: '2026-01-01T00:00:00.123456Z', acquireTime: '2026-01-01T00:00:00Z' },
    { renewTime: '2026-01-01T00:00:00.123456Z', acquireTime: '2026-01-01T00:00:00.000000Z' },
    [],
  ],
  [
    'int or string',
    'core.v1.ServicePort',
    { port: 1, targetPort: 'http' },
    { port: 1, targetPort: 'http' },
    [],
  ],
  ['bytes without line breaks', 'core.v1.Secret', { data: { a: 'aGk=\n' } }, { data: { a: 'aGk=' } }, []],
  [
    'raw extensions are not looked into',
    'apps.v1.ControllerRevision',
    { revision: 1, data: { any: [null], 'x.y': {} } },
    { revision: 1, data: { any: [null], 'x.y': {} } },
    [],
  ],
];
for (const [name, type, value, result, unknown] of decoded) {
  test(`typed decoding: ${name}`, () => {
    const outcome = decode(type, value);
    assert.deepEqual(outcome, { value: result, unknown });
    assert.equal(decode(type, outcome.value).value, outcome.value);
  });
}

const refused: [type: string, value: JsonValue, message: string][] = [
  [
    'apps.v1.Deployment',
    { spec: { replicas: 'three' } },
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    'apps.v1.Deployment',
    { spec: { replicas: 1.5 } },
    'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    'apps.v1.Deployment',
    { spec: { replicas: 3_000_000_000 } },
    'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    'apps.v1.Deployment',
    { spec: { template: { spec: { containers: [{ name: 1 }] } } } },
    'json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.name of type string',
  ],
  [
    'apps.v1.Deployment',
    { spec: { template: { spec: { containers: {} } } } },
    'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
  ],
  [
    'core.v1.ConfigMap',
    { data: 'str' },
    'json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string',
  ],
  [
    'core.v1.ConfigMap',
    { metadata: [] },
    'json: cannot unmarshal array into Go struct field ConfigMap.metadata of type v1.ObjectMeta',
  ],
  [
    'core.v1.ConfigMap',
    { immutable: 'yes' },
    'json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool',
  ],
  ['core.v1.ConfigMap', [], 'json: cannot unmarshal array into Go value of type v1.ConfigMap'],
  [
    'core.v1.ResourceRequirements',
    { limits: { cpu: 'x' } },
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    'core.v1.ResourceRequirements',
    { limits: { cpu: true } },
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    'core.v1.ServicePort',
    { port: 1, targetPort: true },
    'json: cannot unmarshal bool into Go value of type int32',
  ],
  [
    'core.v1.ConfigMap',
    { metadata: { creationTimestamp: 'x' } },
    'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
  ],
  ['core.v1.Secret', { data: { a: 'a*b=' } }, 'illegal base64 data at input byte 1'],
  ['core.v1.Secret', { data: { a: 'abc' } }, 'illegal base64 data at input byte 0'],
];
for (const [type, value, message] of refused) {
  test(`typed decoding: ${type} refuses ${JSON.stringify(value)}`, () => {
    assert.throws(
      () => decode(type, value),
      (error) => {
        assert(error instanceof StatusError);
        assert.deepEqual([error.code, error.message], [400, message]);
        return true;
      },
    );
  });
}

test('pruning a built-in type leaves wrong types to others', () => {
  const outcome = pruneBySchema({ data: 'str', x: 1 }, schemaOf('core.v1.ConfigMap'), resolveRef);
  assert.deepEqual(outcome, { value: { data: 'str' }, unknown: ['x'] });
});

test('a time in whole seconds and UTC stays the text that it is, and others come to be such texts', () => {
  const [from, to] = [Date.UTC(1000, 0, 1), Date.UTC(9999, 11, 31)];
  fc.assert(
    fc.property(fc.integer({ min: from / 1000, max: to / 1000 }), (seconds) => {
      const written = formatTime(seconds * 1000);
      const inBerlin = `${formatTime((seconds + 3600) * 1000).slice(0, -1)}+01:00`;
      for (const creationTimestamp of [written, inBerlin, `${written.slice(0, -1)}.25Z`]) {
        const { value } = decode('core.v1.ConfigMap', { metadata: { creationTimestamp } });
        assert.deepEqual(value, { metadata: { creationTimestamp: written } });
      }
    }),
  );
});

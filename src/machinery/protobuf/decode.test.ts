import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeProtobuf } from './decode.ts';

/** A field with a length: text, bytes or a message. */
function bytes(number: number, value: string | readonly number[]): number[] {
  const content = typeof value === 'string' ? [...Buffer.from(value)] : [...value];
  const tag = (number << 3) | 2;
  return [...(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), content.length, ...content];
}

const varint = (number: number, value: number): number[] => [number << 3, value];

function envelope(apiVersion: string, kind: string, raw: readonly number[]): Uint8Array {
  const typeMeta = [...bytes(1, apiVersion), ...bytes(2, kind)];
  return Uint8Array.from([0x6b, 0x38, 0x73, 0, ...bytes(1, typeMeta), ...bytes(2, raw)]);
}

test('a ConfigMap reads as its JSON, without the empty texts that Go sends', () => {
  const metadata = [
    ...bytes(1, 'conf'),
    ...bytes(2, ''),
    ...bytes(3, 'shop'),
    ...bytes(11, [...bytes(1, 'app'), ...bytes(2, 'web')]),
  ];
  const raw = [...bytes(1, metadata), ...bytes(2, [...bytes(1, 'key'), ...bytes(2, 'value')])];
  assert.deepEqual(JSON.parse(JSON.stringify(decodeProtobuf(envelope('v1', 'ConfigMap', raw)))), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'conf', namespace: 'shop', labels: { app: 'web' } },
    data: { key: 'value' },
  });
});

test('times, quantities and int-or-strings have the JSON form of their own', () => {
  const port = [...varint(3, 80), ...bytes(4, [...varint(1, 0), ...varint(2, 81)])];
  const named = [...varint(3, 80), ...bytes(4, [...varint(1, 1), ...bytes(3, 'http')])];
  const spec = [...bytes(1, port), ...bytes(1, named)];
  const service = decodeProtobuf(
    envelope('v1', 'Service', [...bytes(1, bytes(8, varint(1, 60))), ...bytes(2, spec)]),
  );
  assert.deepEqual(
    (service['metadata'] as { creationTimestamp: string }).creationTimestamp,
    '1970-01-01T00:01:00Z',
  );
  assert.deepEqual(
    (service['spec'] as { ports: { targetPort: unknown }[] }).ports.map(({ targetPort }) => targetPort),
    [81, 'http'],
  );
});

test('bytes become base64, keys like __proto__ stay keys', () => {
  const raw = [...bytes(2, [...bytes(1, '__proto__'), ...bytes(2, [1, 2, 3])])];
  const secret = decodeProtobuf(envelope('v1', 'Secret', raw));
  assert.equal(JSON.stringify(secret['data']), '{"__proto__":"AQID"}');
});

test('what Go embeds is part of the object that embeds it', () => {
  const volume = [...bytes(1, 'v'), ...bytes(2, bytes(19, bytes(1, bytes(1, 'conf'))))];
  const pod = decodeProtobuf(envelope('v1', 'Pod', bytes(2, bytes(1, volume))));
  assert.deepEqual((pod['spec'] as { volumes: unknown }).volumes, [
    { name: 'v', configMap: { name: 'conf' } },
  ]);
});

test('options of any group are known', () => {
  const options = decodeProtobuf(
    envelope('meta.k8s.io/v1', 'DeleteOptions', [...varint(1, 0), ...bytes(4, 'Background')]),
  );
  assert.equal(options['propagationPolicy'], 'Background');
  assert.equal(options['gracePeriodSeconds'], 0);
});

for (const [what, body] of [
  ['no magic', Uint8Array.from([1, 2, 3])],
  ['a kind that is not built in', envelope('example.io/v1', 'Widget', [])],
  ['a body that is cut off', envelope('v1', 'ConfigMap', [0x0a, 0x7f, 0x01])],
] as const) {
  test(`${what} is a bad request`, () => assert.throws(() => decodeProtobuf(body), { code: 400 }));
}

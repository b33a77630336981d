import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze, type JsonObject, type KubeObject, type Schema } from '../../api/index.ts';
import { CustomValues } from './custom-values.ts';

const schema: Schema = {
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { size: { type: 'integer' } } },
    mode: { type: 'string', default: 'plain' },
    status: { type: 'object', properties: { ready: { type: 'boolean' } } },
  },
};
const given = {
  status: { ready: true, more: 1 },
  metadata: { labels: { app: 'a' }, unknown: 1 },
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  spec: { size: 1, more: 2 },
} as unknown as JsonObject;

function decoded(values: CustomValues, value: JsonObject): { object: KubeObject; problems: string[] } {
  const problems: string[] = [];
  return { object: values.decode(value, { problems }), problems };
}

test('what is not known is pruned and told', () => {
  const { object, problems } = decoded(new CustomValues('example.com/v1', schema), given);
  assert.deepEqual(object, {
    status: { ready: true },
    metadata: { labels: { app: 'a' } },
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    spec: { size: 1 },
    mode: 'plain',
  });
  assert.deepEqual(problems.toSorted(), [
    'unknown field "metadata.unknown"',
    'unknown field "spec.more"',
    'unknown field "status.more"',
  ]);
});

test('parts that come back as they were stored are the very same, in their places; others are looked at', () => {
  const values = new CustomValues('example.com/v1', schema);
  const { mode: _, ...stored } = decoded(values, given).object;
  const whole = values.conform(deepFreeze({ ...stored, mode: 'plain' }));
  // The mode is no object, so that the whole was looked at anew.
  const again = values.conform(whole);
  const { object, problems } = decoded(values, {
    ...again,
    status: { ready: false, more: 1 },
  } as unknown as JsonObject);
  assert.deepEqual(Object.keys(object), ['status', 'metadata', 'apiVersion', 'kind', 'spec', 'mode']);
  assert.deepEqual(object['status'], { ready: false });
  assert.equal(object['spec'], again['spec']);
  assert.deepEqual(problems, ['unknown field "status.more"']);
});

test('metadata that was stored is not looked at again; any other is', () => {
  const values = new CustomValues('example.com/v1', {
    ...schema,
    properties: { spec: schema.properties!['spec']! },
  });
  const { object: made } = decoded(values, { ...given, status: undefined });
  // Only a second look could find what is odd.
  const stored = values.conform(deepFreeze({ ...made, metadata: { ...made.metadata, odd: 1 } }));
  const back = decoded(values, { ...stored } as unknown as JsonObject);
  assert.equal(back.object.metadata, stored.metadata);
  assert.deepEqual(back.problems, []);
  const changed = { ...stored, metadata: { ...made.metadata, unknown: 1 } };
  const { object, problems } = decoded(values, changed as unknown as JsonObject);
  assert.deepEqual(object.metadata, { labels: { app: 'a' } });
  assert.deepEqual(problems, ['unknown field "metadata.unknown"']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentV2 } from './document-v2.ts';
import { mergeV2 } from './merge-v2.ts';

const own: DocumentV2 = {
  version: 'v1',
  paths: new Map(),
  definitions: new Map([
    ['Meta', { type: 'object' }],
    ['Taken', { type: 'string' }],
  ]),
};
const path = '/apis/fish.example.com/v1/fish';
const reference = (name: string): object => ({ $ref: `#/definitions/${name}` });
const remote = {
  swagger: '2.0',
  paths: {
    [path]: {
      get: { responses: { '200': { schema: reference('Fish') } } },
      parameters: [{ name: 'pretty' }],
    },
    '/apis/other/v1/x': { get: { responses: { '200': { schema: reference('Other') } } } },
  },
  definitions: {
    Fish: { properties: { meta: reference('Meta'), taken: reference('Taken'), self: reference('Fish') } },
    Meta: { type: 'object' },
    Taken: { type: 'integer' },
    Other: { type: 'object' },
  },
};

test('only the paths of the group version come in, with what they need', () => {
  const merged = mergeV2(own, remote, 'fish.example.com', 'v1');
  assert.deepEqual([...merged.paths.keys()], [path]);
  assert.deepEqual(merged.paths.get(path)?.parameters, [{ name: 'pretty' }]);
  assert.deepEqual([...merged.definitions.keys()].sort(), ['Fish', 'Meta', 'Taken', 'Taken_v2']);
});

test('a definition that means something else here gets a name of its own', () => {
  const { definitions } = mergeV2(own, remote, 'fish.example.com', 'v1');
  assert.deepEqual(definitions.get('Taken'), { type: 'string' });
  assert.deepEqual(definitions.get('Taken_v2'), { type: 'integer' });
  assert.deepEqual(definitions.get('Fish')?.properties, {
    meta: reference('Meta'),
    taken: reference('Taken_v2'),
    self: reference('Fish'),
  });
});

test('what is no OpenAPI v2 document adds nothing', () => {
  for (const value of [
    undefined,
    'text',
    {},
    { swagger: '2.0' },
    { swagger: '3', paths: {}, definitions: {} },
  ]) {
    assert.equal(mergeV2(own, value, 'fish.example.com', 'v1'), own);
  }
});

// What is said of bodies that are no objects.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiRequest } from './contract.ts';
import type { Status } from '../machinery/index.ts';
import { serve } from './testing/served.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const STRUCT =
  'value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

const CASES: readonly (readonly [method: string, path: string, text: string, message: string])[] = [
  [
    'POST',
    CONFIG_MAPS,
    '{"apiVersion": "v1", ',
    'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"apiVersion": "v1", )',
  ],
  [
    'POST',
    CONFIG_MAPS,
    '{"apiVersion": "v1", "kind": "ConfigMap" "x"}',
    'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: invalid character \'"\' after object key:value pair ({"apiVersion": "v1", "kind": " ...)',
  ],
  [
    'POST',
    CONFIG_MAPS,
    '[]',
    `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go ${STRUCT} (5b5d)`,
  ],
  [
    'POST',
    CONFIG_MAPS,
    '',
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
  ],
  [
    'DELETE',
    `${CONFIG_MAPS}/a`,
    'x',
    "couldn't get version/kind; json parse error: invalid character 'x' looking for beginning of value",
  ],
  [
    'DELETE',
    `${CONFIG_MAPS}/a`,
    '7',
    `couldn't get version/kind; json parse error: json: cannot unmarshal number into Go ${STRUCT}`,
  ],
  [
    'DELETE',
    `${CONFIG_MAPS}/a`,
    '{"gracePeriodSeconds":"soon"}',
    'json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64',
  ],
  [
    'DELETE',
    CONFIG_MAPS,
    '{"preconditions":[]}',
    'json: cannot unmarshal array into Go struct field DeleteOptions.preconditions of type v1.Preconditions',
  ],
];

for (const [method, path, text, message] of CASES) {
  test(`${method} ${text === '' ? 'nothing' : text}`, async () => {
    const { server } = await serve();
    const request: ApiRequest = {
      method,
      path,
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/json' },
      body: text === '' ? undefined : { bytes: Buffer.from(text) },
      user: { name: 'admin', groups: ['system:masters'] },
      signal: new AbortController().signal,
    };
    const response = await server.handle(request);
    assert.equal(response.kind, 'object');
    const status = (response as { object: Status }).object;
    assert.deepEqual([status.code, status.reason, status.message], [400, 'BadRequest', message]);
  });
}

test('options of a deletion may name the group of the object, or be null', async () => {
  const served = await serve();
  for (const [name, body] of [
    ['a', { kind: 'DeleteOptions', apiVersion: 'apps/v1', gracePeriodSeconds: 0 }],
    ['b', null],
  ] as const) {
    await served.must('POST', CONFIG_MAPS, { metadata: { name } });
    await served.must('DELETE', `${CONFIG_MAPS}/${name}`, body);
  }
});

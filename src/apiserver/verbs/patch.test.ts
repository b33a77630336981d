// What kube-apiserver makes of patches and applied configurations that are unusual: which are refused, how, and which
// are not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

const PATH = '/api/v1/namespaces/default/configmaps/a';
const MERGE = { contentType: 'application/merge-patch+json' };
const JSON_PATCH = { contentType: 'application/json-patch+json' };
const STRATEGIC = { contentType: 'application/strategic-merge-patch+json' };
const APPLY = { contentType: 'application/apply-patch+yaml', query: { fieldManager: 'm' } };

async function withConfigMap(): Promise<Served> {
  const served = await serve();
  await served.must('POST', '/api/v1/namespaces/default/configmaps', {
    metadata: { name: 'a' },
    data: { k: 'v' },
  });
  return served;
}

const nameless = 'the name of the object (a based on URL) was undeterminable: name must be provided';
const immutableUid = 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "other": field is immutable';

const REFUSED: readonly (readonly [string, object, unknown, number, string])[] = [
  ['takes the name away', MERGE, { metadata: { name: null } }, 400, nameless],
  ['takes all metadata away', MERGE, { metadata: null }, 400, nameless],
  ['removes the name', JSON_PATCH, [{ op: 'remove', path: '/metadata/name' }], 400, nameless],
  ['deletes everything', STRATEGIC, { $patch: 'delete' }, 400, nameless],
  [
    'writes a version that is none',
    MERGE,
    { metadata: { resourceVersion: 'b' } },
    500,
    'strconv.ParseUint: parsing "b": invalid syntax',
  ],
  [
    'is of another shape',
    MERGE,
    5,
    400,
    'error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}',
  ],
  [
    'has no operations',
    JSON_PATCH,
    { op: 'add' },
    400,
    'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
  ],
  [
    'has more operations than a patch may have',
    JSON_PATCH,
    Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'ConfigMap' })),
    413,
    'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
  ],
  [
    'applies another uid',
    APPLY,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', uid: 'other' } },
    422,
    immutableUid,
  ],
  [
    'applies what is no object',
    APPLY,
    ['a'],
    400,
    'error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
  ],
  ['applies nothing', APPLY, null, 400, 'invalid object type: /, Kind='],
  [
    'applies under an apiVersion that is none',
    APPLY,
    { apiVersion: 'a/b/c', kind: 'ConfigMap', metadata: { name: 'a' } },
    400,
    'invalid object type: /, Kind=',
  ],
];

for (const [why, how, body, code, message] of REFUSED) {
  test(`a patch is refused that ${why}`, async () => {
    const served = await withConfigMap();
    const answer = await served.send('PATCH', PATH, body, how);
    const status = answer.body as Status;
    assert.deepEqual([answer.status, status.message], [code, message]);
  });
}

test('a patch that leaves another kind or a wrong value is invalid, and the refusal names no object', async () => {
  const served = await withConfigMap();
  for (const body of [{ kind: 'Secret' }, { apiVersion: 'v2' }, { data: { k: 1 } }]) {
    const answer = await served.send('PATCH', PATH, body, MERGE);
    assert.equal(answer.status, 422);
    const { message = '', details } = answer.body as Status;
    assert.match(message, /^ "" is invalid: patch: Invalid value: "\{/);
    assert.deepEqual(Object.keys(details ?? {}), ['causes']);
    assert.equal(details?.causes?.[0]?.field, 'patch');
  }
});

test('a strategic patch cannot change the kind, and null is no change', async () => {
  const served = await withConfigMap();
  const patched = await served.must('PATCH', PATH, { kind: 'Secret', data: { k: 'w' } }, STRATEGIC);
  assert.deepEqual([patched.kind, patched['data']], ['ConfigMap', { k: 'w' }]);
  assert.deepEqual((await served.must('PATCH', PATH, null, STRATEGIC))['data'], { k: 'w' });
  assert.deepEqual((await served.must('PATCH', PATH, null, JSON_PATCH))['data'], { k: 'w' });
});

test('what is applied need not say the namespace, but a new object its name', async () => {
  const served = await serve();
  const configuration = (metadata: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
  const refused = await served.send('PATCH', PATH, configuration({}), APPLY);
  assert.deepEqual([refused.status, (refused.body as Status).message], [400, nameless]);
  const made = await served.must('PATCH', PATH, configuration({ name: 'a' }), APPLY);
  assert.equal(made.metadata.namespace, 'default');
  await served.must('PATCH', PATH, configuration({}), APPLY);
});

test("kubectl's note of what it applied is written as Go writes it", async () => {
  const served = await serve();
  const note = 'kubectl.kubernetes.io/last-applied-configuration';
  await served.must('POST', '/api/v1/namespaces/default/configmaps', {
    metadata: { name: 'a', annotations: { [note]: '{}' } },
    data: { k: 'v' },
  });
  const applied = { kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: '<v>' }, apiVersion: 'v1' };
  const more = { contentType: APPLY.contentType, query: { fieldManager: 'kubectl', force: 'true' } };
  const { metadata }: KubeObject = await served.must('PATCH', PATH, applied, more);
  assert.equal(
    metadata.annotations?.[note],
    '{"apiVersion":"v1","data":{"k":"\\u003cv\\u003e"},"kind":"ConfigMap","metadata":{"name":"a"}}\n',
  );
});

test('an update without the version that it needs is told so, and one of another object where that is stored', async () => {
  const served = await serve();
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
  const { metadata } = await served.must('POST', leases, { metadata: { name: 'l' } });
  const unversioned = await served.send('PUT', `${leases}/l`, { metadata: { name: 'l' } });
  assert.equal(
    (unversioned.body as Status).message,
    'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  );
  const other = await served.send('PUT', `${leases}/l`, { metadata: { name: 'l', uid: 'x' } });
  assert.equal(
    (other.body as Status).message,
    'Operation cannot be fulfilled on leases.coordination.k8s.io "l": StorageError: invalid object, Code: 4, ' +
      'Key: /registry/leases/default/l, ResourceVersion: 0, AdditionalErrorMsg: ' +
      `Precondition failed: UID in precondition: x, UID in object meta: ${metadata.uid}`,
  );
});

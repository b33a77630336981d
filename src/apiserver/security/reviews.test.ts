// Reviews, token requests and creation by other verbs, over a whole server: what is refused, and in which words.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Status } from '../../machinery/index.ts';
import { secureServer, type SecureServer } from '../testing/secure-server.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1';
const DEFAULT = '/api/v1/namespaces/default';
const TOKEN = `${DEFAULT}/serviceaccounts/robot/token`;

let server: SecureServer;

const post = (path: string, body: object): ReturnType<SecureServer['call']> =>
  server.call(path, { method: 'POST', body });

before(async () => {
  server = await secureServer();
  await post('/api/v1/namespaces', { metadata: { name: 'default' } });
  await post(`${DEFAULT}/serviceaccounts`, { metadata: { name: 'robot' } });
});

after(() => server[Symbol.asyncDispose]());

const pods = { verb: 'list', resource: 'pods' };
const withSelectors = (selectors: object): object => ({
  spec: { user: 'u', resourceAttributes: { ...pods, ...selectors } },
});

const REFUSED: readonly (readonly [path: string, body: object, code: number, message: string])[] = [
  [
    `${REVIEWS}/subjectaccessreviews`,
    { spec: {} },
    422,
    '.authorization.k8s.io "" is invalid: [spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: "": at least one of user or group must be specified]',
  ],
  [
    `${REVIEWS}/selfsubjectaccessreviews`,
    { metadata: { name: 'x' }, spec: { resourceAttributes: pods } },
    422,
    '.authorization.k8s.io "" is invalid: metadata: Invalid value: {"name":"x"}: must be empty',
  ],
  [
    `${REVIEWS}/subjectaccessreviews`,
    withSelectors({
      fieldSelector: {},
      labelSelector: { rawSelector: 'a', requirements: [{ key: '?', operator: 'In' }] },
    }),
    422,
    ".authorization.k8s.io \"\" is invalid: [spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required, spec.resourceAttributes.labelSelector.rawSelector: Invalid value: \"a\": may not specified at the same time as requirements, spec.resourceAttributes.labelSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn', spec.resourceAttributes.labelSelector.requirements[0].key: Invalid value: \"?\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')]",
  ],
  [
    `${REVIEWS}/subjectaccessreviews?fieldValidation=Strict`,
    { ...withSelectors({}), colour: 'red' },
    400,
    'SubjectAccessReview in version "v1" cannot be handled as a SubjectAccessReview: strict decoding error: unknown field "colour"',
  ],
  [
    TOKEN,
    { metadata: { name: 'other' }, spec: {} },
    422,
    'TokenRequest.authentication.k8s.io "robot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
  ],
  [
    TOKEN,
    { metadata: { namespace: 'other' }, spec: {} },
    400,
    'the namespace of the provided object does not match the namespace sent on the request',
  ],
  [
    TOKEN,
    { spec: { expirationSeconds: 5 } },
    422,
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
  ],
  [
    TOKEN,
    { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'apps/v1', name: 'x' } } },
    400,
    'cannot bind token for serviceaccount "robot" to object type apps/v1, Kind=Pod',
  ],
  [
    TOKEN,
    { spec: { boundObjectRef: { kind: 'Node', apiVersion: 'v1', name: 'x' } } },
    404,
    'nodes "x" not found',
  ],
];

for (const [path, body, code, message] of REFUSED) {
  test(`POST ${path} is refused: ${JSON.stringify(body)}`, async () => {
    const answer = await post(path, body);
    assert.deepEqual([answer.status, answer.body.message], [code, message]);
  });
}

test('a review warns of fields that it does not know', async () => {
  const answer = await post(`${REVIEWS}/subjectaccessreviews`, { ...withSelectors({}), colour: 'red' });
  assert.deepEqual([answer.status, answer.headers['warning']], [201, '299 - "unknown field \\"colour\\""']);
});

test('who may only change objects makes none by it', async () => {
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  await post(`${rbac}/roles`, {
    metadata: { name: 'changes' },
    rules: [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['update'] },
    ],
  });
  await post(`${rbac}/rolebindings`, {
    metadata: { name: 'changes' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'changes' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'pat' }],
  });
  const as = (contentType: string): object => ({ 'impersonate-user': 'pat', 'content-type': contentType });
  const applied = await server.call(`${DEFAULT}/configmaps/new?fieldManager=pat`, {
    method: 'PATCH',
    headers: { ...as('application/apply-patch+yaml') },
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' } },
  });
  assert.deepEqual(
    [applied.status, applied.body.message],
    [
      403,
      'configmaps "new" is forbidden: User "pat" cannot create resource "configmaps" in API group "" in the namespace "default"',
    ],
  );
  const put = await server.call('/apis/coordination.k8s.io/v1/namespaces/default/leases/new', {
    method: 'PUT',
    headers: { ...as('application/json') },
    body: { metadata: { name: 'new' } },
  });
  const refused = put.body as unknown as Status;
  assert.deepEqual([put.status, refused.details?.kind], [403, 'leases']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestInfo } from './contract.ts';
import { parseRequestInfo } from './request-info.ts';

const NS = '/api/v1/namespaces/shop';
const CASES: readonly [method: string, url: string, expected: Partial<RequestInfo>][] = [
  ['GET', '/version', { isResource: false, verb: 'get' }],
  ['GET', '/api/v1', { isResource: false, verb: 'get' }],
  ['GET', '/apis/apps/v1', { isResource: false }],
  ['GET', '/api/v1/nodes', { verb: 'list', resource: 'nodes', namespace: '', name: '' }],
  ['GET', '/api/v1/nodes?watch=true', { verb: 'watch', resource: 'nodes' }],
  ['GET', '/api/v1/nodes?watch', { verb: 'watch' }],
  ['GET', '/api/v1/nodes?watch=0', { verb: 'list' }],
  ['GET', '/api/v1/nodes/n1?watch=true', { verb: 'get', name: 'n1' }],
  ['GET', '/api/v1/nodes?fieldSelector=metadata.name%3Dn1', { verb: 'list', name: 'n1' }],
  ['HEAD', '/api/v1/nodes/n1', { verb: 'get', name: 'n1' }],
  ['DELETE', '/api/v1/nodes', { verb: 'deletecollection' }],
  ['DELETE', '/api/v1/nodes/n1', { verb: 'delete', name: 'n1' }],
  ['PUT', '/api/v1/nodes/n1/status', { verb: 'update', subresource: 'status' }],
  ['GET', NS, { verb: 'get', resource: 'namespaces', namespace: 'shop', name: 'shop' }],
  ['PUT', `${NS}/finalize`, { resource: 'namespaces', name: 'shop', subresource: 'finalize' }],
  ['POST', `${NS}/pods`, { verb: 'create', resource: 'pods', namespace: 'shop', name: '' }],
  ['POST', `${NS}/pods/web/exec`, { verb: 'create', name: 'web', subresource: 'exec' }],
  [
    'GET',
    `${NS}/services/web/proxy/a/b`,
    { resource: 'services', name: 'web', subresource: 'proxy', rest: 'a/b' },
  ],
  [
    'PATCH',
    '/apis/apps/v1/namespaces/shop/deployments/web/scale',
    { verb: 'patch', group: 'apps', version: 'v1', resource: 'deployments', subresource: 'scale' },
  ],
  ['GET', '/api/v1/watch/namespaces/shop/pods', { verb: 'watch', resource: 'pods', namespace: 'shop' }],
  ['GET', `${NS}/configmaps/system%3Aa`, { name: 'system:a' }],
];

for (const [method, url, expected] of CASES) {
  test(`${method} ${url} is understood`, () => {
    const [path = '', query = ''] = url.split('?');
    const { info } = parseRequestInfo(method, path, new URLSearchParams(query));
    assert.partialDeepStrictEqual(info, { isResource: true, ...expected });
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { APIService, EndpointSlice, Service } from '../../api/index.ts';
import { LOCAL, localApiService, registrationStep, withAvailability } from './api-service.ts';
import { aggregatedVersion, listedResources } from './remote-discovery.ts';
import { checkService, locate } from './service-location.ts';

const ours = localApiService({ group: 'apps', version: 'v1', managed: 'onstart' });
const custom = localApiService({ group: 'example.com', version: 'v1', managed: 'true' });
const foreign: APIService = { ...custom, metadata: { name: 'v1.example.com' } };
const moved: APIService = { ...custom, spec: { ...custom.spec!, groupPriorityMinimum: 7 } };

for (const [name, found, wanted, starting, step] of [
  ['nothing there and nothing wanted is left so', undefined, undefined, true, 'none'],
  ['a built-in one is made at the start', undefined, ours, true, 'create'],
  ['a built-in one that somebody deleted stays away until the next start', undefined, ours, false, 'none'],
  ['one of custom resources comes whenever it is missing', undefined, custom, false, 'create'],
  ['one that is right stays', custom, custom, true, 'none'],
  ['one that somebody changed is put right', moved, custom, false, 'update'],
  ['one whose resources are gone goes', custom, undefined, false, 'delete'],
  ['a built-in one that is no longer served goes at the next start', ours, undefined, true, 'delete'],
  ['a built-in one is not deleted while the server runs', ours, undefined, false, 'none'],
  ['one without our label is left alone, whatever is wanted', foreign, custom, true, 'none'],
  ['one without our label is not deleted either', foreign, undefined, true, 'none'],
] as const) {
  test(`registration: ${name}`, () => assert.equal(registrationStep(found, wanted, starting), step));
}

test('the time of the last transition moves with the status only', () => {
  const first = withAvailability(ours, LOCAL, 0);
  assert.equal(first?.[0]?.lastTransitionTime, '1970-01-01T00:00:00Z');
  const known = { ...ours, status: { conditions: first ?? [] } };
  assert.equal(withAvailability(known, LOCAL, 5000), undefined);
  const reworded = withAvailability(known, { ...LOCAL, message: 'other' }, 5000);
  assert.equal(reworded?.[0]?.lastTransitionTime, '1970-01-01T00:00:00Z');
  const lost = withAvailability(known, { status: 'False', reason: 'Gone', message: '' }, 5000);
  assert.equal(lost?.[0]?.lastTransitionTime, '1970-01-01T00:00:05Z');
});

const reference = { namespace: 'a', name: 'fish', port: 443 };
const service = (spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'fish', namespace: 'a' },
  ...(spec === undefined ? {} : { spec }),
});
const slice = (addresses: readonly string[], ready: boolean, portName = 'https'): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'fish-1', namespace: 'a' },
  addressType: 'IPv4',
  endpoints: [{ addresses, conditions: { ready } }],
  ports: [{ name: portName, port: 8443 }],
});
const clusterIp = service({ ports: [{ name: 'https', port: 443 }] });

for (const [name, facts, reason] of [
  ['no Service', { service: undefined, slices: [] }, 'ServiceNotFound'],
  ['another port', { service: service({ ports: [{ port: 80 }] }), slices: [] }, 'ServicePortError'],
  ['no endpoints', { service: clusterIp, slices: [] }, 'EndpointsNotFound'],
  ['no ready endpoint', { service: clusterIp, slices: [slice(['10.0.0.1'], false)] }, 'MissingEndpoints'],
  [
    'no endpoint with the port',
    { service: clusterIp, slices: [slice(['10.0.0.1'], true, 'web')] },
    'MissingEndpoints',
  ],
  ['an endpoint', { service: clusterIp, slices: [slice(['10.0.0.1'], true)] }, undefined],
  [
    'an external name',
    { service: service({ type: 'ExternalName', externalName: 'x.org' }), slices: [] },
    undefined,
  ],
] as const) {
  test(`a Service with ${name}: ${reason ?? 'nothing stands against it'}`, () =>
    assert.equal(checkService(facts, reference)?.reason, reason));
}

test('a Service leads to one of its ready endpoints, or to its external name', () => {
  const slices = [slice(['10.0.0.1'], true), slice(['10.0.0.2'], false), slice(['10.0.0.3'], true)];
  assert.deepEqual(locate({ service: clusterIp, slices }, reference, 0), { host: '10.0.0.1', port: 8443 });
  assert.deepEqual(locate({ service: clusterIp, slices }, reference, 0.99), { host: '10.0.0.3', port: 8443 });
  assert.equal(locate({ service: clusterIp, slices: [] }, reference, 0), undefined);
  const external = service({ type: 'ExternalName', externalName: 'fish.example.org' });
  assert.deepEqual(locate({ service: external, slices: [] }, reference, 0.5), {
    host: 'fish.example.org',
    port: 443,
  });
});

test('the resources of a list become one version of aggregated discovery', () => {
  const listed = listedResources({
    kind: 'APIResourceList',
    resources: [
      {
        name: 'fish/scale',
        kind: 'Scale',
        group: 'autoscaling',
        version: 'v1',
        verbs: ['get'],
        namespaced: true,
      },
      {
        name: 'fish',
        singularName: 'fish',
        kind: 'Fish',
        verbs: ['list'],
        namespaced: true,
        shortNames: ['f'],
      },
    ],
  });
  assert.deepEqual(aggregatedVersion('example.com', 'v1', listed ?? [], false), {
    version: 'v1',
    resources: [
      {
        resource: 'fish',
        responseKind: { group: 'example.com', version: 'v1', kind: 'Fish' },
        scope: 'Namespaced',
        singularResource: 'fish',
        verbs: ['list'],
        shortNames: ['f'],
        subresources: [
          {
            subresource: 'scale',
            responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
            verbs: ['get'],
          },
        ],
      },
    ],
    freshness: 'Current',
  });
  assert.deepEqual(aggregatedVersion('example.com', 'v1', [], true)['freshness'], 'Stale');
  for (const value of [undefined, null, 'x', {}, { kind: 'APIResourceList', resources: [{ name: 1 }] }]) {
    assert.equal(listedResources(value), undefined);
  }
});

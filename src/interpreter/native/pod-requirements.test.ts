import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../api/index.ts';
import { createInterpreter, nativeLayer } from '../index.ts';
import { podRequirements } from './pod-requirements.ts';

const asking = (...requests: JsonObject[]): JsonObject => ({
  containers: requests.map((one) => ({ name: 'c', resources: { requests: one } })),
});

const CASES: readonly [name: string, podSpec: JsonObject, request: JsonObject | undefined][] = [
  ['memory comes out in binary notation', asking({ memory: '1G' }), { memory: '1000000000' }],
  ['as plain bytes too', asking({ memory: '128974848' }), { memory: '123Mi' }],
  ['and with an exponent', asking({ memory: '1e9' }), { memory: '1000000000' }],
  ['so do storage and huge pages', asking({ 'ephemeral-storage': '1.5Gi', 'hugepages-2Mi': '4096Ki' }),
    { 'ephemeral-storage': '1536Mi', 'hugepages-2Mi': '4Mi' }],
  ['cpu counts in thousandths', asking({ cpu: '1.5' }), { cpu: '1500m' }],
  ['rounded up for each container', asking({ cpu: '100u' }, { cpu: '100u' }), { cpu: '2m' }],
  ['memory has no parts of bytes', asking({ memory: '1500m' }), { memory: '2' }],
  ['devices are whole', asking({ 'example.com/gpu': '1500m' }), { 'example.com/gpu': '2' }],
  ['what is nothing is not asked for', asking({ cpu: '0', memory: '1Mi' }), { memory: '1Mi' }],
  ['nor does anything remain of nothing', asking({ cpu: 0 }), undefined],
  ['names that no container can ask for do not count', asking({ storage: '1Gi', foo: '1' }), undefined],
  ['an init container that asks for less changes nothing',
    { ...asking({ cpu: '1' }), initContainers: [{ resources: { limits: { cpu: '500m' } } }] }, { cpu: '1' }],
]; // prettier-ignore

for (const [name, podSpec, resourceRequest] of CASES) {
  test(`requirements: ${name}`, () => {
    assert.deepEqual(
      podRequirements(podSpec),
      resourceRequest === undefined ? undefined : { resourceRequest },
    );
  });
}

test('a priority class is named beside other requirements only, and only where quotas ask for it', () => {
  const of = (priorityClasses: boolean, podSpec: JsonObject): unknown =>
    createInterpreter([nativeLayer(() => '', { priorityClasses })]).replicas({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'x' },
      spec: { replicas: 1, template: { spec: { priorityClassName: 'high', ...podSpec } } },
    });
  const resourceRequest = { cpu: '1' };
  assert.deepEqual(of(true, asking({ cpu: '1' })), {
    replicas: 1,
    requirements: { resourceRequest, priorityClassName: 'high' },
  });
  assert.deepEqual(of(false, asking({ cpu: '1' })), { replicas: 1, requirements: { resourceRequest } });
  assert.deepEqual(of(true, {}), { replicas: 1, requirements: undefined });
});

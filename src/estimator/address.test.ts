import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../api/index.ts';
import { estimatorAddresses } from './address.ts';

const at = { namespace: 'karmada-system', name: 'karmada-scheduler-estimator-m1', port: 10352 };
const service = (spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: at.name, namespace: at.namespace },
  ...(spec === undefined ? {} : { spec }),
});
const port = { port: 10352, targetPort: 31352 };

const cases: [sentence: string, of: Service | undefined, expected: readonly string[] | RegExp][] = [
  ['no Service: by DNS', undefined, ['karmada-scheduler-estimator-m1.karmada-system.svc.cluster.local:10352', 'karmada-scheduler-estimator-m1.karmada-system.svc:10352']],
  ['an external name', service({ type: 'ExternalName', externalName: 'm1.example', ports: [port] }), ['m1.example:31352']],
  ['an external address', service({ type: 'ExternalName', externalName: 'fd00::1', ports: [port] }), ['[fd00::1]:31352']],
  ['no target port is the port itself', service({ type: 'ExternalName', externalName: 'm1.example', ports: [{ port: 10352 }] }), ['m1.example:10352']],
  ['another kind of Service', service({ type: 'NodePort', ports: [port] }), /unsupported service type "NodePort"/],
  ['a Service that says no type', service({ ports: [port] }), /unsupported service type "ClusterIP"/],
  ['another port', service({ type: 'ExternalName', externalName: 'm1.example', ports: [{ port: 1 }] }), /no service port 10352/],
  ['a named target port', service({ type: 'ExternalName', externalName: 'm1.example', ports: [{ port: 10352, targetPort: 'grpc' }] }), /int target port/],
]; // prettier-ignore
for (const [sentence, of, expected] of cases) {
  test(`estimator address: ${sentence}`, () => {
    if (expected instanceof RegExp) assert.throws(() => estimatorAddresses(at, of), expected);
    else assert.deepEqual(estimatorAddresses(at, of), expected);
  });
}

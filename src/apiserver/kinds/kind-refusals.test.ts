// What kube-apiserver says of objects of a cluster that are wrong, word for word.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

let served: Served;
before(async () => {
  served = await serve();
});

const SERVICES = '/api/v1/namespaces/default/services';
const LIMITS = '/api/v1/namespaces/default/limitranges';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const PORTS = [{ port: 80 }];
const SELECTOR = { a: 'b' };

const CASES: readonly (readonly [what: string, path: string, rest: object, complaints: string])[] = [
  [
    'an address under another name',
    SERVICES,
    { spec: { type: 'ExternalName', externalName: 'a.b', clusterIP: '10.96.0.9' } },
    'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
  ],
  [
    'what is no address',
    SERVICES,
    { spec: { ports: PORTS, clusterIP: 'x' } },
    'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    'a list without its first',
    SERVICES,
    { spec: { ports: PORTS, clusterIPs: ['10.96.0.9'] } },
    'spec.clusterIPs: Invalid value: ["10.96.0.9"]: must be empty when `clusterIP` is not specified',
  ],
  [
    'a family that is not here',
    SERVICES,
    { spec: { ports: PORTS, ipFamilies: ['IPv6'] } },
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  ],
  [
    'an address of a family that is not here',
    SERVICES,
    { spec: { ports: PORTS, clusterIP: 'fd00::1' } },
    'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
  ],
  [
    'an address of another family',
    SERVICES,
    { spec: { ports: PORTS, clusterIP: '10.96.0.9', ipFamilies: ['IPv6'] } },
    'spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`',
  ],
  [
    'both families',
    SERVICES,
    { spec: { ports: PORTS, clusterIP: 'None', selector: SELECTOR, ipFamilyPolicy: 'RequireDualStack' } },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
  [
    'both families, and only one',
    SERVICES,
    { spec: { ports: PORTS, ipFamilies: ['IPv4', 'IPv6'] } },
    "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
  ],
  [
    'a policy that there is not',
    '/apis/scheduling.k8s.io/v1/priorityclasses',
    { value: 1, preemptionPolicy: 'X' },
    'preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"',
  ],
  [
    'a finalizer of nobody',
    '/api/v1/namespaces',
    { spec: { finalizers: ['x'] } },
    'spec.finalizers: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
  ],
  [
    'what is no network',
    '/api/v1/nodes',
    { spec: { podCIDR: 'x' } },
    'spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    'a strategy that there is not',
    LEASES,
    { spec: { strategy: 'Foo' } },
    'spec.strategy: Unsupported value: "Foo": supported values: "OldestEmulationVersion"',
  ],
  [
    'a choice without a strategy',
    LEASES,
    { spec: { preferredHolder: 'b' } },
    'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
  ],
  [
    'claims without a bound',
    LIMITS,
    { spec: { limits: [{ type: 'PersistentVolumeClaim', default: { storage: '1Gi' } }] } },
    'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
  ],
  [
    'what containers do not have',
    LIMITS,
    { spec: { limits: [{ type: 'Container', defaultRequest: { pods: '1' } }] } },
    'spec.limits[0].defaultRequest[pods]: Invalid value: "pods": must be a standard resource for containers',
  ],
  [
    'what is not counted',
    '/api/v1/namespaces/default/resourcequotas',
    { spec: { hard: { foo: '1' } } },
    '[spec.hard[foo]: Invalid value: "foo": must be a standard resource type or fully qualified, spec.hard[foo]: Invalid value: "foo": must be a standard resource for quota]',
  ],
];

for (const [what, path, rest, complaints] of CASES) {
  test(`${path.slice(path.lastIndexOf('/') + 1)}: ${what}`, async () => {
    const { status, body } = await served.send('POST', path, { metadata: { name: 'a' }, ...rest });
    assert.equal(status, 422);
    const { message = '' } = body as Status;
    assert.equal(message.slice(message.indexOf(' is invalid: ') + ' is invalid: '.length), complaints);
  });
}

const FAMILIES: readonly (readonly [spec: object, policy: string, families: readonly string[]])[] = [
  [{ ports: PORTS, ipFamilyPolicy: 'PreferDualStack' }, 'PreferDualStack', ['IPv4']],
  [{ clusterIP: 'None' }, 'RequireDualStack', ['IPv4', 'IPv6']],
  [{ clusterIP: 'None', ipFamilies: ['IPv6'] }, 'RequireDualStack', ['IPv6', 'IPv4']],
  [{ clusterIP: 'None', ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] }, 'SingleStack', ['IPv6']],
  [{ clusterIP: 'None', selector: SELECTOR }, 'SingleStack', ['IPv4']],
];

for (const [i, [spec, policy, families]] of FAMILIES.entries()) {
  test(`a service with ${JSON.stringify(spec)} is of ${families.join(' and ')}`, async () => {
    const { status, body } = await served.send('POST', SERVICES, { metadata: { name: `f${i}` }, spec });
    assert.equal(status, 201);
    const made = (body as { spec: { ipFamilyPolicy: string; ipFamilies: string[] } }).spec;
    assert.deepEqual([made.ipFamilyPolicy, made.ipFamilies], [policy, families]);
  });
}

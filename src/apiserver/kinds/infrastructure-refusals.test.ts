// What kube-apiserver says of what workloads stand on and is wrong: storage, networks, devices, secrets, word for word.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

let served: Served;
before(async () => {
  served = await serve();
});

const STORAGE = '/apis/storage.k8s.io/v1';
const CLASSES = `${STORAGE}/storageclasses`;
const ATTRIBUTES = `${STORAGE}/volumeattributesclasses`;
const DRIVERS = `${STORAGE}/csidrivers`;
const NODES = `${STORAGE}/csinodes`;
const CAPACITIES = `${STORAGE}/namespaces/default/csistoragecapacities`;
const ATTACHMENTS = `${STORAGE}/volumeattachments`;
const RUNTIMES = '/apis/node.k8s.io/v1/runtimeclasses';
const ENDPOINTS = '/api/v1/namespaces/default/endpoints';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const NETWORKS = '/apis/networking.k8s.io/v1/servicecidrs';
const ADDRESSES = '/apis/networking.k8s.io/v1/ipaddresses';
const DEVICES = '/apis/resource.k8s.io/v1';
const CLAIMS = `${DEVICES}/namespaces/default/resourceclaims`;
const TEMPLATES = `${DEVICES}/namespaces/default/resourceclaimtemplates`;
const DEVICE_CLASSES = `${DEVICES}/deviceclasses`;
const DEVICE_SLICES = `${DEVICES}/resourceslices`;
const SECRETS = '/api/v1/namespaces/default/secrets';

const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const SOURCE = { persistentVolumeName: 'pv' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const request = (rest: object): object => ({ spec: { devices: { requests: [{ name: 'r', ...rest }] } } });
const exactly = { deviceClassName: 'c' };
const slice = (rest: object): object => ({
  spec: { driver: 'd.io', nodeName: 'n', pool: { name: 'p', resourceSliceCount: 1, generation: 0 }, ...rest },
});
const device = (rest: object): object => slice({ devices: [{ name: 'd', ...rest }] });

const CASES: readonly (readonly [what: string, path: string, rest: object, complaints: string])[] = [
  ['nobody who makes volumes', CLASSES, {}, 'provisioner: Required value'],
  [
    'a name in capitals is shown in small letters',
    CLASSES,
    { provisioner: 'A b' },
    `provisioner: Invalid value: "a b": ${QUALIFIED}`,
  ],
  [
    'a policy and a mode that there are not',
    CLASSES,
    { provisioner: 'a', reclaimPolicy: 'Recycle', volumeBindingMode: 'Later' },
    '[reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain", volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"]',
  ],
  [
    'places without values, and twice',
    CLASSES,
    {
      provisioner: 'a',
      allowedTopologies: [
        {
          matchLabelExpressions: [
            { key: 'z', values: [] },
            { key: 'z', values: ['x', 'x'] },
          ],
        },
      ],
    },
    '[allowedTopologies[0].matchLabelExpressions[0].values: Required value, allowedTopologies[0].matchLabelExpressions[1].values[1]: Duplicate value: "x", allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "z"]',
  ],
  [
    'the same place twice',
    CLASSES,
    {
      provisioner: 'a',
      allowedTopologies: [
        { matchLabelExpressions: [{ key: 'z', values: ['a', 'b'] }] },
        { matchLabelExpressions: [{ key: 'z', values: ['b', 'a'] }] },
      ],
    },
    'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
  ],
  [
    'nothing that it says of volumes',
    ATTRIBUTES,
    { driverName: 'a' },
    'parameters: Required value: must contain at least one key/value pair',
  ],
  [
    'policies and lives that there are not',
    DRIVERS,
    { spec: { fsGroupPolicy: 'Foo', volumeLifecycleModes: ['Persistent', 'Bar'] } },
    '[spec.fsGroupPolicy: Unsupported value: "Foo": supported values: "File", "None", "ReadWriteOnceWithFSType", spec.volumeLifecycleModes: Unsupported value: "Bar": supported values: "Persistent", "Ephemeral"]',
  ],
  [
    'tokens that are too short, too long, and two for one audience',
    DRIVERS,
    {
      spec: {
        tokenRequests: [
          { audience: '', expirationSeconds: 599 },
          { audience: 'a', expirationSeconds: 4294967297 },
          { audience: 'a' },
        ],
        nodeAllocatableUpdatePeriodSeconds: 9,
      },
    },
    '[spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes, spec.tokenRequests[1].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds, spec.tokenRequests[2].audience: Duplicate value: "a", spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds]',
  ],
  [
    'drivers without a node, twice, with keys that are none',
    NODES,
    {
      spec: {
        drivers: [
          { name: 'a', nodeID: '', topologyKeys: ['k', 'k'] },
          { name: 'a', nodeID: 'n', allocatable: { count: -1 } },
        ],
      },
    },
    '[spec.drivers[0].nodeID: Required value, spec.drivers[0]: Duplicate value: "k", spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0, spec.drivers[1].name: Duplicate value: "a"]',
  ],
  [
    'room of no class',
    CAPACITIES,
    { storageClassName: '', capacity: '-1' },
    `[storageClassName: Invalid value: "": ${SUBDOMAIN}, capacity: Invalid value: "-1": must be greater than or equal to 0]`,
  ],
  [
    'attached by nobody, nothing, nowhere',
    ATTACHMENTS,
    { spec: { attacher: '', source: {}, nodeName: '' } },
    `[spec.attacher: Required value, spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName, spec.nodeName: Invalid value: "": ${SUBDOMAIN}, spec.attacher: Invalid value: "": ${SUBDOMAIN}]`,
  ],
  [
    'a volume without an object that is no volume of a driver',
    ATTACHMENTS,
    {
      spec: {
        attacher: 'a',
        source: { inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], nfs: { server: 's', path: '/' } } },
        nodeName: 'n',
      },
    },
    'spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes',
  ],
  [
    'overhead below zero',
    RUNTIMES,
    { handler: 'h', overhead: { podFixed: { cpu: '-1' } } },
    'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
  ],
  [
    'tolerations twice',
    RUNTIMES,
    {
      handler: 'h',
      scheduling: {
        nodeSelector: { 'a b': 'c' },
        tolerations: [{ operator: 'Exists' }, { operator: 'Exists' }],
      },
    },
    `[scheduling.nodeSelector: Invalid value: "a b": ${QUALIFIED}, scheduling.tolerations[1]: Duplicate value: {"Key":"","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}]`,
  ],
  [
    'addresses that nobody reaches, on a node that is none',
    ENDPOINTS,
    {
      subsets: [
        { addresses: [{ ip: '127.0.0.1', nodeName: 'A' }], ports: [{ port: 0 }, { port: 1, name: 'x' }] },
      ],
    },
    `[subsets[0].addresses[0].nodeName: Invalid value: "A": ${SUBDOMAIN}, subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128), subsets[0].ports[0].name: Required value, subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive]`,
  ],
  [
    'what is no address',
    ENDPOINTS,
    { subsets: [{ notReadyAddresses: [{ ip: 'x' }], ports: [{ port: 1, protocol: 'Foo' }] }] },
    '[subsets[0].notReadyAddresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), subsets[0].notReadyAddresses[0].ip: Invalid value: "x": must be a valid IP address, subsets[0].ports[0].protocol: Unsupported value: "Foo": supported values: "SCTP", "TCP", "UDP"]',
  ],
  [
    'a node that is none, and a zone twice',
    SLICES,
    {
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['10.0.0.1'], nodeName: 'A', hints: { forZones: [{ name: 'z' }, { name: 'z' }] } },
      ],
    },
    `[endpoints[0].nodeName: Invalid value: "A": ${SUBDOMAIN}, endpoints[0].hints.forZones[1].name: Duplicate value: "z"]`,
  ],
  ['no network', NETWORKS, { spec: {} }, 'spec.cidrs: Required value: at least one CIDR required'],
  [
    'three networks',
    NETWORKS,
    { spec: { cidrs: ['10.0.0.0/24', '10.1.0.0/24', '10.2.0.0/24'] } },
    'spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/24","10.1.0.0/24","10.2.0.0/24"]}: may only hold up to 2 values',
  ],
  [
    'two networks of one family',
    NETWORKS,
    { spec: { cidrs: ['10.0.0.0/24', '10.1.0.0/24'] } },
    'spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/24","10.1.0.0/24"]}: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
  ],
  [
    'what is no network',
    NETWORKS,
    { spec: { cidrs: ['x'] } },
    'spec.cidrs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    'a name that is no address, of nobody',
    ADDRESSES,
    {},
    '[metadata.name: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), spec.parentRef: Required value]',
  ],
  [
    'neither of both ways to ask',
    CLAIMS,
    request({}),
    'spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required',
  ],
  [
    'a name that is none, no class, and nothing to count',
    CLAIMS,
    request({ name: 'A', exactly: { allocationMode: 'All', count: 2 } }),
    `[spec.devices.requests[0].name: Invalid value: "A": ${LABEL}, spec.devices.requests[0].exactly.deviceClassName: Required value, spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All']`,
  ],
  [
    'a mode that there is not',
    CLAIMS,
    request({ exactly: { ...exactly, allocationMode: 'Foo' } }),
    'spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Foo": supported values: "All", "ExactCount"',
  ],
  [
    'the same name twice, and a request that there is not',
    CLAIMS,
    {
      spec: {
        devices: {
          requests: [
            { name: 'r', exactly },
            { name: 'r', exactly },
          ],
          constraints: [{ requests: ['x'], matchAttribute: 'model' }],
        },
      },
    },
    '[spec.devices.requests[1]: Duplicate value: "r", spec.devices.constraints[0].requests[0]: Invalid value: "x": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\', spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash]',
  ],
  [
    'a template of what is wrong',
    TEMPLATES,
    { spec: { spec: { devices: { requests: [{ name: 'r' }] } } } },
    'spec.spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required',
  ],
  [
    'settings of no driver, and a name that is not of it',
    DEVICE_CLASSES,
    { spec: { config: [{}], extendedResourceName: 'cpu' } },
    '[spec.config[0].opaque: Required value, spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name]',
  ],
  [
    'devices nowhere',
    DEVICE_SLICES,
    slice({ nodeName: undefined }),
    'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
  ],
  [
    'devices here and everywhere',
    DEVICE_SLICES,
    slice({ allNodes: true }),
    'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
  ],
  [
    'a device with two values at once, and a version that is none',
    DEVICE_SLICES,
    device({ attributes: { a: { bool: true, int: 1 }, b: { version: 'x' } } }),
    '[spec.devices[0].attributes[a]: Invalid value: {"bool":true,"int":1}: exactly one value must be specified, spec.devices[0].attributes[b].version: Invalid value: "x": must be a string compatible with semver.org spec 2.0.0]',
  ],
  [
    'what is no JSON',
    SECRETS,
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('x') } },
    'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character \'x\' looking for beginning of value',
  ],
  [
    'what ends too soon',
    SECRETS,
    { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64('{"a":') } },
    'data[.dockercfg]: Invalid value: "<secret contents redacted>": unexpected end of JSON input',
  ],
  [
    'a list instead of an object',
    SECRETS,
    { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64('[]') } },
    'data[.dockercfg]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}',
  ],
  [
    'an empty key',
    SECRETS,
    { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } },
    'data[ssh-privatekey]: Required value',
  ],
  [
    'an empty policy',
    '/apis/scheduling.k8s.io/v1/priorityclasses',
    { value: 1, preemptionPolicy: '' },
    'preemptionPolicy: Required value',
  ],
];

const STATUSES: readonly (readonly [path: string, given: object, status: object, complaints: string])[] = [
  [
    '/api/v1/nodes',
    {},
    {
      addresses: [
        { type: 'InternalIP', address: '1.2.3.4' },
        { type: 'InternalIP', address: '1.2.3.4' },
      ],
    },
    'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"1.2.3.4"}',
  ],
  [
    '/apis/policy/v1/namespaces/default/poddisruptionbudgets',
    { spec: {} },
    { currentHealthy: -1, conditions: [{ type: 'A b', status: 'Maybe', reason: '9' }] },
    `[status.conditions[0].type: Invalid value: "A b": ${QUALIFIED}, status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown", status.conditions[0].lastTransitionTime: Required value: must be set, status.conditions[0].reason: Invalid value: "9": a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'), status.currentHealthy: Invalid value: -1: must be greater than or equal to 0]`,
  ],
];

for (const [path, given, status, complaints] of STATUSES) {
  test(`${path.slice(path.lastIndexOf('/') + 1)}: a status that says what cannot be`, async () => {
    await served.must('POST', path, { metadata: { name: 'observed' }, ...given });
    const answer = await served.send(
      'PATCH',
      `${path}/observed/status`,
      { status },
      {
        contentType: 'application/merge-patch+json',
      },
    );
    assert.equal(answer.status, 422);
    assert.equal(complaintsOf(answer.body), complaints);
  });
}

test('both ways to name the networks of a node say the same, and the older one wins', async () => {
  const networks = async (name: string, spec: object): Promise<unknown> => {
    const made = await served.must('POST', '/api/v1/nodes', { metadata: { name }, spec });
    const { podCIDR, podCIDRs } = made['spec'] as { podCIDR?: string; podCIDRs?: readonly string[] };
    return [podCIDR, podCIDRs];
  };
  const [a, b] = ['10.0.0.0/24', '10.1.0.0/24'];
  assert.deepEqual(await networks('one', { podCIDR: a }), [a, [a]]);
  assert.deepEqual(await networks('many', { podCIDRs: [b] }), [b, [b]]);
  assert.deepEqual(await networks('both', { podCIDR: a, podCIDRs: [b] }), [a, [a]]);
});

test('where a kubelet once got its settings from is not kept', async () => {
  const configSource = { configMap: { name: 'n', namespace: 'm', kubeletConfigKey: 'k' } };
  const made = await served.must('POST', '/api/v1/nodes', {
    metadata: { name: 'c' },
    spec: { configSource },
  });
  assert.equal((made['spec'] as { configSource?: unknown }).configSource, undefined);
});

test('an optional number that is no pointer is left out when it is zero', async () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const path = '/api/v1/namespaces/default/replicationcontrollers';
  const made = await served.must('POST', path, { metadata: { name: 'a' }, spec: { template } });
  assert.equal(Object.hasOwn(made['spec'] as object, 'minReadySeconds'), false);
});

function complaintsOf(body: unknown): string {
  const { message = '' } = body as Status;
  return message.slice(message.indexOf(' is invalid: ') + ' is invalid: '.length);
}

for (const [what, path, rest, complaints] of CASES) {
  test(`${path.slice(path.lastIndexOf('/') + 1)}: ${what}`, async () => {
    const { status, body } = await served.send('POST', path, { metadata: { name: 'a' }, ...rest });
    assert.equal(status, 422);
    assert.equal(complaintsOf(body), complaints);
  });
}

const CHANGES: readonly (readonly [path: string, given: object, patch: object, complaints: string])[] = [
  [
    CLASSES,
    { provisioner: 'a' },
    { provisioner: 'b', parameters: { k: 'v' }, reclaimPolicy: 'Retain' },
    '[parameters: Invalid value: {"k":"v"}: field is immutable, provisioner: Invalid value: "b": field is immutable, reclaimPolicy: Invalid value: "Retain": field is immutable]',
  ],
  [
    DRIVERS,
    { spec: {} },
    { spec: { attachRequired: false, volumeLifecycleModes: ['Ephemeral'] } },
    '[spec.attachedRequired: Invalid value: false: field is immutable, spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable]',
  ],
  [
    NODES,
    { spec: { drivers: [{ name: 'd', nodeID: 'n', allocatable: { count: 1 } }] } },
    { spec: { drivers: [{ name: 'd', nodeID: 'm', allocatable: { count: 2 } }] } },
    'spec.drivers: Invalid value: {"Name":"d","NodeID":"m","TopologyKeys":null,"Allocatable":null}: field is immutable',
  ],
  [
    ATTACHMENTS,
    { spec: { attacher: 'a', source: SOURCE, nodeName: 'n' } },
    { spec: { nodeName: 'm' } },
    'spec: Invalid value: {"Attacher":"a","Source":{"PersistentVolumeName":"pv","InlineVolumeSpec":null},"NodeName":"m"}: field is immutable',
  ],
  [
    NETWORKS,
    { spec: { cidrs: ['10.0.0.0/24'] } },
    { spec: { cidrs: ['10.1.0.0/24'] } },
    'spec.cidrs: Invalid value: ["10.1.0.0/24"]: field is immutable',
  ],
  [
    DEVICE_SLICES,
    slice({}),
    { spec: { driver: 'e.io' } },
    'spec.driver: Invalid value: "e.io": field is immutable',
  ],
];

for (const [path, given, patch, complaints] of CHANGES) {
  test(`${path.slice(path.lastIndexOf('/') + 1)}: ${JSON.stringify(patch)} changes what stays`, async () => {
    await served.must('POST', path, { metadata: { name: 'changed' }, ...given });
    const { status, body } = await served.send('PATCH', `${path}/changed`, patch, {
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    assert.equal(status, 422);
    assert.equal(complaintsOf(body), complaints);
  });
}

test('what a driver says of the room on a node may change', async () => {
  const spec = (count: number): object => ({ drivers: [{ name: 'd', nodeID: 'n', allocatable: { count } }] });
  const made = await served.must('POST', NODES, { metadata: { name: 'room' }, spec: spec(1) });
  await served.must('PUT', `${NODES}/room`, { metadata: made.metadata, spec: spec(2) });
});

test('a driver without ways of life has the persistent one', async () => {
  const spec = { volumeLifecycleModes: [] };
  const made = await served.must('POST', DRIVERS, { metadata: { name: 'life' }, spec });
  assert.deepEqual((made['spec'] as { volumeLifecycleModes: unknown }).volumeLifecycleModes, ['Persistent']);
});

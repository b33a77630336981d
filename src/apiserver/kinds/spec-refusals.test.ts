// What kube-apiserver says of workloads, volumes and rules of the network that are wrong, word for word.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

let served: Served;
before(async () => {
  served = await serve();
});

const STATEFUL_SETS = '/apis/apps/v1/namespaces/default/statefulsets';
const DAEMON_SETS = '/apis/apps/v1/namespaces/default/daemonsets';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const JOBS = '/apis/batch/v1/namespaces/default/jobs';
const CRON_JOBS = '/apis/batch/v1/namespaces/default/cronjobs';
const INGRESSES = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';
const CLASSES = '/apis/networking.k8s.io/v1/ingressclasses';
const POLICIES = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies';
const FLOW_SCHEMAS = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
const LEVELS = '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations';
const VOLUMES = '/api/v1/persistentvolumes';
const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

const LABELS = { a: 'b' };
const SELECTOR = { matchLabels: LABELS };
const template = (restartPolicy?: string): object => ({
  metadata: { labels: LABELS },
  spec: {
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
    containers: [{ name: 'c', image: 'i' }],
  },
});

const CASES: readonly (readonly [what: string, path: string, spec: object, complaints: string])[] = [
  [
    'no selector',
    DAEMON_SETS,
    { template: template() },
    'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  ],
  [
    'a strategy that there is not',
    DAEMON_SETS,
    { selector: SELECTOR, template: template(), updateStrategy: { type: 'Foo' } },
    'spec.updateStrategy: Unsupported value: {"type":"Foo"}: supported values: "RollingUpdate", "OnDelete"',
  ],
  [
    'more than all',
    DAEMON_SETS,
    {
      selector: SELECTOR,
      template: template(),
      updateStrategy: { rollingUpdate: { maxUnavailable: '101%', maxSurge: '0%' } },
    },
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
  ],
  [
    'a strategy that there is not',
    DEPLOYMENTS,
    { selector: SELECTOR, template: template(), strategy: { type: 'Foo' } },
    'spec.strategy: Unsupported value: {"type":"Foo"}: supported values: "Recreate", "RollingUpdate"',
  ],
  [
    'policies that there are not',
    STATEFUL_SETS,
    {
      selector: SELECTOR,
      template: template(),
      podManagementPolicy: 'Foo',
      updateStrategy: { type: 'Foo' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'x' },
    },
    '[spec.podManagementPolicy: Invalid value: "Foo": must be \'OrderedReady\' or \'Parallel\', spec.updateStrategy: Invalid value: {"type":"Foo"}: must be \'RollingUpdate\' or \'OnDelete\', spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "x": supported values: "Retain", "Delete"]',
  ],
  [
    'a way of rolling that is not asked for',
    STATEFUL_SETS,
    {
      selector: SELECTOR,
      template: template(),
      updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } },
    },
    'spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy \'RollingUpdate\'',
  ],
  [
    'pods below zero, and none at a time',
    STATEFUL_SETS,
    {
      selector: SELECTOR,
      template: template(),
      ordinals: { start: -1 },
      updateStrategy: { rollingUpdate: { maxUnavailable: '0%' } },
    },
    '[spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "0%": cannot be 0, spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0]',
  ],
  [
    'a selector of its own that nobody asked for',
    JOBS,
    { template: template('Never'), selector: SELECTOR },
    'spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"UID"}}: `selector` not auto-generated',
  ],
  [
    'indexes of no number, or without an index',
    JOBS,
    { template: template('Never'), completionMode: 'Indexed', completions: 0, maxFailedIndexes: 1 },
    '[spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified, spec.maxFailedIndexes: Invalid value: 1: must be less than or equal to completions]',
  ],
  [
    'limits for each index without indexes',
    JOBS,
    { template: template('Never'), backoffLimitPerIndex: 1 },
    'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
  ],
  [
    'somebody else without a domain',
    JOBS,
    { template: template('Never'), managedBy: 'me' },
    'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    'failures by no rule that makes sense',
    JOBS,
    {
      template: template('Never'),
      podReplacementPolicy: 'TerminatingOrFailed',
      podFailurePolicy: {
        rules: [
          { action: '' },
          { action: 'FailIndex', onPodConditions: [{ type: '', status: 'x' }] },
          {
            action: 'Ignore',
            onExitCodes: { operator: 'In', values: [2, 1, 1, 0], containerName: 'z' },
            onPodConditions: [{ type: 'a', status: 'True' }],
          },
          { action: 'Ignore', onExitCodes: { operator: 'Foo', values: [] } },
        ],
      },
    },
    '[spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"], spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required, spec.podFailurePolicy.rules[1].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set, spec.podFailurePolicy.rules[1].onPodConditions[0].type: Invalid value: "": name part must be non-empty, spec.podFailurePolicy.rules[1].onPodConditions[0].type: Invalid value: "": name part must consist of alphanumeric characters, \'-\', \'_\' or \'.\', and must start and end with an alphanumeric character (e.g. \'MyName\',  or \'my.name\',  or \'123-abc\', regex used for validation is \'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\'), spec.podFailurePolicy.rules[1].onPodConditions[0].status: Unsupported value: "x": supported values: "False", "True", "Unknown", spec.podFailurePolicy.rules[2].onExitCodes.containerName: Invalid value: "z": must be one of the container or initContainer names in the pod template, spec.podFailurePolicy.rules[2].onExitCodes.values[2]: Duplicate value: 1, spec.podFailurePolicy.rules[2].onExitCodes.values[3]: Invalid value: 0: must not be 0 for the In operator, spec.podFailurePolicy.rules[2].onExitCodes.values: Invalid value: [2,1,1,0]: must be ordered, spec.podFailurePolicy.rules[2]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported, spec.podFailurePolicy.rules[3].onExitCodes.operator: Unsupported value: "Foo": supported values: "In", "NotIn", spec.podFailurePolicy.rules[3].onExitCodes.values: Invalid value: []: at least one value is required, spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"]',
  ],
  [
    'success of indexes that there are not',
    JOBS,
    {
      template: template('Never'),
      completionMode: 'Indexed',
      completions: 3,
      successPolicy: {
        rules: [
          {},
          { succeededIndexes: '0-3' },
          { succeededIndexes: '1,0' },
          { succeededIndexes: '0-1', succeededCount: 3 },
        ],
      },
    },
    '[spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified, spec.successPolicy.rules[1].succeededIndexes: Invalid value: "0-3": error parsing succeededIndexes: too large index: "3", spec.successPolicy.rules[2].succeededIndexes: Invalid value: "1,0": error parsing succeededIndexes: non-increasing order, previous: 1, current: 0, spec.successPolicy.rules[3].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)]',
  ],
  [
    'success without indexes',
    JOBS,
    { template: template('Never'), successPolicy: { rules: [] } },
    'spec.successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode',
  ],
  [
    'a schedule of no length',
    CRON_JOBS,
    { schedule: '@every 1x', jobTemplate: { spec: { template: template('Never') } } },
    'spec.schedule: Invalid value: "@every 1x": failed to parse duration @every 1x: time: unknown unit "x" in duration "1x"',
  ],
  [
    'jobs that select for themselves',
    CRON_JOBS,
    {
      schedule: '@daily',
      jobTemplate: { spec: { template: template('Never'), selector: SELECTOR, manualSelector: true } },
    },
    '[spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated, spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"]',
  ],
  [
    'a rule that leads nowhere, and to nothing',
    INGRESSES,
    {
      rules: [{ http: { paths: [{ path: '/a', pathType: 'Prefix', backend: {} }] } }],
      defaultBackend: { resource: { apiGroup: 'A', kind: '', name: 'x/y' } },
      tls: [{ secretName: 'A' }],
    },
    "[spec.defaultBackend.resource.apiGroup: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'), spec.defaultBackend.resource.kind: Required value: kind is required, spec.defaultBackend.resource.name: Invalid value: \"x/y\": may not contain '/', spec.rules[0].http.paths[0].backend: Invalid value: \"\": resource or service backend is required, spec.tls[0].secretName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')]",
  ],
  [
    'a controller without a domain',
    CLASSES,
    { controller: 'x' },
    'spec.controller: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    'parameters in a namespace of none',
    CLASSES,
    { controller: 'a.b/c', parameters: { kind: 'K', name: 'n', scope: 'Namespace' } },
    "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
  ],
  [
    'parameters of a cluster in a namespace',
    CLASSES,
    { controller: 'a.b/c d', parameters: { kind: 'K', name: 'n', namespace: 'x' } },
    "[spec.controller: Invalid value: \"c d\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+'), spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster']",
  ],
  [
    'ends without a beginning',
    POLICIES,
    {
      podSelector: {},
      ingress: [{ ports: [{ endPort: 3 }, { port: 'x', endPort: 3 }, { port: 80, endPort: 70000 }] }],
    },
    '[spec.ingress[0].ports[0].endPort: Invalid value: 3: may not be specified when `port` is not specified, spec.ingress[0].ports[1].endPort: Invalid value: 3: may not be specified when `port` is non-numeric, spec.ingress[0].ports[2].endPort: Invalid value: 70000: must be between 1 and 65535, inclusive]',
  ],
  [
    'networks that are none',
    POLICIES,
    {
      podSelector: {},
      ingress: [
        {
          from: [
            { ipBlock: { cidr: '10.0.0.1/8' } },
            { ipBlock: { cidr: '010.0.0.0/8' } },
            { ipBlock: { cidr: '::ffff:1.2.3.0/120' } },
          ],
        },
      ],
    },
    '[spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length, spec.ingress[0].from[1].ipBlock.cidr: Invalid value: "010.0.0.0/8": must not have leading 0s in IP or prefix length, spec.ingress[0].from[2].ipBlock.cidr: Invalid value: "::ffff:1.2.3.0/120": must not have an IPv4-mapped IPv6 address]',
  ],
  [
    'three directions',
    POLICIES,
    { podSelector: {}, policyTypes: ['Ingress', 'Egress', 'Ingress'] },
    'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
  ],
  [
    'a direction that there is not',
    POLICIES,
    { podSelector: {}, policyTypes: ['Up'] },
    'spec.policyTypes[0]: Unsupported value: "Up": supported values: "Ingress", "Egress"',
  ],
  [
    'the place of those who are exempt',
    FLOW_SCHEMAS,
    { matchingPrecedence: 1, distinguisherMethod: { type: 'ByMood' } },
    '[spec.matchingPrecedence: Invalid value: 1: only the schema named \'exempt\' may have matchingPrecedence 1, spec.distinguisherMethod.type: Unsupported value: {"type":"ByMood"}: supported values: "ByNamespace", "ByUser", spec.priorityLevelConfiguration.name: Required value: must reference a priority level]',
  ],
  [
    'rules for nobody and nothing',
    FLOW_SCHEMAS,
    {
      matchingPrecedence: 20000,
      priorityLevelConfiguration: { name: 'x' },
      rules: [
        {},
        {
          subjects: [
            { kind: 'User', group: { name: 'g' } },
            { kind: 'ServiceAccount', serviceAccount: { name: 'A' } },
            { kind: 'Crowd' },
          ],
          resourceRules: [{ verbs: ['*', 'get'], apiGroups: [], resources: ['a'], namespaces: ['A'] }],
          nonResourceRules: [{ verbs: ['fly'], nonResourceURLs: ['x', '/a*b'] }],
        },
      ],
    },
    '[spec.matchingPrecedence: Invalid value: 20000: must not be greater than 10000, spec.rules[0].subjects: Required value: subjects must contain at least one value, spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty, spec.rules[1].subjects[0].user: Required value: user is required when subject kind is \'User\', spec.rules[1].subjects[0].group: Forbidden: group is forbidden when subject kind is not \'Group\', spec.rules[1].subjects[1].serviceAccount.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \'-\' or \'.\', and must start and end with an alphanumeric character (e.g. \'example.com\', regex used for validation is \'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\'), spec.rules[1].subjects[1].serviceAccount.namespace: Required value: must specify namespace for service account, spec.rules[1].subjects[2].kind: Unsupported value: "Crowd": supported values: "Group", "ServiceAccount", "User", spec.rules[1].resourceRules[0].verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other verbs, spec.rules[1].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group, spec.rules[1].resourceRules[0].namespaces[0]: Invalid value: "A": each member of this list must be \'*\' or a DNS-1123 label; a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \'-\', and must start and end with an alphanumeric character (e.g. \'my-name\',  or \'123-abc\', regex used for validation is \'[a-z0-9]([-a-z0-9]*[a-z0-9])?\'), spec.rules[1].nonResourceRules[0].verbs: Unsupported value: ["fly"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch", spec.rules[1].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": must start with slash, spec.rules[1].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a*b": wildcard can only do suffix matching]',
  ],
  [
    'hands that no hash deals',
    LEVELS,
    {
      type: 'Limited',
      exempt: {},
      limited: {
        limitResponse: { type: 'Queue', queuing: { queues: 1024, handSize: 16, queueLengthLimit: 1 } },
      },
    },
    '[spec.exempt: Forbidden: must be nil if the type is Limited, spec.limited.limitResponse.queuing.handSize: Invalid value: 16: required entropy bits of deckSize 1024 and handSize 16 should not be greater than 60]',
  ],
  [
    'nothing',
    VOLUMES,
    {},
    '[spec.accessModes: Required value, spec.capacity: Required value, spec.capacity: Unsupported value: null: supported values: "storage", spec: Required value: must specify a volume type]',
  ],
  [
    'a disk of some machine',
    VOLUMES,
    { accessModes: ['ReadWriteOnce'], capacity: { storage: '0', x: '1' }, local: { path: '/a/../b' } },
    '[spec.capacity: Unsupported value: {"storage":"0","x":"1"}: supported values: "storage", spec.capacity[storage]: Invalid value: "0": must be greater than zero, spec.local.path: Invalid value: "/a/../b": must not contain \'..\', spec.nodeAffinity: Required value: Local volume requires node affinity]',
  ],
  [
    'a driver without secrets',
    VOLUMES,
    {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      csi: { driver: 'a', volumeHandle: '', nodePublishSecretRef: { name: 'x' } },
      volumeAttributesClassName: '',
    },
    '[spec.csi.volumeHandle: Required value, spec.csi.nodePublishSecretRef.namespace: Required value, spec.volumeAttributesClassName: Required value: an empty string is disallowed]',
  ],
  [
    'everything again and again',
    VOLUMES,
    {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      hostPath: { path: '/' },
      persistentVolumeReclaimPolicy: 'Recycle',
      nodeAffinity: {},
    },
    "[spec.nodeAffinity.required: Required value: must specify required node constraints, spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/']",
  ],
  [
    'data from two places',
    CLAIMS,
    {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1' } },
      dataSource: { kind: 'X', name: 'a' },
      dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'a' },
    },
    '[spec.dataSource: Invalid value: "X": must be \'PersistentVolumeClaim\' when referencing the default apiGroup, spec: Invalid value: "spec.dataSource": must match dataSourceRef]',
  ],
];

const UID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

for (const [what, path, spec, complaints] of CASES) {
  test(`refused: ${what}, at ${path.slice(path.lastIndexOf('/') + 1)}`, async () => {
    const answer = await served.send('POST', path, { metadata: { name: 'a' }, spec });
    const { message = '' } = answer.body as Status;
    assert.equal(message.replace(/^.*?"a" is invalid: /, '').replaceAll(UID, 'UID'), complaints);
    assert.equal(answer.status, 422);
  });
}

test('lists that are left out are no reason to fail', async () => {
  const bare = [
    [JOBS, { podFailurePolicy: { rules: [{ onExitCodes: {} }] }, successPolicy: {} }],
    [FLOW_SCHEMAS, { rules: [{ subjects: [{}], resourceRules: [{}], nonResourceRules: [{}] }] }],
    [INGRESSES, { rules: [{ http: {} }, {}], tls: [{}], defaultBackend: { service: {} } }],
    [POLICIES, { ingress: [{ from: [{}] }], egress: [{ to: [{ ipBlock: {} }] }] }],
    [STATEFUL_SETS, { volumeClaimTemplates: [{}], ordinals: {}, updateStrategy: {} }],
    [VOLUMES, { csi: {}, nodeAffinity: { required: {} } }],
  ] as const;
  for (const [path, spec] of bare) {
    assert.equal((await served.send('POST', path, { metadata: { name: 'a' }, spec })).status, 422, path);
  }
  const slice = { metadata: { name: 'a' }, addressType: 'IPv4', endpoints: [{}] };
  assert.equal((await served.send('POST', SLICES, slice)).status, 422);
});

const ADDRESSES: readonly (readonly [type: string, address: string, complaint: string])[] = [
  ['IPv4', '::1', 'must be an IPv4 address'],
  ['IPv4', '010.0.0.1', 'must not have leading 0s'],
  ['IPv6', '::ffff:1.2.3.4', 'must not be an IPv4-mapped IPv6 address'],
  ['IPv4', '127.0.0.1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['FQDN', 'host', 'should be a domain with at least two segments separated by dots'],
];

for (const [type, address, complaint] of ADDRESSES) {
  test(`an endpoint at ${address} is none of ${type}`, async () => {
    const answer = await served.send('POST', SLICES, {
      metadata: { name: 'a' },
      addressType: type,
      endpoints: [{ addresses: [address] }],
    });
    assert.ok((answer.body as Status).message?.includes(complaint));
  });
}

test('the class of an Ingress is named once, or twice the same way', async () => {
  const body = (annotated: string): object => ({
    metadata: { name: 'twice', annotations: { 'kubernetes.io/ingress.class': annotated } },
    spec: { ingressClassName: 'a', defaultBackend: { service: { name: '1x', port: { number: 80 } } } },
  });
  const refused = await served.send('POST', INGRESSES, body('b'));
  assert.equal(
    (refused.body as Status).message,
    'Ingress.networking.k8s.io "twice" is invalid: annotations.kubernetes.io/ingress.class: Invalid value: "b": must match `ingressClassName` when both are specified',
  );
  await served.must('POST', INGRESSES, body('a'));
});

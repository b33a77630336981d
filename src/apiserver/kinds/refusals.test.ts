// What kube-apiserver says of objects that are wrong, word for word: neighbours of the recorded cases.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

let served: Served;
before(async () => {
  served = await serve({ disabledAdmission: ['ServiceAccount'] });
});

const inside = (groupVersion: string, resource: string): string =>
  groupVersion === 'v1'
    ? `/api/v1/namespaces/default/${resource}`
    : `/apis/${groupVersion}/namespaces/default/${resource}`;

const CONTAINERS = [{ name: 'c', image: 'i' }];
const template = (restartPolicy: string): object => ({ spec: { restartPolicy, containers: CONTAINERS } });
const cron = (timeZone: string): object => ({
  schedule: '* * * * *',
  timeZone,
  jobTemplate: { spec: { template: template('Never') } },
});
const hpa = (more: object): object => ({
  maxReplicas: 2,
  scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
  ...more,
});

const HPAS = inside('autoscaling/v2', 'horizontalpodautoscalers');
const QUOTAS = inside('v1', 'resourcequotas');
const LIMITS = inside('v1', 'limitranges');

const SERVICES = inside('v1', 'services');
const service = (more: object): object => ({ ports: [{ port: 80 }], ...more });
const scoped = (...matchExpressions: readonly object[]): object => ({
  hard: { pods: 1 },
  scopeSelector: { matchExpressions },
});

const PODS = inside('v1', 'pods');
const pod = (more: object, container: object = {}): object => ({
  containers: [{ ...CONTAINERS[0], ...container }],
  ...more,
});
const affinity = (term: object): object => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
  },
});
const TERMS = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';

const CASES: readonly (readonly [what: string, path: string, spec: object, message: string])[] = [
  [
    'nodes chosen by no value, and by an operator that there is not',
    PODS,
    pod(
      affinity({
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: 'b', operator: 'Like' },
        ],
      }),
    ),
    `Pod "a" is invalid: [${TERMS}[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn', ${TERMS}[0].matchExpressions[1].operator: Invalid value: "Like": not a valid selector operator]`,
  ],
  [
    'a port of the machine taken twice',
    PODS,
    pod(
      {},
      {
        ports: [
          { containerPort: 80, hostPort: 81 },
          { containerPort: 82, hostPort: 81 },
        ],
      },
    ),
    'Pod "a" is invalid: spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//81"',
  ],
  [
    'names that nobody is asked for',
    PODS,
    pod({ dnsPolicy: 'None' }),
    'Pod "a" is invalid: spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
  ],
  [
    'a container that is privileged and may not become so',
    PODS,
    pod({}, { securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
    'Pod "a" is invalid: spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
  ],
  [
    'ephemeral containers from the start, and a node while gates are closed',
    PODS,
    pod({
      ephemeralContainers: [{ name: 'e', image: 'i' }],
      nodeName: 'n',
      schedulingGates: [{ name: 'x' }],
    }),
    'Pod "a" is invalid: [spec.ephemeralContainers: Forbidden: cannot be set on create, spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared]',
  ],
  [
    'what leads out of a volume',
    PODS,
    pod({ volumes: [{ name: 'v' }] }, { volumeMounts: [{ name: 'v', mountPath: '/a', subPath: '../b' }] }),
    'Pod "a" is invalid: spec.containers[0].volumeMounts.subPath: Invalid value: "../b": must not contain \'..\'',
  ],
  [
    'taints of one key and effect, and networks of one family',
    '/api/v1/nodes',
    {
      taints: [
        { key: 'a', effect: 'NoSchedule' },
        { key: 'a', effect: 'NoSchedule' },
      ],
      podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'],
    },
    'Node "a" is invalid: [metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair, spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family]',
  ],
  [
    'a priority level that deals more cards than it has',
    '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
    {
      type: 'Limited',
      limited: {
        lendablePercent: 101,
        limitResponse: { type: 'Queue', queuing: { queues: 2, handSize: 3, queueLengthLimit: 5 } },
      },
    },
    'PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io "a" is invalid: [spec.limited.limitResponse.queuing.handSize: Invalid value: 3: should not be greater than queues (2), spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive]',
  ],
  [
    'an external address that every machine has for itself',
    SERVICES,
    service({ externalIPs: ['127.0.0.1', '10.1.1.1', 'x'] }),
    'Service "a" is invalid: [spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128), spec.externalIPs[2]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)]',
  ],
  [
    'source ranges without a load balancer',
    SERVICES,
    service({ loadBalancerSourceRanges: ['10.0.0.0/8', ' 10.0.0.1/33 '] }),
    'Service "a" is invalid: [spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is \'LoadBalancer\', spec.LoadBalancerSourceRanges[1]: Invalid value: "10.0.0.1/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)]',
  ],
  [
    'clients that stay for more than a day',
    SERVICES,
    service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } }),
    'Service "a" is invalid: spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
  ],
  [
    'what only a load balancer has',
    SERVICES,
    service({ loadBalancerClass: 'x', allocateLoadBalancerNodePorts: true, trafficDistribution: 'Far' }),
    'Service "a" is invalid: [spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is \'LoadBalancer\', spec.loadBalancerClass: Forbidden: may only be used when `type` is \'LoadBalancer\', spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameNode", "PreferSameZone"]',
  ],
  [
    'an Ingress that leads nowhere',
    inside('networking.k8s.io/v1', 'ingresses'),
    {},
    'Ingress.networking.k8s.io "a" is invalid: spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  ],
  [
    'a hole outside of its network, and a peer without anything',
    inside('networking.k8s.io/v1', 'networkpolicies'),
    {
      podSelector: {},
      ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }, {}] }],
    },
    'NetworkPolicy.networking.k8s.io "a" is invalid: [spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`, spec.ingress[0].from[1]: Required value: must specify a peer]',
  ],
  [
    'a scope that is chosen without a value',
    QUOTAS,
    scoped({ scopeName: 'PriorityClass', operator: 'In' }),
    "ResourceQuota \"a\" is invalid: spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
  ],
  [
    'a scope that has no values, chosen by one',
    QUOTAS,
    scoped({ scopeName: 'Terminating', operator: 'In', values: ['x'] }),
    'ResourceQuota "a" is invalid: spec.scopeSelector.matchExpressions.operator: Invalid value: "In": must be \'Exist\' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity',
  ],
  [
    'scopes that exclude each other',
    QUOTAS,
    scoped(
      { scopeName: 'BestEffort', operator: 'Exists' },
      { scopeName: 'NotBestEffort', operator: 'Exists' },
    ),
    'ResourceQuota "a" is invalid: spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes',
  ],
  [
    'a selector that cannot be read',
    inside('apps/v1', 'deployments'),
    {
      selector: { matchExpressions: [{ key: 'a', operator: 'X' }] },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: CONTAINERS } },
    },
    'Deployment.apps "a" is invalid: [spec.selector.matchExpressions[0].operator: Invalid value: "X": not a valid selector operator, spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"X"}]}: invalid label selector]',
  ],
  [
    'a job that restarts in place and has a policy for failures',
    inside('batch/v1', 'jobs'),
    { podFailurePolicy: { rules: [] }, template: template('OnFailure') },
    'Job.batch "a" is invalid: spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
  ],
  [
    'an empty time zone',
    inside('batch/v1', 'cronjobs'),
    cron(''),
    'CronJob.batch "a" is invalid: spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string',
  ],
  [
    'the time zone of wherever it runs',
    inside('batch/v1', 'cronjobs'),
    cron('Local'),
    'CronJob.batch "a" is invalid: spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
  ],
  [
    'a claim for one pod and for many',
    inside('v1', 'persistentvolumeclaims'),
    { accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'], resources: { requests: { storage: '1' } } },
    'PersistentVolumeClaim "a" is invalid: spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
  ],
  [
    'a volume without room',
    '/api/v1/persistentvolumes',
    { accessModes: ['ReadWriteOnce'], capacity: { storage: '0' }, hostPath: { path: '/a' } },
    'PersistentVolume "a" is invalid: spec.capacity[storage]: Invalid value: "0": must be greater than zero',
  ],
  [
    'an autoscaler that scales by no policy',
    HPAS,
    hpa({ behavior: { scaleUp: { policies: [] } } }),
    'HorizontalPodAutoscaler.autoscaling "a" is invalid: spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
  ],
  [
    'a metric without a name and target',
    HPAS,
    hpa({ metrics: [{ type: 'Resource', resource: { name: '', target: { type: 'Utilization' } } }] }),
    'HorizontalPodAutoscaler.autoscaling "a" is invalid: [spec.metrics[0].resource.name: Required value: must specify a resource name, spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization]',
  ],
  [
    'a metric with two sources',
    HPAS,
    hpa({
      metrics: [
        {
          type: 'Pods',
          pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '1' } },
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 1 } },
        },
      ],
    }),
    'HorizontalPodAutoscaler.autoscaling "a" is invalid: spec.metrics[0].resource: Forbidden: must populate the given metric source only',
  ],
  [
    'a behaviour beyond its limits',
    HPAS,
    hpa({
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 4000,
          policies: [{ type: 'Pods', value: 0, periodSeconds: 1801 }],
        },
      },
    }),
    'HorizontalPodAutoscaler.autoscaling "a" is invalid: [spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600, spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero, spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800]',
  ],
  [
    'a budget of more than all',
    inside('policy/v1', 'poddisruptionbudgets'),
    { maxUnavailable: '110%' },
    'PodDisruptionBudget.policy "a" is invalid: spec.maxUnavailable: Invalid value: "110%": must not be greater than 100%',
  ],
  [
    'a quota of half a pod, and a scope that does not fit',
    QUOTAS,
    { hard: { pods: '1.5', 'requests.memory': '1Gi' }, scopes: ['BestEffort'] },
    'ResourceQuota "a" is invalid: [spec.hard[pods]: Invalid value: "1500m": must be an integer, spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource]',
  ],
  [
    'scopes that exclude each other',
    QUOTAS,
    { hard: { pods: '1' }, scopes: ['Terminating', 'NotTerminating'] },
    'ResourceQuota "a" is invalid: spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes',
  ],
  [
    'limits that do not go together',
    LIMITS,
    {
      limits: [
        { type: 'PersistentVolumeClaim', min: { storage: '2' }, max: { storage: '1' } },
        { type: 'Pod', maxLimitRequestRatio: { cpu: '0.5' }, default: { cpu: '1' } },
        { type: 'Foo' },
      ],
    },
    'LimitRange "a" is invalid: [spec.limits[0].min[storage]: Invalid value: "2": min value 2 is greater than max value 1, spec.limits[1].default: Forbidden: may not be specified when `type` is \'Pod\', spec.limits[1].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1, spec.limits[2].type: Invalid value: "Foo": must be a standard limit type or fully qualified]',
  ],
  [
    'a resource that containers do not have',
    inside('v1', 'pods'),
    { containers: [{ ...CONTAINERS[0], resources: { requests: { foo: '1' } } }] },
    'Pod "a" is invalid: [spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified, spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers]',
  ],
];

for (const [what, path, spec, message] of CASES) {
  test(`refused: ${what}`, async () => {
    const answer = await served.send('POST', path, { metadata: { name: 'a' }, spec });
    assert.equal((answer.body as Status).message, message);
    assert.equal(answer.status, 422);
  });
}

test('what looks like those and is right is taken', async () => {
  const quota = {
    pods: '1',
    'requests.cpu': '1',
    'count/deployments.apps': '3',
    'requests.nvidia.com/gpu': '1',
    'gold.storageclass.storage.k8s.io/requests.storage': '1Gi',
  };
  await served.must('POST', QUOTAS, { metadata: { name: 'good' }, spec: { hard: quota } });
  const limits = [{ type: 'Container', max: { cpu: '1' }, min: { cpu: '1m' }, default: { cpu: '500m' } }];
  await served.must('POST', LIMITS, { metadata: { name: 'good' }, spec: { limits } });
  const behavior = { scaleUp: { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] } };
  await served.must('POST', HPAS, { metadata: { name: 'good' }, spec: hpa({ behavior }) });
});

// The FlowSchemas and PriorityLevelConfigurations that every kube-apiserver has, as objects.
import type { JsonObject, KubeObject } from '../../api/index.ts';
import type { InProcessTransport } from '../transport.ts';

const API_VERSION = 'flowcontrol.apiserver.k8s.io/v1';

function level(name: string, spec: JsonObject): KubeObject {
  return { apiVersion: API_VERSION, kind: 'PriorityLevelConfiguration', metadata: { name }, spec };
}

const QUEUING = { queues: 64, handSize: 6, queueLengthLimit: 50 };

function limited(name: string, shares: number, lendable: number, queuing: JsonObject = QUEUING): KubeObject {
  return level(name, {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: shares,
      lendablePercent: lendable,
      limitResponse: { type: 'Queue', queuing },
    },
  });
}

export const SUGGESTED_LEVELS: readonly KubeObject[] = [
  level('exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
  limited('system', 30, 33),
  limited('node-high', 40, 25),
  limited('leader-election', 10, 0, { queues: 16, handSize: 4, queueLengthLimit: 50 }),
  limited('workload-high', 40, 50, { queues: 128, handSize: 6, queueLengthLimit: 50 }),
  limited('workload-low', 100, 90, { queues: 128, handSize: 6, queueLengthLimit: 50 }),
  limited('global-default', 20, 50, { queues: 128, handSize: 6, queueLengthLimit: 50 }),
  level('catch-all', {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
  }),
];

const EVERYTHING = {
  resourceRules: [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] },
  ],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};

const group = (name: string): JsonObject => ({ kind: 'Group', group: { name } });
const user = (name: string): JsonObject => ({ kind: 'User', user: { name } });
const accounts = (namespace: string, name = '*'): JsonObject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace, name },
});

function schema(
  name: string,
  to: string,
  precedence: number,
  rules: readonly JsonObject[],
  by?: string,
): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'FlowSchema',
    metadata: { name },
    spec: {
      priorityLevelConfiguration: { name: to },
      matchingPrecedence: precedence,
      ...(by === undefined ? {} : { distinguisherMethod: { type: by } }),
      rules,
    },
  };
}

const everythingOf = (...subjects: JsonObject[]): JsonObject => ({ subjects, ...EVERYTHING });
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')];

export const SUGGESTED_SCHEMAS: readonly KubeObject[] = [
  schema('exempt', 'exempt', 1, [everythingOf(group('system:masters'))]),
  schema('probes', 'exempt', 2, [
    {
      subjects: EVERYBODY,
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
    },
  ]),
  schema('system-leader-election', 'leader-election', 100, [
    {
      subjects: [
        user('system:kube-controller-manager'),
        user('system:kube-scheduler'),
        accounts('kube-system'),
      ],
      resourceRules: [
        {
          verbs: ['get', 'create', 'update'],
          apiGroups: ['coordination.k8s.io'],
          resources: ['leases'],
          namespaces: ['*'],
        },
      ],
    },
  ]),
  schema(
    'endpoint-controller',
    'workload-high',
    150,
    [
      {
        subjects: [user('system:kube-controller-manager'), accounts('kube-system', 'endpoint-controller')],
        resourceRules: [
          {
            verbs: ['get', 'create', 'update'],
            apiGroups: [''],
            resources: ['endpoints'],
            namespaces: ['*'],
          },
        ],
      },
    ],
    'ByUser',
  ),
  schema(
    'workload-leader-election',
    'leader-election',
    200,
    [
      {
        subjects: [accounts('kube-system')],
        resourceRules: [
          {
            verbs: ['get', 'create', 'update'],
            apiGroups: ['', 'coordination.k8s.io'],
            resources: ['endpoints', 'configmaps', 'leases'],
            namespaces: ['*'],
          },
        ],
      },
    ],
    'ByUser',
  ),
  schema(
    'system-node-high',
    'node-high',
    400,
    [
      {
        subjects: [group('system:nodes')],
        resourceRules: [
          {
            verbs: ['*'],
            apiGroups: [''],
            resources: ['nodes', 'nodes/status'],
            clusterScope: true,
            namespaces: ['*'],
          },
          { verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] },
        ],
      },
    ],
    'ByUser',
  ),
  schema('system-nodes', 'system', 500, [everythingOf(group('system:nodes'))], 'ByUser'),
  schema(
    'kube-controller-manager',
    'workload-high',
    800,
    [everythingOf(user('system:kube-controller-manager'))],
    'ByNamespace',
  ),
  schema(
    'kube-scheduler',
    'workload-high',
    800,
    [everythingOf(user('system:kube-scheduler'))],
    'ByNamespace',
  ),
  schema(
    'kube-system-service-accounts',
    'workload-high',
    900,
    [everythingOf(accounts('kube-system'))],
    'ByNamespace',
  ),
  schema('service-accounts', 'workload-low', 9000, [everythingOf(group('system:serviceaccounts'))], 'ByUser'),
  schema('global-default', 'global-default', 9900, [everythingOf(...EVERYBODY)], 'ByUser'),
  schema('catch-all', 'catch-all', 10000, [everythingOf(...EVERYBODY)], 'ByUser'),
];

/**
 * Stores what is not there yet, so that users see and change it. COMPAT: the two that no server is without are mandatory;
 * whatever becomes of the objects, this server goes by its own copies of those that are missing.
 */
export async function storeSuggested(transport: Pick<InProcessTransport, 'send'>): Promise<void> {
  const base = '/apis/flowcontrol.apiserver.k8s.io/v1';
  const put = async (resource: string, objects: readonly KubeObject[]): Promise<void> => {
    for (const object of objects) {
      const annotated = {
        ...object,
        metadata: {
          ...object.metadata,
          annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' },
        },
      };
      // A conflict means that it is there: as it was, or as somebody has made it.
      await transport.send({ method: 'POST', path: `${base}/${resource}`, body: annotated });
    }
  };
  await put('prioritylevelconfigurations', SUGGESTED_LEVELS);
  await put('flowschemas', SUGGESTED_SCHEMAS);
}

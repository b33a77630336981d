import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { countedResource, usageOf } from './usage.ts';
import { decideQuota, type ResourceQuota } from './index.ts';

function pod(spec: object, phase = 'Running'): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'n' }, spec, status: { phase } };
}

const requests = (cpu: string): object => ({ resources: { requests: { cpu } } });

const USAGE: readonly (readonly [
  title: string,
  name: string,
  objects: readonly KubeObject[],
  used: string,
])[] = [
  ['nothing uses nothing', 'pods', [], '0'],
  ['pods that have ended do not count', 'pods', [pod({}), pod({}, 'Succeeded'), pod({}, 'Failed')], '1'],
  ['but they are objects', 'count/pods', [pod({}), pod({}, 'Succeeded')], '2'],
  ['containers add up', 'requests.cpu', [pod({ containers: [requests('100m'), requests('1')] })], '1100m'],
  ['cpu means requests', 'cpu', [pod({ containers: [requests('2')] })], '2'],
  [
    'the largest step before the containers counts where it is larger',
    'requests.cpu',
    [pod({ initContainers: [requests('3'), requests('2')], containers: [requests('1')] })],
    '3',
  ],
  [
    'a sidecar runs beside all that comes after it',
    'requests.cpu',
    [
      pod({
        initContainers: [{ ...requests('1'), restartPolicy: 'Always' }, requests('3')],
        containers: [requests('1')],
      }),
    ],
    '4',
  ],
  [
    'a limit is a request where there is none, and overhead comes on top',
    'requests.memory',
    [pod({ containers: [{ resources: { limits: { memory: '1Gi' } } }], overhead: { memory: '1Gi' } })],
    '2Gi',
  ],
  ['a request is no limit', 'limits.cpu', [pod({ containers: [requests('1')] })], '0'],
  [
    'node ports are counted by port',
    'services.nodeports',
    [
      { apiVersion: 'v1', kind: 'Service', metadata: {}, spec: { type: 'NodePort', ports: [{}, {}] } },
      { apiVersion: 'v1', kind: 'Service', metadata: {}, spec: { ports: [{}] } },
    ],
    '2',
  ],
  [
    'storage is counted by class',
    'gold.storageclass.storage.k8s.io/requests.storage',
    ['gold', 'iron'].map((storageClassName) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {},
      spec: { storageClassName, resources: { requests: { storage: '5Gi' } } },
    })),
    '5Gi',
  ],
];

for (const [title, name, objects, used] of USAGE) {
  test(`usage: ${title}`, () => assert.equal(usageOf(name, objects, {}).toString(), used));
}

test('usage: scopes leave pods out', () => {
  const pods = [pod({ containers: [{}] }), pod({ containers: [requests('1')], activeDeadlineSeconds: 5 })];
  const count = (scopes: readonly string[]): string => usageOf('pods', pods, { scopes }).toString();
  assert.equal(count(['BestEffort']), '1');
  assert.equal(count(['NotBestEffort', 'Terminating']), '1');
  assert.equal(count(['BestEffort', 'Terminating']), '0');
  const scopeSelector = {
    matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }],
  };
  const high = pod({ priorityClassName: 'high' });
  assert.equal(usageOf('pods', [...pods, high], { scopeSelector }).toString(), '1');
});

test('names say whose objects count', () => {
  assert.deepEqual(countedResource('count/deployments.apps'), { group: 'apps', resource: 'deployments' });
  assert.deepEqual(countedResource('requests.nvidia.com/gpu'), { group: '', resource: 'pods' });
  assert.equal(countedResource('constructor'), undefined);
});

test('the status is written when it changes, and what cannot be counted keeps its figure', () => {
  const quota: ResourceQuota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'n' },
    spec: { hard: { pods: '5', 'count/gone.x.io': '1' } },
    status: { hard: { pods: '4' }, used: { pods: '0', 'count/gone.x.io': '1' } },
  };
  const counted = new Map([['pods', [pod({})]]]);
  const [write] = decideQuota({ quota, counted }).writes ?? [];
  assert.ok(write?.verb === 'update');
  const status = { hard: quota.spec?.hard, used: { pods: '1', 'count/gone.x.io': '1' } };
  assert.deepEqual(write.object['status'], status);
  assert.deepEqual(decideQuota({ quota: write.object, counted }), {});
});

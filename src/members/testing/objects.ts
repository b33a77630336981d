// Objects as an API server would hand them out, for tables: only what a case is about has to be said.
import type {
  DeploymentSpec,
  JobSpec,
  NodeStatus,
  ObjectMeta,
  PodSpec,
  PodStatus,
  ReplicaSetStatus,
  StatefulSetSpec,
} from '../../api/index.ts';
import { deepFreeze } from '../../api/index.ts';
import type { DaemonSet, Deployment, Job, Node, Pod, ReplicaSet, StatefulSet, StoredMeta } from '../kinds.ts';

export const NOW = Date.parse('2026-11-21T12:00:00Z');

export function secondsAgo(seconds: number): string {
  return `${new Date(NOW - seconds * 1000).toISOString().slice(0, 19)}Z`;
}

type Meta = StoredMeta & { readonly namespace: string };

export function meta(name: string, more: Partial<ObjectMeta> = {}): Meta {
  return {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: secondsAgo(600),
    generation: 1,
    ...more,
  };
}

export const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'nginx:1' }] },
};

export function deployment(spec: Partial<DeploymentSpec> = {}, more: Partial<Deployment> = {}): Deployment {
  return deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta('web'),
    spec: {
      replicas: 3,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      selector: { matchLabels: { app: 'web' } },
      template,
      ...spec,
    },
    ...more,
  });
}

export function ownedBy(kind: string, name: string): Pick<ObjectMeta, 'ownerReferences'> {
  const apiVersion = kind === 'Job' ? 'batch/v1' : 'apps/v1';
  return { ownerReferences: [{ apiVersion, kind, name, uid: `uid-${name}`, controller: true }] };
}

export interface ReplicaSetParts {
  readonly image?: string;
  readonly replicas: number;
  readonly status?: Partial<ReplicaSetStatus>;
  readonly metadata?: Partial<ObjectMeta>;
}

/** Of the Deployment `web`; all replicas available unless the status says otherwise. */
export function replicaSet(name: string, parts: ReplicaSetParts): ReplicaSet {
  const { image = 'nginx:1', replicas, status, metadata } = parts;
  const labels = { app: 'web', 'pod-template-hash': name };
  return deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: meta(name, { labels, ...ownedBy('Deployment', 'web'), ...metadata }),
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } },
    },
    status: {
      replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      observedGeneration: 1,
      ...status,
    },
  });
}

export interface PodParts {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<PodSpec>;
  readonly status?: PodStatus;
}

export function pod(name: string, { metadata, spec, status }: PodParts = {}): Pod {
  return deepFreeze({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(name, { labels: { app: 'web' }, ...metadata }),
    spec: { restartPolicy: 'Always', containers: [{ name: 'main', image: 'nginx:1' }], ...spec },
    status: status ?? { phase: 'Pending' },
  });
}

export function readyStatus(sinceSeconds = 60): PodStatus {
  const lastTransitionTime = secondsAgo(sinceSeconds);
  return {
    phase: 'Running',
    podIP: '10.64.0.2',
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }],
  };
}

export function statefulSet(
  spec: Partial<StatefulSetSpec> = {},
  status: Partial<StatefulSet['status']> = {},
): StatefulSet {
  return deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: meta('db'),
    spec: {
      replicas: 3,
      serviceName: 'db',
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      selector: { matchLabels: { app: 'db' } },
      template: {
        metadata: { labels: { app: 'db' } },
        spec: { containers: [{ name: 'main', image: 'postgres:1' }] },
      },
      ...spec,
    },
    status: { replicas: 0, ...status },
  });
}

export function daemonSet(spec: Partial<DaemonSet['spec']> = {}): DaemonSet {
  return deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: meta('agent'),
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: {
        metadata: { labels: { app: 'agent' } },
        spec: { containers: [{ name: 'main', image: 'agent:1' }] },
      },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      ...spec,
    },
  });
}

export function job(spec: Partial<JobSpec> = {}, more: Partial<Job> = {}): Job {
  return deepFreeze({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: meta('sums'),
    spec: {
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      selector: { matchLabels: { app: 'sums' } },
      template: {
        metadata: { labels: { app: 'sums' } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'sum:1' }] },
      },
      ...spec,
    },
    ...more,
  });
}

export interface NodeParts {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Node['spec'];
  readonly allocatable?: NodeStatus['allocatable'];
  readonly conditions?: NodeStatus['conditions'];
}

export function node(name: string, { metadata, spec = {}, allocatable, conditions }: NodeParts = {}): Node {
  const { namespace: _, ...rest } = meta(name, { labels: { 'kubernetes.io/hostname': name }, ...metadata });
  const capacity = allocatable ?? { cpu: '4', memory: '16Gi', pods: '110' };
  return deepFreeze({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: rest,
    spec,
    status: {
      capacity,
      allocatable: capacity,
      addresses: [{ type: 'InternalIP', address: '172.18.0.1' }],
      conditions: conditions ?? [{ type: 'Ready', status: 'True', lastHeartbeatTime: secondsAgo(1) }],
    },
  });
}

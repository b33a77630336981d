// In which order things are made, so that nothing is made before what it stands on; undone the other way round.
import type { KubeObject } from '../../api/index.ts';

const RANKS: readonly (readonly string[])[] = [
  ['CustomResourceDefinition'],
  ['Namespace'],
  ['PriorityClass', 'StorageClass', 'IngressClass', 'RuntimeClass'],
  ['ResourceQuota', 'LimitRange'],
  ['ServiceAccount'],
  ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'],
  ['ConfigMap', 'Secret'],
  ['PersistentVolume'],
  ['PersistentVolumeClaim'],
];
const WORKLOADS = ['Pod', 'ReplicaSet', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'];
const LAST = [
  'Service',
  'Endpoints',
  'EndpointSlice',
  'Ingress',
  'NetworkPolicy',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
];

/** Lower goes first. Kinds that are not known here mostly are custom workloads, and go with those. */
export function rebuildRank({ kind }: Pick<KubeObject, 'kind'>): number {
  const rank = RANKS.findIndex((kinds) => kinds.includes(kind));
  if (rank >= 0) return rank;
  if (WORKLOADS.includes(kind)) return RANKS.length;
  return LAST.includes(kind) ? RANKS.length + 1 : RANKS.length;
}

/** Sorted for making; things of one rank keep their order. */
export function inRebuildOrder<T>(things: readonly T[], objectOf: (thing: T) => KubeObject): readonly T[] {
  return things.toSorted((a, b) => rebuildRank(objectOf(a)) - rebuildRank(objectOf(b)));
}

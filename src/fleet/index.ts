export { apportion, nameOrderFor, type NameOrder, type Party, type Share } from './apportionment.ts';
export { affinityMismatch, clusterMatchesAffinity, type AffinityCriterion } from './cluster-affinity.ts';
export { tolerates, untoleratedTaint, type Toleration } from './tolerations.ts';
export { isWorkload } from './workload.ts';
export { validateClusterName } from './cluster-name.ts';
export {
  SUSPENSION_REASON_MAX,
  isSuspendedCluster,
  isSuspensionOver,
  saysSuspended,
  suspensionHistory,
  suspensionNote,
  withSuspensionEvent,
  type SuspensionEvent,
  type SuspensionNote,
} from './suspension.ts';

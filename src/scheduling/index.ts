export type { Assignment, Mode, Strategy, TierAssignment } from './assign.ts';
export { createAssumptions, newlyHealthy, type Assumptions } from './assumptions.ts';
export type { Candidate } from './candidate.ts';
export { clusterVersionsToMatch, isConcernedBy, mayHelp, waitOf, type Wait } from './cluster-change.ts';
export { clusterView, fleetSnapshot, type ClusterView, type FleetSnapshot } from './fleet-snapshot.ts';
export {
  maxComponentSets,
  maxReplicas,
  type AssumedWorkload,
  type EstimateOptions,
} from './general-estimator.ts';
export {
  deletingEvent,
  observedStatus,
  outcomeOf,
  outcomeOfWriteError,
  type Retry,
  type ScheduleOutcome,
  type SchedulingEvent,
  type WriteError,
} from './outcome.ts';
export { createSchedulingQueue, type QueuedBinding, type SchedulingQueue } from './queue.ts';
export {
  countNodesByGrade,
  defaultResourceModels,
  standardiseResourceModels,
  validateResourceModels,
  type NodeCapacity,
} from './resource-models.ts';
export {
  clustersToEstimate,
  estimatesSets,
  schedule,
  type Attempt,
  type EstimatorAnswers,
  type Failure,
  type ScheduleInput,
  type ScheduleResult,
  type SchedulingGates,
} from './schedule.ts';
export { PLUGINS, enabledPlugins, type PluginName } from './plugins.ts';
export type { Selection } from './select.ts';
export {
  canonicalPlacement,
  decideTrigger,
  entersQueue,
  isForScheduler,
  placementChanged,
  type ScheduleType,
  type Trigger,
} from './trigger.ts';
export { reasonText, remedyText, type FilterName, type Rejection, type Verdict } from './verdict.ts';
export {
  groupKeys,
  isAssignmentSettled,
  newestOf,
  peersOf,
  type Peer,
  type WorkloadPeers,
} from './workload-affinity.ts';
export {
  decideDeschedule,
  descheduleText,
  isDeschedulable,
  undesiredClusters,
  type UndesiredCluster,
} from './descheduler.ts';
export {
  estimateReplicas,
  estimateSets,
  type AccurateEstimator,
  type EstimateCall,
  type EstimateGates,
  type ReplicasQuestion,
  type SetsQuestion,
  type UnschedulableQuestion,
} from './accurate-estimate.ts';
export { currentReplicaSet, podsOf, unschedulableReplicas } from './unschedulable.ts';
export { createNodeLedger, type NodeLedger } from './node-ledger.ts';
export {
  observedWorkloads,
  rebalanceOutcome,
  remainingMs,
  rescheduleTime,
  type ObservedWorkload,
  type RebalanceOutcome,
  type RebalanceResult,
} from './rebalancer.ts';
export { formerPlacements, traceEssence, traceOf } from './trace.ts';

// Every kind of our own API, the group navarch.io: what Karmada's API has no place for. One file, one kind.
import type { KindDefinition } from '../kind.ts';
import { controlPlaneKind } from './control-plane.ts';
import { deletedObjectKind } from './deleted-object.ts';
import { clusterDeletionPolicyKind, deletionPolicyKind } from './deletion-policy.ts';
import { evictionBrakeKind } from './eviction-brake.ts';
import { failoverRecordKind } from './failover-record.ts';
import { clusterFleetPackageKind, fleetPackageKind } from './fleet-package.ts';
import { memberResidueKind } from './member-residue.ts';
import { resourceInterpretationKind } from './resource-interpretation.ts';
import { statePreservationRuleKind } from './state-preservation-rule.ts';
import { workloadStateKind } from './workload-state.ts';
import { migrationKind } from './migration.ts';
import { clusterSchedulingDecisionKind, schedulingDecisionKind } from './scheduling-decision.ts';

export const navarchKinds: readonly KindDefinition[] = [
  schedulingDecisionKind,
  clusterSchedulingDecisionKind,
  controlPlaneKind,
  deletedObjectKind,
  evictionBrakeKind,
  failoverRecordKind,
  resourceInterpretationKind,
  memberResidueKind,
  statePreservationRuleKind,
  workloadStateKind,
  migrationKind,
  fleetPackageKind,
  clusterFleetPackageKind,
  deletionPolicyKind,
  clusterDeletionPolicyKind,
];

export type {
  AttemptTrace,
  CandidateTrace,
  ClusterSchedulingDecision,
  DivisionTrace,
  ExclusionTrace,
  PolicyDecision,
  ScheduleTrace,
  SchedulingDecision,
} from './scheduling-decision.ts';
export { CONTROL_PLANE_NAME, type ControlPlane } from './control-plane.ts';
export { resourceInterpretationKind, type ResourceInterpretation } from './resource-interpretation.ts';
export {
  AT_MOST_ONCE_ANNOTATION,
  CLUSTER_SUSPENDED_ANNOTATION,
  DISPATCH_STOPPED_ANNOTATION,
  DELETION_RULES_ANNOTATION,
  FENCE_GATE,
  FENCE_LABEL,
  FENCE_LEASE_ANNOTATION,
  FENCE_RENEWED_ANNOTATION,
  LEAVE_BEHIND_ANNOTATION,
  HOLD_REMOVAL_ANNOTATION,
  LEAVE_OBJECTS_ANNOTATION,
  LEFT_OBJECTS_ANNOTATION,
  ORIGIN_HUB_LABEL,
  ORIGIN_POLICY_ANNOTATION,
  ORIGIN_TEMPLATE_ANNOTATION,
  ORIGIN_TIME_ANNOTATION,
  ORPHANED_AT_ANNOTATION,
  ORPHANED_LABEL,
  POD_TEMPLATE_PATH_ANNOTATION,
  SUSPENSION_BY_ANNOTATION,
  SUSPENSION_HISTORY_ANNOTATION,
  SUSPENSION_REASON_ANNOTATION,
  SUSPENSION_SINCE_ANNOTATION,
  SUSPENSION_UNTIL_ANNOTATION,
  PREVIOUS_OWNER_ANNOTATION,
  REMOVAL_CAUSE_ANNOTATION,
  STATE_ASKED_ANNOTATION,
  STATE_FOUND_ANNOTATION,
  WITH_INDIRECT_ANNOTATION,
  WITH_SERVICES_ANNOTATION,
} from './annotations.ts';
export { EVICTION_BRAKE_NAME, type EvictionBrake } from './eviction-brake.ts';
export { FAILOVER_CLUSTER_LABEL, type FailoverMove, type FailoverRecord } from './failover-record.ts';
export type { PreservedPiece, StatePreservationRule } from './state-preservation-rule.ts';
export type { ClusterState, StateValue, WorkloadState } from './workload-state.ts';
export type { MemberResidue } from './member-residue.ts';
export type { Migration, MigrationItem, MigrationStep } from './migration.ts';
export type { DeletedObject } from './deleted-object.ts';
export {
  PACKAGE_REVISION_ANNOTATION,
  ROLLOUT_CONTINUE_ANNOTATION,
  type ClusterFleetPackage,
  type RolloutClusterState,
  type FleetPackage,
  type FleetPackageOverride,
  type FleetPackageStatus,
  type PackageRevision,
  type RolloutStep,
} from './fleet-package.ts';
export type { ClusterDeletionPolicy, DeletionPolicy } from './deletion-policy.ts';

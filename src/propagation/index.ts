export { isWorkload } from '../fleet/index.ts';
export { desiredBinding, mergeBinding, type BindingInput, type BindingUpdate } from './binding.ts';
export { claimFor, claimOf, policyId, withClaim, withoutClaim, withoutClaims, type Claim } from './claim.ts';
export {
  createEligibility,
  type Eligibility,
  type EligibilityOptions,
  type Ineligible,
} from './eligibility.ts';
export type { AnyOverridePolicy, Binding, Policy } from './kinds.ts';
export { bindingName, bindingReferenceKey, promotedPolicyName, workName } from './names.ts';
export { namespaceSkip, namespacesSelectedBy, type NamespaceSkip } from './namespace.ts';
export {
  choosePolicy,
  decidePreemption,
  heirsOfLoweredPriority,
  policyMatches,
  preemptionContest,
  selectorRank,
  selectorsRank,
  type Contender,
  type Contest,
  type LostBy,
  type MatchRank,
  type PreemptionVerdict,
} from './policy-match.ts';
export { policyTrace } from './policy-trace.ts';
export { selectorFault, type ServedKind } from './selector-fault.ts';
export {
  decideTemplate,
  isControlPlaneUpdate,
  isHeldBack,
  isSignificantUpdate,
  type TemplateDecision,
  type TemplateInput,
} from './template.ts';
export { withShare } from './share.ts';
export { withManagedKeys } from './managed-keys.ts';
export { prune } from './prune.ts';
export { decideUpdate, isDrift, isManaged, releasedManifest, type UpdateDecision } from './member-object.ts';
export {
  letsGo,
  stampSuspension,
  stoppedBy,
  stoppedText,
  suspensionProblem,
  suspensionText,
  withSuspension,
  withoutSuspension,
  type Stopped,
  type Suspendable,
  type SuspensionWish,
} from './suspension.ts';
export {
  aggregateWorks,
  awaitsFirstReport,
  existingClusters,
  type BindingStatusDecision,
} from './binding-status.ts';
export {
  DELETED,
  calmInMs,
  contestedCondition,
  correctionWaitMs,
  fightToldBy,
  isFought,
  opponentOf,
  withCorrection,
  type Fight,
  type Opponent,
} from './fight.ts';
export { appliedCondition, dispatchingCondition, manifestStatus, withCondition } from './work-status.ts';
export {
  deletionAnnotations,
  divideCompletions,
  manifestWork,
  mergeWork,
  removalWork,
  renderTargets,
  renderWork,
  stoppedClusters,
  withOrigin,
} from './work.ts';
export type { Deletion, ManifestWorkInput, Overridden, RenderInput, WorkUpdate } from './work.ts';
export {
  applyOverrides,
  overridePolicySelects,
  type AppliedOverride,
  type OverrideInput,
  type OverrideResult,
} from './override.ts';
export {
  carriedRules,
  chooseDeletionPolicy,
  deletionRules,
  namespaceRules,
  preservesInside,
  rulesText,
  type AnyDeletionPolicy,
  type DeletionRules,
  type RemovalCause,
} from './deletion/rules.ts';
export { causeOfBindingEnd, decideEnd, decideRemoval, needsCause } from './deletion/removal.ts';
export { arrived, originMarks, orphaned } from './deletion/origin.ts';
export {
  conflictsOf,
  Needs,
  wantsIndirect,
  attachedKey,
  decideAttach,
  dependedByLabel,
  dependenciesOf,
  dependenciesText,
  dependencyFault,
  dependsOn,
  detached,
  followsDependencies,
  isMeantBy,
  isStillNeeded,
  withDependencies,
  withoutDependencies,
  type AttachDecision,
  type AttachInput,
} from './dependencies.ts';
export {
  conflictCondition,
  conflictEventText,
  dependenciesCondition,
  gotText,
  type Needed,
} from './dependency-verdict.ts';
export { supersededWorks, type Superseded } from './superseded.ts';
export { currencyCondition, silence, type Silent } from './status-currency.ts';
export { selectedServices, wantsServices } from './service-selection.ts';
export { fenceOf, isAtMostOnce } from './fence.ts';
export { preservedState } from './preserved-state.ts';
export {
  checkQuota,
  concernsQuota,
  quotaDelta,
  quotaManifest,
  quotaOverall,
  quotaOverallUsed,
  quotaStatusOf,
  quotaUsage,
  reportedQuotaStatus,
  type Amounts,
  type QuotaVerdict,
} from './quota.ts';
export {
  decideReplicaSync,
  markedTarget,
  withRetainedReplicas,
  type ReplicaSync,
  type ScaleTarget,
} from './replica-sync.ts';
export { inRebuildOrder, rebuildRank } from './migration/order.ts';
export { contentOf, keptOriginal, restoredOriginal } from './migration/original.ts';
export {
  changedFields,
  decideMigration,
  promotedPolicy,
  promotedTemplate,
  titleOf,
  undoOrder,
  type MigrationInput,
  type MigrationPlan,
  type MigrationProblem,
  type MigrationSubject,
} from './migration/plan.ts';

export {
  applicationEvictionTask,
  judgeApplication,
  type ApplicationVerdict,
  type UnhealthySince,
} from './application-failover.ts';
export {
  TAINT_MANAGER,
  evict,
  isLastHealthyCopy,
  isNeededAgain,
  taintEvictionTask,
  taintPurgeMode,
  type EvictionChange,
  type PurgeMode,
} from './eviction.ts';
export { requireKnownState, stateToCarry } from './carried-state.ts';
export { fencedAfterMs, renewEveryMs, waitsForOthers, type OtherCopy } from './fencing.ts';
export { assessEvictions, isOverTime, takeBack, type EvictionAssessment } from './graceful-eviction.ts';
export {
  brakeAtRest,
  fleetObstacle,
  fleetOf,
  isLeftAsLost,
  lossObstacle,
  passBrake,
  releaseBrake,
  suspicionOf,
  type BrakeLimits,
  type BrakeState,
  type Fleet,
} from './guard.ts';
export { heldCondition, type HeldStep, type Hold } from './held-condition.ts';
export { StateUnreadable, extractState } from './preserved-state.ts';
export { answerTo, askFor, parseAnswer, parseQuestion, type StateQuestion } from './asked-state.ts';
export { findPieces, ruleMeans, stateOf, type SoughtPiece } from './related-state.ts';
export { believe, readyFromProbe } from './probe.ts';
export type { ObservedReady, ProbeMemory, ProbeResult, Thresholds } from './probe.ts';
export {
  causeOf,
  followMoves,
  isUnderWay,
  moveKey,
  surplusRecords,
  tellStory,
  type Moves,
  type Observation,
  type StoryKind,
} from './history.ts';
export { remedyActions } from './remedy.ts';
export { judgeSilence, type SilenceMemory, type SilenceVerdict, type Signs } from './silence.ts';
export { SUSPECT_CONDITION, judgeSuspicion, type Failures } from './suspicion.ts';
export { taintsByPolicies } from './taint-policy.ts';
export {
  NOT_READY_TAINT,
  UNREACHABLE_TAINT,
  isGivenUp,
  taintsForReadiness,
  taintsOfLoss,
  type GivingUp,
  type Taint,
} from './taints.ts';
export { appliedTolerations, noExecuteTaints, stayOf, type Stay } from './toleration-clock.ts';
export { forecast, type ForecastStep } from './timeline/forecast.ts';
export { checkTimeline, type SettingFinding } from './timeline/check.ts';
export {
  impliedByMode,
  presetHelp,
  presetNames,
  presetTimeline,
  presetValues,
  type PresetName,
} from './timeline/presets.ts';
export {
  timelineRows,
  upstreamTimeline,
  type TimelineKey,
  type TimelineSettings,
} from './timeline/settings.ts';
export {
  formerPlacement,
  isBack,
  leavingByRollback,
  restoredClusters,
  turnsOf,
  wayBack,
  type FormerPlacement,
} from './way-back.ts';

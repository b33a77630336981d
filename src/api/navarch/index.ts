// Every kind of our own API, the group navarch.io: what Karmada's API has no place for. One file, one kind.
import type { KindDefinition } from '../kind.ts';
import { clusterSchedulingDecisionKind, schedulingDecisionKind } from './scheduling-decision.ts';

export const navarchKinds: readonly KindDefinition[] = [
  schedulingDecisionKind,
  clusterSchedulingDecisionKind,
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

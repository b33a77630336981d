// The accurate estimate as a service: what a scheduler asks an estimator that sees the very nodes of a member, and how
// the answer comes about (scheduling.md §13.5–13.6). Who asks, and over which wire, is not decided here.
import type { Component, ObjectReferenceSpec, ReplicaRequirements, ResourceQuota } from '../api/index.ts';
import type { GateName } from '../base/index.ts';
import type { AssumedWorkload } from './general-estimator.ts';
import { maxReplicasOnNodes, maxSetsOnNodes } from './node-estimator.ts';
import type { NodeSnapshot } from './node-ledger.ts';
import { maxReplicasByQuota, maxSetsByQuota } from './quota-estimator.ts';

export interface ReplicasQuestion {
  readonly requirements: ReplicaRequirements | undefined;
  readonly assumed: readonly AssumedWorkload[];
}

export interface SetsQuestion {
  readonly components: readonly Component[];
  readonly namespace: string;
  readonly assumed: readonly AssumedWorkload[];
}

export interface UnschedulableQuestion {
  readonly resource: Pick<ObjectReferenceSpec, 'apiVersion' | 'kind' | 'namespace' | 'name'>;
  readonly thresholdMs: number;
}

/** What belongs to a question without being part of it. */
export interface EstimateCall {
  readonly signal: AbortSignal;
  /** What is being scheduled, for people: `kind=K, name=ns/n`. */
  readonly object: string;
}

/** An estimator of one member. Every answer may fail or be late; the caller sets the time by its signal. */
export interface AccurateEstimator {
  maxReplicas(question: ReplicasQuestion, call: EstimateCall): Promise<number>;
  maxComponentSets(question: SetsQuestion, call: EstimateCall): Promise<number>;
  unschedulableReplicas(question: UnschedulableQuestion, call: EstimateCall): Promise<number>;
}

export type EstimateGates = Readonly<
  Record<Extract<GateName, 'ResourceQuotaEstimate' | 'SchedulingOvercommitProtection'>, boolean>
>;

export interface MemberCapacity {
  readonly nodes: NodeSnapshot;
  /** Of the whole member. */
  readonly quotas: readonly ResourceQuota[];
}

function assumedBy(
  { assumed }: { readonly assumed: readonly AssumedWorkload[] },
  gates: EstimateGates,
): readonly AssumedWorkload[] {
  return gates.SchedulingOvercommitProtection ? assumed : [];
}

/** The least of what nodes and quotas allow. A member without nodes takes nothing. */
export function estimateReplicas(
  { nodes, quotas }: MemberCapacity,
  question: ReplicasQuestion,
  gates: EstimateGates,
): number {
  if (nodes.nodes.length === 0) return 0;
  const assumed = assumedBy(question, gates);
  const byNodes = maxReplicasOnNodes(nodes, question.requirements, assumed);
  if (!gates.ResourceQuotaEstimate) return byNodes;
  return Math.min(byNodes, maxReplicasByQuota(quotas, question.requirements, assumed));
}

/** The same for whole sets of components. */
export function estimateSets(
  { nodes, quotas }: MemberCapacity,
  question: SetsQuestion,
  gates: EstimateGates,
): number {
  if (nodes.nodes.length === 0) return 0;
  const assumed = assumedBy(question, gates);
  const byNodes = maxSetsOnNodes(nodes, question.components, assumed);
  if (!gates.ResourceQuotaEstimate) return byNodes;
  return Math.min(byNodes, maxSetsByQuota(quotas, question.namespace, question.components, assumed));
}

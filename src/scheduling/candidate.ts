// A cluster that passed the filters, with what decides its place in the queue of candidates (scheduling.md §8.2–8.3).
import type { ClusterView } from './fleet-snapshot.ts';

export interface Candidate {
  readonly view: ClusterView;
  readonly name: string;
  /** 0 for the term itself, then 1 for its first overflow affinity, and so on. */
  readonly overflowOrder: number;
  /** 100 when the binding runs here already. */
  readonly score: number;
  /** How many more replicas (or sets) it takes. */
  readonly allocatable: number;
  /** allocatable, and what the binding has here already. */
  readonly available: number;
}

export const MAX_SCORE = 100;

/** Total, so that the result never depends on the order in which clusters were listed. */
export function inOrder(a: Candidate, b: Candidate): number {
  if (a.overflowOrder !== b.overflowOrder) return a.overflowOrder - b.overflowOrder;
  if (a.score !== b.score) return b.score - a.score;
  if (a.available !== b.available) return b.available - a.available;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

export function sumAvailable(candidates: readonly Candidate[]): number {
  let sum = 0;
  for (const { available } of candidates) sum += available;
  return sum;
}

/** A step that failed: an expected outcome, hence a value. */
export interface StepError {
  readonly error: string;
  /** More capacity would help; the binding waits for it. */
  readonly unschedulable?: true;
}

export type Step<T> = { readonly value: T } | StepError;

export function failed(step: Step<unknown>): step is StepError {
  return 'error' in step;
}

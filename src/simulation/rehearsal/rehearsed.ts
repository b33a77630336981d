// What a rehearsal found.
import type { Happening } from '../chronicle.ts';

export interface RehearsedWorkload {
  readonly workload: string;
  /** Targets and their replicas: before, at the end of the faults, and when all had settled again. */
  readonly before: string;
  readonly during: string;
  readonly after: string;
  /** Replicas that served; of what has none, 1 or 0. */
  readonly servingBefore: number;
  readonly servingLeast: number;
  /** For how long fewer served than before, in all. */
  readonly shortMs: number;
}

export interface Rehearsed {
  readonly seed: string;
  /** When the copy was made. */
  readonly asOfMs: number;
  /** When the first step happened, and the last thing; on the same clock. */
  readonly startMs: number;
  readonly endMs: number;
  readonly clusters: number;
  readonly bindings: number;
  readonly happenings: readonly Happening[];
  readonly workloads: readonly RehearsedWorkload[];
  /** At the end of the faults: what had no place, and what the guard kept where it was. */
  readonly stuck: readonly {
    readonly workload: string;
    readonly what: 'not placed' | 'held';
    readonly reason: string;
    readonly message: string;
  }[];
  readonly evictions: number;
  /** Expectations of the scenario that did not hold, and steps that were refused. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

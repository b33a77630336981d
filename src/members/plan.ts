// What a decision of a simulated cluster's controllers is made of. Deciders return plans and never write
// themselves; act.ts carries plans out.
import type { KubeObject } from '../api/index.ts';
import type { Resource } from '../client/index.ts';

/** What is told of a write instead of the usual words: when it has been done, and, before the error, when it has not. */
export interface Words {
  readonly done: string;
  readonly failed: string;
}

export type Write =
  | {
      readonly verb: 'create';
      readonly resource: Resource;
      readonly object: KubeObject;
      readonly accountTo?: KubeObject;
      readonly words?: Words;
    }
  /** Replaces the object as it was read: its resourceVersion is the precondition. */
  | { readonly verb: 'update'; readonly resource: Resource; readonly object: KubeObject }
  | { readonly verb: 'updateStatus'; readonly resource: Resource; readonly object: KubeObject }
  /** Deletes this very object: its uid is the precondition. */
  | {
      readonly verb: 'delete';
      readonly resource: Resource;
      readonly object: KubeObject;
      readonly gracePeriodSeconds?: number;
      readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
      /** An event about this object tells whether the pod could be created or deleted. */
      readonly accountTo?: KubeObject;
      readonly words?: Words;
    };

export interface EventNote {
  readonly about: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface Plan {
  /** Writes of one step go side by side; a step begins when all writes of the one before have succeeded. */
  readonly steps: readonly (readonly Write[])[];
  readonly events: readonly EventNote[];
  /** When to decide again even if nothing changes. */
  readonly requeueAfterMs?: number;
}

export const nothing: Plan = { steps: [], events: [] };

/** Leaves out empty steps, so that "no change" is an empty plan. */
export function planOf(
  steps: readonly (readonly Write[])[],
  events: readonly EventNote[] = [],
  requeueAfterMs?: number,
): Plan {
  return {
    steps: steps.filter((step) => step.length > 0),
    events,
    ...(requeueAfterMs === undefined ? {} : { requeueAfterMs: Math.max(requeueAfterMs, 0) }),
  };
}

/** The earlier of two requeue times; undefined means never. */
export function sooner(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}

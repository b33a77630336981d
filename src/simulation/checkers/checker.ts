// What must be true of every world, whatever is done to it. A checker watches while things happen, or looks at a world
// that has been left in peace for long enough, and says what it finds wrong.
import type { Observer, World } from '../world.ts';

/** Told of each violation, in words that name what was seen. */
export type Report = (violation: string) => void;

export interface Checker {
  readonly name: string;
  readonly observer?: Observer;
  /** What is wrong in a world without faults in which everything has had time to settle. */
  atRest?(): readonly string[];
}

export type CreateChecker = (world: World, report: Report) => Checker;

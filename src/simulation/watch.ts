// All checkers over one world, and what they have found.
import { formatTime } from '../base/index.ts';
import { acknowledgedWrites } from './checkers/acknowledged-writes.ts';
import type { Checker, CreateChecker } from './checkers/checker.ts';
import { convergence, unsettled } from './checkers/convergence.ts';
import { lastCopy } from './checkers/last-copy.ts';
import { orphans } from './checkers/orphans.ts';
import { replicaSums } from './checkers/replica-sums.ts';
import { singleCopy } from './checkers/single-copy.ts';
import { suspension } from './checkers/suspension.ts';
import type { World } from './world.ts';

export const ALL_CHECKERS: readonly CreateChecker[] = [
  lastCopy,
  orphans,
  replicaSums,
  convergence,
  acknowledgedWrites,
  singleCopy,
  suspension,
];

export interface Violation {
  readonly checker: string;
  readonly atMs: number;
  readonly what: string;
}

/** LIMIT: of one checker in one world; more of the same tells nothing new. */
const VIOLATIONS_MAX = 20;

export class Watch {
  readonly violations: Violation[] = [];
  private readonly world: World;
  private readonly checkers: Checker[] = [];

  constructor(world: World, create: readonly CreateChecker[] = ALL_CHECKERS) {
    this.world = world;
    for (const make of create) {
      const checker = make(world, (what) => this.add(checker.name, what));
      this.checkers.push(checker);
      if (checker.observer !== undefined) world.observe(checker.observer);
    }
  }

  /** Lets time pass until nothing is under way, at most `limitMs`; what is still wrong then are violations. */
  async rest(limitMs: number, isIdle: () => boolean = () => true): Promise<void> {
    // Looking costs more than most of what happens.
    let nextLookMs = 0;
    const settled = (): boolean => {
      if (this.world.clock.now() < nextLookMs) return false;
      nextLookMs = this.world.clock.now() + LOOK_EVERY_MS;
      return isIdle() && unsettled(this.world).length === 0;
    };
    if (await this.world.until(settled, limitMs)) await this.world.run(QUIET_MS);
    for (const checker of this.checkers)
      for (const what of checker.atRest?.() ?? []) this.add(checker.name, what);
  }

  private add(checker: string, what: string): void {
    if (this.violations.filter((one) => one.checker === checker).length >= VIOLATIONS_MAX) return;
    this.violations.push({ checker, atMs: this.world.clock.now(), what });
  }
}

const LOOK_EVERY_MS = 1_000;
/** What was settled must stay so. */
const QUIET_MS = 60_000;

export function violationText({ checker, atMs, what }: Violation): string {
  return `${formatTime(atMs)} ${checker}: ${what}`;
}

// How much of the server each priority level may use for now: what levels do not need they lend to those that do, within
// what each of them allows. COMPAT: the figures and bounds are those of KEP-1040. Pure.
import type { PriorityLevel } from './levels.ts';

/** What a level may have at least, by right, and at most, in requests under way. */
export interface LevelBounds {
  readonly nominal: number;
  readonly min: number;
  readonly max: number;
}

/** What was asked of a level over some time: requests under way and waiting. */
export interface Demand {
  readonly average: number;
  readonly deviation: number;
  readonly most: number;
}

export interface LevelState extends LevelBounds {
  readonly name: string;
  readonly exempt: boolean;
  readonly most: number;
  /** Demand as it counts: rises at once, falls slowly. */
  readonly smoothed: number;
}

// As upstream: half of a demand is forgotten after about five minutes.
const SMOOTHING = 0.977;

export function boundsOf(level: PriorityLevel, nominal: number, total: number): LevelBounds {
  const lendable = Math.round((nominal * level.lendablePercent) / 100);
  const borrowing =
    level.borrowingLimitPercent === undefined
      ? total
      : Math.round((nominal * level.borrowingLimitPercent) / 100);
  return { nominal, min: nominal - lendable, max: nominal + borrowing };
}

export function smooth(smoothed: number, { average, deviation }: Demand): number {
  const envelope = average + deviation;
  return Math.max(envelope, SMOOTHING * smoothed + (1 - SMOOTHING) * envelope);
}

/** The limit of every level that has one. */
export function currentLimits(levels: readonly LevelState[]): ReadonlyMap<string, number> {
  const limited = levels.filter(({ exempt }) => !exempt);
  // What exempt levels use is not there to be shared; nobody holds them back.
  const taken = levels
    .filter(({ exempt }) => exempt)
    .reduce((sum, { min, most }) => sum + Math.max(min, most), 0);
  const total = levels.reduce((sum, { nominal }) => sum + nominal, 0);
  const rest = total - taken;
  const floors = limited.map(({ min, nominal, most }) => Math.max(min, Math.min(nominal, most)));
  const minSum = limited.reduce((sum, { min }) => sum + min, 0);
  const floorSum = floors.reduce((sum, floor) => sum + floor, 0);
  const share = (level: LevelState, index: number, part: number): number =>
    level.min + (floors[index]! - level.min) * part;
  let limits: readonly number[];
  if (rest <= minSum) limits = limited.map(({ min }) => min);
  else if (rest <= floorSum) {
    limits = limited.map((level, index) => share(level, index, (rest - minSum) / (floorSum - minSum)));
  } else {
    limits = divide(
      total,
      limited.map(({ max, smoothed }, index) => {
        const lower = floors[index]!;
        return { target: Math.max(lower, smoothed), lower, upper: max };
      }),
    );
  }
  return new Map(limited.map(({ name }, index) => [name, Math.round(limits[index]!)]));
}

interface Claim {
  readonly target: number;
  readonly lower: number;
  readonly upper: number;
}

// A level that wants nothing still gets a part of what nobody wants.
const LEAST_TARGET = 0.001;

/**
 * Every claim gets the same multiple of its target, but no less than its lower bound and no more than its upper one, such
 * that all of them together get `sum`; less where the upper bounds do not allow it, more where the lower ones ask for it.
 */
export function divide(sum: number, claims: readonly Claim[]): readonly number[] {
  const at = (multiple: number): number[] =>
    claims.map(({ target, lower, upper }) =>
      Math.max(lower, Math.min(upper, multiple * Math.max(target, LEAST_TARGET))),
    );
  const total = (parts: readonly number[]): number => parts.reduce((all, part) => all + part, 0);
  let [low, high] = [
    0,
    Math.max(1, ...claims.map(({ target, upper }) => upper / Math.max(target, LEAST_TARGET))),
  ];
  // LIMIT: each step halves the error; after these nothing is left of it that rounding would not remove.
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (total(at(middle)) < sum) low = middle;
    else high = middle;
  }
  return at(high);
}

// Choosing clusters when only their number is bounded (scheduling.md §8.4, by cluster).
import { sumAvailable, type Candidate, type Step } from './candidate.ts';

export interface GroupBounds {
  readonly min: number;
  /** Infinity when there is no upper bound. */
  readonly max: number;
}

/**
 * The first candidates, at most `bounds.max`. When they do not hold `need` replicas, those at the end make way for
 * roomier ones that were left out. `need` undefined: capacity does not matter.
 */
export function selectByCluster(
  candidates: readonly Candidate[],
  bounds: GroupBounds,
  need: number | undefined,
): Step<readonly Candidate[]> {
  if (candidates.length < bounds.min) {
    return { error: 'the number of feasible clusters is less than spreadConstraint.MinGroups' };
  }
  const count = Math.min(candidates.length, bounds.max);
  const chosen = candidates.slice(0, count);
  if (need === undefined) return { value: chosen };
  const rest = candidates.slice(count);
  for (let at = count - 1; at >= 0 && sumAvailable(chosen) < need; at--) {
    const leaving = chosen[at]!;
    let best = -1;
    for (const [index, { available }] of rest.entries()) {
      if (available > (rest[best]?.available ?? leaving.available)) best = index;
    }
    if (best < 0) continue;
    chosen[at] = rest[best]!;
    rest[best] = leaving;
  }
  if (sumAvailable(chosen) < need) return { error: `no enough resource when selecting ${count} clusters` };
  return { value: chosen };
}

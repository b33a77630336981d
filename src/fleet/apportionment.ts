// Dividing whole replicas by weights (Webster's method, also called Sainte-Laguë): each seat goes to the party with
// the largest votes/(2·seats+1). Replicas between clusters and completions of a Job are divided by it.
// INVARIANT: the seats given add up to the number asked for, unless nobody has votes.
import { fnv1a32 } from '../machinery/index.ts';

export interface Party {
  readonly name: string;
  /** Not negative. Compared as IEEE doubles, as upstream does. */
  readonly votes: number;
}

export interface Share {
  readonly name: string;
  readonly seats: number;
}

/** Which way names run when votes and seats tie: so that not always the same cluster gets what is left over. */
export type NameOrder = 'ascending' | 'descending';

/** The order for a template: upward without a uid or with an even FNV-1a hash of it, downward with an odd one. */
export function nameOrderFor(uid: string | undefined): NameOrder {
  return uid === undefined || uid === '' || fnv1a32(uid) % 2 === 0 ? 'ascending' : 'descending';
}

interface Candidate {
  readonly name: string;
  readonly votes: number;
  seats: number;
  /** What the next seat of this party is worth. */
  worth: number;
}

/**
 * Gives `seats` to `parties`. The result has one share per party with votes, sorted by name; those that got
 * nothing are left out. No votes at all: an empty result.
 */
export function apportion(seats: number, parties: readonly Party[], order: NameOrder): readonly Share[] {
  const candidates: Candidate[] = [];
  let total = 0;
  for (const { name, votes } of parties) {
    if (!(votes > 0)) continue;
    candidates.push({ name, votes, seats: 0, worth: votes });
    total += votes;
  }
  if (candidates.length === 0 || seats <= 0) return [];
  const given = giveCertainSeats(seats, candidates, total);
  giveOneByOne(seats - given, candidates, order);
  return candidates
    .filter((candidate) => candidate.seats > 0)
    .map(({ name, seats: own }) => ({ name, seats: own }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/**
 * Gives at once all seats that are worth more than a bar. Whatever the ties below it, one-by-one division gives
 * exactly those seats first, so a million replicas cost no more than a hundred.
 */
function giveCertainSeats(seats: number, candidates: readonly Candidate[], total: number): number {
  // With the bar here, the seats above it are at most `seats` and at least `seats` − the number of parties.
  let bar = total / (2 * seats - candidates.length);
  if (!(bar > 0) || !Number.isFinite(bar)) return 0;
  // LIMIT: rounding can put the bar a hair too low; it is raised a little more each time, and that is far enough.
  for (let attempt = 0; attempt < 8; attempt++, bar *= 1 + 1e-12 * 100 ** attempt) {
    const counts = candidates.map(({ votes }) => seatsAbove(votes, bar));
    const given = counts.reduce((sum, count) => sum + count, 0);
    if (given > seats) continue;
    candidates.forEach((candidate, index) => {
      candidate.seats = counts[index] ?? 0;
      candidate.worth = candidate.votes / (2 * candidate.seats + 1);
    });
    return given;
  }
  return 0;
}

/** How many seats of a party are worth more than `bar`. */
function seatsAbove(votes: number, bar: number): number {
  let count = Math.max(0, Math.ceil((votes / bar - 1) / 2));
  while (count > 0 && !(votes / (2 * count - 1) > bar)) count--;
  while (votes / (2 * count + 1) > bar) count++;
  return count;
}

/** A binary heap with the party that gets the next seat on top. */
function giveOneByOne(seats: number, heap: Candidate[], order: NameOrder): void {
  const names = order === 'ascending' ? 1 : -1;
  const before = (a: Candidate, b: Candidate): boolean => {
    if (a.worth !== b.worth) return a.worth > b.worth;
    if (a.seats !== b.seats) return a.seats < b.seats;
    return a.name === b.name ? false : a.name < b.name === names > 0;
  };
  const sink = (start: number): void => {
    const moving = heap[start]!;
    let at = start;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, moving)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moving;
  };
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(at);
  for (let left = seats; left > 0; left--) {
    const top = heap[0]!;
    top.seats++;
    top.worth = top.votes / (2 * top.seats + 1);
    sink(0);
  }
}

// How much of the server a priority level gets, and who waits for how long: PriorityLevelConfigurations. Pure.
import type { KubeObject } from '../../api/index.ts';

export interface PriorityLevel {
  readonly name: string;
  readonly uid: string;
  readonly exempt: boolean;
  /** Its part of the server among those of all levels. */
  readonly shares: number;
  /** How much of that others may use when it is not needed here. */
  readonly lendablePercent: number;
  /** How much more it may use of what others lend; undefined: all of it. */
  readonly borrowingLimitPercent: number | undefined;
  /** Undefined: requests beyond the limit are refused at once. */
  readonly queuing:
    | { readonly queues: number; readonly handSize: number; readonly queueLengthLimit: number }
    | undefined;
}

interface LevelSpec {
  readonly type?: string;
  readonly exempt?: { readonly nominalConcurrencyShares?: number; readonly lendablePercent?: number };
  readonly limited?: {
    readonly nominalConcurrencyShares?: number;
    readonly lendablePercent?: number;
    readonly borrowingLimitPercent?: number;
    readonly limitResponse?: {
      readonly type?: string;
      readonly queuing?: {
        readonly queues?: number;
        readonly handSize?: number;
        readonly queueLengthLimit?: number;
      };
    };
  };
}

// LIMIT: however large the numbers of an object, what waits for one level stays bounded.
const MAX_QUEUES = 1024;
const MAX_HAND = 64;
const MAX_QUEUE_LENGTH = 10_000;

export function levelOf(object: KubeObject): PriorityLevel {
  const { type, limited = {}, exempt = {} } = (object['spec'] ?? {}) as LevelSpec;
  const { limitResponse = {} } = limited;
  const { queues = 64, handSize = 8, queueLengthLimit = 50 } = limitResponse.queuing ?? {};
  const bounded = (value: number, max: number): number => Math.max(1, Math.min(value, max));
  return {
    name: object.metadata.name ?? '',
    uid: object.metadata.uid ?? '',
    exempt: type === 'Exempt',
    shares:
      type === 'Exempt' ? (exempt.nominalConcurrencyShares ?? 0) : (limited.nominalConcurrencyShares ?? 30),
    lendablePercent: (type === 'Exempt' ? exempt : limited).lendablePercent ?? 0,
    borrowingLimitPercent: limited.borrowingLimitPercent,
    queuing:
      limitResponse.type === 'Queue'
        ? {
            queues: bounded(queues, MAX_QUEUES),
            handSize: bounded(handSize, Math.min(MAX_HAND, queues)),
            queueLengthLimit: bounded(queueLengthLimit, MAX_QUEUE_LENGTH),
          }
        : undefined,
  };
}

/** How many requests of each level may be under way by right; the levels share `total` by their shares. */
export function nominalLimits(levels: readonly PriorityLevel[], total: number): ReadonlyMap<string, number> {
  const sum = levels.reduce((shares, level) => shares + level.shares, 0);
  return new Map(
    levels.map(({ name, shares, exempt }) => {
      const part = Math.ceil((total * shares) / Math.max(1, sum));
      return [name, exempt ? part : Math.max(1, part)];
    }),
  );
}

/** The queues that a flow may use: a hand of cards dealt by its name, so that few flows share all of theirs. */
export function dealHand(key: string, queues: number, handSize: number): readonly number[] {
  let hash = 0x811c9dc5;
  const hand: number[] = [];
  for (let round = 0; hand.length < handSize && round < handSize * 16; round++) {
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ round, 0x01000193);
    const card = ((hash ^ (hash >>> 15)) >>> 0) % queues;
    if (!hand.includes(card)) hand.push(card);
  }
  return hand;
}

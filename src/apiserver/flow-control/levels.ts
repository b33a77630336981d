// How much of the server a priority level gets, and who waits for how long: PriorityLevelConfigurations. Pure.
import type { KubeObject } from '../../api/index.ts';

export interface PriorityLevel {
  readonly name: string;
  readonly uid: string;
  readonly exempt: boolean;
  /** Its part of the server among those of all levels. */
  readonly shares: number;
  /** Undefined: requests beyond the limit are refused at once. */
  readonly queuing:
    | { readonly queues: number; readonly handSize: number; readonly queueLengthLimit: number }
    | undefined;
}

interface LevelSpec {
  readonly type?: string;
  readonly limited?: {
    readonly nominalConcurrencyShares?: number;
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
  const { type, limited = {} } = (object['spec'] ?? {}) as LevelSpec;
  const { limitResponse = {} } = limited;
  const { queues = 64, handSize = 8, queueLengthLimit = 50 } = limitResponse.queuing ?? {};
  const bounded = (value: number, max: number): number => Math.max(1, Math.min(value, max));
  return {
    name: object.metadata.name ?? '',
    uid: object.metadata.uid ?? '',
    exempt: type === 'Exempt',
    shares: limited.nominalConcurrencyShares ?? 30,
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

/** How many requests of each level may be under way; the levels share `total` by their shares. */
export function concurrencyLimits(
  levels: Iterable<PriorityLevel>,
  total: number,
): ReadonlyMap<string, number> {
  const limited = [...levels].filter(({ exempt }) => !exempt);
  const sum = limited.reduce((shares, level) => shares + level.shares, 0);
  return new Map(
    limited.map(({ name, shares }) => [name, Math.max(1, Math.ceil((total * shares) / Math.max(1, sum)))]),
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

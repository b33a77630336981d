// Chance that a seed replays. Each part of a world draws from a stream of its own name, so that one more draw in one part
// does not shift what the others see.
import { assert, type Random } from '../base/index.ts';

export interface SeededRandom extends Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  /** A number from `min` to below `max`. */
  between(min: number, max: number): number;
  /** True in this share of the cases. */
  chance(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** An independent stream. */
  stream(name: string): SeededRandom;
}

export function seededRandom(seed: string): SeededRandom {
  const next = sfc32(seed);
  const fraction = (): number => next() / 2 ** 32;
  const below = (limit: number): number => Math.floor(fraction() * limit);
  return {
    fraction,
    below,
    between: (min, max) => min + fraction() * (max - min),
    chance: (share) => fraction() < share,
    pick(list) {
      assert(list.length > 0, 'there is something to pick from');
      return list[below(list.length)]!;
    },
    uuid() {
      const hex = [next(), next(), next(), next()].map((word) => word.toString(16).padStart(8, '0')).join('');
      const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]!;
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
    },
    stream: (name) => seededRandom(`${seed}/${name}`),
  };
}

/** Chris Doty-Humphrey's small fast counting generator (PractRand), of 32-bit words. */
function sfc32(seed: string): () => number {
  let [a, b, c] = [0x9e3779b9, 0x243f6a88, 0xb7e15162];
  let counter = 1;
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    return result >>> 0;
  };
  for (let i = 0; i < seed.length; i++) {
    a ^= seed.charCodeAt(i);
    next();
  }
  for (let i = 0; i < 12; i++) next();
  return next;
}

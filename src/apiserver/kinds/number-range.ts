// Which number of a range to try next: pure, so that it can be shown that a free one is always found.
// COMPAT: as kube-apiserver does, the lower part of a range is left to those who ask for a certain number, for as long
// as there are others.

export interface NumberRange {
  readonly first: number;
  readonly count: number;
  /** How many of the first are handed out last. */
  readonly reserved: number;
}

/** @param divisor of the size of the range; the part is at least 16, at most `most`, and never all of it */
export function rangeOf(first: number, count: number, divisor: number, most: number): NumberRange {
  const share = Math.min(Math.max(16, Math.floor(count / divisor)), most);
  return { first, count, reserved: count <= 16 ? 0 : Math.min(share, count - 1) };
}

export function isInRange({ first, count }: NumberRange, number: number): boolean {
  return Number.isInteger(number) && number >= first && number < first + count;
}

/** @param fraction from 0 up to 1, by chance */
export function guess({ first, count, reserved }: NumberRange, fraction: number): number {
  return first + reserved + Math.floor(fraction * (count - reserved));
}

/**
 * Every number of the range once: free ones of the upper part from somewhere on, free ones of the lower part, then those
 * that are taken, in case that they are not needed any more.
 */
export function* candidates(
  range: NumberRange,
  taken: ReadonlySet<number>,
  fraction: number,
): Generator<number> {
  const upper = range.count - range.reserved;
  const start = Math.floor(fraction * upper);
  const inOrder = function* (): Generator<number> {
    for (let i = 0; i < upper; i++) yield range.first + range.reserved + ((start + i) % upper);
    for (let i = 0; i < range.reserved; i++) yield range.first + i;
  };
  for (const number of inOrder()) if (!taken.has(number)) yield number;
  for (const number of inOrder()) if (taken.has(number)) yield number;
}

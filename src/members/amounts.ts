// Counts that a user may write as a number or as a share of another count.

/** `3`, `"3"` or `"25%"` of `total`; a share is rounded up or down as asked. Malformed text counts as 0. */
export function scaledValue(
  written: string | number | undefined,
  total: number,
  round: 'up' | 'down',
): number {
  if (written === undefined) return 0;
  if (typeof written === 'number') return written;
  const share = /^(\d+)%$/.exec(written)?.[1];
  if (share === undefined) return /^\d+$/.test(written) ? Number(written) : 0;
  const value = (Number(share) * total) / 100;
  return round === 'up' ? Math.ceil(value) : Math.floor(value);
}

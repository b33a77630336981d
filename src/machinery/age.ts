// Times as tables show them: how long ago, in Kubernetes' short form.

/** `5s`, `3m12s`, `2d4h`, `3y120d`: at most two units, fewer the longer it is. */
export function formatShortDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  // A little in the future is a clock that is not in step.
  if (milliseconds < -2000) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  if (days < 2920) return days % 365 === 0 ? `${years}y` : `${years}y${days % 365}d`;
  return `${years}y`;
}

/** How long ago a time was; `<unknown>` when there is none. */
export function formatAge(time: string | null | undefined, nowMs: number): string {
  const since = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(since) ? '<unknown>' : formatShortDuration(nowMs - since);
}

// Time windows of suspensions: whether they block at a moment, and when that changes next.
// A window is open for its duration from each start of its schedule on, so starts that come before the last one has run out
// lengthen it. A start that a clock change skips counts as if the clock had not been changed yet: nobody expects a night
// without a maintenance window because it was the one in which summer time began.
import { CronError, DurationError, latestBetween, parseCron, parseLongDuration } from '../machinery/index.ts';
import type { CronSchedule } from '../machinery/index.ts';

export interface SuspensionWindow {
  /** `deny`: blocked while it is open; `allow`: blocked while none of the allow windows is open. */
  readonly kind: 'allow' | 'deny';
  /** Cron of five fields. */
  readonly schedule: string;
  /** As Go writes it, with `d` and `w` before the rest. */
  readonly duration: string;
  /** IANA; absent: UTC. */
  readonly timeZone?: string | undefined;
}

interface ParsedWindow {
  readonly kind: 'allow' | 'deny';
  readonly starts: CronSchedule;
  readonly durationMs: number;
}

// LIMIT: changes of single windows that are followed to the next change of all together. A block made of more stretches
// than that without a gap has no end that is known yet; who waits for it looks again anyway.
const STEPS_MAX = 500;

// LIMIT: a window longer than this is a suspension without an end, and is refused.
const DURATION_MAX_MS = 366 * 86_400_000;

const parsed = new WeakMap<readonly SuspensionWindow[], readonly ParsedWindow[]>();

/** What is wrong with a window; undefined: nothing. */
export function windowProblem(window: SuspensionWindow): string | undefined {
  try {
    parse(window);
    return undefined;
  } catch (error) {
    if (error instanceof CronError || error instanceof DurationError) return error.message;
    throw error;
  }
}

function parse({ kind, schedule, duration, timeZone }: SuspensionWindow): ParsedWindow {
  const durationMs = parseLongDuration(duration);
  if (durationMs < 60_000 || durationMs > DURATION_MAX_MS)
    throw new DurationError(`a window lasts from 1m to 366d, not ${duration}`);
  return { kind, starts: parseCron(schedule, timeZone, { keepsSkipped: true }), durationMs };
}

/** Throws CronError and DurationError; admission lets none of those pass. */
function parsedOf(windows: readonly SuspensionWindow[]): readonly ParsedWindow[] {
  let known = parsed.get(windows);
  if (known === undefined) parsed.set(windows, (known = windows.map(parse)));
  return known;
}

/** Whether the windows block at `atMs`. Without windows everything is blocked. */
export function isBlocked(windows: readonly SuspensionWindow[], atMs: number): boolean {
  return blockedAt(parsedOf(windows), atMs);
}

/** The first moment after `atMs` at which that is otherwise; undefined: none that is known. */
export function nextChange(windows: readonly SuspensionWindow[], atMs: number): number | undefined {
  const all = parsedOf(windows);
  const now = blockedAt(all, atMs);
  let at = atMs;
  for (let step = 0; step < STEPS_MAX; step++) {
    const turns = all.map((window) => nextTurn(window, at)).filter((turn) => turn !== undefined);
    if (turns.length === 0) return undefined;
    at = Math.min(...turns);
    if (blockedAt(all, at) !== now) return at;
  }
  return undefined;
}

function blockedAt(windows: readonly ParsedWindow[], atMs: number): boolean {
  if (windows.length === 0) return true;
  if (windows.some((window) => window.kind === 'deny' && isOpen(window, atMs))) return true;
  const allow = windows.filter(({ kind }) => kind === 'allow');
  return allow.length > 0 && !allow.some((window) => isOpen(window, atMs));
}

/** A start lies within the last duration. */
function isOpen({ starts, durationMs }: ParsedWindow, atMs: number): boolean {
  return (starts.next(atMs - durationMs) ?? Infinity) <= atMs;
}

/** When the window opens or closes next. */
function nextTurn(window: ParsedWindow, atMs: number): number | undefined {
  const { starts, durationMs } = window;
  if (!isOpen(window, atMs)) return starts.next(atMs);
  let end = atMs;
  for (let step = 0; step < STEPS_MAX; step++) {
    const latest = latestBetween(starts, end - durationMs, end);
    if (latest === undefined) return end;
    end = latest + durationMs;
  }
  return undefined;
}

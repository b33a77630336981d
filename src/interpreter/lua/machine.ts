// One run of a script: its globals, where it stands, and what it may still use. Time is counted in steps, so that a run
// ends at the same place wherever it is repeated; a clock that is handed in may end it earlier.
import type { LuaTable } from './table.ts';
import { LuaBudgetError, LuaError, toBytes } from './value.ts';

export interface LuaLimits {
  /** Statements, calls, turns of loops, and library work in proportion. */
  readonly stepsMax: number;
  /** Made in one run, whether or not it is still reachable. */
  readonly bytesMax: number;
  /** By `now`; without a `now` only the steps count. */
  readonly deadlineMs: number;
}

/**
 * How many steps stand for a millisecond. A step takes some 20 to 50 ns on the hardware of today, so a budget converted
 * with this is a little stricter than the clock, never much laxer.
 */
const STEPS_PER_MS = 20_000;

/** COMPAT: upstream stops a call after a second. LIMIT: the memory that all values of one run may take together. */
export const DEFAULT_LIMITS: LuaLimits = {
  stepsMax: 1000 * STEPS_PER_MS,
  bytesMax: 256 * 1024 * 1024,
  deadlineMs: 1000,
};

/** LIMIT: calls within calls, as deep as gopher-lua lets them be or a little less. */
const DEPTH_MAX = 200;
const STEPS_BETWEEN_LOOKS = 8192;
/** What an entry of a table is taken to cost, and a table or a function by itself. */
export const ENTRY_BYTES = 64;
export const TABLE_BYTES = 256;

export interface MachineOptions {
  readonly limits: LuaLimits;
  /** Milliseconds, monotonic or of the epoch; also what `os.time` tells. */
  readonly now: (() => number) | undefined;
  readonly print: ((line: string) => void) | undefined;
}

export class Machine {
  readonly globals: LuaTable;
  /** Where methods of strings are looked up. */
  readonly strings: LuaTable;
  readonly now: (() => number) | undefined;
  readonly print: ((line: string) => void) | undefined;
  readonly modules = new Map<string, LuaTable>();
  randomState = 1;
  readonly #limits: LuaLimits;
  readonly #endMs: number;
  #steps = 0;
  #lookAt: number;
  #bytes = 0;
  /** The line of each call under way. */
  readonly #lines: number[] = [];

  constructor(globals: LuaTable, strings: LuaTable, options: MachineOptions) {
    this.globals = globals;
    this.strings = strings;
    this.now = options.now;
    this.print = options.print;
    this.#limits = options.limits;
    this.#endMs = (options.now?.() ?? 0) + options.limits.deadlineMs;
    this.#lookAt = Math.min(STEPS_BETWEEN_LOOKS, options.limits.stepsMax);
  }

  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > this.#lookAt) this.#look();
  }

  #look(): void {
    const late = this.now !== undefined && this.now() > this.#endMs;
    if (late || this.#steps > this.#limits.stepsMax) throw new LuaBudgetError('context deadline exceeded');
    this.#lookAt = Math.min(this.#steps + STEPS_BETWEEN_LOOKS, this.#limits.stepsMax);
  }

  allocate(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.bytesMax) throw new LuaBudgetError('memory limit exceeded');
  }

  get depth(): number {
    return this.#lines.length;
  }

  /** Of the call that runs. */
  get line(): number {
    return this.#lines.at(-1) ?? 0;
  }

  enter(line: number): void {
    if (this.#lines.length >= DEPTH_MAX) throw this.error('stack overflow');
    this.#lines.push(line);
  }

  leave(): void {
    this.#lines.pop();
  }

  /** After an error that was caught at this depth. */
  unwind(depth: number): void {
    this.#lines.length = depth;
  }

  /** `<string>:3: ` for the call that is `level` calls out from the running one. */
  position(level: number): string {
    const line = this.#lines.at(-level);
    return line === undefined ? '' : `<string>:${line}: `;
  }

  /** An error of the library function that runs. */
  error(message: string): LuaError {
    return new LuaError(this.position(1) + toBytes(message));
  }
}

// The audit log on disk: a line of JSON for each event, in files that are put aside when they are large.
// INVARIANT: requests never wait for it. Events wait in a buffer with a limit; what does not fit is dropped and counted.
import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { OperatingError, errorMessage, sleep, type Clock, type Logger } from '../../base/index.ts';
import type { Counter, MetricsRegistry } from '../metrics.ts';
import type { AuditEvent, AuditSink } from './auditor.ts';

export interface AuditLogOptions {
  /** `-`: standard output. */
  readonly file: string;
  /** When a file is put aside; 0: never. */
  readonly maxBytes: number;
  /** How long files that were put aside are kept; 0: for ever. */
  readonly maxAgeMs: number;
  /** How many of them are kept; 0: all. */
  readonly maxBackups: number;
  /** LIMIT: events that may wait for the disk. */
  readonly bufferEvents: number;
}

export interface AuditLog extends AuditSink {
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
  /** Writes what waits, up to a limit of time. */
  close(): Promise<void>;
}

// LIMIT: events encoded and written at once, so that encoding never holds up requests for long.
const BATCH_EVENTS = 100;
// LIMIT: a longer event is written without the objects in it.
const MAX_EVENT_CHARS = 10 * 1024 * 1024;
// LIMIT: how long closing waits for the disk.
const CLOSE_WAIT_MS = 5_000;
// LIMIT: how often a disk that takes nothing is complained about.
const COMPLAINT_MS = 60_000;

/** Throws OperatingError when the file cannot be opened. */
export async function openAuditLog(
  options: AuditLogOptions,
  {
    clock,
    logger,
    metrics,
  }: { readonly clock: Clock; readonly logger: Logger; readonly metrics?: MetricsRegistry },
): Promise<AuditLog> {
  const file = options.file === '-' ? standardOutput : await RotatingFile.open(options, clock);
  return new BufferedLog(file, options.bufferEvents, clock, logger, metrics);
}

interface Output {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

const standardOutput: Output = {
  write: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
  close: () => Promise.resolve(),
};

class BufferedLog implements AuditLog {
  readonly #output: Output;
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #events: Counter | undefined;
  readonly #errors: Counter | undefined;
  #waiting: AuditEvent[] = [];
  #writing: Promise<void> | undefined;
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor(
    output: Output,
    limit: number,
    clock: Clock,
    logger: Logger,
    metrics: MetricsRegistry | undefined,
  ) {
    this.#output = output;
    this.#limit = limit;
    this.#clock = clock;
    this.#logger = logger;
    this.#events = metrics?.counter(
      'apiserver_audit_event_total',
      'Counter of audit events generated and sent to the audit backend.',
      [],
    );
    this.#errors = metrics?.counter(
      'apiserver_audit_error_total',
      'Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.',
      ['plugin'],
    );
  }

  put(event: AuditEvent): void {
    this.#events?.increment([]);
    if (this.#waiting.length >= this.#limit) {
      this.#failed('the audit log is too slow: events are dropped', 1);
      return;
    }
    this.#waiting.push(event);
    this.#writing ??= this.#drain();
  }

  async idle(): Promise<void> {
    await this.#writing;
  }

  async close(): Promise<void> {
    const done = new AbortController();
    const limit = sleep(this.#clock, CLOSE_WAIT_MS, done.signal).catch(() => undefined);
    await Promise.race([this.#writing, limit]);
    done.abort(new Error('done'));
    await this.#output.close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Requests go first: what is under way has its turn before each batch.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = this.#waiting.slice(0, BATCH_EVENTS);
      this.#waiting = this.#waiting.slice(BATCH_EVENTS);
      try {
        await this.#output.write(batch.map(lineOf).join(''));
      } catch (error) {
        this.#failed(`the audit log cannot be written: ${errorMessage(error)}`, batch.length);
      }
    }
    // With the last look at what waits, not after it: what is put from now on must begin anew.
    this.#writing = undefined;
  }

  #failed(why: string, events: number): void {
    this.#errors?.increment(['log'], events);
    if (this.#clock.now() - this.#complainedAt < COMPLAINT_MS) return;
    this.#complainedAt = this.#clock.now();
    this.#logger.error(why);
  }
}

function lineOf(event: AuditEvent): string {
  const line = JSON.stringify(event);
  if (line.length <= MAX_EVENT_CHARS) return `${line}\n`;
  const { requestObject: _, responseObject: _r, annotations, ...rest } = event;
  const noted = { ...(annotations as object | undefined), 'audit.k8s.io/truncated': 'true' };
  return `${JSON.stringify({ ...rest, annotations: noted })}\n`;
}

/** Names what was put aside as `audit-2026-01-31T10-00-00.000.log`, so that names sort by time. */
class RotatingFile implements Output {
  readonly #options: AuditLogOptions;
  readonly #clock: Clock;
  #handle: FileHandle;
  #bytes: number;

  private constructor(options: AuditLogOptions, clock: Clock, handle: FileHandle, bytes: number) {
    this.#options = options;
    this.#clock = clock;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  static async open(options: AuditLogOptions, clock: Clock): Promise<RotatingFile> {
    try {
      const handle = await open(options.file, 'a', 0o600);
      return new RotatingFile(options, clock, handle, (await handle.stat()).size);
    } catch (error) {
      throw new OperatingError(
        'AUDIT_LOG_UNWRITABLE',
        `the audit log ${options.file} cannot be written: ${errorMessage(error)}`,
        'name another file with --audit-log-path, or mend the permissions of its directory',
        { cause: error },
      );
    }
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const { maxBytes } = this.#options;
    if (maxBytes > 0 && this.#bytes > 0 && this.#bytes + bytes.length > maxBytes) await this.#rotate();
    await this.#handle.appendFile(bytes);
    this.#bytes += bytes.length;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #rotate(): Promise<void> {
    const { file } = this.#options;
    const { dir, name, ext } = path.parse(file);
    const time = new Date(this.#clock.now()).toISOString().replaceAll(':', '-').replace('Z', '');
    await this.#handle.close();
    try {
      await rename(file, path.join(dir, `${name}-${time}${ext}`));
    } finally {
      // Whatever became of the old file, events go on.
      this.#handle = await open(file, 'a', 0o600);
      this.#bytes = (await this.#handle.stat()).size;
    }
    await this.#prune();
  }

  async #prune(): Promise<void> {
    const { file, maxAgeMs, maxBackups } = this.#options;
    const { dir, name, ext } = path.parse(file);
    const names = (await readdir(dir === '' ? '.' : dir))
      .filter((one) => one.startsWith(`${name}-`) && one.endsWith(ext))
      .filter((one) => /^\d{4}-\d\d-\d\dT[\d.-]+$/.test(one.slice(name.length + 1, one.length - ext.length)))
      .toSorted()
      .toReversed();
    for (const [index, one] of names.entries()) {
      const old = path.join(dir, one);
      const tooMany = maxBackups > 0 && index >= maxBackups;
      const tooOld = maxAgeMs > 0 && this.#clock.now() - (await stat(old)).mtimeMs > maxAgeMs;
      if (tooMany || tooOld) await rm(old, { force: true });
    }
  }
}

// Tells users what happened to their objects, as core/v1 Events. Recording never waits and never fails: events are
// gathered, repeated ones counted, and written behind the back of the reconcile.
// COMPAT: names, sources, counting, merging of similar events and the spam limit are those of client-go's recorder,
// which upstream uses, so `kubectl describe` reads the same.
import type { KubeObject } from '../api/index.ts';
import {
  assert,
  errorMessage,
  formatTime,
  silentLogger,
  sleep,
  type Clock,
  type Logger,
} from '../base/index.ts';
import { isNamespaceTerminating, isNotFound, keyOf, resource, type Client } from '../client/index.ts';
import { StatusError, isDns1123Subdomain } from '../machinery/index.ts';
import { BoundedMap } from './bounded-map.ts';
import { silentMetrics, type RuntimeMetrics } from './metrics.ts';

export type EventType = 'Normal' | 'Warning';

/** What an event can be about; any object. */
export interface ObjectReferable {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

export interface EventRecorder {
  /**
   * Notes an event about `object`; returns at once.
   * @param fieldPath the part that it is about, e.g. `spec.containers{web}`
   */
  event(object: ObjectReferable, type: EventType, reason: string, message: string, fieldPath?: string): void;
  /** A recorder that reports as another component through the same pipeline. */
  withComponent(component: string): EventRecorder;
}

export interface EventPipeline extends EventRecorder {
  /** Resolves when everything noted so far has been written or given up. */
  flush(): Promise<void>;
  /** Writes what is left for at most `timeoutMs` (1,000), then stops. */
  close(timeoutMs?: number): Promise<void>;
}

export interface EventRecorderSettings {
  readonly client: Client;
  readonly clock: Clock;
  /** Source component and reporting controller, e.g. `binding-controller`. */
  readonly component: string;
  readonly logger?: Logger;
  readonly metrics?: RuntimeMetrics;
  /** Where events about objects without a namespace go; default `default`. */
  readonly defaultNamespace?: string;
  /** What happens within this time is written together; default 100. */
  readonly coalesceMs?: number;
  /** LIMIT: events waiting to be written; the oldest gives way. Default 4,096. */
  readonly maxPending?: number;
}

// LIMIT: as client-go: remembered events, similar ones before they are merged, and per object 25 at once and one more
// every five minutes.
const REMEMBERED = 4096;
const SIMILAR_MAX = 10;
const SIMILAR_WINDOW_MS = 600_000;
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;
const WRITE_TRIES = 4;
const WRITE_RETRY_MS = 1000;
/** LIMIT: what fits metadata.name, before `.` and 16 hexadecimal digits. */
const NAME_MAX = 253 - 17;
/** LIMIT: what kube-apiserver accepts as a message. */
const MESSAGE_MAX = 1024;

const events = resource<CoreEvent>({ group: '', version: 'v1', resource: 'events', namespaced: true });

interface CoreEvent extends KubeObject {
  readonly count?: number;
}

interface Noted {
  readonly object: ObjectReferable;
  readonly fieldPath: string;
  readonly component: string;
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
  readonly firstMs: number;
  lastMs: number;
  count: number;
}

/** An event that has been written. */
interface Written {
  readonly name: string;
  readonly namespace: string;
  readonly count: number;
}

interface Similar {
  readonly messages: Set<string>;
  lastMs: number;
}

interface Bucket {
  tokens: number;
  refilledMs: number;
}

export function createEventRecorder(settings: EventRecorderSettings): EventPipeline {
  return new Pipeline(settings);
}

class Pipeline implements EventPipeline {
  private readonly settings: EventRecorderSettings;
  private readonly logger: Logger;
  private readonly metrics: RuntimeMetrics;
  private readonly pending = new Map<string, Noted>();
  /** Keys of what is pending, from the oldest on, behind those that gave way. */
  private order: string[] = [];
  private gaveWay = 0;
  private readonly written = new BoundedMap<string, Written>(REMEMBERED);
  private readonly similar = new BoundedMap<string, Similar>(REMEMBERED);
  private readonly buckets = new BoundedMap<string, Bucket>(REMEMBERED);
  private readonly stop = new AbortController();
  private lastNanoseconds = 0n;
  private writing: Promise<void> | undefined;

  constructor(settings: EventRecorderSettings) {
    this.settings = settings;
    this.logger = settings.logger ?? silentLogger;
    this.metrics = settings.metrics ?? silentMetrics;
  }

  event(object: ObjectReferable, type: EventType, reason: string, message: string, fieldPath = ''): void {
    this.note(this.settings.component, object, type, reason, message, fieldPath);
  }

  withComponent(component: string): EventRecorder {
    return {
      event: (object, type, reason, message, fieldPath = '') =>
        this.note(component, object, type, reason, message, fieldPath),
      withComponent: (other) => this.withComponent(other),
    };
  }

  async flush(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
  }

  async close(timeoutMs = 1000): Promise<void> {
    const cancel = this.settings.clock.after(timeoutMs, () => this.stop.abort(new Error('closed')));
    await this.flush();
    cancel();
    this.stop.abort(new Error('closed'));
  }

  private note(
    component: string,
    object: ObjectReferable,
    type: EventType,
    reason: string,
    message: string,
    fieldPath: string,
  ): void {
    if (this.stop.signal.aborted) return;
    assert((object.metadata.name ?? '') !== '', `an event about an object without a name: ${reason}`);
    const nowMs = this.settings.clock.now();
    const about = `${component}\n${object.apiVersion}\n${object.kind}\n${keyOf(object)}\n${object.metadata.uid ?? ''}`;
    if (!this.allowed(about, nowMs)) {
      this.metrics.eventDropped('spam');
      return;
    }
    const group = `${about}\n${fieldPath}\n${type}\n${reason}`;
    const text = message.slice(0, MESSAGE_MAX);
    const merged = this.isMerged(group, text, nowMs);
    const key = merged ? group : `${group}\n${text}`;
    const known = this.pending.get(key);
    if (known !== undefined) {
      known.count++;
      known.lastMs = nowMs;
      return;
    }
    this.makeRoom();
    this.order.push(key);
    this.pending.set(key, {
      object,
      fieldPath,
      component,
      type,
      reason,
      message: merged ? `(combined from similar events): ${text}`.slice(0, MESSAGE_MAX) : text,
      firstMs: nowMs,
      lastMs: nowMs,
      count: 1,
    });
    this.writing ??= this.write();
  }

  private makeRoom(): void {
    const { maxPending = REMEMBERED } = this.settings;
    if (this.pending.size < maxPending) return;
    this.pending.delete(this.order[this.gaveWay]!);
    this.gaveWay++;
    if (this.gaveWay === maxPending) {
      this.order = this.order.slice(maxPending);
      this.gaveWay = 0;
    }
    this.metrics.eventDropped('full');
  }

  /** A token bucket per object and component: one object in trouble must not fill the store with its story. */
  private allowed(about: string, nowMs: number): boolean {
    const bucket = this.buckets.get(about) ?? { tokens: SPAM_BURST, refilledMs: nowMs };
    const refill = (nowMs - bucket.refilledMs) / SPAM_REFILL_MS;
    bucket.tokens = Math.min(SPAM_BURST, bucket.tokens + Math.max(0, refill));
    bucket.refilledMs = nowMs;
    this.buckets.set(about, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** Many different messages for one reason become one event that is counted. */
  private isMerged(group: string, message: string, nowMs: number): boolean {
    const known = this.similar.get(group);
    const similar =
      known === undefined || nowMs - known.lastMs > SIMILAR_WINDOW_MS
        ? { messages: new Set<string>(), lastMs: nowMs }
        : known;
    similar.lastMs = nowMs;
    if (similar.messages.size < SIMILAR_MAX) similar.messages.add(message);
    this.similar.set(group, similar);
    return similar.messages.size >= SIMILAR_MAX;
  }

  private async write(): Promise<void> {
    const { clock, coalesceMs = 100 } = this.settings;
    while (this.pending.size > 0 && !this.stop.signal.aborted) {
      // Ends early only when the recorder is being closed.
      await sleep(clock, coalesceMs, this.stop.signal).catch(() => void this.takePending());
      const batch = this.takePending();
      for (const [key, noted] of batch) await this.writeOne(key, noted);
    }
    // With the last look at what waits, not after it: what is noted from now on must begin anew.
    this.writing = undefined;
  }

  private takePending(): readonly (readonly [string, Noted])[] {
    const taken = [...this.pending];
    this.pending.clear();
    this.order = [];
    this.gaveWay = 0;
    return taken;
  }

  private async writeOne(key: string, noted: Noted): Promise<void> {
    const { clock } = this.settings;
    const { signal } = this.stop;
    for (let tries = 1; ; tries++) {
      if (signal.aborted) return;
      try {
        this.written.set(key, await this.store(this.written.get(key), noted));
        return;
      } catch (error) {
        if (signal.aborted) return;
        // The server's no is final (quota, a namespace on its way out); silence is worth another try.
        const final = error instanceof StatusError && error.code < 500 && error.code !== 429;
        if (final || tries >= WRITE_TRIES) {
          this.metrics.eventDropped(final ? 'refused' : 'failed');
          // Whatever happens to objects in a namespace on its way out, nobody can be told there any more.
          const level = isNamespaceTerminating(error) || isNotFound(error) ? 'debug' : 'warn';
          this.logger[level]('Giving up on an event', { reason: noted.reason, error: errorMessage(error) });
          return;
        }
        await sleep(clock, WRITE_RETRY_MS * tries, signal).catch(() => undefined);
      }
    }
  }

  private async store(known: Written | undefined, noted: Noted): Promise<Written> {
    const { client } = this.settings;
    const { signal } = this.stop;
    if (known !== undefined) {
      const count = known.count + noted.count;
      const body = { count, lastTimestamp: formatTime(noted.lastMs), message: noted.message };
      try {
        await client.patch(events, known, { type: 'merge', body }, { signal });
        return { ...known, count };
      } catch (error) {
        // Events live an hour; the story begins again.
        if (!isNotFound(error)) throw error;
      }
    }
    const event = this.coreEvent(noted);
    await client.create(events, event, { signal });
    const { name = '', namespace = '' } = event.metadata;
    return { name, namespace, count: noted.count };
  }

  private coreEvent(noted: Noted): CoreEvent {
    const { object, fieldPath, component, type, reason, message, firstMs, lastMs, count } = noted;
    const { name = '', namespace = '', uid, resourceVersion } = object.metadata;
    const { defaultNamespace = 'default' } = this.settings;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${prefixOf(object)}.${this.suffix(firstMs)}`,
        namespace: namespace === '' ? defaultNamespace : namespace,
      },
      involvedObject: {
        kind: object.kind,
        ...(namespace === '' ? {} : { namespace }),
        name,
        ...(uid === undefined ? {} : { uid }),
        apiVersion: object.apiVersion,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(fieldPath === '' ? {} : { fieldPath }),
      },
      reason,
      message,
      source: { component },
      firstTimestamp: formatTime(firstMs),
      lastTimestamp: formatTime(lastMs),
      count,
      type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: '',
    };
  }

  /** The time in nanoseconds, in hexadecimal; made unique, as milliseconds are all we have. */
  private suffix(nowMs: number): string {
    const now = BigInt(Math.floor(nowMs)) * 1_000_000n;
    this.lastNanoseconds = now > this.lastNanoseconds ? now : this.lastNanoseconds + 1n;
    return this.lastNanoseconds.toString(16);
  }
}

/** Names of some kinds, such as roles, may hold what those of events may not: there the kind stands instead. */
function prefixOf({ kind, metadata: { name = '' } }: ObjectReferable): string {
  const prefix = name.slice(0, NAME_MAX);
  return isDns1123Subdomain(prefix).length === 0 ? prefix : kind.toLowerCase();
}

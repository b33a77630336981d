// Watches: changes of one resource from a revision on, as events in the request's version and representation.
//
// The storage hands the same Change objects to every watcher. What one watcher makes of a change (converted to a
// version, shown as a table row) is kept beside the change, so a thousand watchers cost one conversion.
// INVARIANT: events leave in order of revision, each change once, and a bookmark never names a revision whose
// changes have not been sent.
import type { KubeObject, WatchEvent } from '../../api/index.ts';
import { FieldSelector, StatusError, expired } from '../../machinery/index.ts';
import { CompactedError, FutureRevisionError, type Change } from '../../storage/index.ts';
import { prefixOf, type ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { withResourceVersion } from '../object-codec.ts';
import { parseListQuery, type ListQuery } from '../options.ts';
import { presentWatch, type EventShape } from '../presentation.ts';
import { refuseTooLarge, exactRevision } from '../resource-version.ts';
import { refuseOtherName, selectionOf, type Selection } from '../selection.ts';
import { whenReady, type MaybePromise } from '../view.ts';
import { listPage } from './list.ts';

// As kube-apiserver's watch cache: about one bookmark a minute, and one shortly before the server ends the watch.
const BOOKMARK_PERIOD_MS = 60_000;
const LAST_BOOKMARK_BEFORE_END_MS = 2_000;

type Send = (events: readonly WatchEvent[]) => void;

export async function watch(call: ResourceCall): Promise<ApiResponse> {
  const query = parseListQuery(call.request.query, true);
  const { definition } = call.served;
  const selection = selectionOf(definition, query.labelSelector, withName(call, query));
  refuseOtherName(call, query);
  const asked = exactRevision(query.resourceVersion);
  const shape = presentWatch(call);
  return {
    kind: 'watch',
    contentType: shape.contentType,
    ...shape.headers,
    ...(shape.frame === undefined ? {} : { frame: shape.frame }),
    run: (onEvents, signal) => new Watch(call, query, selection, asked, shape, onEvents).run(signal),
  };
}

/** The old `/watch/` paths name one object in the path. */
function withName(call: ResourceCall, { fieldSelector }: ListQuery): ListQuery['fieldSelector'] {
  const { name } = call.info;
  if (!fieldSelector.empty || name === '') return fieldSelector;
  return new FieldSelector([{ field: 'metadata.name', operator: '=', value: name }]);
}

class Watch {
  readonly #call: ResourceCall;
  readonly #query: ListQuery;
  readonly #selection: Selection;
  readonly #asked: number;
  readonly #shape: EventShape;
  readonly #send: Send;
  readonly #ending = new AbortController();
  /** Everything up to here has been sent. */
  #sentRevision = 0;
  #bookmarkedRevision = 0;
  /** Events of changes whose conversion is under way; later ones wait behind it. */
  #behind: Promise<void> | undefined;

  constructor(
    call: ResourceCall,
    query: ListQuery,
    selection: Selection,
    asked: number,
    shape: EventShape,
    send: Send,
  ) {
    this.#call = call;
    this.#query = query;
    this.#selection = selection;
    this.#asked = asked;
    this.#shape = shape;
    this.#send = send;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { core } = this.#call;
    const end = (): void => this.#ending.abort();
    signal.addEventListener('abort', end, { once: true });
    core.closing.addEventListener('abort', end, { once: true });
    if (signal.aborted || core.closing.aborted) end();
    const cancels = this.#timers(end);
    try {
      const from = await this.#start();
      await core.storage.watch(
        prefixOf(this.#call),
        from,
        (changes, revision) => this.#changes(changes, revision),
        this.#ending.signal,
      );
      await this.#behind;
    } catch (error) {
      this.#sendError(error);
    } finally {
      for (const cancel of cancels) cancel();
      signal.removeEventListener('abort', end);
      core.closing.removeEventListener('abort', end);
    }
  }

  #timers(end: () => void): (() => void)[] {
    const { core } = this.#call;
    const { timeoutSeconds = 0, allowWatchBookmarks } = this.#query;
    // COMPAT: a negative time is up at once.
    const lastsMs =
      timeoutSeconds === 0
        ? core.minWatchMs * (1 + core.random.fraction())
        : Math.max(0, timeoutSeconds * 1000);
    const cancels = [core.clock.after(lastsMs, end)];
    if (!allowWatchBookmarks) return cancels;
    const lastMs = lastsMs - LAST_BOOKMARK_BEFORE_END_MS;
    if (lastMs > 0) cancels.push(core.clock.after(lastMs, () => this.#bookmark()));
    const next = (): void => {
      cancels[2] = core.clock.after(BOOKMARK_PERIOD_MS, () => {
        this.#bookmark();
        next();
      });
    };
    cancels[1] ??= () => undefined;
    next();
    return cancels;
  }

  /** Sends the state that the watch starts with, if any, and returns the revision to go on from. */
  async #start(): Promise<number> {
    const { core } = this.#call;
    const { sendInitialEvents } = this.#query;
    const wantsState = sendInitialEvents ?? this.#asked === 0;
    // COMPAT: a plain watch may start from what has not happened yet, and then stays silent until it has.
    if (wantsState && this.#asked > 0) refuseTooLarge(this.#asked, await core.storage.currentRevision());
    if (!wantsState) {
      const from = this.#asked === 0 ? await core.storage.currentRevision() : this.#asked;
      const oldest = this.#call.served.definition.watchableFromRevision ?? 0;
      if (from < oldest) throw new CompactedError(oldest);
      this.#sentRevision = from;
      return from;
    }
    const query = { ...this.#query, limit: 0, resourceVersion: '', resourceVersionMatch: '' as const };
    const page = await listPage(this.#call, query);
    const objects = await this.#call.view.fromStorageAll(
      page.objects.filter((object) => this.#selection.matches(object)),
    );
    this.#sentRevision = page.revision;
    const events = objects.map((object) => this.#shape.event('ADDED', object));
    if (events.length > 0) this.#send(events);
    if (sendInitialEvents === true && this.#query.allowWatchBookmarks) this.#bookmark(true);
    return page.revision;
  }

  #changes(changes: readonly Change<KubeObject>[], revision: number): void {
    const deliver = (): MaybePromise<void> => this.#deliver(changes, revision);
    const delivered = this.#behind === undefined ? deliver() : this.#behind.then(deliver);
    if (!(delivered instanceof Promise)) return;
    const behind = delivered.then(() => {
      if (this.#behind === behind) this.#behind = undefined;
    });
    // What cannot be shown would be a gap: nothing comes after it, and `run` tells why.
    behind.catch(() => this.#ending.abort());
    this.#behind = behind;
  }

  #deliver(changes: readonly Change<KubeObject>[], revision: number): MaybePromise<void> {
    const selected = changes.flatMap((change) => {
      const outcome = transition(change, this.#selection);
      return outcome === undefined ? [] : [outcome];
    });
    const shown = this.#call.view.fromStorageAll(selected.map(({ object }) => object));
    return whenReady(shown, (objects) => {
      const events = objects.map((object, index) => this.#shape.event(selected[index]!.type, object));
      this.#sentRevision = revision;
      if (events.length > 0) this.#send(events);
    });
  }

  #bookmark(endOfInitialEvents = false): void {
    const { apiVersion, definition } = this.#call.served;
    if (this.#sentRevision === this.#bookmarkedRevision && !endOfInitialEvents) return;
    if (this.#sentRevision === 0) return;
    this.#bookmarkedRevision = this.#sentRevision;
    const metadata = {
      resourceVersion: String(this.#sentRevision),
      ...(endOfInitialEvents ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const object = Object.freeze({ kind: definition.kind, apiVersion, metadata: Object.freeze(metadata) });
    this.#send([this.#shape.event('BOOKMARK', object)]);
  }

  /** COMPAT: the answer is under way by now, so what goes wrong is an event of its own, and the end. */
  #sendError(error: unknown): void {
    if (error instanceof CompactedError) {
      const why = `too old resource version: ${this.#asked} (${error.compactedRevision})`;
      this.#send([errorEvent(expired(why))]);
    } else if (error instanceof StatusError) {
      this.#send([errorEvent(error)]);
    } else if (error instanceof FutureRevisionError) {
      const message = `Too large resource version: ${this.#asked}, current: ${error.currentRevision}`;
      this.#send([errorEvent(new StatusError(504, 'Timeout', `Timeout: ${message}`))]);
    } else {
      throw error;
    }
  }
}

function errorEvent(error: StatusError): WatchEvent {
  return { type: 'ERROR', object: error.status as unknown as KubeObject };
}

interface Transition {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

const lastSeen = new WeakMap<Change<KubeObject>, KubeObject>();

/** What a change means to somebody who sees only what matches. */
function transition(change: Change<KubeObject>, selection: Selection): Transition | undefined {
  const { entry, previous } = change;
  if (change.type === 'delete') {
    return selection.all || selection.matches(previous!.value)
      ? { type: 'DELETED', object: entry.value }
      : undefined;
  }
  const before = previous !== undefined && (selection.all || selection.matches(previous.value));
  const now = selection.all || selection.matches(entry.value);
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object: entry.value };
  if (!before) return undefined;
  // It left the selection: gone for this watcher, as it last saw it but at the revision of the change.
  let object = lastSeen.get(change);
  if (object === undefined) {
    object = withResourceVersion(previous.value, String(entry.revision));
    lastSeen.set(change, object);
  }
  return { type: 'DELETED', object };
}

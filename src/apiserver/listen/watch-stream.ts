// Sends a watch as lines of JSON. Events wait as references to objects that the whole process shares, and become
// bytes only when the socket takes them, so that a watcher that reads slowly costs pointers, not copies.
// INVARIANT: what waits for one watcher is bounded; past the bound the watch ends with 410 Gone, never with a gap.
import type { Logger } from '../../base/index.ts';
import type { KubeObject, WatchEvent } from '../../api/index.ts';
import { encodeJson, expired } from '../../machinery/index.ts';
import type { ResponseBody } from './exchange.ts';

/**
 * LIMIT: events that may wait behind the batch under way. A watcher this far behind is cheaper to serve by a new list;
 * old versions of objects that only it still needs would otherwise pile up in memory.
 */
export const PENDING_EVENTS_LIMIT = 16_384;

// LIMIT: bytes handed to the socket at once. Enough to fill TLS records, small enough to notice a stalled reader early.
const CHUNK_BYTES = 64 * 1024;

type Events = readonly WatchEvent[];

export interface WatchStream {
  push(events: Events): void;
  /** Ends the answer when everything pushed is out. */
  end(): void;
}

const encoder = new TextEncoder();
const HEAD = new Map(
  (['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] as const).map((type) => [
    type,
    encoder.encode(`{"type":"${type}","object":`),
  ]),
);
const TAIL = encoder.encode('}\n');

// LIMIT: lines that are kept for the next watchers, and how large one may be: those of one turn of the store.
const LINES_MAX = 64;
const LINE_BYTES_MAX = 64 * 1024;
const lines = new Map<object, { readonly type: WatchEvent['type']; readonly line: Uint8Array }>();

/** The line of an event. Watchers are told one after the other; all send the same bytes. */
function lineOf({ type, object }: WatchEvent): Uint8Array {
  const known = lines.get(object);
  if (known?.type === type) return known.line;
  const line = Buffer.concat([HEAD.get(type)!, encodeJson(object), TAIL]);
  if (line.length > LINE_BYTES_MAX || !Object.isFrozen(object)) return line;
  if (lines.size >= LINES_MAX) lines.clear();
  lines.set(object, { type, line });
  return line;
}

export interface WatchStreamOptions {
  readonly logger: Logger;
  /** Called once when the watcher fell behind; nothing more is sent to it. */
  readonly onDropped: () => void;
  /** The bytes of one event; absent: a line of JSON. */
  readonly frame?: ((event: WatchEvent) => Uint8Array) | undefined;
  readonly onSent?: ((bytes: number) => void) | undefined;
}

export function createWatchStream(
  body: ResponseBody,
  { logger, onDropped, frame, onSent }: WatchStreamOptions,
): WatchStream {
  let queue: Events[] = [];
  // Position in queue[0], and how many events wait in the batches after it.
  let position = 0;
  let behind = 0;
  let blocked = false;
  let ended = false;
  let closed = false;

  const flush = (): void => {
    while (!blocked && !closed) {
      const batch = queue[0];
      if (batch === undefined) {
        if (ended) {
          closed = true;
          body.end();
        }
        return;
      }
      const parts: Uint8Array[] = [];
      let size = 0;
      while (position < batch.length && size < CHUNK_BYTES) {
        const event = batch[position++]!;
        const bytes = frame?.(event) ?? lineOf(event);
        parts.push(bytes);
        size += bytes.length;
        onSent?.(bytes.length);
      }
      if (position >= batch.length) {
        queue.shift();
        position = 0;
        behind -= queue[0]?.length ?? 0;
      }
      blocked = !body.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    }
  };

  body.onDrain(() => {
    blocked = false;
    flush();
  });
  body.onClose(() => {
    closed = true;
    queue = [];
  });

  return {
    push(events) {
      if (closed || ended || events.length === 0) return;
      if (behind > PENDING_EVENTS_LIMIT) {
        logger.info('watch dropped, its reader is too slow', { waiting: behind });
        queue = [];
        position = 0;
        behind = 0;
        ended = true;
        const status = expired('too slow: the watch fell behind; list again').status;
        queue.push([{ type: 'ERROR', object: status as unknown as KubeObject }]);
        flush();
        onDropped();
        return;
      }
      if (queue.length > 0) behind += events.length;
      queue.push(events);
      flush();
    },
    end() {
      if (ended) return;
      ended = true;
      flush();
    },
  };
}

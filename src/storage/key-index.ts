// Keys in order, so that listing a prefix neither sorts nor visits other keys, whatever the size of the store.
//
// A sorted list cut into chunks: finding a key is two binary searches, inserting moves at most one chunk's
// pointers, and a million keys are some thousand chunks. Each chunk knows how many of its items are live, so
// counting what a page of a list leaves behind does not visit it.
// INVARIANT: no chunk is empty, keys ascend within and across chunks, `live` equals the number of live items.

/** LIMIT: as many keys as an insertion may move; larger chunks make inserting slower, smaller ones counting. */
const CHUNK_KEYS_MAX = 512;

interface Chunk<T> {
  keys: string[];
  items: T[];
  live: number;
}

export class KeyIndex<T> {
  readonly #isLive: (item: T) => boolean;
  readonly #chunks: Chunk<T>[] = [];

  constructor(isLive: (item: T) => boolean) {
    this.#isLive = isLive;
  }

  /** Adds a key that is not there yet. */
  insert(key: string, item: T): void {
    const live = this.#isLive(item) ? 1 : 0;
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push({ keys: [key], items: [item], live });
      return;
    }
    const position = lowerBound(chunk.keys, key);
    chunk.keys.splice(position, 0, key);
    chunk.items.splice(position, 0, item);
    chunk.live += live;
    if (chunk.keys.length > CHUNK_KEYS_MAX) this.#split(at, chunk);
  }

  /** Takes out a key that is there. */
  remove(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const position = lowerBound(chunk.keys, key);
    if (chunk.keys[position] !== key) return;
    if (this.#isLive(chunk.items[position]!)) chunk.live--;
    chunk.keys.splice(position, 1);
    chunk.items.splice(position, 1);
    if (chunk.keys.length === 0) this.#chunks.splice(at, 1);
    else if (chunk.keys.length < CHUNK_KEYS_MAX / 4) this.#merge(at, chunk);
  }

  /** To be called when the item of `key` has just become live (1) or has just stopped being so (-1). */
  countChanged(key: string, by: 1 | -1): void {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk !== undefined) chunk.live += by;
  }

  /** Calls `visit` for keys from `from` on, in order, until it returns false. The index must not change meanwhile. */
  scan(from: string, visit: (key: string, item: T) => boolean): void {
    let at = this.#chunkOf(from);
    let position = lowerBound(this.#chunks[at]?.keys ?? [], from);
    for (; at < this.#chunks.length; at++, position = 0) {
      const { keys, items } = this.#chunks[at]!;
      for (; position < keys.length; position++) {
        if (!visit(keys[position]!, items[position]!)) return;
      }
    }
  }

  /** How many live keys there are from `from` on and before `to` (undefined: to the end). */
  count(from: string, to: string | undefined): number {
    if (to !== undefined && to <= from) return 0;
    const upTo = to === undefined ? this.#countBefore(undefined) : this.#countBefore(to);
    return upTo - this.#countBefore(from);
  }

  #countBefore(key: string | undefined): number {
    const end = key === undefined ? this.#chunks.length : this.#chunkOf(key);
    let count = 0;
    for (let at = 0; at < end; at++) count += this.#chunks[at]!.live;
    const chunk = this.#chunks[end];
    if (key === undefined || chunk === undefined) return count;
    const position = lowerBound(chunk.keys, key);
    for (let i = 0; i < position; i++) if (this.#isLive(chunk.items[i]!)) count++;
    return count;
  }

  /** The last chunk that starts at or before `key`; the first one when none does. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]!.keys[0]! <= key) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : low - 1;
  }

  #split(at: number, chunk: Chunk<T>): void {
    const half = chunk.keys.length >>> 1;
    const items = chunk.items.splice(half);
    const live = items.reduce((count, item) => count + (this.#isLive(item) ? 1 : 0), 0);
    chunk.live -= live;
    this.#chunks.splice(at + 1, 0, { keys: chunk.keys.splice(half), items, live });
  }

  /** Joins a small chunk with the next, lest deletions leave many chunks of few keys. */
  #merge(at: number, chunk: Chunk<T>): void {
    const next = this.#chunks[at + 1];
    if (next === undefined || chunk.keys.length + next.keys.length > CHUNK_KEYS_MAX / 2) return;
    chunk.keys.push(...next.keys);
    chunk.items.push(...next.items);
    chunk.live += next.live;
    this.#chunks.splice(at + 1, 1);
  }
}

/** The first key after all keys that start with `prefix`; undefined when there is none. */
export function prefixEnd(prefix: string): string | undefined {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const unit = prefix.charCodeAt(last);
    if (unit < 0xffff) return prefix.slice(0, last) + String.fromCharCode(unit + 1);
  }
  return undefined;
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

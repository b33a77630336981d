// JSON values as bytes, and when two are the same. Objects inside the process are deeply frozen and shared, so
// their bytes can be encoded once, and two references to one object are equal without a look inside.

type Encoded = Uint8Array<ArrayBuffer>;
const encoder = new TextEncoder();

/**
 * Remembers the bytes of frozen objects in two generations: what is used moves to the young one; when that is
 * full it becomes the old one and the old one is forgotten. Weak keys: the cache keeps no object alive.
 */
export class EncodingCache {
  #young = new WeakMap<object, Encoded>();
  #old = new WeakMap<object, Encoded>();
  #youngBytes = 0;
  readonly #generationBytes: number;

  /** @param generationBytes a generation is full when it has taken in this many bytes; at most twice that is held */
  constructor(generationBytes: number) {
    this.#generationBytes = generationBytes;
  }

  encode(value: unknown): Encoded {
    if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) return encode(value);
    const young = this.#young.get(value);
    if (young !== undefined) return young;
    const bytes = this.#old.get(value) ?? encode(value);
    if (this.#youngBytes + bytes.length > this.#generationBytes && this.#youngBytes > 0) {
      this.#old = this.#young;
      this.#young = new WeakMap();
      this.#youngBytes = 0;
    }
    // LIMIT: one object larger than a generation is encoded every time rather than pinned.
    if (bytes.length <= this.#generationBytes) {
      this.#young.set(value, bytes);
      this.#youngBytes += bytes.length;
    }
    return bytes;
  }
}

function encode(value: unknown): Encoded {
  return encoder.encode(JSON.stringify(value) ?? 'null');
}

// LIMIT: 2 × 8 MiB of encoded objects in a process: what is being written, watched and read now, while what is only
// stored does not have its bytes in memory a second time.
const shared = new EncodingCache(8 * 1024 * 1024);

/**
 * The JSON bytes of a value. For a frozen object they are shared and kept for a while: do not change them.
 * INVARIANT: frozen means deeply frozen here, as everywhere in this code (api's deepFreeze).
 */
export function encodeJson(value: unknown): Uint8Array<ArrayBuffer> {
  return shared.encode(value);
}

/** Whether two JSON values are the same. A key whose value is undefined counts as absent; order of keys does not. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!deepEqual(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  return haveSameFields(a as Fields, b as Fields);
}

type Fields = Readonly<Record<string, unknown>>;

function haveSameFields(a: Fields, b: Fields): boolean {
  let missing = 0;
  for (const key in a) {
    const value = a[key];
    if (value === undefined) continue;
    // What `b` inherits is functions, which equal no JSON, but for one object.
    if (key === '__proto__' && !Object.hasOwn(b, key)) return false;
    if (!deepEqual(value, b[key])) return false;
    missing++;
  }
  for (const key in b) if (b[key] !== undefined) missing--;
  return missing === 0;
}

/** Kubernetes' semantic equality: as deepEqual, but null, an empty list and an empty map all count as absent. */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const emptyA = isUnset(a);
  if (emptyA || isUnset(b)) return emptyA && isUnset(b);
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!semanticEqual(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  return sameSetFields(a as Fields, b as Fields);
}

/** Null, absent, and containers that hold nothing that is set. */
function isUnset(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  const fields = value as Fields;
  for (const key in fields) if (!isUnset(fields[key])) return false;
  return true;
}

function sameSetFields(a: Fields, b: Fields): boolean {
  for (const key in a) {
    const other = Object.hasOwn(b, key) ? b[key] : undefined;
    if (!semanticEqual(a[key], other)) return false;
  }
  for (const key in b) if (!Object.hasOwn(a, key) && !isUnset(b[key])) return false;
  return true;
}

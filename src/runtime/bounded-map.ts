// A map that forgets what was used least recently: memory with a stated limit. It remembers in two generations, since to
// find the oldest entry of a JavaScript map costs a walk over the places of all that were deleted before it.

export class BoundedMap<K, V> {
  private young = new Map<K, V>();
  private old = new Map<K, V>();
  private readonly generationEntries: number;

  /** @param generationEntries at least so many are remembered, those used last, and at most twice as many */
  constructor(generationEntries: number) {
    this.generationEntries = generationEntries;
  }

  get(key: K): V | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const older = this.old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: K, value: V): void {
    if (this.young.size >= this.generationEntries && !this.young.has(key)) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, value);
  }

  delete(key: K): void {
    this.young.delete(key);
    this.old.delete(key);
  }
}

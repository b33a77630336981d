// Files of packages by what is in them, so that a package is looked at without asking its repository again, also while that
// cannot be reached. What a digest names never changes.

/** LIMIT: bytes of all files together; what was not used for longest goes first. */
const BYTES_MAX = 64 * 1024 * 1024;

interface Kept {
  readonly documents: readonly unknown[];
  readonly size: number;
}

export class FileShelf {
  private readonly kept = new Map<string, Kept>();
  private bytes = 0;

  get(sha256: string): readonly unknown[] | undefined {
    const known = this.kept.get(sha256);
    if (known === undefined) return undefined;
    this.kept.delete(sha256);
    this.kept.set(sha256, known);
    return known.documents;
  }

  put(sha256: string, documents: readonly unknown[], size: number): void {
    if (this.kept.has(sha256)) return;
    this.kept.set(sha256, { documents, size });
    this.bytes += size;
    for (const [oldest, { size: freed }] of this.kept) {
      if (this.bytes <= BYTES_MAX || oldest === sha256) return;
      this.kept.delete(oldest);
      this.bytes -= freed;
    }
  }
}

// Tells our own writes from those of others where a watch shows both. The watch is often faster than the answer to the
// write: what it shows meanwhile is judged when the answer says which version was ours.
import type { KubeObject } from '../api/index.ts';

interface Shown {
  readonly version: string | undefined;
  readonly foreign: () => void;
}

export class WritesUnderWay {
  private readonly underWay = new Map<string, Shown[]>();

  /** Carries out the write of an object, by a name that is the same in `defers`. */
  async during<T extends KubeObject>(name: string, write: () => Promise<T>): Promise<T> {
    const shown: Shown[] = [];
    this.underWay.set(name, shown);
    let version: string | undefined;
    try {
      const object = await write();
      version = object.metadata.resourceVersion;
      return object;
    } finally {
      if (this.underWay.get(name) === shown) this.underWay.delete(name);
      for (const one of shown) if (one.version !== version) one.foreign();
    }
  }

  /** Whether the object is being written; if what the watch shows turns out to be somebody else's, `foreign` is called. */
  defers(name: string, { metadata }: KubeObject, foreign: () => void): boolean {
    const shown = this.underWay.get(name);
    shown?.push({ version: metadata.resourceVersion, foreign });
    return shown !== undefined;
  }
}

// The victim of storage-kill.test.ts: writes as fast as the disk allows until it is killed, and says on standard
// output what has been acknowledged, one JSON text a line, before it goes on.
import { openFileStorage } from '../src/storage/index.ts';

export interface Thing {
  readonly text: string;
  readonly revision?: number;
}

export const codec = {
  encode: (thing: Thing): Uint8Array => new TextEncoder().encode(JSON.stringify(thing)),
  decode: (bytes: Uint8Array): Thing => JSON.parse(new TextDecoder().decode(bytes)) as Thing,
  stamp: (thing: Thing, revision: number): Thing => ({ ...thing, revision }),
};

/** Small, so that kills also hit compactions. */
export const HISTORY_LIMIT = 400;
export const WRITERS = 24;
const KEYS_PER_WRITER = 12;

export interface Acknowledged {
  readonly writer: number;
  /** Counts this writer's writes, those of earlier rounds included. */
  readonly number: number;
  readonly key: string;
  readonly revision: number;
  /** Undefined: deleted. */
  readonly text: string | undefined;
}

if (import.meta.main) {
  const [directory = '', round = ''] = process.argv.slice(2);
  const storage = await openFileStorage({ directory, codec, historyLimit: HISTORY_LIMIT });

  const write = async (writer: number, number: number): Promise<void> => {
    const key = `/writer-${writer}/${(number * 7) % KEYS_PER_WRITER}`;
    const text = `${writer}:${round}:${number}:${'x'.repeat((number * 131) % 3_000)}`;
    const current = await storage.get(key);
    const remove = current !== undefined && number % 5 === 0;
    const result = await (current === undefined
      ? storage.create(key, { text })
      : remove
        ? storage.delete(key, current.revision)
        : storage.update(key, { text }, current.revision));
    if (!result.ok) throw new Error(`${key} has another writer`);
    const { revision } = result.entry;
    const acknowledged: Acknowledged = { writer, number, key, revision, text: remove ? undefined : text };
    await new Promise((resolve) => process.stdout.write(`${JSON.stringify(acknowledged)}\n`, resolve));
  };
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let number = 1; ; number++) await write(writer, number);
    }),
  );
}

// Custom resource definitions as a program needs them before it can start: there, up to date, and served.
import type { CustomResourceDefinition } from '../api/index.ts';
import { sleep, type Clock } from '../base/index.ts';
import { isAlreadyExists, isConflict, kinds, type Client } from '../client/index.ts';
import { deepEqual } from '../machinery/index.ts';

// LIMIT: how often a definition is written again when others write it too.
const ATTEMPTS = 5;

/** Creates the definition, or brings the one of an older release up to date; labels and annotations stay as they are. */
export async function ensureDefinition(client: Client, wanted: CustomResourceDefinition): Promise<void> {
  const resource = kinds.customResourceDefinitions;
  for (let attempt = 1; ; attempt++) {
    const found = await client.find(resource, { name: wanted.metadata.name ?? '' });
    try {
      if (found === undefined) await client.create(resource, wanted);
      else if (!deepEqual(found['spec'], wanted.spec)) {
        await client.update(resource, { ...found, spec: wanted.spec });
      }
      return;
    } catch (error) {
      // Another hub over the same storage starts at the same time.
      if (attempt >= ATTEMPTS || !(isConflict(error) || isAlreadyExists(error))) throw error;
    }
  }
}

/** Resolves when the definition is served. It takes a few turns of the event loop, seldom more. */
export async function definitionServed(
  client: Client,
  name: string,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, 100)) {
    const crd = (await client.get(kinds.customResourceDefinitions, { name })) as CustomResourceDefinition;
    if (crd.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'))
      return;
    await sleep(clock, delayMs, signal);
  }
}

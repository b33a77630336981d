// What every hub holds from its first start: the CRDs of Karmada's kinds and ours, its own namespaces, and who may do what.
import type { CustomResourceDefinition } from '../api/index.ts';
import { hubCrds } from '../api/index.ts';
import { assert, sleep, type Clock } from '../base/index.ts';
import { deepEqual } from '../machinery/index.ts';
import { createRestMapper, isAlreadyExists, isConflict, kinds, type Client } from '../client/index.ts';
import { accessObjects, type HubAddress } from './access-objects.ts';

const NAMESPACES = ['karmada-system', 'karmada-cluster'];

/** Resolves when all of it is there and served. Most of it is done already after a first start. */
export async function ensureFirstObjects(hubClient: Client, clock: Clock, hub: HubAddress): Promise<void> {
  const create = async (call: Promise<unknown>): Promise<void> => {
    try {
      await call;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  };
  await Promise.all([
    ...hubCrds().map((crd) => ensureDefinition(hubClient, crd)),
    ...NAMESPACES.map((name) =>
      create(
        hubClient.create(kinds.namespaces, {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name, labels: { 'karmada.io/system': 'true' } },
        }),
      ),
    ),
  ]);
  await Promise.all(hubCrds().map(({ metadata }) => untilServed(hubClient, metadata.name ?? '', clock)));
  const mapper = createRestMapper(hubClient.transport, { clock });
  await Promise.all(
    accessObjects(hub).map(async (object) => {
      const resource = await mapper.resourceForObject(object);
      assert(resource !== undefined, `the hub serves ${object.kind}`);
      // What somebody has made their own stays theirs.
      await hubClient.apply(resource, object, { fieldManager: 'navarch' }).catch(ignoringConflict);
    }),
  );
}

// LIMIT: how often a definition is written again when others write it too.
const ATTEMPTS = 5;

/** Creates the definition, or brings the one of an older release up to date; labels and annotations stay as they are. */
export async function ensureDefinition(hubClient: Client, wanted: CustomResourceDefinition): Promise<void> {
  const resource = kinds.customResourceDefinitions;
  for (let attempt = 1; ; attempt++) {
    const found = await hubClient.find(resource, { name: wanted.metadata.name ?? '' });
    try {
      if (found === undefined) await hubClient.create(resource, wanted);
      else if (!deepEqual(found['spec'], wanted.spec)) {
        await hubClient.update(resource, { ...found, spec: wanted.spec });
      }
      return;
    } catch (error) {
      // Another hub over the same storage starts at the same time.
      if (attempt >= ATTEMPTS || !(isConflict(error) || isAlreadyExists(error))) throw error;
    }
  }
}

function ignoringConflict(error: unknown): void {
  if (!isConflict(error)) throw error;
}

/** Resolves when the definition is served. It takes a few turns of the event loop, seldom more. */
async function untilServed(hubClient: Client, name: string, clock: Clock): Promise<void> {
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, 100)) {
    const crd = (await hubClient.get(kinds.customResourceDefinitions, { name })) as CustomResourceDefinition;
    if (crd.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'))
      return;
    await sleep(clock, delayMs);
  }
}

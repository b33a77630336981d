// What every hub holds from its first start: the CRDs of Karmada's kinds and ours, its own namespaces, and who may do what.
import { hubCrds } from '../api/index.ts';
import { assert, type Clock } from '../base/index.ts';
import { createRestMapper, isAlreadyExists, isConflict, kinds, type Client } from '../client/index.ts';
import { definitionServed, ensureDefinition } from '../runtime/index.ts';
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
  await Promise.all(hubCrds().map(({ metadata }) => definitionServed(hubClient, metadata.name ?? '', clock)));
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

function ignoringConflict(error: unknown): void {
  if (!isConflict(error)) throw error;
}

// Keeps what is about to be deleted as a DeletedObject, through the very API server that is asked to delete it.
import type { UndoLedger } from '../admission/index.ts';
import type { Cluster, KubeObject } from '../api/index.ts';
import { errorMessage, type Logger } from '../base/index.ts';
import { kinds, type Client } from '../client/index.ts';
import { deletedObjects } from '../controllers/index.ts';

// LIMIT: of one object; what is larger is deleted without a way back, and said so in the log.
const KEPT_BYTES_MAX = 1_000_000;

/** @param started resolves when the API server can be called; requests that come before wait for it */
export function createUndoLedger(started: Promise<Client>, logger: Logger): UndoLedger {
  return {
    async keep(object, by) {
      const client = await started;
      const { namespace, name = '', uid = '' } = object.metadata;
      try {
        const objects = [...(await neededWith(client, object)), object].map((one) =>
          JSON.stringify(withoutManagedFields(one)),
        );
        if (objects.reduce((sum, text) => sum + text.length, 0) > KEPT_BYTES_MAX)
          throw new Error(`it is larger than ${KEPT_BYTES_MAX} bytes`);
        await client.create(deletedObjects, {
          apiVersion: 'navarch.io/v1alpha1',
          kind: 'DeletedObject',
          metadata: {
            generateName: `${object.kind.toLowerCase()}-${name.slice(0, 40)}-`.replace(/[^a-z0-9.-]/g, '-'),
          },
          spec: {
            apiVersion: object.apiVersion,
            kind: object.kind,
            ...(namespace === undefined ? {} : { namespace }),
            name,
            uid,
            by,
            objects,
          },
        });
      } catch (error) {
        // Who may delete is not stopped by our convenience.
        logger.warn('A deletion cannot be undone later', {
          kind: object.kind,
          namespace,
          name,
          error: errorMessage(error),
        });
      }
    },
  };
}

/** The credentials of a cluster go with it. */
async function neededWith(client: Client, object: KubeObject): Promise<readonly KubeObject[]> {
  if (object.kind !== 'Cluster') return [];
  const { secretRef, impersonatorSecretRef } = (object as Cluster).spec;
  const found: (KubeObject | undefined)[] = [];
  for (const reference of [secretRef, impersonatorSecretRef])
    if (reference !== undefined && reference !== null)
      found.push(await client.find(kinds.secrets, { namespace: reference.namespace, name: reference.name }));
  return found.filter((one) => one !== undefined);
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

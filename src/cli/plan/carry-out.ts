// Makes the writes of a plan, one after the other, each with the version that was planned for. What fails stops the rest, and
// is told together with what was done and what was not.
import type { Cluster, KubeObject } from '../../api/index.ts';
import { OperatingError, errorMessage } from '../../base/index.ts';
import { isConflict, kinds, type Client } from '../../client/index.ts';
import { print } from '../command.ts';
import type { PlannedWrite } from './edits.ts';

/** LIMIT: a cluster's heartbeat may come between reading its version and writing. */
const CLUSTER_TRIES = 5;

const DONE = { create: 'created', patch: 'changed', delete: 'deleted' } as const;

/** Throws OperatingError PARTLY_APPLIED. */
export async function carryOut(client: Client, writes: readonly PlannedWrite[]): Promise<void> {
  for (const [index, write] of writes.entries()) {
    try {
      await carryOutOne(client, write);
    } catch (error) {
      const rest = writes.slice(index + 1).map(({ called }) => called);
      const left = rest.length === 0 ? '' : `; not tried: ${rest.join(', ')}`;
      throw new OperatingError(
        index === 0 ? 'NOT_APPLIED' : 'PARTLY_APPLIED',
        `${write.called} could not be ${DONE[write.verb]}: ${errorMessage(error)}; ${index} of ${writes.length} written${left}`,
        'plan again from what is there now',
        { cause: error },
      );
    }
    print(`${write.called} ${DONE[write.verb]}`);
  }
}

async function carryOutOne(client: Client, write: PlannedWrite): Promise<void> {
  const { verb, resource, namespace, name, body, uid, resourceVersion } = write;
  const key = { namespace, name };
  switch (verb) {
    case 'create':
      await client.create(resource, body as unknown as KubeObject);
      return;
    case 'delete':
      await client.delete(resource, key, {
        preconditions: {
          ...(uid === undefined ? {} : { uid }),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        },
      });
      return;
    case 'patch':
      if (resourceVersion === undefined) return patchCluster(client, name, write);
      await client.patch(resource, key, {
        type: 'merge',
        body: { ...body, metadata: { ...(body?.['metadata'] as object | undefined), resourceVersion } },
      });
  }
}

/** The plan was checked a moment ago; of a cluster only its heartbeats may have changed since. */
async function patchCluster(client: Client, name: string, { body, uid }: PlannedWrite): Promise<void> {
  const first = await client.get(kinds.clusters, { name });
  for (let tries = 1; ; tries++) {
    const current: Cluster = tries === 1 ? first : await client.get(kinds.clusters, { name });
    if (current.metadata.uid !== uid || current.metadata.generation !== first.metadata.generation)
      throw new OperatingError('PLAN_OUTDATED', 'it was changed meanwhile', 'plan again');
    const { resourceVersion } = current.metadata;
    const metadata = { ...(body?.['metadata'] as object | undefined), uid, resourceVersion };
    try {
      await client.patch(kinds.clusters, { name }, { type: 'merge', body: { ...body, metadata } });
      return;
    } catch (error) {
      if (!isConflict(error) || tries >= CLUSTER_TRIES) throw error;
    }
  }
}

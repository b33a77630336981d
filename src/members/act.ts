// Carries out plans: step by step, the writes of a step side by side; events are told when all have succeeded. The
// only place where the controllers of a simulated cluster write.
import type { KubeObject } from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { isNotFound, keyOf, type Client } from '../client/index.ts';
import type { EventRecorder } from '../runtime/index.ts';
import { writtenOf, type Written } from './caches.ts';
import type { Plan, Write } from './plan.ts';

export interface Failure {
  readonly write: Write;
  readonly error: unknown;
}

export interface Result {
  readonly written: readonly Written[];
  /** The first failures of the step that could not be finished; later steps have not begun. */
  readonly failures: readonly Failure[];
}

// LIMIT: writes under way at once for one plan.
const PARALLEL_MAX = 64;

export async function carryOut(
  plan: Plan,
  client: Client,
  recorder: EventRecorder,
  signal: AbortSignal,
): Promise<Result> {
  const written: Written[] = [];
  for (const step of plan.steps) {
    const failures: Failure[] = [];
    for (let i = 0; i < step.length && failures.length === 0; i += PARALLEL_MAX) {
      const batch = step.slice(i, i + PARALLEL_MAX);
      await Promise.all(
        batch.map(async (write) => {
          try {
            const object = await perform(write, client, signal);
            if (object !== undefined)
              written.push(writtenOf(write.resource, object, write.verb === 'delete'));
            account(write, object, recorder);
          } catch (error) {
            failures.push({ write, error });
            accountFailure(write, error, recorder);
          }
        }),
      );
    }
    if (failures.length > 0) return { written, failures };
  }
  for (const { about, type, reason, message } of plan.events) recorder.event(about, type, reason, message);
  return { written, failures: [] };
}

async function perform(write: Write, client: Client, signal: AbortSignal): Promise<KubeObject | undefined> {
  const { resource, object } = write;
  switch (write.verb) {
    case 'create':
      return client.create(resource, object, { signal });
    case 'update':
      return client.update(resource, object, { signal });
    case 'updateStatus':
      return client.updateStatus(resource, object, { signal });
    case 'delete': {
      const { name = '', namespace, uid } = object.metadata;
      const { gracePeriodSeconds, propagationPolicy } = write;
      try {
        await client.delete(
          resource,
          { namespace, name },
          {
            signal,
            ...(uid === undefined ? {} : { preconditions: { uid } }),
            ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
            ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
          },
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return object;
    }
  }
}

function account(write: Write, object: KubeObject | undefined, recorder: EventRecorder): void {
  if (write.verb === 'update' || write.verb === 'updateStatus' || write.accountTo === undefined) return;
  const created = write.verb === 'create';
  const called = (object ?? write.object).metadata.name ?? '';
  const usual = `${created ? 'Created' : 'Deleted'} ${write.object.kind.toLowerCase()}: ${called}`;
  const message = write.words?.done ?? usual;
  const reason = created ? 'SuccessfulCreate' : 'SuccessfulDelete';
  recorder.event(write.accountTo, 'Normal', reason, message);
}

function accountFailure(write: Write, error: unknown, recorder: EventRecorder): void {
  if (write.verb === 'update' || write.verb === 'updateStatus' || write.accountTo === undefined) return;
  const created = write.verb === 'create';
  const what = write.words?.failed ?? `Error ${created ? 'creating' : 'deleting'}`;
  const message = `${what}: ${errorMessage(error)}`;
  const reason = created ? 'FailedCreate' : 'FailedDelete';
  recorder.event(write.accountTo, 'Warning', reason, message);
}

/** What a plan's writes are about, for logs. */
export function describeWrite({ verb, resource, object }: Write): string {
  return `${verb} ${resource.resource} ${keyOf(object)}`;
}

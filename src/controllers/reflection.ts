// What a member's object says, as the manifest status of its Work. Shared by execution, which sees the object as it
// writes it, and by work status, which sees it change.
import type { KubeObject, Work } from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import type { Interpreter } from '../interpreter/index.ts';
import { deepEqual } from '../machinery/index.ts';
import { manifestStatus } from '../propagation/index.ts';
import type { EventRecorder } from '../runtime/index.ts';

type ManifestStatuses = NonNullable<NonNullable<Work['status']>['manifestStatuses']>;

/** A service that interprets statuses did not answer; it may the next time. */
export class ReflectionError extends Error {
  override name = 'ReflectionError';
}

/**
 * The Work's manifest statuses with what `object` shows; those it has when nothing changed; undefined when the object
 * is none of its manifests, or what is written of its kind cannot interpret it: that has no other answer a moment later.
 * Throws ReflectionError when asking again may help.
 */
export async function reflect(
  interpreter: Interpreter,
  work: Work,
  object: KubeObject,
  recorder: EventRecorder,
): Promise<ManifestStatuses | undefined> {
  const manifests = (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  const ordinal = manifests.findIndex(
    ({ apiVersion, kind, metadata }) =>
      apiVersion === object.apiVersion &&
      kind === object.kind &&
      (metadata.namespace ?? '') === (object.metadata.namespace ?? '') &&
      metadata.name === object.metadata.name,
  );
  const manifest = manifests[ordinal];
  if (manifest === undefined) return undefined;
  const own = recorder.withComponent('work-status-controller');
  const called = `object(${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name})`;
  const failed = (error: unknown): ReflectionError => {
    const text = `Reflect status for ${called} failed, err: ${errorMessage(error)}.`;
    own.event(work, 'Warning', 'ReflectStatusFailed', text);
    return new ReflectionError(text, { cause: error });
  };
  let answer;
  try {
    answer = interpreter.status(object);
  } catch (error) {
    failed(error);
    return undefined;
  }
  const status = await Promise.resolve(answer).catch((error: unknown) => {
    throw failed(error);
  });
  let health: 'Healthy' | 'Unhealthy' | 'Unknown';
  try {
    const healthy = await interpreter.health(object);
    health = healthy === undefined || healthy ? 'Healthy' : 'Unhealthy';
  } catch (error) {
    const text = `Interpret health of ${called} failed, err: ${errorMessage(error)}.`;
    own.event(work, 'Warning', 'InterpretHealthFailed', text);
    health = 'Unknown';
  }
  const next = [manifestStatus(manifest, ordinal, status, health)];
  const before = work.status?.manifestStatuses;
  return before !== undefined && deepEqual(before, next) ? before : next;
}

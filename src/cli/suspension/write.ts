// Writing a suspension: through the subresource, which takes no right but to suspend, or into the object itself where a server
// has no such subresource, as in a member. There nobody else writes down who did it; and what a control plane sends to a
// member is marked, so that the control plane leaves alone what was done here.
import {
  LOCAL_SUSPENSION_ANNOTATION,
  MANAGED_LABEL,
  RESUMED_AT_ANNOTATION,
  RESUMED_BY_ANNOTATION,
  RESUME_REASON_ANNOTATION,
  SUSPENDED_AT_ANNOTATION,
  SUSPENDED_BY_ANNOTATION,
  type KubeObject,
  type SuspensionDetail,
} from '../../api/index.ts';
import { formatTime, systemClock } from '../../base/index.ts';
import { isConflict } from '../../client/index.ts';
import { StatusError, isBeingDeleted } from '../../machinery/index.ts';
import {
  withAnnotations,
  withPackageSuspension,
  withRolloutSuspension,
  withoutPackageSuspension,
  withoutRolloutSuspension,
  type AnyFleetPackage,
  type AnyPackage,
  type ResumeWish,
} from '../../packaging/index.ts';
import { withSuspension, withoutSuspension, type Suspendable } from '../../propagation/index.ts';
import { userOf } from '../command.ts';
import type { Session } from '../objects/index.ts';
import type { Target } from './targets.ts';

export interface Wish extends SuspensionDetail {
  readonly clusters?: readonly string[] | undefined;
}

export interface Resumption extends ResumeWish {
  readonly clusters?: readonly string[] | undefined;
}

export async function suspend(session: Session, target: Target, wish: Wish, dryRun: boolean): Promise<void> {
  const body = present(wish);
  if (await bySubresource(session, target, { method: 'PUT', body }, dryRun)) return;
  const { clusters, ...detail } = wish;
  const by = await userOf(session.client);
  const at = formatTime(systemClock.now());
  await replace(session, target, dryRun, (object) => {
    switch (target.family) {
      case 'package':
        return stampedHere(withPackageSuspension(object as AnyPackage, present(detail)), {
          [SUSPENDED_BY_ANNOTATION]: by,
          [SUSPENDED_AT_ANNOTATION]: at,
          ...RESUMED_MARKS,
          ...(isSentHere(object) ? { [LOCAL_SUSPENSION_ANNOTATION]: 'true' } : {}),
        });
      case 'rollout':
        return withRolloutSuspension(object as AnyFleetPackage, present(detail));
      case 'propagation':
        return withSuspension(object as Suspendable, { clusters, until: wish.until, reason: wish.reason });
    }
  });
}

const RESUMED_MARKS = {
  [RESUMED_BY_ANNOTATION]: undefined,
  [RESUMED_AT_ANNOTATION]: undefined,
  [RESUME_REASON_ANNOTATION]: undefined,
};

/** A control plane keeps it as its template says. */
function isSentHere({ metadata }: KubeObject): boolean {
  return metadata.labels?.[MANAGED_LABEL] === 'true';
}

function stampedHere(one: AnyPackage, marks: Readonly<Record<string, string | undefined>>): AnyPackage {
  return withAnnotations(one, marks);
}

export async function resume(
  session: Session,
  target: Target,
  wish: Resumption,
  dryRun: boolean,
): Promise<void> {
  const { clusters, ...rest } = wish;
  const query = present({ ...rest, ...(clusters === undefined ? {} : { clusters: clusters.join(',') }) });
  if (await bySubresource(session, target, { method: 'DELETE', query }, dryRun)) return;
  const by = await userOf(session.client);
  const at = formatTime(systemClock.now());
  await replace(session, target, dryRun, (object) => {
    switch (target.family) {
      case 'package':
        return stampedHere(withoutPackageSuspension(object as AnyPackage, rest), {
          [SUSPENDED_BY_ANNOTATION]: undefined,
          [SUSPENDED_AT_ANNOTATION]: undefined,
          [LOCAL_SUSPENSION_ANNOTATION]: undefined,
          [RESUMED_BY_ANNOTATION]: by,
          [RESUMED_AT_ANNOTATION]: at,
        });
      case 'rollout':
        return withoutRolloutSuspension(object as AnyFleetPackage, { reason: wish.reason });
      case 'propagation':
        return withoutSuspension(object as Suspendable, { reason: wish.reason, clusters });
    }
  });
}

function present<T extends object>(fields: T): Record<string, string> & T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  > &
    T;
}

/** False: the server has no such subresource. Throws StatusError for everything else that it refuses. */
async function bySubresource(
  { client }: Session,
  { resource, object }: Target,
  request: {
    readonly method: 'PUT' | 'DELETE';
    readonly body?: object;
    readonly query?: Record<string, string>;
  },
  dryRun: boolean,
): Promise<boolean> {
  const { namespace, name = '' } = object.metadata;
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const { group, version, resource: plural } = resource;
  try {
    await client.request({
      method: request.method,
      path: `/apis/${group}/${version}${within}/${plural}/${encodeURIComponent(name)}/suspension`,
      query: { ...request.query, ...(dryRun ? { dryRun: 'All' } : {}), fieldManager: 'navarch' },
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    return true;
  } catch (error) {
    if (!(error instanceof StatusError) || (error.code !== 404 && error.code !== 405)) throw error;
    if (error.reason === 'NotFound' && error.status.details?.name === name && !isBeingDeleted(object)) {
      // The object itself is gone, not the subresource.
      if ((await client.find<KubeObject>(resource, { namespace, name })) === undefined) throw error;
    }
    return false;
  }
}

// LIMIT: how often the object is written again when others write it too.
const ATTEMPTS = 5;

async function replace(
  { client }: Session,
  { resource, object }: Target,
  dryRun: boolean,
  change: (object: KubeObject) => KubeObject,
): Promise<void> {
  const { name = '', namespace } = object.metadata;
  for (let attempt = 1; ; attempt++)
    try {
      const now = await client.get<KubeObject>(resource, { name, namespace });
      await client.update<KubeObject>(resource, change(now), { dryRun });
      return;
    } catch (error) {
      if (attempt >= ATTEMPTS || !isConflict(error)) throw error;
    }
}

// Writing a suspension: through the subresource, which takes no right but to suspend, or into the object itself where a server
// has no such subresource.
import type { KubeObject, SuspensionDetail } from '../../api/index.ts';
import { StatusError, isBeingDeleted } from '../../machinery/index.ts';
import { withPackageSuspension, withoutPackageSuspension, type ResumeWish } from '../../packaging/index.ts';
import { withSuspension, withoutSuspension } from '../../propagation/index.ts';
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
  await replace(
    session,
    target,
    target.family === 'package'
      ? withPackageSuspension(target.object, present(detail))
      : withSuspension(target.object, { clusters, until: wish.until, reason: wish.reason }),
    dryRun,
  );
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
  await replace(
    session,
    target,
    target.family === 'package'
      ? withoutPackageSuspension(target.object, rest)
      : withoutSuspension(target.object, { reason: wish.reason, clusters }),
    dryRun,
  );
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

async function replace(
  { client }: Session,
  { resource }: Target,
  next: KubeObject,
  dryRun: boolean,
): Promise<void> {
  await client.update<KubeObject>(resource, next, { dryRun });
}

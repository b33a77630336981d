// INVARIANT: while the dispatch of something to a member is suspended, the hub creates and changes nothing of it there.
import type { KubeObject, Work } from '../../api/index.ts';
import type { TransportRequest } from '../../client/index.ts';
import { WORKS, addressOf, manifestsOf, nameOf, worksFor } from '../objects.ts';
import type { World } from '../world.ts';
import type { CreateChecker } from './checker.ts';

/** A request that was sent before may still be under way. */
const UNDER_WAY_MS = 60_000;

export const suspension: CreateChecker = (world, report) => {
  /** By uid of the Work. */
  const since = new Map<string, number>();
  return {
    name: 'no write to what is suspended',
    observer: {
      hubChanged: ({ resource, before, after }) => {
        if (resource !== WORKS) return;
        const uid = (after ?? before)?.metadata.uid ?? '';
        if ((after as Work | undefined)?.spec.suspendDispatching !== true) since.delete(uid);
        else if (!since.has(uid)) since.set(uid, world.clock.now());
      },
      arriving: (member, request) => {
        if (request.method === 'DELETE') return;
        const suspended = worksFor(world.hubMirror, member).find((work) => {
          const sinceMs = since.get(work.metadata.uid ?? '');
          return (
            sinceMs !== undefined &&
            world.clock.now() - sinceMs > UNDER_WAY_MS &&
            isAbout(world, member, request, work)
          );
        });
        if (suspended !== undefined)
          report(
            `${request.method} ${request.path} in ${member}, while ${suspended.metadata.name} is suspended`,
          );
      },
    },
  };
};

function isAbout(world: World, member: string, request: TransportRequest, work: Work): boolean {
  const names = manifestsOf(work).map(nameOf);
  if (request.method === 'POST') {
    const body = request.body as Partial<KubeObject> | undefined;
    return body?.metadata !== undefined && names.includes(nameOf(body as KubeObject));
  }
  const address = addressOf(request);
  if (address === undefined) return false;
  const object = world.member(member).mirror.get(address.resource, address.namespace, address.name);
  return object !== undefined && names.includes(nameOf(object));
}

// INVARIANT: once everything has settled, what carries our mark in a member has a Work that asks for it, and a Work has
// what asked for it. What leaving a cluster left behind on purpose is none of ours any more.
import {
  BINDING_MANAGED_BY_LABEL,
  RESOURCE_BINDING_ID_LABEL,
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  type KubeObject,
} from '../../api/index.ts';
import { CLUSTERS, bindingsOf, isManaged, manifestsOf, nameOf, worksFor } from '../objects.ts';
import type { World } from '../world.ts';
import type { CreateChecker } from './checker.ts';

export const orphans: CreateChecker = (world) => ({
  name: 'no orphan',
  atRest: () =>
    [...world.members.keys()].flatMap((member) => [
      ...objectsWithoutWork(world, member),
      ...worksWithoutBinding(world, member),
    ]),
});

function objectsWithoutWork(world: World, member: string): string[] {
  if (world.hubMirror.get(CLUSTERS, '', member) === undefined) return [];
  const wanted = new Set(worksFor(world.hubMirror, member).flatMap((work) => manifestsOf(work).map(nameOf)));
  const { mirror } = world.member(member);
  return mirror
    .resources()
    .flatMap((resource) => mirror.list(resource))
    .filter((object) => isManaged(object) && !isOwned(object) && !wanted.has(nameOf(object)))
    .map((object) => `${nameOf(object)} in ${member} carries our mark, and no Work asks for it`);
}

/** What a controller of the member made from what we put there copies our labels. */
function isOwned({ metadata }: KubeObject): boolean {
  return (metadata.ownerReferences ?? []).some(({ controller }) => controller === true);
}

function worksWithoutBinding(world: World, member: string): string[] {
  const ids = new Set(
    bindingsOf(world.hubMirror).map(
      ({ metadata }) =>
        metadata.labels?.[RESOURCE_BINDING_ID_LABEL] ?? metadata.labels?.[CLUSTER_RESOURCE_BINDING_ID_LABEL],
    ),
  );
  return worksFor(world.hubMirror, member)
    .filter(({ metadata: { labels = {} } }) => {
      const id = labels[RESOURCE_BINDING_ID_LABEL] ?? labels[CLUSTER_RESOURCE_BINDING_ID_LABEL];
      return id !== undefined && labels[BINDING_MANAGED_BY_LABEL] === undefined && !ids.has(id);
    })
    .map(({ metadata }) => `Work ${metadata.name} for ${member} is there, and its binding is gone`);
}

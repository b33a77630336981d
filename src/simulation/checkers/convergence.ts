// INVARIANT: within a bound after the last fault and the last change, members hold what the hub asks for, the hub has
// nothing under way, and what cannot be done is said on its object.
import { HOLD_REMOVAL_ANNOTATION, type Cluster, type Work } from '../../api/index.ts';
import {
  CLUSTERS,
  bindingsOf,
  findNamed,
  manifestsOf,
  nameOf,
  templateName,
  worksFor,
  type Binding,
} from '../objects.ts';
import type { World } from '../world.ts';
import type { CreateChecker } from './checker.ts';

export const convergence: CreateChecker = (world) => ({
  name: 'it converges',
  atRest: () => unsettled(world),
});

/** What is not as it should be when everything has settled. */
export function unsettled(world: World): string[] {
  if (!world.hub.isRunning) return ['the hub does not run'];
  return [
    ...(world.hubMirror.list(CLUSTERS) as unknown as readonly Cluster[]).flatMap((cluster) =>
      unsettledCluster(cluster),
    ),
    ...bindingsOf(world.hubMirror).flatMap((binding) => unsettledBinding(world, binding)),
    ...[...world.members.keys()].flatMap((member) =>
      worksFor(world.hubMirror, member).flatMap((work) => unsettledWork(world, member, work)),
    ),
  ];
}

function unsettledCluster({ metadata, status }: Cluster): string[] {
  const { name, deletionTimestamp } = metadata;
  if (deletionTimestamp !== undefined) return [`Cluster ${name} is being deleted`];
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  return ready === 'True' ? [] : [`Cluster ${name} is not ready`];
}

function unsettledBinding(world: World, { metadata, spec, status, ...rest }: Binding): string[] {
  const name = templateName({ metadata, spec, status, ...rest } as Binding);
  if (metadata.deletionTimestamp !== undefined) return [`the binding of ${name} is being deleted`];
  if (findNamed(world.hubMirror, name) === undefined) return [`${name} has a binding, and is gone`];
  // Waits for who needs it.
  if (spec.placement === undefined) return [];
  const scheduled = status?.conditions?.find(({ type }) => type === 'Scheduled');
  if (scheduled === undefined) return [`${name} has never been scheduled`];
  if (scheduled.status !== 'True')
    return (scheduled.reason ?? '') === '' ? [`${name}: no reason why it is not scheduled`] : [];
  if (status?.schedulerObservedGeneration !== metadata.generation)
    return [`the latest ${name} has not been scheduled`];
  const held =
    status?.conditions?.some(({ type, status: value }) => type === 'EvictionHeld' && value === 'True') ===
    true;
  const task = (spec.gracefulEvictionTasks ?? []).find(({ suppressDeletion }) => suppressDeletion !== true);
  if (task !== undefined && !held) return [`${name} is still being evicted from ${task.fromCluster}`];
  const without = (spec.clusters ?? []).filter(
    ({ name: member }) =>
      !worksFor(world.hubMirror, member).some((work) =>
        manifestsOf(work).some((manifest) => nameOf(manifest) === name),
      ),
  );
  return without.map(({ name: member }) => `${name} has no Work for its target ${member}`);
}

function unsettledWork(world: World, member: string, work: Work): string[] {
  const what = `Work ${work.metadata.name} for ${member}`;
  if (work.metadata.deletionTimestamp !== undefined)
    // One that is held says why.
    return work.metadata.annotations?.[HOLD_REMOVAL_ANNOTATION] === 'true'
      ? []
      : [`${what} is being deleted`];
  if (work.spec.suspendDispatching === true) return [];
  const applied = work.status?.conditions?.find(({ type }) => type === 'Applied')?.status;
  if (applied !== 'True') return [`${what} is not applied`];
  return manifestsOf(work).flatMap((manifest) => {
    const copy = findNamed(world.member(member).mirror, nameOf(manifest));
    if (copy === undefined) return [`${nameOf(manifest)} is not in ${member}`];
    const difference = missingFrom(copy, manifest, '');
    return difference === undefined ? [] : [`${nameOf(manifest)} in ${member} differs in ${difference}`];
  });
}

/** The first field of `wanted` that `held` does not show; what the member adds by itself does not matter. */
function missingFrom(held: unknown, wanted: unknown, at: string): string | undefined {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(held) || held.length < wanted.length) return at;
    for (const [index, item] of wanted.entries()) {
      const found = missingFrom(held[index], item, `${at}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof wanted === 'object' && wanted !== null) {
    for (const [key, value] of Object.entries(wanted)) {
      if (at === '' && (key === 'status' || key === 'apiVersion')) continue;
      if (at === '.metadata' && !['labels', 'annotations', 'name', 'namespace'].includes(key)) continue;
      const found = missingFrom(
        (held as Partial<Record<string, unknown>> | undefined)?.[key],
        value,
        `${at}.${key}`,
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return wanted === null || held === wanted ? undefined : at;
}

// What taking a workload back to its former clusters would be, and what stands against it.
import type { StatePreservationRule, TargetCluster } from '../../api/index.ts';
import { OperatingError, systemClock } from '../../base/index.ts';
import { resource, type Client, type RestMapper } from '../../client/index.ts';
import { wayBackObstacles, type TemplateReference, type WayBackObstacle } from '../../explain/index.ts';
import {
  formerPlacement,
  isBack,
  leavingByRollback,
  restoredClusters,
  turnsOf,
  type FormerPlacement,
} from '../../failover/index.ts';
import { titleOf, type Binding } from '../../propagation/index.ts';
import { WorldReader, readWorldOf } from '../world.ts';

export interface MovePlan {
  readonly reference: TemplateReference;
  /** `Deployment shop/web`. */
  readonly title: string;
  readonly binding: Binding;
  /** Undefined: an earlier rollback has sent it there already. */
  readonly former: FormerPlacement | undefined;
  readonly restored: readonly TargetCluster[];
  readonly obstacles: readonly WayBackObstacle[];
}

const statePreservationRules = resource<StatePreservationRule>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'statepreservationrules',
  namespaced: true,
});

/** @param through the former cluster that is meant; undefined: the last placement, whichever it was */
export async function planMove(
  client: Client,
  mapper: RestMapper,
  reference: TemplateReference,
  through: string | undefined,
): Promise<MovePlan> {
  const { apiVersion, kind, namespace, name } = reference;
  const title = titleOf({ kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } });
  const found = await mapper.resourceForObject({ apiVersion, kind });
  const template = found === undefined ? undefined : await client.find(found, { namespace, name });
  const reader = new WorldReader(client, systemClock);
  const view = await readWorldOf(reader, reference, template);
  const binding = view.bindingOf(reference);
  if (template === undefined || binding === undefined)
    throw new OperatingError(
      'NOTHING_TO_ROLL_BACK',
      `${title} is not propagated to any cluster`,
      'check the name, and the namespace with -n',
    );
  const decision = view.decisionOf(binding);
  const history: readonly FormerPlacement[] = [
    ...(decision?.schedule?.clusters === undefined
      ? []
      : [{ time: decision.schedule.time, clusters: decision.schedule.clusters }]),
    ...(decision?.former ?? []),
  ];
  if (isBack(binding.spec, history) && through === undefined)
    return {
      reference,
      title,
      binding,
      former: undefined,
      restored: binding.spec.clusters ?? [],
      obstacles: [],
    };
  const former = formerPlacement(binding.spec, history, through);
  if (former === undefined)
    throw new OperatingError(
      'NO_FORMER_PLACEMENT',
      through === undefined
        ? `${title} is not known to have been in other clusters`
        : `${title} is not known to have been in ${through}`,
      'the last five placements are kept; to send it elsewhere, edit the placement of its policy',
    );
  const restored = restoredClusters(binding.spec, former.clusters, template.metadata.uid);
  const rules = namespace === undefined ? [] : await reader.list(statePreservationRules, { namespace });
  const carriesState = rules.some(
    ({ spec: { workload } }) =>
      workload.apiVersion === apiVersion && workload.kind === kind && (workload.name ?? name) === name,
  );
  const obstacles = wayBackObstacles(view, binding, restored, carriesState);
  return { reference, title, binding, former, restored, obstacles };
}

/** What is to happen, and what stands against it, a line each. */
export function moveText({ title, binding, former, restored, obstacles }: MovePlan): readonly string[] {
  const now = binding.spec.clusters ?? [];
  if (former === undefined) {
    const way = leavingByRollback(binding.spec).length > 0 ? 'is on its way back to' : 'is back in';
    return [`${title} ${way} ${restored.map(({ name }) => name).join(', ')} already`];
  }
  const { back, left } = turnsOf(binding.spec, restored);
  const of = (all: readonly TargetCluster[], name: string): number | undefined =>
    all.find((one) => one.name === name)?.replicas;
  const change = (name: string): string => {
    const [before, after] = [of(now, name) ?? 0, of(restored, name) ?? 0];
    return before === 0 && after === 0 ? '' : `  ${before} → ${after}`;
  };
  const stays = restored.map(({ name }) => name).filter((name) => !back.includes(name));
  const changed = stays.filter((name) => of(now, name) !== of(restored, name));
  const when = former.time === undefined ? '' : `, as it was placed at ${former.time}`;
  return [
    `${title} goes back to ${restored.map(({ name }) => name).join(', ')}${when}:`,
    ...back.map((name) => `  ${name}${change(name)}`),
    ...changed.map((name) => `  ${name}${change(name)}`),
    ...left.map(
      (name) =>
        `  ${name}${change(name)}, left once ${back.length === 0 ? 'the others are' : `${back.join(', ')} ${back.length === 1 ? 'is' : 'are'}`} healthy`,
    ),
    ...obstacles.map(
      ({ cluster, why, next }) =>
        `  Refused: ${cluster === undefined ? why : `${cluster} ${why}`}. To mend it: ${next}.`,
    ),
  ];
}

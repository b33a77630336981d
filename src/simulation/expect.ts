// Compares a world with what a scenario expects of it.
import type { Condition, KubeObject } from '../api/index.ts';
import { unsettled } from './checkers/convergence.ts';
import {
  CLUSTERS,
  bindingFor,
  findNamed,
  isHealthy,
  isManaged,
  readyReplicasOf,
  type Binding,
} from './objects.ts';
import type { Expectation } from './step.ts';
import type { Tally } from './tally.ts';
import type { World } from './world.ts';

/** What differs, one line each. */
export function differences(world: World, tally: Tally, expected: Expectation): string[] {
  const found: string[] = [];
  const compare = (what: string, wanted: unknown, actual: unknown): void => {
    if (wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(actual))
      found.push(`${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(actual)}`);
  };
  compare('evictions', expected.evictions, tally.evictions);
  compare('removals', expected.removals, tally.removals);
  compare('workloads with a place', expected.placedWorkloads, tally.placedWorkloads);
  if (tally.placedWorkloadsMax > (expected.placedWorkloadsAtMost ?? Infinity))
    found.push(
      `workloads with a place: ${tally.placedWorkloadsMax} at one time, expected no more than ${expected.placedWorkloadsAtMost}`,
    );
  if (
    expected.clusterGone !== undefined &&
    world.hubMirror.get(CLUSTERS, '', expected.clusterGone) !== undefined
  )
    found.push(`Cluster ${expected.clusterGone} is still there`);
  if (expected.hubHolds !== undefined && findNamed(world.hubMirror, expected.hubHolds) === undefined)
    found.push(`${expected.hubHolds} is not on the hub`);
  if (expected.converged === true) found.push(...unsettled(world));
  if (expected.object !== undefined) compareObject(world, expected.object, expected, compare);
  return found;
}

type Compare = (what: string, wanted: unknown, actual: unknown) => void;

function compareObject(world: World, object: string, expected: Expectation, compare: Compare): void {
  const copies = copiesOf(world, object);
  const holding = (wanted: (copy: KubeObject) => boolean): string[] =>
    [...copies].filter(([, copy]) => wanted(copy)).map(([member]) => member);
  compare(
    `copies of ${object}`,
    sorted(expected.copiesIn),
    holding(() => true),
  );
  compare(`healthy copies of ${object}`, sorted(expected.healthyIn), holding(isHealthy));
  const ready = [...copies.values()].reduce((sum, copy) => sum + readyReplicasOf(copy), 0);
  compare(`ready replicas of ${object}`, expected.ready, ready);
  for (const [member, labels] of Object.entries(expected.copyLabels ?? {})) {
    for (const [key, value] of Object.entries(labels))
      compare(
        `label ${key} of ${object} in ${member}`,
        value,
        copies.get(member)?.metadata.labels?.[key] ?? '',
      );
  }
  const binding = bindingFor(world.hubMirror, object);
  const targets = binding?.spec.clusters ?? [];
  compare(`targets of ${object}`, sorted(expected.scheduledTo), targets.map(({ name }) => name).sort());
  const assigned = targets.reduce((sum, { replicas = 0 }) => sum + replicas, 0);
  compare(`replicas assigned to targets of ${object}`, expected.replicas, assigned);
  if (expected.condition !== undefined) compareCondition(object, binding, expected.condition, compare);
  if (expected.absent === true) {
    compare(
      `copies of ${object}`,
      [],
      holding(() => true),
    );
    compare(`${object} is on the hub`, false, findNamed(world.hubMirror, object) !== undefined);
  }
}

function compareCondition(
  object: string,
  binding: Binding | undefined,
  wanted: string,
  compare: Compare,
): void {
  const [type = '', rest = ''] = wanted.split('=');
  const conditions = (binding?.status?.conditions ?? []) as readonly Condition[];
  const condition = conditions.find((one) => one.type === type);
  const found =
    condition === undefined
      ? 'none'
      : rest.includes(' ')
        ? `${condition.status} ${condition.reason}`
        : condition.status;
  compare(`condition ${type} of ${object}`, rest, found);
}

function copiesOf(world: World, object: string): Map<string, KubeObject> {
  const copies = new Map<string, KubeObject>();
  for (const { name, mirror } of [...world.members.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const copy = findNamed(mirror, object);
    if (copy !== undefined && isManaged(copy)) copies.set(name, copy);
  }
  return copies;
}

function sorted(names: readonly string[] | undefined): readonly string[] | undefined {
  return names === undefined ? undefined : [...names].sort();
}

// What becomes of copies in clusters that lose a template, where that is not deletion as usual.
import type { KubeObject } from '../api/index.ts';
import {
  chooseDeletionPolicy,
  decideEnd,
  deletionRules,
  type Binding,
  type DeletionRules,
} from '../propagation/index.ts';
import type { Settled } from './settle.ts';
import type { World } from './world.ts';

/** @param before as it is, and @param after as it would be, in `now` and `then` */
export function removalNotes(now: World, then: World, before: Settled, after: Settled): readonly string[] {
  const { binding, template } = before;
  if (binding === undefined || template === undefined) return [];
  const wanted = new Set((after.binding?.spec.clusters ?? []).map(({ name }) => name));
  const stays: string[] = [];
  const atOnce: string[] = [];
  for (const { name } of binding.spec.clusters ?? []) {
    if (wanted.has(name)) continue;
    const leaves = !then.clusters.some(({ metadata }) => metadata.name === name);
    const cause = after.template === undefined ? 'Template' : leaves ? 'Unjoin' : 'Move';
    const rules = rulesOf(now, binding, template);
    const how = decideEnd(rules, binding.spec.preserveResourcesOnDeletion === true, template, cause, true);
    if (how === 'Preserve') stays.push(name);
    if (how === 'DeleteImmediately') atOnce.push(name);
  }
  return [
    ...(stays.length === 0 ? [] : [`what is in ${stays.join(', ')} stays there, and is no longer ours`]),
    ...(atOnce.length === 0 ? [] : [`what is in ${atOnce.join(', ')} goes without grace`]),
  ];
}

function rulesOf(world: World, binding: Binding, template: KubeObject): DeletionRules | undefined {
  const { deletionPolicies = [], clusterDeletionPolicies = [] } = world;
  const of = (
    one: Binding,
    its: KubeObject,
    dependents: readonly (DeletionRules | undefined)[],
  ): DeletionRules | undefined =>
    deletionRules({
      template: its,
      spec: one.spec,
      policy: chooseDeletionPolicy(its, deletionPolicies, clusterDeletionPolicies),
      dependents,
    });
  const needing = (binding.spec.requiredBy ?? []).map(({ namespace = '', name }) =>
    world.bindings.find(({ metadata }) => metadata.name === name && (metadata.namespace ?? '') === namespace),
  );
  const owners = needing.map((owner) => {
    if (owner === undefined) return undefined;
    const { apiVersion, kind, name, namespace } = owner.spec.resource;
    const its = world.templates.find(
      (one) =>
        one.apiVersion === apiVersion &&
        one.kind === kind &&
        one.metadata.name === name &&
        one.metadata.namespace === namespace,
    );
    return its === undefined ? undefined : of(owner, its, []);
  });
  return of(binding, template, owners);
}

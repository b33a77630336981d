// What is said of dependencies on bindings: that something a template needs is not there, and that those who have a say in
// something do not agree. Both are conditions, so that they are seen where people look, and events.
import {
  DEPENDENCIES_READY_CONDITION,
  DEPENDENCY_CONFLICT_CONDITION,
  type Condition,
  type KubeObject,
  type ResourceBinding,
} from '../api/index.ts';
import type { Dependency } from '../interpreter/index.ts';
import type { LabelSelector } from '../machinery/index.ts';
import type { Binding } from './kinds.ts';

type Wanted = Omit<Condition, 'lastTransitionTime'>;

/** One thing that a template needs. */
export interface Needed {
  readonly dependency: Dependency;
  /** The objects that are meant: one by name, any number by selector. */
  readonly objects: readonly KubeObject[];
  /** Their bindings, as far as they have any. */
  readonly attached: readonly ResourceBinding[];
}

/** LIMIT: things that a message names. */
const NAMED_MAX = 5;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMED_MAX).join(', ');
  return names.length > NAMED_MAX ? `${shown} and ${names.length - NAMED_MAX} more` : shown;
}

function called(kind: string, namespace: string | undefined, name: string): string {
  return `${kind} ${(namespace ?? '') === '' ? '' : `${namespace}/`}${name}`;
}

function isSaid({ status }: Binding, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type) === true;
}

/** Where what is needed has yet to arrive: `Secret shop/pass in member2`. */
function late({ spec }: Binding, needed: readonly Needed[]): readonly string[] {
  const clusters = (spec.clusters ?? []).map(({ name }) => name);
  return needed
    .flatMap(({ attached }) => attached)
    .flatMap(({ spec: { resource }, status }) => {
      const there = new Set(
        (status?.aggregatedStatus ?? [])
          .filter(({ applied }) => applied === true)
          .map(({ clusterName }) => clusterName),
      );
      const name = called(resource.kind, resource.namespace, resource.name);
      return clusters.filter((cluster) => !there.has(cluster)).map((cluster) => `${name} in ${cluster}`);
    });
}

/**
 * Whether all that a template needs is there; undefined: nothing has to be said. A workload that moves has not moved
 * before what it needs is where it goes.
 */
export function dependenciesCondition(binding: Binding, needed: readonly Needed[]): Wanted | undefined {
  const type = DEPENDENCIES_READY_CONDITION;
  const missing = needed
    .filter(({ dependency, objects }) => objects.length === 0 && dependency.optional !== true)
    .filter(({ dependency }) => (dependency.name ?? '') !== '')
    .map(({ dependency: { kind, namespace, name = '' } }) => called(kind, namespace, name));
  if (missing.length > 0) {
    const verb = missing.length === 1 ? 'is' : 'are';
    const message = `${listed(missing)} ${verb} needed and not on the control plane.`;
    return { type, status: 'False', reason: 'DependencyMissing', message };
  }
  const said = isSaid(binding, type);
  const moves = (binding.spec.gracefulEvictionTasks ?? []).length > 0;
  if (!said && !moves) return undefined;
  const awaited = late(binding, needed);
  if (awaited.length > 0)
    return {
      type,
      status: 'False',
      reason: 'DependencyNotApplied',
      message: `Not there yet: ${listed(awaited)}.`,
    };
  if (!said) return undefined;
  const message = 'All that the template needs is where the template is.';
  return { type, status: 'True', reason: 'AllApplied', message };
}

/**
 * In words, in which fields those who need an object, and its own policy if it has one, do not agree, and whose word
 * counts.
 */
function conflictText(attached: ResourceBinding, fields: readonly string[]): string {
  const what = fields.join(' and ');
  return attached.spec.placement === undefined
    ? `Those who need this do not agree on ${what}: Overwrite counts before Abort, and true before false.`
    : `Its own policy and those who need this do not agree on ${what}: the policy's word counts, in all clusters.`;
}

/** As upstream words it where there is no policy of its own, which is where it says anything. */
export function conflictEventText(attached: ResourceBinding, fields: readonly string[]): string {
  if (attached.spec.placement !== undefined) return conflictText(attached, fields);
  const reasons = [
    ...(fields.includes('conflictResolution') ? ['ConflictResolution conflicted (Overwrite vs Abort)'] : []),
    ...(fields.includes('preserveResourcesOnDeletion')
      ? ['PreserveResourcesOnDeletion conflicted (true vs false)']
      : []),
  ];
  return `Dependency policy conflict detected: ${reasons.join('; ')}.`;
}

/** That it is known what a template needs, in the notation of upstream's events: that of Go's structures. */
export function gotText(dependencies: readonly Dependency[]): string {
  const each = dependencies.map(
    ({ apiVersion, kind, namespace = '', name = '', labelSelector }) =>
      `{APIVersion:${apiVersion} Kind:${kind} Namespace:${namespace} Name:${name} LabelSelector:${selectorText(labelSelector)}}`,
  );
  return `Get dependencies([${each.join(' ')}]) succeed.`;
}

function selectorText(selector: Dependency['labelSelector']): string {
  if (selector === undefined) return '<nil>';
  const { matchLabels = {}, matchExpressions = [] }: LabelSelector = selector;
  const labels = Object.entries(matchLabels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  return (
    `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},` +
    `MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
  );
}

/** Of an attached binding; undefined: nothing has to be said. */
export function conflictCondition(attached: ResourceBinding, fields: readonly string[]): Wanted | undefined {
  const type = DEPENDENCY_CONFLICT_CONDITION;
  if (fields.length > 0)
    return {
      type,
      status: 'True',
      reason: 'DependencyPolicyConflict',
      message: conflictText(attached, fields),
    };
  if (!isSaid(attached, type)) return undefined;
  return { type, status: 'False', reason: 'Agreed', message: 'All who have a say in this agree.' };
}

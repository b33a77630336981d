// What the checks of pods say, and how they go through a pod.
import type { ObjectMeta, Pod } from '../../../api/index.ts';

export type PodSpec = NonNullable<Pod['spec']>;
export type Container = NonNullable<PodSpec['containers']>[number];

/** What is wrong: in short, and what exactly. */
export interface Finding {
  readonly reason: string;
  readonly detail: string;
}

export type Check = (spec: PodSpec, metadata: ObjectMeta) => Finding | undefined;

/** In the order in which messages name them. */
export function containersOf(spec: PodSpec): readonly Container[] {
  return [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as readonly Container[]),
  ];
}

export const namesWhere = (spec: PodSpec, isBad: (container: Container) => boolean): readonly string[] =>
  containersOf(spec)
    .filter(isBad)
    .map(({ name }) => name);

export const plural = (count: number, one: string, more = `${one}s`): string => (count === 1 ? one : more);

export const quoted = (items: readonly string[]): string => items.map((item) => `"${item}"`).join(', ');

/** `container "a"`, `containers "a", "b"`. */
export const named = (what: string, names: readonly string[]): string =>
  `${plural(names.length, what)} ${quoted(names)}`;

export const sorted = (items: Iterable<string>): readonly string[] => [...new Set(items)].toSorted();

/** `pod and container "a"`: who sets something that must not be set. */
export function settersOf(
  spec: PodSpec,
  podIsBad: boolean,
  isBad: (container: Container) => boolean,
): readonly string[] {
  const names = namesWhere(spec, isBad);
  return [...(podIsBad ? ['pod'] : []), ...(names.length > 0 ? [named('container', names)] : [])];
}

/** Whether the pod runs where none of its users is a user of the node. */
export const hasOwnUsers = ({ hostUsers }: PodSpec): boolean => hostUsers === false;

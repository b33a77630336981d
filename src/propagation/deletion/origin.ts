// What objects in members say of where they come from. What the template, policy and hub are stands in the Work's manifest;
// when it came and whose it was before is known only in the member, and is written there once. An object that was left
// says so, and is known again by these marks when its template comes back to it.
// INVARIANT: marks are labels and annotations of the object itself; nothing that restarts anything carries them.
import {
  MANAGED_LABEL,
  ORIGIN_HUB_LABEL,
  ORIGIN_POLICY_ANNOTATION,
  ORIGIN_TEMPLATE_ANNOTATION,
  ORIGIN_TIME_ANNOTATION,
  ORPHANED_AT_ANNOTATION,
  ORPHANED_LABEL,
  PREVIOUS_OWNER_ANNOTATION,
  type KubeObject,
} from '../../api/index.ts';
import { claimOf, withoutKeys } from '../claim.ts';
import type { RemovalCause } from './rules.ts';

type Keys = Readonly<Record<string, string>>;

/** For the manifest of a Work. */
export function originMarks(
  template: KubeObject,
  hub: string,
): { readonly labels: Keys; readonly annotations: Keys } {
  const claim = claimOf(template);
  const { namespace = '', name = '' } = template.metadata;
  const path = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/');
  return {
    labels: { [ORIGIN_HUB_LABEL]: hub },
    annotations: {
      [ORIGIN_TEMPLATE_ANNOTATION]: path(template.apiVersion, template.kind, namespace, name),
      ...(claim === undefined
        ? {}
        : { [ORIGIN_POLICY_ANNOTATION]: path(claim.kind, claim.namespace, claim.name) }),
    },
  };
}

function hubOf({ metadata }: KubeObject): string {
  return metadata.labels?.[ORIGIN_HUB_LABEL] ?? '';
}

/** Whether an object that nobody holds was left by the hub that wants it now, for this very template. */
export function isReturning(desired: KubeObject, observed: KubeObject): boolean {
  const template = desired.metadata.annotations?.[ORIGIN_TEMPLATE_ANNOTATION];
  return (
    hubOf(desired) !== '' &&
    hubOf(desired) === hubOf(observed) &&
    observed.metadata.labels?.[ORPHANED_LABEL] !== undefined &&
    template !== undefined &&
    template === observed.metadata.annotations?.[ORIGIN_TEMPLATE_ANNOTATION]
  );
}

/** `desired` with when it came and whose it was, when it says where it comes from at all. @param now RFC 3339 */
export function arrived(desired: KubeObject, observed: KubeObject | undefined, now: string): KubeObject {
  const hub = hubOf(desired);
  if (hub === '') return desired;
  const known = observed !== undefined && hubOf(observed) === hub ? observed.metadata.annotations : undefined;
  const time = known?.[ORIGIN_TIME_ANNOTATION];
  const owner =
    time === undefined
      ? observed === undefined
        ? undefined
        : previousOwner(observed)
      : known?.[PREVIOUS_OWNER_ANNOTATION];
  const annotations = {
    ...desired.metadata.annotations,
    [ORIGIN_TIME_ANNOTATION]: time ?? now,
    ...(owner === undefined ? {} : { [PREVIOUS_OWNER_ANNOTATION]: owner }),
  };
  return { ...desired, metadata: { ...desired.metadata, annotations } };
}

/** Whose an object was that was there before; undefined: ours already. */
function previousOwner(observed: KubeObject): string | undefined {
  const { labels, managedFields } = observed.metadata;
  if (hubOf(observed) !== '') return `hub/${hubOf(observed)}`;
  // Ours from before it was to say so.
  if (labels?.[MANAGED_LABEL] === 'true') return undefined;
  const tool = labels?.['app.kubernetes.io/managed-by'];
  if (tool !== undefined && tool !== '') return `managed-by/${tool}`;
  const writer = managedFields?.find(
    ({ subresource }) => subresource === undefined || subresource === '',
  )?.manager;
  return writer === undefined ? 'unknown' : `manager/${writer}`;
}

/** What is there, without marks that do not hold when `desired` is written: of having been left, and of an arrival. */
export function withoutPast(observed: KubeObject, desired: KubeObject): KubeObject {
  const past = [ORPHANED_AT_ANNOTATION, ...(hubOf(desired) === '' ? [ORIGIN_TIME_ANNOTATION, PREVIOUS_OWNER_ANNOTATION] : [])]; // prettier-ignore
  const { labels, annotations, ...metadata } = observed.metadata;
  const keptLabels = withoutKeys(labels, [ORPHANED_LABEL]);
  const keptAnnotations = withoutKeys(annotations, past);
  return {
    ...observed,
    metadata: {
      ...metadata,
      ...(keptLabels === undefined ? {} : { labels: keptLabels }),
      ...(keptAnnotations === undefined ? {} : { annotations: keptAnnotations }),
    },
  };
}

/** A released manifest that says that it was left, why and when. @param now RFC 3339 */
export function orphaned(released: KubeObject, cause: RemovalCause, now: string): KubeObject {
  const { labels, annotations } = released.metadata;
  return {
    ...released,
    metadata: {
      ...released.metadata,
      labels: { ...labels, [ORPHANED_LABEL]: cause },
      annotations: { ...annotations, [ORPHANED_AT_ANNOTATION]: now },
    },
  };
}

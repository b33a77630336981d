// What scrapers are told of packages, on the hub and in members: a value for each that is suspended, or differs from what was
// applied; none for the others.
import { SUSPENDED_AT_ANNOTATION, type SuspensionSource } from '../api/index.ts';
import { parseTime } from '../machinery/index.ts';
import { isSuspendedBySpec, type AnyPackage } from './package-object.ts';

type Series = readonly (readonly [labels: readonly string[], value: number])[];

/** Labels of the series of suspensions, and of the others. */
export const SUSPENDED_LABELS = ['kind', 'namespace', 'name', 'source', 'mode'] as const;
export const PACKAGE_LABELS = ['kind', 'namespace', 'name'] as const;

function labelsOf({ kind, metadata }: AnyPackage): readonly string[] {
  return [kind, metadata.namespace ?? '', metadata.name ?? ''];
}

/** One value for each reason why a package is suspended. */
function suspendedSeries(
  packages: Iterable<AnyPackage>,
  value: (one: AnyPackage, since: string | undefined) => number,
): Series {
  return [...packages].flatMap((one): Series => {
    const { metadata, spec, status } = one;
    const observed = status?.suspension;
    const bySpec: SuspensionSource = { type: 'Spec', mode: spec.suspension?.mode ?? 'Full' };
    const sources =
      observed?.active === true ? (observed.sources ?? []) : isSuspendedBySpec(spec) ? [bySpec] : [];
    return sources.map(({ type, mode = 'Full', since }) => [
      [...labelsOf(one), type, mode],
      value(one, since ?? observed?.since ?? metadata.annotations?.[SUSPENDED_AT_ANNOTATION]),
    ]);
  });
}

export function suspendedPackages(packages: Iterable<AnyPackage>): Series {
  return suspendedSeries(packages, () => 1);
}

/** Whole seconds. */
export function suspendedPackageSeconds(packages: Iterable<AnyPackage>, nowMs: number): Series {
  return suspendedSeries(packages, (_one, since) => {
    const sinceMs = parseTime(since ?? '');
    return sinceMs === undefined ? 0 : Math.max(0, Math.round((nowMs - sinceMs) / 1000));
  });
}

/** Clusters in which a package is not as it was applied. */
export function driftedClusters(packages: Iterable<AnyPackage>): Series {
  return [...packages].flatMap((one): Series => {
    const drifted = (one.status?.clusters ?? []).filter((cluster) => cluster.drifted === true).length;
    return drifted === 0 ? [] : [[labelsOf(one), drifted]];
  });
}

/** Objects of a suspended package that are not as they were applied, as far as they are counted. */
export function driftedObjects(packages: Iterable<AnyPackage>): Series {
  return [...packages].flatMap((one): Series => {
    const drifted = one.status?.suspension?.drift?.length ?? 0;
    return drifted === 0 ? [] : [[labelsOf(one), drifted]];
  });
}

/** 1: it is ready, 0: it is not. */
export function readyPackages(packages: Iterable<AnyPackage>): Series {
  return [...packages].map((one) => {
    const ready = one.status?.conditions?.find(({ type }) => type === 'Ready');
    return [labelsOf(one), Number(ready?.status === 'True')];
  });
}

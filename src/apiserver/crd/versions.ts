// Versions of a custom resource: their order, and what clients of an old one are told.
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../api/index.ts';

type Version = CustomResourceDefinitionVersion;

/** Decoded definitions carry null where no list was sent. */
export function versionsOf(crd: CustomResourceDefinition): readonly Version[] {
  const versions: readonly Version[] | null = crd.spec.versions;
  return versions ?? [];
}

interface Parsed {
  readonly stability: number;
  readonly major: number;
  readonly minor: number;
}

const STABILITY: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };

function parse(name: string): Parsed | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(name);
  if (match === null) return undefined;
  const [, major, stability, minor] = match;
  return {
    stability: stability === undefined ? 2 : (STABILITY[stability] ?? 0),
    major: Number(major),
    minor: Number(minor ?? 0),
  };
}

/** v10, v2, v1, v11beta2, v3beta1, v12alpha1, foo1, foo10: the order in which Kubernetes prefers versions. */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [parse(a), parse(b)];
  if (first === undefined || second === undefined) {
    if (first !== undefined) return -1;
    if (second !== undefined) return 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return second.stability - first.stability || second.major - first.major || second.minor - first.minor;
}

/** What a client of a deprecated version is told; undefined for versions that are not. */
export function deprecationWarning(crd: CustomResourceDefinition, version: Version): string | undefined {
  if (version.deprecated !== true) return undefined;
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const { group, names } = crd.spec;
  const better = versionsOf(crd)
    .filter(
      ({ served, deprecated, name }) =>
        served && deprecated !== true && compareVersions(name, version.name) < 0,
    )
    .map(({ name }) => name)
    .sort(compareVersions)[0];
  const text = `${group}/${version.name} ${names.kind} is deprecated`;
  return better === undefined ? text : `${text}; use ${group}/${better} ${names.kind}`;
}

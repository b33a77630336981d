// A repository as files: what is where below its address, and what the files say. Reading them is up to others.
import type { PackageInfo } from '../api/index.ts';
import { ManifestError } from './manifest.ts';

export interface IndexEntry {
  readonly name: string;
  readonly shortDescription?: string;
  readonly iconUrl?: string;
  readonly latestVersion?: string;
  readonly scope?: string;
}

export interface PackageVersions {
  /** What an installation without a version takes. */
  readonly latestVersion: string;
  readonly versions: readonly { readonly version: string; readonly sha256?: string }[];
}

// LIMIT: packages of one repository and versions of one package, so that no repository fills the memory.
const PACKAGES_MAX = 10_000;
const VERSIONS_MAX = 10_000;

/** COMPAT: `+` stays as it is in paths, where encodeURIComponent would escape it. */
function segment(text: string): string {
  const escaped = encodeURIComponent(text).replaceAll('%2B', '+');
  // A name must not lead out of the repository.
  if (escaped === '' || escaped === '.' || escaped === '..')
    throw new ManifestError(`"${text}" cannot be the name or version of a package`);
  return escaped;
}

/** The address of a file of a repository; slashes that meet are one. */
export function repositoryUrl(base: string, ...path: readonly string[]): string {
  const url = new URL(base);
  const below = [url.pathname, ...path.map(segment)].join('/').replaceAll(/\/{2,}/g, '/');
  url.pathname = below;
  return url.href;
}

export const indexUrl = (base: string): string => repositoryUrl(base, 'index.yaml');
export const versionsUrl = (base: string, name: string): string => repositoryUrl(base, name, 'versions.yaml');
export const manifestUrl = (base: string, name: string, version: string): string =>
  repositoryUrl(base, name, version, 'package.yaml');

/** Where a file is that a manifest names. */
export interface FileLocation {
  readonly url: string;
  /** Whether it was named relative to the manifest: only then it may be asked for with the repository's credentials. */
  readonly relative: boolean;
}

export function fileLocation(resolvedUrl: string, named: string): FileLocation {
  if (URL.canParse(named)) return { url: new URL(named).href, relative: false };
  const base = new URL(resolvedUrl);
  const url = new URL(named, base);
  // `//other.host/x` has no scheme, but is not the repository's.
  return { url: url.href, relative: url.origin === base.origin && url.host === base.host };
}

function fields(document: unknown, called: string): Readonly<Record<string, unknown>> {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new ManifestError(`${called} is no YAML object`);
  return document as Readonly<Record<string, unknown>>;
}

function list(value: unknown, called: string, most: number): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new ManifestError(`${called} is no list`);
  if (value.length > most)
    throw new ManifestError(`${called} has ${value.length} entries, more than ${most}`);
  return value;
}

function optionalText(
  from: Readonly<Record<string, unknown>>,
  key: string,
): { readonly [key: string]: string } {
  const value = from[key];
  return typeof value === 'string' && value !== '' ? { [key]: value } : {};
}

export function readIndex(document: unknown): readonly IndexEntry[] {
  return list(fields(document, 'index.yaml')['packages'], 'packages of index.yaml', PACKAGES_MAX).map(
    (entry) => {
      const one = fields(entry, 'an entry of index.yaml');
      const { name } = one;
      if (typeof name !== 'string' || name === '')
        throw new ManifestError('an entry of index.yaml has no name');
      return {
        name,
        ...optionalText(one, 'shortDescription'),
        ...optionalText(one, 'iconUrl'),
        ...optionalText(one, 'latestVersion'),
        ...optionalText(one, 'scope'),
      };
    },
  );
}

export function readVersions(document: unknown): PackageVersions {
  const { latestVersion, versions } = fields(document, 'versions.yaml');
  if (typeof latestVersion !== 'string' || latestVersion === '')
    throw new ManifestError('versions.yaml names no latestVersion');
  return {
    latestVersion,
    versions: list(versions, 'versions of versions.yaml', VERSIONS_MAX).map((entry) => {
      const one = fields(entry, 'an entry of versions.yaml');
      if (typeof one['version'] !== 'string')
        throw new ManifestError('an entry of versions.yaml has no version');
      return { version: one['version'], ...optionalText(one, 'sha256') };
    }),
  };
}

/** The name of the PackageInfo of a package: what is no character of a name becomes two hyphens. */
export function packageInfoName(repositoryName: string, name: string, version: string): string {
  return [repositoryName, name, version]
    .filter((part, index) => index > 0 || part !== '')
    .join('--')
    .replaceAll(/[^A-Za-z0-9_.-]/g, '--')
    .toLowerCase();
}

export function packageInfoFor(repositoryName: string, name: string, version: string): PackageInfo {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'PackageInfo',
    metadata: { name: packageInfoName(repositoryName, name, version) },
    spec: { name, version, ...(repositoryName === '' ? {} : { repositoryUrl: repositoryName }) },
  };
}

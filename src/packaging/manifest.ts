// Reading package.yaml: leniently where packages are installed, since catalogues in the field have stray fields, and
// strictly for who writes one.
import { packageManifest, type ChartRelease, type JsonValue, type PackageManifest } from '../api/index.ts';
import { compilePattern, pruneBySchema, validateSchema } from '../machinery/index.ts';

/** A manifest, index or list of versions that cannot be used. */
export class ManifestError extends Error {
  override name = 'ManifestError';
}

export function readManifest(document: unknown): PackageManifest {
  const { value } = pruneBySchema(object(document, 'package.yaml'), packageManifest, undefined, {
    root: false,
  });
  const errors = validateSchema(value, packageManifest);
  if (errors.length > 0)
    throw new ManifestError(
      `package.yaml is not valid: ${errors.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    );
  return value as unknown as PackageManifest;
}

function object(document: unknown, called: string): JsonValue {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new ManifestError(`${called} is no YAML object`);
  return document as JsonValue;
}

/** What is wrong with a manifest, for who publishes it; a line each. */
export function lintManifest(document: unknown): readonly string[] {
  const pruned = pruneBySchema(object(document, 'package.yaml'), packageManifest, undefined, { root: false });
  const errors = validateSchema(pruned.value, packageManifest);
  const found = [
    ...pruned.unknown.map((path) => `${path}: no such field`),
    ...errors.map(({ path, message }) => `${path}: ${message}`),
  ];
  if (errors.length > 0) return found;
  return [...found, ...lintContent(pruned.value as unknown as PackageManifest)];
}

function lintContent(manifest: PackageManifest): readonly string[] {
  const found: string[] = [];
  if (manifest.defaultNamespace === undefined) found.push('defaultNamespace: required');
  if (manifest.kustomize !== undefined) found.push('kustomize: not supported');
  if (manifest.helm !== undefined) {
    const complaint = helmComplaint(manifest);
    if (complaint !== undefined) found.push(`helm: ${complaint}`);
  }
  if (manifest.scope !== 'Namespaced' && (manifest.transitiveResources ?? []).length > 0)
    found.push('transitiveResources: only for packages of scope Namespaced');
  for (const [name, definition] of Object.entries(manifest.valueDefinitions ?? {})) {
    const at = `valueDefinitions.${name}`;
    if (!['boolean', 'text', 'number', 'options'].includes(definition.type))
      found.push(`${at}.type: "${definition.type}" is none of boolean, text, number, options`);
    if (definition.type === 'options' && (definition.options ?? []).length === 0)
      found.push(`${at}.options: required for type options`);
    const { pattern } = definition.constraints ?? {};
    if (pattern !== undefined && !isPattern(pattern)) found.push(`${at}.constraints.pattern: no RE2 pattern`);
    definition.targets.forEach(({ resource, chartName }, index) => {
      if ((resource === undefined) === (chartName === undefined))
        found.push(`${at}.targets[${index}]: exactly one of resource and chartName`);
    });
  }
  return found;
}

function isPattern(text: string): boolean {
  try {
    compilePattern(text);
    return true;
  } catch {
    return false;
  }
}

/** Why the charts of a manifest cannot be told; undefined: they can, or there are none. */
export function helmComplaint({ helm }: PackageManifest): string | undefined {
  if (helm === undefined) return undefined;
  const single = helm.chartName !== undefined && helm.chartVersion !== undefined;
  const several = (helm.releases ?? []).length > 0;
  if (single && several) return 'either releases, or chartName and chartVersion';
  return single || several ? undefined : 'releases, or chartName and chartVersion are required';
}

export interface PlannedRelease extends ChartRelease {
  /** Whether its name carries the name of the chart, since there are others. */
  readonly several: boolean;
}

export function releasesOf({ helm }: PackageManifest): readonly PlannedRelease[] {
  if (helm === undefined) return [];
  if ((helm.releases ?? []).length > 0)
    return helm.releases!.map((release) => ({ ...release, several: true }));
  const { chartName = '', chartVersion = '', values, sha256 } = helm;
  return [
    {
      chartName,
      chartVersion,
      ...(values === undefined ? {} : { values }),
      ...(sha256 === undefined ? {} : { sha256 }),
      several: false,
    },
  ];
}

export function scopeOf({ scope }: PackageManifest): 'Cluster' | 'Namespaced' {
  return scope === 'Namespaced' ? 'Namespaced' : 'Cluster';
}

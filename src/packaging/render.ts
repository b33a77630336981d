// From the files of a package to the objects that are applied: namespaces, restarts on configuration, values, prefixes, and
// what Flux is to install. Nothing here reads or writes; whatever is wrong is told before anything is done.
import {
  PACKAGE_MANAGED_LABEL,
  PACKAGE_MANAGED_VALUE,
  SPEC_HASH_ANNOTATION,
  type KubeObject,
  type OwnedResourceReference,
  type PackageManifest,
  type PlainManifest,
} from '../api/index.ts';
import { parseApiVersion } from '../api/index.ts';
import { editAt, pathOf } from './edit-at.ts';
import { chartNamespace, releaseName, type PackageCharts } from './charts/package-charts.ts';
import type { RenderedChart } from './charts/template.ts';
import { releasesOf } from './manifest.ts';
import type { AnyPackage } from './package-object.ts';
import { patchChartValues, patchObject, type ValuePatch } from './patches.ts';
import type { ApplyStage } from './plan.ts';
import { prefixObjects } from './prefix.ts';

export interface ManifestFile {
  readonly manifest: PlainManifest;
  /** Its documents, as they were read. */
  readonly documents: readonly unknown[];
}

/** Whether objects of a kind have namespaces; undefined: the cluster does not know the kind. */
export type KindLookup = (apiVersion: string, kind: string) => boolean | undefined;

export interface RenderInput {
  readonly package: AnyPackage;
  readonly manifest: PackageManifest;
  readonly files: readonly ManifestFile[];
  readonly patches: readonly ValuePatch[];
  /** How its charts are installed, where it has any. */
  readonly charts?: Exclude<PackageCharts, { readonly refused: string }> | undefined;
  readonly specHash: string;
  /** What the cluster serves; definitions among the files are known by themselves. */
  readonly isNamespaced: KindLookup;
}

export interface RenderedObject {
  readonly object: KubeObject;
  readonly stage: ApplyStage;
  /** It was made for the package and is in none of its files. */
  readonly implied: boolean;
}

/** A package whose files cannot be turned into objects; the message says which file, and why. */
export class RenderError extends Error {
  override name = 'RenderError';
}

// LIMIT: objects of one package.
const OBJECTS_MAX = 5_000;

/** All objects in the order in which they are applied. Throws RenderError and PatchError. */
export function renderPackage(input: RenderInput): readonly RenderedObject[] {
  const lookup = withDefinitions(input);
  const plain = input.files.map((file) => renderFile(file, input, lookup));
  const objects = [...homeOfComponents(input), ...plain.flat(), ...renderCharts(input, lookup)];
  if (objects.length > OBJECTS_MAX)
    throw new RenderError(`the package has ${objects.length} objects, more than ${OBJECTS_MAX}`);
  complainOfDoubles(objects);
  return inStages(objects);
}

function complainOfDoubles(objects: readonly RenderedObject[]): void {
  const seen = new Set<string>();
  for (const { object, implied } of objects) {
    const { kind, metadata } = object;
    const name = `${parseApiVersion(object.apiVersion).group}/${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
    if (implied) continue;
    if (seen.has(name))
      throw new RenderError(
        `${kind} "${metadata.name ?? ''}" is in the package twice; one would overwrite the other`,
      );
    seen.add(name);
  }
}

function inStages(objects: readonly RenderedObject[]): readonly RenderedObject[] {
  const first = new Map<string, RenderedObject>();
  for (const one of objects) {
    const { kind, metadata } = one.object;
    const key = `${one.object.apiVersion}/${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
    const known = first.get(key);
    // A namespace that a file describes says more than one that is implied.
    if (known === undefined || (known.implied && !one.implied)) first.set(key, one);
  }
  const of = (stage: ApplyStage): readonly RenderedObject[] =>
    [...first.values()].filter((one) => one.stage === stage);
  return [...of('Namespace'), ...of('Definition'), ...of('Object')];
}

/** When an object is applied: what others need to be there comes first. */
export function stageOf({ apiVersion, kind }: KubeObject): ApplyStage {
  if (apiVersion === 'v1' && kind === 'Namespace') return 'Namespace';
  return kind === 'CustomResourceDefinition' && apiVersion.startsWith('apiextensions.k8s.io/')
    ? 'Definition'
    : 'Object';
}

/** Kinds that the package brings are known before they are served. */
function withDefinitions({ files, charts, isNamespaced }: RenderInput): KindLookup {
  const brought = new Map<string, boolean>();
  const rendered = charts?.through === 'Binary' ? charts.charts : [];
  for (const documents of [
    ...files.map((file) => file.documents),
    ...rendered.map(({ objects }) => objects as readonly unknown[]),
  ])
    for (const document of documents) {
      const { kind, spec } = (document ?? {}) as {
        readonly kind?: string;
        readonly spec?: {
          readonly group?: string;
          readonly scope?: string;
          readonly names?: { readonly kind?: string };
          readonly versions?: readonly { readonly name?: string }[];
        };
      };
      if (kind !== 'CustomResourceDefinition') continue;
      for (const { name = '' } of spec?.versions ?? [])
        brought.set(`${spec?.group ?? ''}/${name} ${spec?.names?.kind ?? ''}`, spec?.scope === 'Namespaced');
    }
  return (apiVersion, kind) => brought.get(`${apiVersion} ${kind}`) ?? isNamespaced(apiVersion, kind);
}

function objectOf(document: unknown, file: string): readonly KubeObject[] {
  const { apiVersion, kind, metadata, items } = (document ?? {}) as Partial<KubeObject> & {
    readonly items?: readonly unknown[];
  };
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw new RenderError(`${file} holds something that is no object: apiVersion and kind are missing`);
  if (kind === 'List' && Array.isArray(items)) return items.flatMap((item) => objectOf(item, file));
  if (typeof metadata?.name !== 'string' || metadata.name === '')
    throw new RenderError(`${file} holds a ${kind} without a name`);
  return [document as KubeObject];
}

function renderFile(
  { manifest: file, documents }: ManifestFile,
  input: RenderInput,
  lookup: KindLookup,
): readonly RenderedObject[] {
  const objects = documents.flatMap((document) => objectOf(document, file.url));
  const placed = objects.map((object) => inNamespace(object, file, input, lookup));
  const patched = placed.map((object) =>
    patchObject(managed(withSpecHash(object, input.specHash)), input.patches),
  );
  const named = input.package.kind === 'Package' ? prefixed(patched, input) : patched;
  const rendered = named.map((object) => ({ object, stage: stageOf(object), implied: false }));
  if (input.package.kind === 'Package') return rendered;
  const home = file.defaultNamespace ?? input.manifest.defaultNamespace ?? '';
  const needed = home !== '' && placed.some(({ metadata }) => metadata.namespace === home);
  return needed ? [impliedNamespace(home), ...rendered] : rendered;
}

/** Components of a ClusterPackage are installed in its namespace, whether anything else is in it or not. */
function homeOfComponents({ package: owner, manifest }: RenderInput): readonly RenderedObject[] {
  const home = manifest.defaultNamespace ?? '';
  const needed = owner.kind === 'ClusterPackage' && (manifest.components ?? []).length > 0 && home !== '';
  return needed ? [impliedNamespace(home)] : [];
}

function impliedNamespace(name: string): RenderedObject {
  const object = managed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return { object, stage: 'Namespace', implied: true };
}

function inNamespace(
  object: KubeObject,
  file: PlainManifest,
  { package: owner, manifest }: RenderInput,
  lookup: KindLookup,
): KubeObject {
  const { apiVersion, kind, metadata } = object;
  const called = `${kind} "${metadata.name ?? ''}" of ${file.url}`;
  const namespaced = lookup(apiVersion, kind);
  if (namespaced === undefined)
    throw new RenderError(
      `the cluster does not serve ${apiVersion} ${kind}, which ${file.url} wants; install what brings it first`,
    );
  if (owner.kind === 'Package') {
    if (!namespaced)
      throw new RenderError(
        `${called} belongs to no namespace, so a Package cannot own it; install a ClusterPackage`,
      );
    return { ...object, metadata: { ...metadata, namespace: owner.metadata.namespace ?? '' } };
  }
  if (!namespaced) {
    const { namespace: _, ...rest } = metadata;
    return metadata.namespace === undefined ? object : { ...object, metadata: rest };
  }
  if (metadata.namespace !== undefined && metadata.namespace !== '') return object;
  const home = file.defaultNamespace ?? manifest.defaultNamespace ?? '';
  if (home === '')
    throw new RenderError(`${called} names no namespace, and the package has no defaultNamespace`);
  return { ...object, metadata: { ...metadata, namespace: home } };
}

function managed(object: KubeObject): KubeObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, labels: { ...metadata.labels, [PACKAGE_MANAGED_LABEL]: PACKAGE_MANAGED_VALUE } },
  };
}

function withSpecHash(object: KubeObject, hash: string): KubeObject {
  if (!object.apiVersion.startsWith('apps/') || !['Deployment', 'StatefulSet'].includes(object.kind))
    return object;
  return editAt(
    object,
    pathOf('spec.template.metadata.annotations'),
    (before) => ({ ...(before as object | undefined), [SPEC_HASH_ANNOTATION]: hash }),
    true,
  ) as KubeObject;
}

function prefixed(objects: readonly KubeObject[], input: RenderInput): readonly KubeObject[] {
  const { manifest } = input;
  return prefixObjects(objects, {
    instance: input.package.metadata.name ?? '',
    packageName: manifest.name,
    ...(manifest.transitiveResources === undefined
      ? {}
      : { transitiveResources: manifest.transitiveResources }),
  });
}

export const HELM_RELEASE = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease' } as const;
export const HELM_REPOSITORY = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'HelmRepository' } as const;

/** Whether the cluster can install the charts of a package; names what is missing. */
export function missingFlux(manifest: PackageManifest, isNamespaced: KindLookup): string | undefined {
  if (releasesOf(manifest).length === 0) return undefined;
  const missing = [HELM_RELEASE, HELM_REPOSITORY].filter(
    ({ apiVersion, kind }) => isNamespaced(apiVersion, kind) === undefined,
  );
  return missing.length === 0
    ? undefined
    : missing.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).join(' and ');
}

function renderCharts(input: RenderInput, lookup: KindLookup): readonly RenderedObject[] {
  const { package: owner, manifest, charts } = input;
  if (releasesOf(manifest).length === 0) return [];
  const namespace = chartNamespace(owner, manifest);
  if (namespace === '')
    throw new RenderError(`package "${manifest.name}" has charts but no defaultNamespace to install them in`);
  const home = owner.kind === 'Package' ? [] : [impliedNamespace(namespace)];
  const objects =
    charts?.through === 'Binary'
      ? charts.charts.flatMap((chart) => chartObjects(chart, owner, lookup))
      : fluxObjects(input, namespace);
  return [
    ...home,
    ...objects.map((object) => ({ object: managed(object), stage: stageOf(object), implied: false })),
  ];
}

function fluxObjects(
  { package: owner, manifest, patches, charts }: RenderInput,
  namespace: string,
): readonly KubeObject[] {
  const name = `${owner.metadata.name ?? ''}-${manifest.name}`;
  const url = charts?.through === 'Flux' ? charts.repositoryUrl : (manifest.helm?.repositoryUrl ?? '');
  const repository = {
    ...HELM_REPOSITORY,
    metadata: { name, namespace },
    spec: { type: url.startsWith('oci://') ? 'oci' : 'default', url, interval: '1h0m0s' },
  };
  const releases = releasesOf(manifest).map((release) => {
    const { chartName, chartVersion, values = {} } = release;
    return {
      ...HELM_RELEASE,
      metadata: { name: releaseName(release, owner, manifest), namespace },
      spec: {
        interval: '5m0s',
        chart: {
          spec: {
            chart: chartName,
            version: chartVersion,
            sourceRef: { kind: 'HelmRepository', name },
          },
        },
        values: patchChartValues(chartName, values, patches),
      },
    };
  });
  return [repository, ...releases];
}

/** What a chart rendered to, where Helm would put it. Names are the chart's own: they carry that of the release already. */
function chartObjects(
  { chartName, namespace, objects }: RenderedChart,
  owner: AnyPackage,
  lookup: KindLookup,
): readonly KubeObject[] {
  return objects.map((object) => {
    const { apiVersion, kind, metadata } = object;
    const called = `${kind} "${metadata.name ?? ''}" of chart "${chartName}"`;
    const namespaced = lookup(apiVersion, kind);
    if (namespaced === undefined)
      throw new RenderError(
        `the cluster does not serve ${apiVersion} ${kind}, which chart "${chartName}" wants; install what brings it first`,
      );
    const { namespace: said = '', ...rest } = metadata;
    if (!namespaced && owner.kind === 'Package')
      throw new RenderError(
        `${called} belongs to no namespace, so a Package cannot own it; turn it off with a value of the chart, or install the package through Flux`,
      );
    if (!namespaced) return { ...object, metadata: rest };
    if (owner.kind === 'Package' && said !== '' && said !== namespace)
      throw new RenderError(
        `${called} is for namespace ${said}, and a Package brings objects of its own only`,
      );
    return { ...object, metadata: { ...metadata, namespace: said === '' ? namespace : said } };
  });
}

/** How an object is entered in a status. */
export function resourceReference({ apiVersion, kind, metadata }: KubeObject): OwnedResourceReference {
  const { group, version } = parseApiVersion(apiVersion);
  const { name = '', namespace = '' } = metadata;
  return { group, version, kind, name, ...(namespace === '' ? {} : { namespace }) };
}

/** Whether two entries are of one object: versions of a kind are the same objects. */
export function sameResource(a: OwnedResourceReference, b: OwnedResourceReference): boolean {
  return resourceKey(a) === resourceKey(b);
}

export function resourceKey({ group, kind, name, namespace = '' }: OwnedResourceReference): string {
  return `${group}/${kind}/${namespace}/${name}`;
}

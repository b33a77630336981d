// Reading everything that a package is made of, before anything is decided: values, files, dependencies and kinds.
import { createHash } from 'node:crypto';
import type { KubeObject, PackageInfo, PackageManifest } from '../../api/index.ts';
import { parseApiVersion } from '../../api/index.ts';
import { formatKey, kinds } from '../../client/index.ts';
import {
  packageId,
  resolveDependencies,
  resolveValues,
  specHashText,
  valueReferences,
  type AnyPackage,
  type KindLookup,
  type Lookup,
  type ManifestFile,
  type PackageCharts,
  type PrepareInput,
  type Resolution,
  type ResolvedValues,
  type ValueSources,
} from '../../packaging/index.ts';
import { allPackages, type PackageContext } from '../context.ts';
import { chartsOf } from '../charts.ts';
import { checkDigest } from '../package-info-controller.ts';
import type { ReadObject } from '../referenced-objects.ts';
import { installedPackages } from './installed.ts';

/** Everything that the decision needs; throws RepositoryError and IntegrityError for what cannot be had. */
export async function gather(
  context: PackageContext,
  owner: AnyPackage,
  info: PackageInfo,
  manifest: PackageManifest,
  signal: AbortSignal,
): Promise<PrepareInput> {
  // In this order: what is wrong with dependencies and values is told without asking for a single file.
  const resolution = await resolutionOf(context, owner, manifest, signal);
  const read: ReadObject[] = [];
  const values = await valuesOf(context, owner, read, signal);
  const sources = await transformationSources(context, owner, manifest, read, signal);
  const { name = '', namespace } = owner.metadata;
  context.referenced.follow(owner.kind, formatKey({ name, namespace }), read);
  const settled = resolution.reasons.length === 0 && values.problems.length === 0;
  const files = settled ? await filesOf(context, owner, info, manifest, signal) : [];
  const transformationSource = (index: number): KubeObject | undefined => sources[index];
  const charts = settled
    ? await chartsOf(context, { owner, info, manifest, values, transformationSource, signal })
    : undefined;
  return {
    package: owner,
    manifest,
    files,
    values,
    transformationSource,
    charts,
    resolution,
    packages: allPackages(context.caches),
    isNamespaced: await kindLookup(context, files, manifest, charts),
    specHash: createHash('sha256').update(specHashText(owner.spec)).digest('hex'),
  };
}

export async function resolutionOf(
  context: PackageContext,
  owner: AnyPackage,
  manifest: PackageManifest,
  signal: AbortSignal,
  version: string = owner.spec.packageInfo.version,
): Promise<Resolution> {
  const { repositories } = context;
  const { clients, problems } = await repositories.all();
  const resolution = await resolveDependencies(
    {
      installed: installedPackages(context),
      target: {
        ...packageId(owner),
        kind: owner.kind,
        version,
        repositoryName: repositories.nameFor(owner.spec.packageInfo.repositoryName),
        manifest,
      },
    },
    { clients, defaultRepository: repositories.defaultName, signal },
  );
  return resolution.status === 'UNSATISFIABLE' && problems.length > 0
    ? { ...resolution, reasons: [...resolution.reasons, ...problems] }
    : resolution;
}

async function valuesOf(
  context: PackageContext,
  owner: AnyPackage,
  read: ReadObject[],
  signal: AbortSignal,
): Promise<ResolvedValues> {
  const configured = owner.spec.values ?? {};
  const namespace = owner.metadata.namespace ?? '';
  const packageValues: ValueSources['packageValues'] = (name) => {
    const one = context.caches.clusterPackages.store.get(name);
    return one === undefined ? undefined : (one.spec.values ?? {});
  };
  const known = new Map<string, Lookup>();
  for (const { kind, namespace: where, name, key } of valueReferences(configured, namespace, packageValues)) {
    const id = `${kind} ${where} ${name} ${key}`;
    if (where !== '' && !known.has(id))
      known.set(id, await readKey(context, owner, { kind, where, name, key }, read, signal));
  }
  return resolveValues(configured, namespace, {
    packageValues,
    data: (kind, where, name, key) =>
      known.get(`${kind} ${where} ${name} ${key}`) ?? { missing: `${kind} ${where}/${name} was not read` },
  });
}

interface Key {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly where: string;
  readonly name: string;
  readonly key: string;
}

async function readKey(
  { client, settings }: PackageContext,
  owner: AnyPackage,
  { kind, where, name, key }: Key,
  read: ReadObject[],
  signal: AbortSignal,
): Promise<Lookup> {
  // The operator may read everything; who may create a Package in a namespace must not read others through it.
  if (
    owner.kind === 'Package' &&
    where !== owner.metadata.namespace &&
    !settings.allowCrossNamespaceReferences
  )
    return {
      missing: `${kind} ${where}/${name} is in another namespace, and a Package may not read there; copy it to ${owner.metadata.namespace ?? ''}, or start the operator with --allow-cross-namespace-references`,
    };
  const resource = kind === 'Secret' ? kinds.secrets : kinds.configMaps;
  const place = { namespace: where, name };
  const object = await client.find<KubeObject>(resource, place, { signal });
  read.push({ resource, key: place, resourceVersion: object?.metadata.resourceVersion });
  if (object === undefined) return { missing: `there is no ${kind} ${where}/${name}` };
  const data = (object['data'] ?? {}) as Readonly<Record<string, string>>;
  if (!Object.hasOwn(data, key)) return { missing: `${kind} ${where}/${name} has no key "${key}"` };
  return { text: kind === 'Secret' ? Buffer.from(data[key]!, 'base64').toString('utf8') : data[key]! };
}

async function filesOf(
  { repositories, files: kept }: PackageContext,
  owner: AnyPackage,
  info: PackageInfo,
  manifest: PackageManifest,
  signal: AbortSignal,
): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = [];
  const { resolvedUrl = '', digests = [] } = info.status ?? {};
  for (const file of manifest.manifests ?? []) {
    const pinned = digests.find(({ url }) => url === file.url)?.sha256;
    const known = pinned === undefined ? undefined : kept.get(pinned);
    if (known !== undefined) {
      files.push({ manifest: file, documents: known });
      continue;
    }
    const repository = await repositories.open(owner.spec.packageInfo.repositoryName);
    const { documents, sha256, size } = await repository.documents(resolvedUrl, file.url, signal);
    checkDigest(digests, file.url, sha256);
    kept.put(sha256, documents, size);
    files.push({ manifest: file, documents });
  }
  return files;
}

async function transformationSources(
  { client, mapper }: PackageContext,
  owner: AnyPackage,
  manifest: PackageManifest,
  read: ReadObject[],
  signal: AbortSignal,
): Promise<readonly (KubeObject | undefined)[]> {
  const sources: (KubeObject | undefined)[] = [];
  for (const { source } of manifest.transformations ?? []) {
    const { resource: wanted } = source;
    const resource =
      wanted === undefined
        ? undefined
        : await mapper.resourceForObject({ apiVersion: wanted.apiGroup ?? 'v1', kind: wanted.kind });
    if (wanted === undefined || resource === undefined) {
      sources.push(undefined);
      continue;
    }
    const namespace = owner.metadata.namespace ?? manifest.defaultNamespace ?? '';
    const key = { name: wanted.name, ...(resource.namespaced ? { namespace } : {}) };
    const isPlaced = !resource.namespaced || namespace !== '';
    const object = isPlaced ? await client.find<KubeObject>(resource, key, { signal }) : undefined;
    if (isPlaced) read.push({ resource, key, resourceVersion: object?.metadata.resourceVersion });
    sources.push(object);
  }
  return sources;
}

async function kindLookup(
  { mapper }: PackageContext,
  files: readonly ManifestFile[],
  manifest: PackageManifest,
  charts: PackageCharts | undefined,
): Promise<KindLookup> {
  const known = new Map<string, boolean | undefined>();
  const learn = async (apiVersion: string, kind: string): Promise<void> => {
    const name = `${apiVersion} ${kind}`;
    if (known.has(name)) return;
    const { group, version } = parseApiVersion(apiVersion);
    known.set(name, (await mapper.resourceForKind({ group, version, kind }))?.namespaced);
  };
  const learnOf = async (document: unknown): Promise<void> => {
    const { apiVersion, kind, items } = (document ?? {}) as {
      readonly apiVersion?: unknown;
      readonly kind?: unknown;
      readonly items?: readonly unknown[];
    };
    if (typeof apiVersion !== 'string' || typeof kind !== 'string') return;
    if (kind === 'List') for (const item of items ?? []) await learnOf(item);
    else await learn(apiVersion, kind);
  };
  const rendered = charts !== undefined && 'charts' in charts ? charts.charts : [];
  for (const { documents } of files) for (const document of documents) await learnOf(document);
  for (const { objects } of rendered) for (const object of objects) await learnOf(object);
  if (manifest.helm !== undefined) {
    await learn('helm.toolkit.fluxcd.io/v2', 'HelmRelease');
    await learn('source.toolkit.fluxcd.io/v1', 'HelmRepository');
  }
  return (apiVersion, kind) => known.get(`${apiVersion} ${kind}`);
}

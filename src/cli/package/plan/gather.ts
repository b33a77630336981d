// What the plan of a package is made from, read in one cluster with the rights of whoever asks: the operator there reads the same.
import { createHash } from 'node:crypto';
import {
  PACKAGE_FIELD_MANAGER,
  parseApiVersion,
  type KubeObject,
  type OwnedResourceReference,
  type PackageManifest,
} from '../../../api/index.ts';
import { isNotFound, kinds } from '../../../client/index.ts';
import { StatusError } from '../../../machinery/index.ts';
import {
  packageId,
  resolveDependencies,
  resolveValues,
  resourceKey,
  specHashText,
  valueReferences,
  type AnyPackage,
  type ComparedObject,
  type KindLookup,
  type Lookup,
  type ManifestFile,
  type PackageCharts,
  type PrepareInput,
  type ValueSources,
} from '../../../packaging/index.ts';
import type { Session } from '../../objects/index.ts';
import { filesOf, type Catalogue } from '../catalogue.ts';
import { chartsOf } from './charts.ts';
import { installedPackages } from '../decisions.ts';
import { allInstalled } from '../installed.ts';

/** Throws CommandError for files that are not what the repository says they are. */
export async function gather(
  session: Session,
  catalogue: Catalogue,
  target: AnyPackage,
): Promise<PrepareInput> {
  const { name, version, repositoryName } = target.spec.packageInfo;
  const repository = catalogue.client(repositoryName);
  const found = await repository.manifest(name, version);
  const { manifest } = found;
  const packages = await allInstalled(session);
  const files = await filesOf(repository, found, version);
  const sources = await transformationSources(session, target, manifest);
  const transformationSource = (index: number): KubeObject | undefined => sources[index];
  const values = await valuesOf(session, target, packages);
  const charts = await chartsOf(session, {
    target,
    found,
    repository,
    seams: catalogue.seams,
    values,
    transformationSource,
    packages,
  });
  return {
    package: target,
    manifest,
    files,
    charts,
    values,
    transformationSource,
    resolution: await resolveDependencies(
      {
        installed: await installedPackages(session, catalogue),
        target: {
          ...packageId(target),
          kind: target.kind,
          version,
          repositoryName: repository.name,
          manifest,
        },
      },
      { clients: catalogue.clients, defaultRepository: catalogue.defaultName },
    ),
    packages,
    isNamespaced: await kindLookup(session, files, manifest, charts),
    specHash: createHash('sha256').update(specHashText(target.spec)).digest('hex'),
  };
}

async function valuesOf(
  { client }: Session,
  target: AnyPackage,
  packages: readonly AnyPackage[],
): Promise<PrepareInput['values']> {
  const configured = target.spec.values ?? {};
  const namespace = target.metadata.namespace ?? '';
  const packageValues: ValueSources['packageValues'] = (name) => {
    const one = packages.find(({ kind, metadata }) => kind === 'ClusterPackage' && metadata.name === name);
    return one === undefined ? undefined : (one.spec.values ?? {});
  };
  const known = new Map<string, Lookup>();
  for (const { kind, namespace: where, name, key } of valueReferences(configured, namespace, packageValues)) {
    const resource = kind === 'Secret' ? kinds.secrets : kinds.configMaps;
    const data = (await client.find(resource, { namespace: where, name }))?.['data'] as
      | Readonly<Record<string, string>>
      | undefined;
    const text = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
    known.set(
      `${kind} ${where} ${name} ${key}`,
      text === undefined
        ? {
            missing:
              data === undefined
                ? `there is no ${kind} ${where}/${name}`
                : `${kind} ${where}/${name} has no key "${key}"`,
          }
        : { text: kind === 'Secret' ? Buffer.from(text, 'base64').toString('utf8') : text },
    );
  }
  return resolveValues(configured, namespace, {
    packageValues,
    data: (kind, where, name, key) =>
      known.get(`${kind} ${where} ${name} ${key}`) ?? { missing: `${kind} ${where}/${name} was not read` },
  });
}

/** What the package takes out of Secrets, to be hidden wherever it turns up. */
export async function secretTexts({ client }: Session, target: AnyPackage): Promise<readonly string[]> {
  const packages = await allInstalled({ client });
  const wanted = valueReferences(target.spec.values ?? {}, target.metadata.namespace ?? '', (name) => {
    const one = packages.find(({ kind, metadata }) => kind === 'ClusterPackage' && metadata.name === name);
    return one === undefined ? undefined : (one.spec.values ?? {});
  });
  const texts = new Set<string>();
  for (const { kind, namespace, name, key } of wanted) {
    if (kind !== 'Secret') continue;
    const data = (await client.find(kinds.secrets, { namespace, name }))?.['data'] as
      | Readonly<Record<string, string>>
      | undefined;
    if (data !== undefined && Object.hasOwn(data, key))
      texts.add(Buffer.from(data[key] ?? '', 'base64').toString('utf8'));
  }
  texts.delete('');
  return [...texts];
}

async function transformationSources(
  { client, mapper }: Session,
  target: AnyPackage,
  manifest: PackageManifest,
): Promise<readonly (KubeObject | undefined)[]> {
  const namespace = target.metadata.namespace ?? manifest.defaultNamespace ?? '';
  return Promise.all(
    (manifest.transformations ?? []).map(async ({ source }) => {
      const { resource: wanted } = source;
      if (wanted === undefined) return undefined;
      const resource = await mapper.resourceForObject({
        apiVersion: wanted.apiGroup ?? 'v1',
        kind: wanted.kind,
      });
      if (resource === undefined || (resource.namespaced && namespace === '')) return undefined;
      return client.find(resource, { name: wanted.name, ...(resource.namespaced ? { namespace } : {}) });
    }),
  );
}

async function kindLookup(
  { mapper }: Session,
  files: readonly ManifestFile[],
  { helm }: PackageManifest,
  charts: PackageCharts | undefined,
): Promise<KindLookup> {
  const rendered = charts !== undefined && 'charts' in charts ? charts.charts : [];
  const named = [
    ...files.flatMap(({ documents }) => documents),
    ...rendered.flatMap(({ objects }) => objects as readonly unknown[]),
  ]
    .flatMap((document) => {
      const { kind, items } = (document ?? {}) as {
        readonly kind?: unknown;
        readonly items?: readonly unknown[];
      };
      return kind === 'List' ? (items ?? []) : [document];
    })
    .flatMap((document) => {
      const { apiVersion, kind } = (document ?? {}) as Partial<KubeObject>;
      return apiVersion === undefined || kind === undefined ? [] : [{ apiVersion, kind }];
    });
  const flux = [
    { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease' },
    { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'HelmRepository' },
  ];
  const known = new Map<string, boolean | undefined>();
  for (const { apiVersion, kind } of [...named, ...(helm === undefined ? [] : flux)])
    known.set(
      `${apiVersion} ${kind}`,
      (await mapper.resourceForKind({ ...parseApiVersion(apiVersion), kind }))?.namespaced,
    );
  return (apiVersion, kind) => known.get(`${apiVersion} ${kind}`);
}

/** The objects of a package as they are in the cluster, by resourceKey. */
export async function liveObjects(
  session: Session,
  references: readonly OwnedResourceReference[],
): Promise<ReadonlyMap<string, KubeObject>> {
  const found = new Map<string, KubeObject>();
  for (const reference of references) {
    const { group, version, kind, name, namespace } = reference;
    const resource = await session.mapper.resourceForKind({ group, version, kind });
    if (resource === undefined) continue;
    const key = { name, ...(resource.namespaced && namespace !== undefined ? { namespace } : {}) };
    const object = await session.client.find(resource, key);
    if (object !== undefined) found.set(resourceKey(reference), object);
  }
  return found;
}

/** What the server says that applying `wanted` would make of `live`; nothing is stored. */
export async function compared(
  { client, mapper }: Session,
  wanted: KubeObject,
  live: KubeObject | undefined,
): Promise<ComparedObject> {
  if (live === undefined) return { wanted };
  const resource = await mapper.resourceForObject(wanted);
  if (resource === undefined) return { wanted, live };
  try {
    const applied = await client.apply<KubeObject>(resource, wanted, {
      fieldManager: PACKAGE_FIELD_MANAGER,
      force: true,
      dryRun: true,
    });
    return { wanted, live, applied };
  } catch (error) {
    // Who may not write may still look, with less precision.
    if (isNotFound(error) || (error instanceof StatusError && error.code < 500)) return { wanted, live };
    throw error;
  }
}

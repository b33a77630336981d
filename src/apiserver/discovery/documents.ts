// What the server says of its groups, versions and resources, in the two forms that clients ask for: one document a
// group version (legacy), or everything at once (aggregated discovery). Pure: built from the registry and from what
// other API servers say.
import { formatApiVersion } from '../../api/index.ts';
import { aggregatedVersion, type ListedResource } from '../aggregation/remote-discovery.ts';
import { defaultPriority, type Priority } from '../aggregation/api-service.ts';
import type { ResourceDefinition, Subresource } from '../resource.ts';

type Json = Readonly<Record<string, unknown>>;

export interface ServedVersion {
  readonly version: string;
  readonly definitions: readonly ResourceDefinition[];
  /** Instead of the definitions: another API server's, as far as it has told. */
  readonly remote?: RemoteVersion;
}

/** The versions of one group in order of preference, each with what it serves. */
export interface ServedGroup {
  readonly group: string;
  readonly versions: readonly ServedVersion[];
}

export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly ListedResource[];
  /** Whether it could not be asked again since. */
  readonly stale: boolean;
}

/** Where a group and version stand among the others; the higher comes first. */
export type PriorityOf = (group: string, version: string, custom: boolean) => Priority;

/** Kubernetes' order of versions: v2 before v1 before v1beta2 before v1alpha1, anything else by name after them. */
export function compareVersions(a: string, b: string): number {
  const parse = (text: string): readonly [number, number, number] | undefined => {
    const [, major, stage, minor] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text) ?? [];
    if (major === undefined) return undefined;
    return [stage === undefined ? 2 : stage === 'beta' ? 1 : 0, Number(major), Number(minor ?? 0)];
  };
  const [left, right] = [parse(a), parse(b)];
  if (left === undefined || right === undefined) {
    if (left !== right) return left === undefined ? 1 : -1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2];
}

export function servedGroups(
  definitions: readonly ResourceDefinition[],
  remotes: readonly RemoteVersion[] = [],
  priorityOf: PriorityOf = defaultPriority,
): readonly ServedGroup[] {
  const groups = new Map<
    string,
    Map<string, { definitions: ResourceDefinition[]; remote?: RemoteVersion }>
  >();
  const versionOf = (
    group: string,
    version: string,
  ): { definitions: ResourceDefinition[]; remote?: RemoteVersion } => {
    const versions = groups.get(group) ?? new Map<string, { definitions: ResourceDefinition[] }>();
    groups.set(group, versions);
    const found = versions.get(version) ?? { definitions: [] };
    versions.set(version, found);
    return found;
  };
  for (const definition of definitions) {
    for (const { name, served } of definition.versions) {
      if (served) versionOf(definition.group, name).definitions.push(definition);
    }
  }
  for (const remote of remotes) versionOf(remote.group, remote.version).remote = remote;
  return [...groups]
    .map(([group, versions]) => {
      const ranked = [...versions].map(([version, { definitions: list, remote }]) => {
        const custom = list.length > 0 && list.every((one) => one.custom === true);
        const served: ServedVersion = {
          version,
          definitions: list,
          ...(remote === undefined ? {} : { remote }),
        };
        return { served, priority: priorityOf(group, version, custom) };
      });
      ranked.sort(
        (a, b) =>
          b.priority.version - a.priority.version || compareVersions(a.served.version, b.served.version),
      );
      const priority = Math.max(...ranked.map((one) => one.priority.group));
      return { priority, group, versions: ranked.map(({ served }) => served) };
    })
    .sort((a, b) => b.priority - a.priority || (a.group < b.group ? -1 : 1));
}

// ---- one document a group or version

function groupVersions({ group, versions }: ServedGroup): readonly Json[] {
  return versions.map(({ version }) => ({ groupVersion: formatApiVersion({ group, version }), version }));
}

function apiGroup(group: ServedGroup): Json {
  const versions = groupVersions(group);
  return { name: group.group, versions, preferredVersion: versions[0] };
}

export function apiVersions(groups: readonly ServedGroup[], address: string): Json {
  const core = groups.find(({ group }) => group === '');
  return {
    kind: 'APIVersions',
    versions: core?.versions.map(({ version }) => version) ?? [],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  };
}

export function apiGroupList(groups: readonly ServedGroup[]): Json {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.filter(({ group }) => group !== '').map(apiGroup),
  };
}

export function apiGroupDocument(group: ServedGroup): Json {
  return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) };
}

/** `storageVersionHash`: clients use it to notice that objects are stored anew. */
function storageVersionHash({ storageApiVersion, kind }: ResourceDefinition): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(`${storageApiVersion}/${kind}`))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(hash);
  return bytes.toString('base64');
}

function subresourceEntries(definition: ResourceDefinition): readonly (readonly [string, Subresource])[] {
  return Object.entries(definition.subresources).sort(([a], [b]) => (a < b ? -1 : 1));
}

export function apiResourceList(
  group: string,
  version: string,
  definitions: readonly ResourceDefinition[],
): Json {
  const resources = definitions.flatMap((definition): Json[] => {
    const { resource, singular, namespaced, kind, verbs, shortNames, categories } = definition;
    const own: Json = {
      name: resource,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
      ...(verbs.includes('list') ? { storageVersionHash: storageVersionHash(definition) } : {}),
    };
    const below = subresourceEntries(definition).map(([name, subresource]): Json => {
      const of = subresource.kind ?? subresource.projection?.kind;
      const foreign = of !== undefined && (of.group !== group || of.version !== version);
      return {
        name: `${resource}/${name}`,
        singularName: '',
        namespaced,
        ...(foreign ? { group: of.group, version: of.version } : {}),
        kind: of?.kind ?? kind,
        verbs: subresource.verbs,
      };
    });
    return [own, ...below];
  });
  resources.sort((a, b) => ((a['name'] as string) < (b['name'] as string) ? -1 : 1));
  const groupVersion = formatApiVersion({ group, version });
  return { kind: 'APIResourceList', ...(group === '' ? {} : { apiVersion: 'v1' }), groupVersion, resources };
}

// ---- everything at once

function aggregatedResource(definition: ResourceDefinition, group: string, version: string): Json {
  const { resource, singular, namespaced, kind, verbs, shortNames, categories } = definition;
  const subresources = subresourceEntries(definition).map(([name, subresource]): Json => {
    const of = subresource.kind ?? subresource.projection?.kind;
    return {
      subresource: name,
      responseKind:
        of === undefined
          ? responseKind(definition, group, version, kind)
          : { group: of.group, version: of.version, kind: of.kind },
      verbs: subresource.verbs,
    };
  });
  return {
    resource,
    responseKind: responseKind(definition, group, version, kind),
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

/** COMPAT: built-in kinds leave group and version of the answer's kind open, custom resources name them. */
function responseKind(definition: ResourceDefinition, group: string, version: string, kind: string): Json {
  return definition.custom === true ? { group, version, kind } : { group: '', version: '', kind };
}

export function aggregatedDiscovery(groups: readonly ServedGroup[], core: boolean, apiVersion: string): Json {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion,
    metadata: {},
    items: groups
      .filter(({ group }) => (group === '') === core)
      .map(({ group, versions }) => ({
        metadata: group === '' ? {} : { name: group },
        versions: versions.map(({ version, definitions, remote }) =>
          remote === undefined
            ? {
                version,
                resources: [...definitions]
                  .sort((a, b) => (a.resource < b.resource ? -1 : 1))
                  .map((definition) => aggregatedResource(definition, group, version)),
                freshness: 'Current',
              }
            : aggregatedVersion(group, version, remote.resources, remote.stale),
        ),
      })),
  };
}

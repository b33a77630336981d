// Which resources a server has: maps kinds to resources and back, for code that meets kinds only at run time.
// What was learned is kept and asked for anew on a miss, so a CRD made a moment ago is found.
import { formatApiVersion, parseApiVersion } from '../api/index.ts';
import { systemClock, type Clock } from '../base/index.ts';
import { isNotFound, statusErrorFrom } from './errors.ts';
import type { Resource } from './resource.ts';
import type { Transport } from './transport.ts';

export interface ApiResource extends Resource {
  readonly kind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** E.g. `status`, `scale`. */
  readonly subresources: readonly string[];
  /** Whether this version is the one its group prefers for this resource. */
  readonly preferred: boolean;
}

export interface RestMapper {
  /** Everything served, groups and versions in the server's order. */
  resources(): Promise<readonly ApiResource[]>;
  /** The resource of a kind; without a version the preferred one. Undefined when the server has none. */
  resourceForKind(kind: {
    readonly group: string;
    readonly version?: string | undefined;
    readonly kind: string;
  }): Promise<ApiResource | undefined>;
  /** As resourceForKind, by the apiVersion and kind of an object or a reference. */
  resourceForObject(object: {
    readonly apiVersion: string;
    readonly kind: string;
  }): Promise<ApiResource | undefined>;
  /** By plural name; without a version the preferred one. */
  resourceByName(name: {
    readonly group: string;
    readonly version?: string | undefined;
    readonly resource: string;
  }): Promise<ApiResource | undefined>;
  /** As a user types it: `deploy`, `deployment`, `deployments.apps`, `deployments.v1.apps`. */
  resourceByText(text: string): Promise<ApiResource | undefined>;
  /** Asks the server now. */
  refresh(): Promise<void>;
}

export interface RestMapperSettings {
  readonly clock?: Clock;
  /** A miss asks the server again only when the last answer is older than this; default 1,000. */
  readonly missPeriodMs?: number;
}

const aggregatedAccept = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

interface VersionResources {
  readonly group: string;
  readonly version: string;
  /** Undefined: the server could not tell at the moment. */
  readonly resources: readonly Omit<ApiResource, 'preferred'>[] | undefined;
}

interface DiscoveredGroup {
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly {
    readonly version: string;
    readonly freshness?: string;
    readonly resources?: readonly {
      readonly resource: string;
      readonly responseKind?: { readonly kind?: string };
      readonly scope?: string;
      readonly singularResource?: string;
      readonly verbs?: readonly string[];
      readonly shortNames?: readonly string[];
      readonly categories?: readonly string[];
      readonly subresources?: readonly { readonly subresource: string }[];
    }[];
  }[];
}

interface LegacyResource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly kind: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface DiscoveryDocument {
  readonly kind?: string;
  readonly items?: readonly DiscoveredGroup[];
  readonly versions?: readonly string[];
  readonly groups?: readonly {
    readonly name: string;
    readonly preferredVersion?: { readonly version: string };
    readonly versions: readonly { readonly version: string }[];
  }[];
  readonly resources?: readonly LegacyResource[];
}

async function fetchDocument(transport: Transport, path: string, accept: string): Promise<DiscoveryDocument> {
  const answer = await transport.send({ method: 'GET', path, headers: { accept } });
  if (answer.status >= 400) throw statusErrorFrom(answer.status, answer.body, answer.headers);
  return answer.body as DiscoveryDocument;
}

function fromAggregated(groups: readonly DiscoveredGroup[]): VersionResources[] {
  return groups.flatMap((item) => {
    const group = item.metadata?.name ?? '';
    return (item.versions ?? []).map(({ version, freshness, resources }): VersionResources => {
      // A stale version is one whose own server does not answer; an empty list then says nothing.
      if (freshness === 'Stale' && (resources ?? []).length === 0)
        return { group, version, resources: undefined };
      return {
        group,
        version,
        resources: (resources ?? [])
          // Without a kind a resource exists only through its subresources.
          .filter((one) => (one.responseKind?.kind ?? '') !== '')
          .map((one) => ({
            group,
            version,
            resource: one.resource,
            kind: one.responseKind?.kind ?? '',
            namespaced: one.scope === 'Namespaced',
            singular: one.singularResource ?? '',
            verbs: one.verbs ?? [],
            shortNames: one.shortNames ?? [],
            categories: one.categories ?? [],
            subresources: (one.subresources ?? []).map(({ subresource }) => subresource),
          })),
      };
    });
  });
}

function fromLegacy(group: string, version: string, document: DiscoveryDocument): VersionResources {
  const all = document.resources ?? [];
  return {
    group,
    version,
    resources: all
      .filter(({ name }) => !name.includes('/'))
      .map((one) => ({
        group,
        version,
        resource: one.name,
        kind: one.kind,
        namespaced: one.namespaced === true,
        singular: one.singularName ?? '',
        verbs: one.verbs ?? [],
        shortNames: one.shortNames ?? [],
        categories: one.categories ?? [],
        subresources: all
          .filter(({ name }) => name.startsWith(`${one.name}/`))
          .map(({ name }) => name.slice(one.name.length + 1)),
      })),
  };
}

/** Inside of a process the same document comes back until something changes. */
const aggregated = new WeakMap<DiscoveryDocument, VersionResources[]>();

/** One root (`/api` or `/apis`): one request when the server knows aggregated discovery, else one per version. */
async function fetchRoot(transport: Transport, root: '/api' | '/apis'): Promise<VersionResources[]> {
  const document = await fetchDocument(transport, root, aggregatedAccept);
  if (document.kind === 'APIGroupDiscoveryList') {
    const known = aggregated.get(document) ?? fromAggregated(document.items ?? []);
    aggregated.set(document, known);
    return known;
  }
  const wanted =
    root === '/api'
      ? (document.versions ?? []).map((version) => ({ group: '', version }))
      : (document.groups ?? []).flatMap(({ name, preferredVersion, versions }) => {
          const names = versions.map(({ version }) => version);
          const first = preferredVersion?.version ?? names[0];
          return [...names.filter((one) => one === first), ...names.filter((one) => one !== first)].map(
            (version) => ({ group: name, version }),
          );
        });
  return Promise.all(
    wanted.map(async ({ group, version }): Promise<VersionResources> => {
      try {
        const path = `${root}/${formatApiVersion({ group, version })}`;
        return fromLegacy(group, version, await fetchDocument(transport, path, 'application/json'));
      } catch (error) {
        if (isNotFound(error)) return { group, version, resources: [] };
        // One group whose server is away must not hide all others.
        return { group, version, resources: undefined };
      }
    }),
  );
}

function markPreferred(versions: readonly VersionResources[]): ApiResource[] {
  const seen = new Set<string>();
  return versions.flatMap(({ resources = [] }) =>
    resources.map((one) => {
      const name = `${one.group}/${one.resource}`;
      const preferred = !seen.has(name);
      seen.add(name);
      return { ...one, preferred };
    }),
  );
}

function matchesText(one: ApiResource, name: string): boolean {
  return (
    one.resource === name ||
    one.singular === name ||
    one.kind.toLowerCase() === name ||
    one.shortNames.includes(name)
  );
}

function findByText(all: readonly ApiResource[], text: string): ApiResource | undefined {
  const lower = text.toLowerCase();
  const [name = '', ...rest] = lower.split('.');
  const candidates = all.filter((one) => matchesText(one, name));
  const preferred = candidates.filter((one) => one.preferred);
  if (rest.length === 0) {
    // A plural name beats another resource's short name.
    return preferred.find((one) => one.resource === name || one.singular === name) ?? preferred[0];
  }
  const group = rest.join('.');
  const [version, ...groupRest] = rest;
  return (
    preferred.find((one) => one.group === group) ??
    candidates.find((one) => one.version === version && one.group === groupRest.join('.')) ??
    preferred.find((one) => one.group.startsWith(`${group}.`))
  );
}

/** Kinds and resources of the server behind `transport`. Asks it at the first use. */
export function createRestMapper(transport: Transport, settings: RestMapperSettings = {}): RestMapper {
  const { clock = systemClock, missPeriodMs = 1000 } = settings;
  let versions: readonly VersionResources[] = [];
  let all: readonly ApiResource[] = [];
  let byKind = new Map<string, ApiResource>();
  let byName = new Map<string, ApiResource>();
  let askedAtMs = -Infinity;
  let underWay: Promise<void> | undefined;
  let lastRoots: readonly VersionResources[][] = [];

  function index(): void {
    all = markPreferred(versions);
    byKind = new Map();
    byName = new Map();
    for (const one of all) {
      byKind.set(`${one.group}/${one.version}/${one.kind}`, one);
      byName.set(`${one.group}/${one.version}/${one.resource}`, one);
      if (!one.preferred) continue;
      const kindName = `${one.group}//${one.kind}`;
      if (!byKind.has(kindName)) byKind.set(kindName, one);
      byName.set(`${one.group}//${one.resource}`, one);
    }
  }

  async function ask(): Promise<void> {
    const startedMs = clock.now();
    const roots = await Promise.all([fetchRoot(transport, '/api'), fetchRoot(transport, '/apis')]);
    askedAtMs = startedMs;
    // Mostly nothing has changed since the last time.
    if (roots.every((root, position) => root === lastRoots[position])) return;
    lastRoots = roots;
    const last = new Map(versions.map((one) => [`${one.group}/${one.version}`, one]));
    versions = roots
      .flat()
      .map((one) => (one.resources === undefined ? (last.get(`${one.group}/${one.version}`) ?? one) : one));
    index();
  }

  function refresh(): Promise<void> {
    underWay ??= ask().finally(() => (underWay = undefined));
    return underWay;
  }

  async function lookUp(find: () => ApiResource | undefined): Promise<ApiResource | undefined> {
    const known = find();
    if (known !== undefined || clock.now() - askedAtMs < missPeriodMs) return known;
    await refresh();
    return find();
  }

  const mapper: RestMapper = {
    async resources() {
      if (askedAtMs === -Infinity) await refresh();
      return all;
    },
    resourceForKind: ({ group, version = '', kind }) =>
      lookUp(() => byKind.get(`${group}/${version}/${kind}`)),
    resourceForObject: ({ apiVersion, kind }) =>
      mapper.resourceForKind({ ...parseApiVersion(apiVersion), kind }),
    resourceByName: ({ group, version = '', resource }) =>
      lookUp(() => byName.get(`${group}/${version}/${resource}`)),
    resourceByText: (text) => lookUp(() => findByText(all, text)),
    refresh,
  };
  return mapper;
}

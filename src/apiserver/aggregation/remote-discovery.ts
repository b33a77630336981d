// What another API server says it serves, in the forms of our own discovery. Pure.
type Json = Readonly<Record<string, unknown>>;

/** meta/v1 APIResource. */
export interface ListedResource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** The resources of a meta/v1 APIResourceList; undefined: the value is none. */
export function listedResources(value: unknown): readonly ListedResource[] | undefined {
  const list = value as { readonly kind?: unknown; readonly resources?: unknown } | null | undefined;
  if (list?.kind !== 'APIResourceList' || !Array.isArray(list.resources)) return undefined;
  const resources = list.resources as readonly ListedResource[];
  return resources.every((one) => typeof one.name === 'string' && typeof one.kind === 'string')
    ? resources
    : undefined;
}

/** One version of a group in aggregated discovery. */
export function aggregatedVersion(
  group: string,
  version: string,
  listed: readonly ListedResource[],
  stale: boolean,
): Json {
  const below = Map.groupBy(
    listed.filter(({ name }) => name.includes('/')),
    ({ name }) => name.slice(0, name.indexOf('/')),
  );
  const responseKind = (one: ListedResource): Json => ({
    group: one.group ?? group,
    version: one.version ?? version,
    kind: one.kind,
  });
  const resources = listed
    .filter(({ name }) => !name.includes('/'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((one): Json => {
      const { name, singularName = '', namespaced, verbs = [], shortNames = [], categories = [] } = one;
      const subresources = (below.get(name) ?? []).map((sub) => ({
        subresource: sub.name.slice(name.length + 1),
        responseKind: responseKind(sub),
        verbs: sub.verbs ?? [],
      }));
      return {
        resource: name,
        responseKind: responseKind(one),
        scope: namespaced === true ? 'Namespaced' : 'Cluster',
        singularResource: singularName,
        verbs,
        ...(shortNames.length === 0 ? {} : { shortNames }),
        ...(categories.length === 0 ? {} : { categories }),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    });
  return { version, resources, freshness: stale ? 'Stale' : 'Current' };
}

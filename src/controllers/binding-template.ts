// From a binding to its template: as the binding names it, as the caches have it, and as it is now.
import type { KubeObject, ResourceBindingSpec } from '../api/index.ts';
import type { ApiResource } from '../client/index.ts';
import type { ControllerContext } from './context.ts';

/** Anything that names a template: a binding of either scope. */
interface NamesTemplate {
  readonly spec: Pick<ResourceBindingSpec, 'resource'>;
}

/** What the binding itself says of its template: enough for events, and for selectors that go by name. */
export function templateReference({ spec }: NamesTemplate): KubeObject {
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = spec.resource;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

/** What the template's kind is served as; undefined: it no longer is. */
export function templateResource(
  { mapper }: Pick<ControllerContext, 'mapper'>,
  { spec }: NamesTemplate,
): Promise<ApiResource | undefined> {
  const { apiVersion, kind } = spec.resource;
  return mapper.resourceForObject({ apiVersion, kind });
}

/** The template as the caches have it now; undefined: no cache does. */
export function cachedTemplate(
  { informers }: Pick<ControllerContext, 'informers'>,
  { spec }: NamesTemplate,
): KubeObject | undefined {
  const { apiVersion, kind, namespace, name } = spec.resource;
  for (const informer of informers.list()) {
    const { group, version } = informer.resource;
    if ((group === '' ? version : `${group}/${version}`) !== apiVersion) continue;
    const found = informer.store.get({ namespace, name });
    if (found?.kind === kind) return found;
  }
  return undefined;
}

/**
 * The template, as far as it is to be had; undefined: it is gone, or its kind is.
 * @param read `cached`: from the cache of its kind, since the detector follows all templates, or from the API server
 * while that is being filled. `asNamed`: at least in the version that the binding was made of, as a cache that is behind
 * it would give yesterday's template. `live`: as of a template that has just gone a cache may not have heard.
 */
export async function loadTemplate(
  context: Pick<ControllerContext, 'mapper' | 'informers' | 'hubClient'>,
  binding: NamesTemplate,
  read: 'cached' | 'asNamed' | 'live',
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const { namespace, name, resourceVersion } = binding.spec.resource;
  const resource = await templateResource(context, binding);
  if (resource === undefined) return undefined;
  const informer = context.informers.informer(resource);
  if (read !== 'live' && informer.isSynced) {
    const cached = informer.store.get({ namespace, name });
    if (read === 'cached') return cached;
    if (cached !== undefined && !isOlder(cached.metadata.resourceVersion, resourceVersion)) return cached;
  }
  return context.hubClient.find(resource, { namespace, name }, { signal });
}

function isOlder(version: string | undefined, than: string | undefined): boolean {
  const [a, b] = [Number(version), Number(than)];
  return Number.isFinite(a) && Number.isFinite(b) && a < b;
}

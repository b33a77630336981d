// `/`: what there is, as paths; and what is wrong with requests to paths that are no resources.
import type { StatusError } from '../machinery/index.ts';
import type { ApiRequest, ApiResponse } from './contract.ts';
import { methodNotAllowed, pathNotFound } from './refusals.ts';
import type { ResourceRegistry } from './registry.ts';

/** What servers of this kind answer besides resources. */
const OTHER_PATHS = [
  '/.well-known/openid-configuration',
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/openid/v1/jwks',
  '/readyz',
  '/version',
];

/** `/api`, `/apis`, and those of every group and version. */
function discoveryPaths(registry: ResourceRegistry): Set<string> {
  const paths = new Set(['/api', '/apis']);
  for (const { group, versions } of registry.definitions()) {
    if (group !== '') paths.add(`/apis/${group}`);
    for (const { name, served } of versions) {
      if (served) paths.add(group === '' ? `/api/${name}` : `/apis/${group}/${name}`);
    }
  }
  return paths;
}

/** Answers `/`; undefined for other paths. */
export function respondRoot(
  registry: ResourceRegistry,
  { path, method }: ApiRequest,
): ApiResponse | undefined {
  if (path !== '/') return undefined;
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed();
  const paths = [...discoveryPaths(registry), ...OTHER_PATHS].sort();
  return { kind: 'object', status: 200, object: { paths } };
}

/** Discovery can only be read; what no handler knew is not there. */
export function refusePath(registry: ResourceRegistry, { path, method }: ApiRequest): StatusError {
  const plain = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const isDiscovery = discoveryPaths(registry).has(plain);
  return isDiscovery && method !== 'GET' && method !== 'HEAD' ? methodNotAllowed() : pathNotFound();
}

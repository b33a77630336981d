// Where the Service of an APIService is reached: its external name, or one of its endpoints. The hub has no service
// network, so a cluster IP alone leads nowhere.
import type { EndpointSlice, Endpoints, Service } from '../../api/index.ts';
import type { ObjectAccess } from '../object-access.ts';
import type { Availability, ServiceReference } from './api-service.ts';

export interface Location {
  readonly host: string;
  readonly port: number;
}

export interface ServiceFacts {
  readonly service: Service | undefined;
  readonly slices: readonly EndpointSlice[];
}

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** The Service and its endpoints; those that somebody wrote as Endpoints count as a slice of their own. */
export async function readService(
  objects: ObjectAccess,
  { namespace, name }: ServiceReference,
): Promise<ServiceFacts> {
  const service = (await objects.get('', 'services', namespace, name)) as Service | undefined;
  if (service === undefined) return { service, slices: [] };
  const all = (await objects.list('discovery.k8s.io', 'endpointslices', namespace)) as EndpointSlice[];
  const slices = all.filter(({ metadata }) => metadata.labels?.[SERVICE_NAME_LABEL] === name);
  if (slices.length > 0) return { service, slices };
  const endpoints = (await objects.get('', 'endpoints', namespace, name)) as Endpoints | undefined;
  return { service, slices: endpoints === undefined ? [] : slicesOf(endpoints) };
}

function slicesOf({ metadata, subsets }: Endpoints): EndpointSlice[] {
  return (subsets ?? []).map(({ addresses, ports }) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    endpoints: (addresses ?? []).map(({ ip }) => ({ addresses: [ip], conditions: { ready: true } })),
    ports: (ports ?? []).map(({ name = '', port }) => ({ name, port })),
  }));
}

/** Why the Service cannot be used, in upstream's words; undefined: nothing stands against it. */
export function checkService(
  { service, slices }: ServiceFacts,
  reference: ServiceReference,
): Availability | undefined {
  const { namespace, name, port } = reference;
  const refuse = (reason: string, message: string): Availability => ({ status: 'False', reason, message });
  const called = `service/${name} in ${JSON.stringify(namespace)}`;
  if (service === undefined) return refuse('ServiceNotFound', `${called} is not present`);
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const named = service.spec?.ports?.find((one) => one.port === port);
  if (named === undefined) return refuse('ServicePortError', `${called} is not listening on port ${port}`);
  if (slices.length === 0) return refuse('EndpointsNotFound', `cannot find endpointslices for ${called}`);
  const { name: portName = '' } = named;
  if (locationsIn(slices, portName).length > 0) return undefined;
  const message = `endpointslices for ${called} have no addresses with port name ${JSON.stringify(portName)}`;
  return refuse('MissingEndpoints', message);
}

function locationsIn(slices: readonly EndpointSlice[], portName: string): readonly Location[] {
  return slices.flatMap(({ endpoints = [], ports = [] }) => {
    const port = (ports ?? []).find((one) => (one.name ?? '') === portName)?.port;
    if (port === undefined) return [];
    return (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses.map((host) => ({ host, port })));
  });
}

/** Where to connect to; undefined: nowhere. @param fraction from 0 up to 1, chooses among the endpoints */
export function locate(
  { service, slices }: ServiceFacts,
  { port }: ServiceReference,
  fraction: number,
): Location | undefined {
  const { type, externalName = '', ports = [] } = service?.spec ?? {};
  if (type === 'ExternalName') return externalName === '' ? undefined : { host: externalName, port };
  const named = (ports ?? []).find((one) => one.port === port);
  if (named === undefined) return undefined;
  const locations = locationsIn(slices, named.name ?? '');
  return locations[Math.floor(fraction * locations.length)];
}

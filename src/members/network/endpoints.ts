// Services to addresses: EndpointSlices, and the older Endpoints, from the pods that a Service selects.
// Reads Services, Pods, Nodes. Writes EndpointSlices and Endpoints.
// INVARIANT: an address is listed as ready only while its pod is ready and not being deleted, unless the Service
// publishes addresses that are not.
import type {
  DiscoveryEndpointPort,
  Endpoint,
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  ServicePort,
} from '../../api/index.ts';
import { controllerReference, semanticEqual } from '../../machinery/index.ts';
import type { EndpointSlice, Endpoints, Node, Pod, Service } from '../kinds.ts';
import { planOf, type Plan, type Write } from '../plan.ts';
import { compare, isReady, isTerminal, isTerminating } from '../pods.ts';
import { endpointSlices, endpoints as endpointsResource } from '../resources.ts';

export const SERVICE_LABEL = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';
const ENDPOINTS_MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const ENDPOINTS_MANAGER = 'endpoint-controller';
// LIMIT: as kube-controller-manager's --max-endpoints-per-slice, and what an Endpoints object may hold.
const SLICE_MAX = 100;
const ENDPOINTS_MAX = 1000;

export interface EndpointsInput {
  /** Undefined: it has been deleted. */
  readonly service: Service | undefined;
  /** Of the Service's namespace that match its selector. */
  readonly pods: readonly Pod[];
  readonly nodeNamed: (name: string) => Node | undefined;
  /** All slices with the Service's label. */
  readonly slices: readonly EndpointSlice[];
  readonly endpoints: Endpoints | undefined;
}

interface Target {
  readonly pod: Pod;
  readonly ip: string;
  readonly ready: boolean;
}

export function decideEndpoints(input: EndpointsInput): Plan {
  const { service } = input;
  if (service === undefined) return forget(input);
  const { spec, metadata } = service;
  const own = input.slices.filter((slice) => slice.metadata.labels?.[MANAGED_BY] === MANAGER);
  const selects = spec.selector !== undefined && Object.keys(spec.selector).length > 0;
  // Addresses of a Service without selector are the user's business.
  if (!selects || spec.type === 'ExternalName' || metadata.deletionTimestamp !== undefined) return planOf([]);
  const targets = targetsOf(service, input.pods);
  return planOf([
    [...planSlices(service, input, own, targets), ...planEndpoints(service, input.endpoints, targets)],
  ]);
}

/** Slices go with their owner; Endpoints have none. */
function forget({ endpoints }: EndpointsInput): Plan {
  if (endpoints?.metadata.labels?.[ENDPOINTS_MANAGED_BY] !== ENDPOINTS_MANAGER) return planOf([]);
  return planOf([[{ verb: 'delete', resource: endpointsResource, object: endpoints }]]);
}

function targetsOf(service: Service, pods: readonly Pod[]): Target[] {
  const publish = service.spec.publishNotReadyAddresses === true;
  return pods
    .filter((pod) => !isTerminal(pod) && pod.status?.podIP !== undefined)
    .map((pod) => ({
      pod,
      ip: pod.status?.podIP ?? '',
      ready: publish || (isReady(pod) && !isTerminating(pod)),
    }))
    .sort((a, b) => compare(a.pod.metadata.name, b.pod.metadata.name));
}

/** The pod's own port: a number, or looked up by name; undefined when the pod has none of that name. */
function targetPort(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const protocol = port.protocol ?? 'TCP';
  const containers = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ];
  for (const container of containers) {
    for (const one of container.ports ?? []) {
      if (one.name === target && (one.protocol ?? 'TCP') === protocol) return one.containerPort;
    }
  }
  return /^\d+$/.test(target) ? Number(target) : undefined;
}

interface ResolvedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: NonNullable<ServicePort['protocol']>;
  readonly appProtocol?: string;
}

function portsFor(service: Service, pod: Pod): ResolvedPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    return [
      {
        name: port.name ?? '',
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      },
    ];
  });
}

// ---- EndpointSlices

function endpointOf(
  { pod, ip, ready }: Target,
  service: Service,
  nodeNamed: EndpointsInput['nodeNamed'],
): Endpoint {
  const serving = isReady(pod);
  const { nodeName, hostname, subdomain } = pod.spec;
  const zone =
    nodeName === undefined
      ? undefined
      : nodeNamed(nodeName)?.metadata.labels?.['topology.kubernetes.io/zone'];
  const named = hostname !== undefined && hostname !== '' && subdomain === service.metadata.name;
  return {
    addresses: [ip],
    conditions: { ready, serving, terminating: isTerminating(pod) },
    ...(named ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
      uid: pod.metadata.uid,
    },
    ...(zone === undefined ? {} : { zone }),
  };
}

function planSlices(
  service: Service,
  { nodeNamed }: EndpointsInput,
  existing: readonly EndpointSlice[],
  targets: readonly Target[],
): Write[] {
  // Pods whose named ports differ cannot share a slice.
  const byPorts = Map.groupBy(targets, ({ pod }) => JSON.stringify(portsFor(service, pod)));
  const wanted: { ports: readonly DiscoveryEndpointPort[]; endpoints: readonly Endpoint[] }[] = [];
  for (const group of byPorts.values()) {
    const ports = portsFor(service, group[0]!.pod);
    const endpoints = group.map((target) => endpointOf(target, service, nodeNamed));
    for (let i = 0; i < endpoints.length; i += SLICE_MAX) {
      wanted.push({ ports, endpoints: endpoints.slice(i, i + SLICE_MAX) });
    }
  }
  // An empty slice says that there are no endpoints, which is not the same as nobody having looked.
  if (wanted.length === 0) wanted.push({ ports: [], endpoints: [] });
  const free = existing.toSorted((a, b) => compare(a.metadata.name, b.metadata.name));
  const writes: Write[] = [];
  for (const { ports, endpoints } of wanted) {
    const at = free.findIndex((slice) => semanticEqual(slice.ports ?? [], ports));
    const slice = free.splice(at < 0 ? 0 : at, 1)[0];
    if (slice === undefined) {
      writes.push({ verb: 'create', resource: endpointSlices, object: newSlice(service, ports, endpoints) });
    } else if (
      !semanticEqual(slice.ports ?? [], ports) ||
      !semanticEqual(slice.endpoints ?? [], endpoints) ||
      !hasLabels(slice, sliceLabels(service))
    ) {
      const metadata = { ...slice.metadata, labels: { ...slice.metadata.labels, ...sliceLabels(service) } };
      writes.push({
        verb: 'update',
        resource: endpointSlices,
        object: { ...slice, metadata, ports, endpoints },
      });
    }
  }
  return [...writes, ...free.map((object): Write => ({ verb: 'delete', resource: endpointSlices, object }))];
}

function sliceLabels(service: Service): Record<string, string> {
  const headless = service.spec.clusterIP === 'None';
  return {
    ...service.metadata.labels,
    ...(headless ? { 'service.kubernetes.io/headless': '' } : {}),
    [SERVICE_LABEL]: service.metadata.name,
    [MANAGED_BY]: MANAGER,
  };
}

function hasLabels(slice: EndpointSlice, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([key, value]) => slice.metadata.labels?.[key] === value);
}

function newSlice(
  service: Service,
  ports: readonly DiscoveryEndpointPort[],
  endpoints: readonly Endpoint[],
): Record<string, unknown> & { apiVersion: string; kind: string; metadata: object } {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace,
      labels: sliceLabels(service),
      ownerReferences: [controllerReference(service)],
    },
    addressType: service.spec.ipFamilies?.[0] === 'IPv6' ? 'IPv6' : 'IPv4',
    endpoints,
    ports,
  };
}

// ---- Endpoints

function addressOf({ pod, ip }: Target, service: Service): EndpointAddress {
  const { nodeName, hostname, subdomain } = pod.spec;
  const named = hostname !== undefined && hostname !== '' && subdomain === service.metadata.name;
  return {
    ip,
    ...(named ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
      uid: pod.metadata.uid,
    },
  };
}

function subsetsOf(service: Service, targets: readonly Target[]): EndpointSubset[] {
  const listed = targets.filter(({ pod, ready }) => ready || !isTerminating(pod)).slice(0, ENDPOINTS_MAX);
  const byPorts = Map.groupBy(listed, ({ pod }) => JSON.stringify(portsFor(service, pod)));
  return [...byPorts.values()].map((group) => {
    const ports = portsFor(service, group[0]!.pod).map(({ name, ...rest }): EndpointPort => ({
      ...(name === '' ? {} : { name }),
      ...rest,
    }));
    const addresses = group.filter(({ ready }) => ready).map((target) => addressOf(target, service));
    const notReady = group.filter(({ ready }) => !ready).map((target) => addressOf(target, service));
    return {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
      ...(ports.length === 0 ? {} : { ports }),
    };
  });
}

function planEndpoints(
  service: Service,
  endpoints: Endpoints | undefined,
  targets: readonly Target[],
): Write[] {
  const subsets = subsetsOf(service, targets);
  const labels: Record<string, string> = {
    ...service.metadata.labels,
    [ENDPOINTS_MANAGED_BY]: ENDPOINTS_MANAGER,
    ...(service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}),
  };
  if (endpoints === undefined) {
    const { name, namespace } = service.metadata;
    const metadata = { name, namespace, labels };
    const object = { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets };
    return [{ verb: 'create', resource: endpointsResource, object }];
  }
  if (
    semanticEqual(endpoints.subsets ?? [], subsets) &&
    Object.entries(labels).every(([key, value]) => endpoints.metadata.labels?.[key] === value)
  ) {
    return [];
  }
  const metadata = { ...endpoints.metadata, labels };
  return [{ verb: 'update', resource: endpointsResource, object: { ...endpoints, metadata, subsets } }];
}

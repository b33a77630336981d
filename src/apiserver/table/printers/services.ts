// What `kubectl get` prints of services and networking.
import type {
  Endpoints,
  EndpointSlice,
  Ingress,
  IngressClass,
  KubeObject,
  NetworkPolicy,
  Service,
} from '../../../api/index.ts';
import { formatAge } from '../../../machinery/index.ts';
import type { Printer } from '../../resource.ts';
import { NONE, UNSET, joined, labelText, orNone, printer } from '../columns.ts';
import { type Data, nameOf, selectorOf } from './fields.ts';

type Point = { readonly ip?: string; readonly hostname?: string };

/** Where a load balancer takes traffic, sorted. */
function balancerAddresses(points: readonly Point[] | undefined): readonly string[] {
  const found = (points ?? []).map(({ ip = '', hostname = '' }) => (ip === '' ? hostname : ip));
  return [...new Set(found.filter((address) => address !== ''))].sort();
}

function externalAddress({ spec, status }: Service): string {
  const external = spec?.externalIPs ?? [];
  if (spec?.type === 'ExternalName') return spec.externalName ?? '';
  if (spec?.type === 'LoadBalancer') {
    const all = [...balancerAddresses(status?.loadBalancer?.ingress), ...external];
    return all.length === 0 ? '<pending>' : all.join(',');
  }
  return joined(external);
}

export const services: Printer = printer<Service>(
  'Name|Type|Cluster-IP|External-IP|Port(s)|Age||Selector',
  (one) => {
    const ports = (one.spec?.ports ?? []).map(({ port, nodePort = 0, protocol }) =>
      nodePort === 0 ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
    );
    return [
      nameOf(one),
      one.spec?.type ?? '',
      orNone(one.spec?.clusterIPs?.[0] ?? one.spec?.clusterIP),
      externalAddress(one),
      joined(ports),
      labelText(one.spec?.selector),
    ];
  },
);

/** At most three, and how many more. */
function shortened(list: readonly string[]): string {
  const shown = list.slice(0, 3).join(',');
  return list.length > 3 ? `${shown} + ${list.length - 3} more...` : shown;
}

const hostPort = (ip: string, port: number): string => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;

/** COMPAT: rules without a host count among those not shown. */
function hostsText(hosts: readonly string[]): string {
  const shown: string[] = [];
  for (const host of hosts) {
    if (shown.length === 3) return `${shown.join(',')} + ${hosts.length - 3} more...`;
    if (host !== '') shown.push(host);
  }
  return shown.length === 0 ? '*' : shown.join(',');
}

export const endpoints: Printer = printer<Endpoints>('Name|Endpoints|Age', (one) => {
  const subsets = one.subsets ?? [];
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => hostPort(ip, port))),
  );
  return [nameOf(one), subsets.length === 0 ? NONE : shortened(all)];
});

export const endpointSlices: Printer = printer<EndpointSlice>(
  'Name|AddressType|Ports|Endpoints|Age',
  (one) => {
    const ports = (one.ports ?? []).map(({ port, name = '*' }) => String(port ?? name));
    const addresses = (one.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
    const text = (list: readonly string[]): string => shortened(list) || UNSET;
    const { addressType }: Partial<EndpointSlice> = one;
    return [nameOf(one), addressType ?? '', text(ports), text(addresses)];
  },
);

export const ingresses: Printer = printer<Ingress>('Name|Class|Hosts|Address|Ports|Age', (one) => {
  return [
    nameOf(one),
    orNone(one.spec?.ingressClassName),
    hostsText((one.spec?.rules ?? []).map(({ host = '' }) => host)),
    balancerAddresses(one.status?.loadBalancer?.ingress).join(','),
    (one.spec?.tls ?? []).length === 0 ? '80' : '80, 443',
  ];
});

export const ingressClasses: Printer = printer<IngressClass>('Name|Controller|Parameters|Age', (one) => {
  const { kind, name, apiGroup } = one.spec?.parameters ?? {};
  const group = apiGroup === undefined ? '' : `.${apiGroup}`;
  return [nameOf(one), one.spec?.controller ?? '', kind === undefined ? NONE : `${kind}${group}/${name}`];
});

export const networkPolicies: Printer = printer<NetworkPolicy>('Name|Pod-Selector|Age', (one) => [
  nameOf(one),
  selectorOf(one.spec?.podSelector),
]);

export const ipAddresses: Printer = printer<KubeObject>('Name|ParentRef', (one, nowMs) => {
  const parent = (one['spec'] as Data | undefined)?.['parentRef'] as Record<string, string> | undefined;
  const { group = '', resource = '', namespace = '', name = '' } = parent ?? {};
  const kind = `${resource}${group === '' ? '' : `.${group}`}`.toLowerCase();
  const text = `${kind}${namespace === '' ? '' : `/${namespace}`}/${name}`;
  // COMPAT: a cell more than there are columns.
  return [nameOf(one), parent === undefined ? NONE : text, formatAge(one.metadata.creationTimestamp, nowMs)];
});

export const serviceCidrs: Printer = printer<KubeObject>('Name|CIDRs|Age', (one) => [
  nameOf(one),
  (((one['spec'] as Data | undefined)?.['cidrs'] as readonly string[] | undefined) ?? []).join(','),
]);

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
import type { Printer } from '../../resource.ts';
import { NONE, UNSET, joined, labelText, orNone, printer } from '../columns.ts';
import { type Data, nameOf, selectorOf } from './fields.ts';

function externalAddress({ spec, status }: Service): string {
  const external = spec?.externalIPs ?? [];
  if (spec?.type === 'ExternalName') return spec.externalName ?? '';
  if (spec?.type === 'LoadBalancer') {
    const given = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
    const all = [...given, ...external].filter((address) => address !== '');
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
function shortened(list: readonly string[], separator = ','): string {
  if (list.length === 0) return NONE;
  const shown = list.slice(0, 3).join(separator);
  return list.length > 3 ? `${shown} + ${list.length - 3} more...` : shown;
}

export const endpoints: Printer = printer<Endpoints>('Name|Endpoints|Age', (one) => {
  const all = (one.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    addresses.flatMap(({ ip }) => (ports.length === 0 ? [ip] : ports.map(({ port }) => `${ip}:${port}`))),
  );
  return [nameOf(one), shortened(all)];
});

export const endpointSlices: Printer = printer<EndpointSlice>(
  'Name|AddressType|Ports|Endpoints|Age',
  (one) => {
    const ports = (one.ports ?? []).map(({ port, name = '' }) => String(port ?? (name === '' ? '*' : name)));
    const addresses = (one.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
    const portText = ports.length === 0 ? UNSET : shortened(ports);
    return [nameOf(one), one.addressType, portText, addresses.length === 0 ? UNSET : shortened(addresses)];
  },
);

export const ingresses: Printer = printer<Ingress>('Name|Class|Hosts|Address|Ports|Age', (one) => {
  const hosts = (one.spec?.rules ?? []).map(({ host }) => host ?? '').filter((host) => host !== '');
  const addresses = (one.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
  return [
    nameOf(one),
    orNone(one.spec?.ingressClassName),
    hosts.length === 0 ? '*' : shortened(hosts),
    addresses.join(','),
    (one.spec?.tls ?? []).length === 0 ? '80' : '80, 443',
  ];
});

export const ingressClasses: Printer = printer<IngressClass>('Name|Controller|Parameters|Age', (one) => {
  const { kind, name, apiGroup } = one.spec?.parameters ?? {};
  const group = apiGroup === undefined || apiGroup === '' ? '' : `.${apiGroup}`;
  return [nameOf(one), one.spec?.controller ?? '', kind === undefined ? NONE : `${kind}${group}/${name}`];
});

export const networkPolicies: Printer = printer<NetworkPolicy>('Name|Pod-Selector|Age', (one) => [
  nameOf(one),
  selectorOf(one.spec?.podSelector),
]);

export const ipAddresses: Printer = printer<KubeObject>('Name|ParentRef', (one) => {
  const {
    group = '',
    resource = '',
    namespace = '',
    name = '',
  } = ((one['spec'] as Data | undefined)?.['parentRef'] ?? {}) as Record<string, string>;
  return [
    nameOf(one),
    [`${resource}${group === '' ? '' : `.${group}`}`, namespace, name]
      .filter((part) => part !== '')
      .join('/'),
  ];
});

export const serviceCidrs: Printer = printer<KubeObject>('Name|CIDRs|Age', (one) => [
  nameOf(one),
  (((one['spec'] as Data | undefined)?.['cidrs'] as readonly string[] | undefined) ?? []).join(','),
]);

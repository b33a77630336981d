// Addresses from outside: Services of type LoadBalancer get an IP of their own.
// Reads Services. Writes their status.
// INVARIANT: no two Services have the same address at the same time.
import { semanticEqual } from '../../machinery/index.ts';
import type { Service } from '../kinds.ts';
import { planOf, type Plan } from '../plan.ts';
import { services as serviceResource } from '../resources.ts';

export interface LoadBalancerInput {
  readonly service: Service;
  /** Of all namespaces. */
  readonly services: Iterable<Service>;
  /** The first three parts of the addresses to give out, e.g. `172.30.0`. */
  readonly prefix: string;
}

// LIMIT: addresses of one member: 16 networks of 254.
const NETWORKS = 16;

export function decideLoadBalancer(input: LoadBalancerInput): Plan {
  const { service } = input;
  const wants =
    service.spec.type === 'LoadBalancer' &&
    service.spec.loadBalancerClass === undefined &&
    service.metadata.deletionTimestamp === undefined;
  const current = service.status?.loadBalancer?.ingress ?? [];
  const ip = wants ? (current[0]?.ip ?? freeAddress(input)) : undefined;
  const ingress = ip === undefined ? [] : [{ ip, ipMode: 'VIP' }];
  if (semanticEqual(current, ingress)) return planOf([]);
  if (wants && ip === undefined) {
    const message = 'Error syncing load balancer: no address left in the simulated network';
    return planOf([], [{ about: service, type: 'Warning', reason: 'SyncLoadBalancerFailed', message }]);
  }
  const status = { ...service.status, loadBalancer: ingress.length === 0 ? {} : { ingress } };
  return planOf(
    [[{ verb: 'updateStatus', resource: serviceResource, object: { ...service, status } }]],
    wants
      ? [{ about: service, type: 'Normal', reason: 'EnsuredLoadBalancer', message: 'Ensured load balancer' }]
      : [],
  );
}

function freeAddress({ service, services, prefix }: LoadBalancerInput): string | undefined {
  const taken = new Set<string>();
  for (const other of services) {
    for (const { ip } of other.status?.loadBalancer?.ingress ?? []) if (ip !== undefined) taken.add(ip);
  }
  const asked = service.spec.loadBalancerIP;
  if (asked !== undefined && asked !== '' && !taken.has(asked)) return asked;
  const [a = '172', b = '30', c = '0'] = prefix.split('.');
  for (let network = 0; network < NETWORKS; network++) {
    for (let host = 1; host <= 254; host++) {
      const ip = `${a}.${b}.${Number(c) + network}.${host}`;
      if (!taken.has(ip)) return ip;
    }
  }
  return undefined;
}

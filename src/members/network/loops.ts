// Which events wake the controllers of Services, and what each gathers from the caches.
import { keyOf } from '../../client/index.ts';
import { informerSource } from '../../runtime/index.ts';
import type { Caches } from '../caches.ts';
import { runLoop, type LoopContext, type LoopSpec } from '../loop.ts';
import { podMatters } from '../sources.ts';
import { SERVICE_LABEL, decideEndpoints } from './endpoints.ts';
import { decideLoadBalancer } from './load-balancer.ts';

// Readiness of many pods comes in bursts; a Service's addresses are written once per burst.
const ENDPOINTS_GATHER_MS = 50;

/**
 * Runs until the signal aborts.
 * @param loadBalancerPrefix the first three parts of the addresses of load balancers
 */
export async function runNetworkLoops(context: LoopContext, loadBalancerPrefix: string): Promise<void> {
  const { caches } = context;
  await Promise.all([
    runLoop(endpointsLoop(caches), context),
    runLoop(loadBalancerLoop(caches, loadBalancerPrefix), context),
  ]);
}

function endpointsLoop(caches: Caches): LoopSpec<Parameters<typeof decideEndpoints>[0]> {
  const { services, pods, nodes, endpointSlices, endpoints } = caches;
  return {
    name: 'endpoint-slice-controller',
    gatherMs: () => ENDPOINTS_GATHER_MS,
    sources: [
      informerSource(services),
      informerSource(pods, { changed: podMatters, map: (pod) => caches.servicesOf(pod).map(keyOf) }),
      informerSource(endpointSlices, {
        map: ({ metadata }) => `${metadata.namespace}/${metadata.labels?.[SERVICE_LABEL] ?? ''}`,
      }),
      informerSource(endpoints),
    ],
    gather(key) {
      const service = services.store.get(key);
      const known = endpoints.store.get(key);
      if (service === undefined && known === undefined) return undefined;
      return {
        service,
        pods: service === undefined ? [] : caches.podsOf(service),
        nodeNamed: (name) => nodes.store.get(name),
        slices: caches.slicesOf(key),
        endpoints: known,
      };
    },
    decide: decideEndpoints,
  };
}

function loadBalancerLoop(
  caches: Caches,
  prefix: string,
): LoopSpec<Parameters<typeof decideLoadBalancer>[0]> {
  const { services } = caches;
  return {
    name: 'service-controller',
    sources: [informerSource(services)],
    gather(key) {
      const service = services.store.get(key);
      return service === undefined ? undefined : { service, services: services.store.values(), prefix };
    },
    decide: decideLoadBalancer,
  };
}

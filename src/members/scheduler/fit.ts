// Whether a pod fits a node: what it requests against what is free there. Amounts are whole numbers: cpu in
// thousandths, everything else in units (bytes, pieces).
import type { Container, PodSpec } from '../../api/index.ts';
import { Quantity } from '../../machinery/index.ts';

export type Amounts = ReadonlyMap<string, number>;

// What a container that asks for nothing counts as when nodes are compared, so that such pods spread as well.
const ASSUMED_CPU_MILLIS = 100;
const ASSUMED_MEMORY_BYTES = 200 * 1024 * 1024;

export function amountOf(resource: string, quantity: string | number): number {
  const parsed = Quantity.tryParse(quantity) ?? Quantity.zero;
  return resource === 'cpu' ? parsed.milliValue() : parsed.value();
}

export function amountsOf(list: Readonly<Record<string, string | number>> | undefined): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const [resource, quantity] of Object.entries(list ?? {})) {
    amounts.set(resource, amountOf(resource, quantity));
  }
  return amounts;
}

export function add(total: Map<string, number>, amounts: Amounts, sign: 1 | -1 = 1): void {
  for (const [resource, amount] of amounts) total.set(resource, (total.get(resource) ?? 0) + sign * amount);
}

function raise(total: Map<string, number>, amounts: Amounts): void {
  for (const [resource, amount] of amounts) total.set(resource, Math.max(total.get(resource) ?? 0, amount));
}

export interface PodRequest {
  /** What has to be free. */
  readonly requests: Amounts;
  /** The same with an assumed minimum of cpu and memory, for comparing nodes. */
  readonly assumed: { readonly cpu: number; readonly memory: number };
  /** `ip/protocol/port` of ports taken on the node itself. */
  readonly hostPorts: readonly string[];
}

const computed = new WeakMap<PodSpec, PodRequest>();

/** The pod's request: containers side by side, or the largest init container with the sidecars before it. */
export function podRequest(spec: PodSpec): PodRequest {
  let request = computed.get(spec);
  if (request === undefined) {
    request = computeRequest(spec);
    computed.set(spec, request);
  }
  return request;
}

function computeRequest(spec: PodSpec): PodRequest {
  const requests = totalOf(spec, (container) => amountsOf(container.resources?.requests));
  raise(requests, amountsOf(spec.resources?.requests));
  add(requests, amountsOf(spec.overhead));
  const assumed = totalOf(spec, (container) => {
    const asked = container.resources?.requests;
    return new Map([
      ['cpu', asked?.['cpu'] === undefined ? ASSUMED_CPU_MILLIS : amountOf('cpu', asked['cpu'])],
      [
        'memory',
        asked?.['memory'] === undefined ? ASSUMED_MEMORY_BYTES : amountOf('memory', asked['memory']),
      ],
    ]);
  });
  return {
    requests,
    assumed: { cpu: assumed.get('cpu') ?? 0, memory: assumed.get('memory') ?? 0 },
    hostPorts: hostPortsOf(spec),
  };
}

function totalOf(spec: PodSpec, amountsFor: (container: Container) => Amounts): Map<string, number> {
  const total = new Map<string, number>();
  for (const container of spec.containers) add(total, amountsFor(container));
  const sidecars = new Map<string, number>();
  const peak = new Map<string, number>();
  for (const container of spec.initContainers ?? []) {
    const amounts = amountsFor(container);
    if (container.restartPolicy === 'Always') {
      add(sidecars, amounts);
      add(total, amounts);
      raise(peak, sidecars);
    } else {
      const during = new Map(sidecars);
      add(during, amounts);
      raise(peak, during);
    }
  }
  raise(total, peak);
  return total;
}

function hostPortsOf(spec: PodSpec): string[] {
  const ports: string[] = [];
  for (const container of spec.containers) {
    for (const { hostPort, hostIP, protocol, containerPort } of container.ports ?? []) {
      const port = hostPort ?? (spec.hostNetwork === true ? containerPort : 0);
      if (port !== 0) ports.push(`${hostIP ?? '0.0.0.0'}/${protocol ?? 'TCP'}/${port}`);
    }
  }
  return ports;
}

/** Resources of which the node has too little left, each as the scheduler's message names it. */
export function missingResources(
  request: PodRequest,
  allocatable: Amounts,
  allocated: Amounts,
  podCount: number,
): string[] {
  const missing: string[] = [];
  if (podCount + 1 > (allocatable.get('pods') ?? 0)) missing.push('Too many pods');
  for (const [resource, amount] of request.requests) {
    if (amount === 0) continue;
    if (amount > (allocatable.get(resource) ?? 0) - (allocated.get(resource) ?? 0)) {
      missing.push(`Insufficient ${resource}`);
    }
  }
  return missing;
}

/** Two ports clash when protocol and number are equal and the addresses equal or open to all. */
export function portsClash(wanted: readonly string[], used: Iterable<string>): boolean {
  if (wanted.length === 0) return false;
  for (const taken of used) {
    const [takenIp, takenProtocol, takenPort] = taken.split('/');
    for (const one of wanted) {
      const [ip, protocol, port] = one.split('/');
      if (protocol !== takenProtocol || port !== takenPort) continue;
      if (ip === takenIp || ip === '0.0.0.0' || takenIp === '0.0.0.0') return true;
    }
  }
  return false;
}

/** 0 to 100: how much of cpu and memory would be free, averaged. */
export function leastAllocatedScore(
  request: PodRequest,
  allocatable: Amounts,
  used: { readonly cpu: number; readonly memory: number },
): number {
  const free = (capacity: number, after: number): number =>
    capacity === 0 || after > capacity ? 0 : ((capacity - after) * 100) / capacity;
  const cpu = free(allocatable.get('cpu') ?? 0, used.cpu + request.assumed.cpu);
  const memory = free(allocatable.get('memory') ?? 0, used.memory + request.assumed.memory);
  return (cpu + memory) / 2;
}

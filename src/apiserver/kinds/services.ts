// Services: defaults, what they are allocated, what may change.
import type { KubeObject, Service, ServicePort, ServiceSpec } from '../../api/index.ts';
import { StatusError, fieldError, invalid, nameIsDnsLabel, semanticEqual } from '../../machinery/index.ts';
import type { Reservation, Strategy, WriteContext } from '../resource.ts';
import { change, each, fill, put } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds, KindEnvironment } from './builtin.ts';
import {
  NODE_PORT_RANGE,
  SERVICE_RANGE,
  ServiceAllocations,
  heldBy,
  type Claimant,
  type Held,
  type Taken,
} from './service-allocation.ts';
import { notServedHere } from './not-served.ts';
import {
  isForeign,
  isReachable,
  validateService,
  validateServiceFamilies,
  validateServiceStatus,
  validateServiceUpdate,
} from './service-validation.ts';
import { statusSubresource } from './status.ts';
import { serviceWarnings } from './warnings.ts';
import * as printers from '../table/printers.ts';

type Draft = { -readonly [K in keyof ServiceSpec]: ServiceSpec[K] };

const specOf = (object: KubeObject): ServiceSpec => (object as unknown as Service).spec ?? {};
const hasNodePorts = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
const mayHaveNodePorts = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer';
const hasClusterIp = ({ type }: ServiceSpec): boolean => type !== 'ExternalName';
const needsHealthPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

function portDefaults(port: ServicePort): ServicePort {
  const filled = fill(port, { protocol: 'TCP' });
  const { targetPort } = filled;
  return targetPort === undefined || targetPort === 0 || targetPort === ''
    ? put(filled, 'targetPort', filled.port)
    : filled;
}

/** An address of a load balancer says how it takes traffic. */
function withIngressModes(service: Service): Service {
  const ingress = service.status?.loadBalancer?.ingress;
  if (service.spec?.type !== 'LoadBalancer' || ingress === undefined) return service;
  if (ingress.every(({ ip, ipMode }) => ip === undefined || ipMode !== undefined)) return service;
  const completed = ingress.map((one) =>
    one.ip === undefined || one.ipMode !== undefined ? one : { ...one, ipMode: 'VIP' },
  );
  return {
    ...service,
    status: { ...service.status, loadBalancer: { ...service.status?.loadBalancer, ingress: completed } },
  };
}

function serviceDefaults(object: KubeObject): KubeObject {
  return change(withIngressModes(object as unknown as Service), 'spec', (given) => {
    let spec = fill(given, { sessionAffinity: 'None', type: 'ClusterIP' });
    if (spec.sessionAffinity === 'None') spec = put(spec, 'sessionAffinityConfig', undefined);
    if (spec.sessionAffinity === 'ClientIP') {
      const timeoutSeconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800;
      spec = put(spec, 'sessionAffinityConfig', { clientIP: { timeoutSeconds } });
    }
    if (isReachable(spec)) spec = fill(spec, { externalTrafficPolicy: 'Cluster' });
    if (spec.type !== 'ExternalName') spec = fill(spec, { internalTrafficPolicy: 'Cluster' });
    if (spec.type === 'LoadBalancer') spec = fill(spec, { allocateLoadBalancerNodePorts: true });
    return change(spec, 'ports', (ports) => each(ports, portDefaults));
  });
}

// ---- what an update keeps

/** What the server gave stays when the client leaves it out, and goes with the type that needed it. */
function carryOver(given: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const spec: Draft = { ...given };
  if (hasClusterIp(spec) && hasClusterIp(old)) {
    const [ip, oldIp] = [spec.clusterIP ?? '', old.clusterIP ?? ''];
    const sameList = JSON.stringify(spec.clusterIPs ?? []) === JSON.stringify(old.clusterIPs ?? []);
    if (ip === '' && (spec.clusterIPs ?? []).length === 0) {
      spec.clusterIP = oldIp;
      if (old.clusterIPs !== undefined) spec.clusterIPs = old.clusterIPs;
    } else if (ip !== oldIp && sameList) {
      // Only the single field was changed; the list follows it.
      spec.clusterIPs = [ip, ...(old.clusterIPs ?? []).slice(1)];
    }
    if (spec.ipFamilies === undefined && old.ipFamilies !== undefined) spec.ipFamilies = old.ipFamilies;
    if (spec.ipFamilyPolicy === undefined && old.ipFamilyPolicy !== undefined)
      spec.ipFamilyPolicy = old.ipFamilyPolicy;
  }
  if (hasNodePorts(spec) && hasNodePorts(old)) {
    spec.ports = (spec.ports ?? []).map((port) => {
      if ((port.nodePort ?? 0) !== 0) return port;
      const before = (old.ports ?? []).find(
        (one) => one.port === port.port && one.protocol === port.protocol,
      );
      return before?.nodePort === undefined ? port : { ...port, nodePort: before.nodePort };
    });
  }
  if (needsHealthPort(spec) && needsHealthPort(old) && old.healthCheckNodePort !== undefined) {
    spec.healthCheckNodePort ??= old.healthCheckNodePort;
  }
  return dropUnneeded(spec, old);
}

/** Leftovers of another type are dropped when the client only sent back what it had read. */
function dropUnneeded(spec: Draft, old: ServiceSpec): ServiceSpec {
  if (!hasClusterIp(spec) && hasClusterIp(old)) {
    const same = (field: keyof ServiceSpec): boolean => semanticEqual(spec[field], old[field]);
    if (same('clusterIP') && same('clusterIPs')) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (same('ipFamilies')) delete spec.ipFamilies;
    if (same('ipFamilyPolicy')) delete spec.ipFamilyPolicy;
  }
  const nodePortsOf = (one: ServiceSpec): readonly number[] =>
    (one.ports ?? []).map((port) => port.nodePort ?? 0);
  const had = new Set([0, ...nodePortsOf(old)]);
  // Ports may come and go with the type, as long as none of the numbers is new.
  if (!mayHaveNodePorts(spec) && mayHaveNodePorts(old) && nodePortsOf(spec).every((port) => had.has(port))) {
    spec.ports = (spec.ports ?? []).map(({ nodePort: _nodePort, ...port }) => port);
  }
  if (!isReachable(spec) && isReachable(old) && spec.externalTrafficPolicy === old.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy;
  }
  if (!needsHealthPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort)
    delete spec.healthCheckNodePort;
  if (spec.type !== 'LoadBalancer' && old.type === 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts;
    }
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
  // COMPAT: what comes from no pool stays: the selector, and the name of what it was an alias of.
  return spec;
}

// ---- allocation

/** Collects what one write takes and gives back. */
class Allocation {
  readonly #book: ServiceAllocations;
  readonly #claimant: Claimant;
  readonly #name: string;
  readonly #had: Held;
  readonly #taken: { readonly addresses: string[]; readonly nodePorts: number[] } = {
    addresses: [],
    nodePorts: [],
  };

  constructor(book: ServiceAllocations, claimant: Claimant, old: KubeObject | undefined) {
    this.#book = book;
    this.#claimant = claimant;
    this.#name = claimant.service.metadata.name ?? '';
    this.#had = old === undefined ? { addresses: [], nodePorts: [] } : heldBy(old);
  }

  async addresses(spec: Draft, old: ServiceSpec | undefined): Promise<void> {
    // COMPAT: the list follows the single field of clients that do not know the list; never the other way round.
    if ((spec.clusterIP ?? '') !== '' && (spec.clusterIPs ?? []).length === 0) {
      spec.clusterIPs = [spec.clusterIP!];
    }
    if (!hasClusterIp(spec)) return;
    spec.ipFamilyPolicy ??= isForeign(spec) ? 'RequireDualStack' : 'SingleStack';
    if (!sameFamilies(spec, old)) {
      const errors = validateServiceFamilies(spec);
      if (errors.length > 0) throw invalid({ group: '', kind: 'Service' }, this.#name, errors);
    }
    familiesOf(spec);
    if (spec.clusterIP === 'None') {
      spec.clusterIPs = ['None'];
      return;
    }
    if (spec.clusterIP === undefined || spec.clusterIP === '') {
      const address = await this.#book.takeAddress(this.#claimant);
      if (address === undefined) throw rangeFull('serviceIP');
      this.#taken.addresses.push(address);
      spec.clusterIP = address;
    } else if (!this.#had.addresses.includes(spec.clusterIP)) {
      // On an update the check of immutable fields says what is wrong; here only free addresses are held.
      if (this.#had.addresses.length > 0) return;
      const outcome = await this.#book.holdAddress(spec.clusterIP, this.#claimant);
      if (outcome !== 'held') this.#refuseAddress(spec.clusterIP, outcome);
      this.#taken.addresses.push(spec.clusterIP);
    }
    spec.clusterIPs ??= [spec.clusterIP];
    if (spec.clusterIPs.length === 0) spec.clusterIPs = [spec.clusterIP];
  }

  #refuseAddress(address: string, outcome: Taken): never {
    const why =
      outcome === 'taken'
        ? 'provided IP is already allocated'
        : `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${SERVICE_RANGE}`;
    const detail = `failed to allocate IP ${address}: ${why}`;
    throw invalid({ group: '', kind: 'Service' }, this.#name, [
      fieldError.invalid('spec.clusterIPs', [address], detail),
    ]);
  }

  async nodePorts(spec: Draft): Promise<void> {
    if (mayHaveNodePorts(spec)) {
      const wants = hasNodePorts(spec);
      const ports: ServicePort[] = [];
      for (const [index, port] of (spec.ports ?? []).entries()) {
        const given = port.nodePort ?? 0;
        const path = `spec.ports[${index}].nodePort`;
        ports.push(given === 0 && !wants ? port : { ...port, nodePort: await this.#nodePort(given, path) });
      }
      spec.ports = ports;
    }
    if (needsHealthPort(spec)) {
      const path = 'spec.healthCheckNodePort';
      spec.healthCheckNodePort = await this.#nodePort(spec.healthCheckNodePort ?? 0, path);
    }
  }

  async #nodePort(given: number, path: string): Promise<number> {
    if (given === 0) {
      const port = await this.#book.takeNodePort(this.#claimant);
      if (port === undefined) throw rangeFull('nodePort');
      this.#taken.nodePorts.push(port);
      return port;
    }
    if (this.#had.nodePorts.includes(given) || this.#taken.nodePorts.includes(given)) return given;
    const outcome = await this.#book.holdNodePort(given, this.#claimant);
    if (outcome !== 'held') {
      const why =
        outcome === 'taken'
          ? 'provided port is already allocated'
          : `provided port is not in the valid range. The range of valid ports is ${NODE_PORT_RANGE}`;
      throw invalid({ group: '', kind: 'Service' }, this.#name, [fieldError.invalid(path, given, why)]);
    }
    this.#taken.nodePorts.push(given);
    return given;
  }

  /** Gives back what is not needed any more: what was taken when the write failed, else what the old object held. */
  async settle(written: boolean, next: KubeObject): Promise<void> {
    if (this.#claimant.dryRun) return;
    const keep = written ? heldBy(next) : this.#had;
    const candidates = written ? this.#had : this.#taken;
    await this.#book.release(this.#claimant.service, {
      addresses: candidates.addresses.filter((address) => !keep.addresses.includes(address)),
      nodePorts: candidates.nodePorts.filter((port) => !keep.nodePorts.includes(port)),
    });
  }
}

function rangeFull(what: string): StatusError {
  const message = `Internal error occurred: failed to allocate a ${what}: range is full`;
  return new StatusError(500, 'InternalError', message);
}

/** What has not changed is not looked at again: it may be older than the rules. */
function sameFamilies(spec: ServiceSpec, old: ServiceSpec | undefined): boolean {
  const of = ({ ipFamilies, ipFamilyPolicy, clusterIPs }: ServiceSpec): string =>
    JSON.stringify([ipFamilies, ipFamilyPolicy, clusterIPs]);
  return old !== undefined && of(spec) === of(old);
}

function familiesOf(spec: Draft): void {
  if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = ['IPv4'];
  const [first, ...others] = spec.ipFamilies ?? [];
  if (!isForeign(spec) || spec.ipFamilyPolicy === 'SingleStack' || others.length > 0) return;
  spec.ipFamilies = first === 'IPv4' ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];
}

async function reserve(
  book: ServiceAllocations,
  object: KubeObject,
  old: KubeObject | undefined,
  { nowMs, dryRun }: WriteContext,
): Promise<Reservation> {
  await book.ready(nowMs);
  const allocation = new Allocation(book, { service: object, nowMs, dryRun }, old);
  const spec: Draft = { ...specOf(object) };
  try {
    await allocation.addresses(spec, old === undefined ? undefined : specOf(old));
    await allocation.nodePorts(spec);
  } catch (error) {
    await allocation.settle(false, object);
    throw error;
  }
  const next = Object.freeze({ ...object, spec: Object.freeze(spec) }) as KubeObject;
  return { object: next, settle: (written) => allocation.settle(written, next) };
}

// ---- the kind

function strategyOf(book: ServiceAllocations): Strategy {
  return {
    nameRule: nameIsDnsLabel,
    returnsDeleted: true,
    createsOnUpdate: true,
    prepareForUpdate: (next, old) =>
      Object.freeze({ ...next, spec: Object.freeze(carryOver(specOf(next), specOf(old))) }),
    validate: validateService,
    validateUpdate: validateServiceUpdate,
    reserve: (object, old, context) => reserve(book, object, old, context),
    warnings: serviceWarnings,
    deleted: (object) => book.release(object, heldBy(object)),
    selectableFields: (object) => ({
      'spec.clusterIP': specOf(object).clusterIP ?? '',
      'spec.type': specOf(object).type ?? '',
    }),
    selectableFieldNames: ['spec.clusterIP', 'spec.type'],
  };
}

export function services({ storage, random }: KindEnvironment): BuiltinKinds {
  const service: BuiltinKind = {
    defaults: serviceDefaults,
    strategy: strategyOf(new ServiceAllocations(storage, random)),
    subresources: {
      status: statusSubresource({ changesLabels: true, validate: validateServiceStatus }),
      proxy: notServedHere(
        'services/proxy',
        ['create', 'delete', 'get', 'patch', 'update'],
        'ServiceProxyOptions',
      ),
    },
    printer: printers.services,
  };
  return { '/services': service };
}

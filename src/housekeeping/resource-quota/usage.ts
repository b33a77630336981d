// What the objects of a namespace use of a quota. Pure.
// COMPAT: names of resources, scopes, and what counts are those of upstream's quota evaluators.
import { parseApiVersion, type KubeObject } from '../../api/index.ts';
import { Quantity } from '../../machinery/index.ts';

export interface QuotaSpec {
  readonly hard?: Readonly<Record<string, string>>;
  readonly scopes?: readonly string[];
  readonly scopeSelector?: {
    readonly matchExpressions?: readonly {
      readonly scopeName: string;
      readonly operator: string;
      readonly values?: readonly string[];
    }[];
  };
}

/** A kind of objects that counts, by group and plural name. */
export interface CountedResource {
  readonly group: string;
  readonly resource: string;
}

// Names of the days before `count/`.
const NAMED: Readonly<Record<string, CountedResource>> = {
  pods: { group: '', resource: 'pods' },
  services: { group: '', resource: 'services' },
  'services.loadbalancers': { group: '', resource: 'services' },
  'services.nodeports': { group: '', resource: 'services' },
  secrets: { group: '', resource: 'secrets' },
  configmaps: { group: '', resource: 'configmaps' },
  persistentvolumeclaims: { group: '', resource: 'persistentvolumeclaims' },
  replicationcontrollers: { group: '', resource: 'replicationcontrollers' },
  resourcequotas: { group: '', resource: 'resourcequotas' },
};

const COMPUTE = /^(?:(?:requests|limits)\.)?(?:cpu|memory|ephemeral-storage|hugepages-.+)$/;

/** Whose objects have to be looked at for a name in `hard`. Undefined: a name that nothing is counted for. */
export function countedResource(name: string): CountedResource | undefined {
  if (Object.hasOwn(NAMED, name)) return NAMED[name];
  if (name.startsWith('count/')) {
    const [resource = '', ...group] = name.slice('count/'.length).split('.');
    return { resource, group: group.join('.') };
  }
  if (name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/')) {
    return NAMED['persistentvolumeclaims'];
  }
  // Extended resources are limited as `requests.NAME`.
  return COMPUTE.test(name) || name.startsWith('requests.') ? NAMED['pods'] : undefined;
}

/** How much of `name` all these objects use; they are those of its counted resource. */
export function usageOf(name: string, objects: readonly KubeObject[], spec: QuotaSpec): Quantity {
  let total = Quantity.of(0);
  for (const object of objects) {
    if (object.kind === 'Pod' && !isInScope(object, spec)) continue;
    total = total.add(usedBy(name, object));
  }
  return total;
}

const ZERO = Quantity.of(0);
const ONE = Quantity.of(1);

function usedBy(name: string, object: KubeObject): Quantity {
  if (name.startsWith('count/')) return ONE;
  switch (`${parseApiVersion(object.apiVersion).group}/${object.kind}`) {
    case '/Pod':
      return podUsage(name, object);
    case '/Service':
      return serviceUsage(name, object);
    case '/PersistentVolumeClaim':
      return claimUsage(name, object);
    default:
      return ONE;
  }
}

// ---- pods

type Amounts = Readonly<Record<string, string>>;

interface Container {
  readonly resources?: { readonly requests?: Amounts; readonly limits?: Amounts };
  readonly restartPolicy?: string;
}

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly overhead?: Amounts;
  readonly activeDeadlineSeconds?: number;
  readonly priorityClassName?: string;
  readonly affinity?: {
    readonly podAffinity?: unknown;
    readonly podAntiAffinity?: unknown;
  };
}

const specOf = (pod: KubeObject): PodSpec => pod['spec'] ?? {};

/** A pod that has ended uses nothing but its place in the store. */
function hasEnded(pod: KubeObject): boolean {
  const { phase } = (pod['status'] ?? {}) as { readonly phase?: string };
  return phase === 'Succeeded' || phase === 'Failed';
}

function podUsage(name: string, pod: KubeObject): Quantity {
  if (hasEnded(pod)) return ZERO;
  if (name === 'pods') return ONE;
  const limits = name.startsWith('limits.');
  const resource = name.replace(/^(?:requests|limits)\./, '');
  return amountOf(specOf(pod), limits ? 'limits' : 'requests', resource);
}

/** What the pod may take at any one time: its containers together, or the largest of what runs before them. */
function amountOf(spec: PodSpec, side: 'requests' | 'limits', resource: string): Quantity {
  const of = ({ resources = {} }: Container): Quantity => {
    const own = resources[side]?.[resource];
    // A limit without a request is a request too.
    return Quantity.tryParse(own ?? (side === 'requests' ? resources.limits?.[resource] : undefined)) ?? ZERO;
  };
  let running = ZERO;
  let peak = ZERO;
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      running = running.add(of(container));
      peak = larger(peak, running);
    } else {
      peak = larger(peak, running.add(of(container)));
    }
  }
  for (const container of spec.containers ?? []) running = running.add(of(container));
  const overhead = Quantity.tryParse(spec.overhead?.[resource]) ?? ZERO;
  return larger(peak, running).add(overhead);
}

function larger(a: Quantity, b: Quantity): Quantity {
  return a.compare(b) >= 0 ? a : b;
}

function isInScope(pod: KubeObject, { scopes = [], scopeSelector }: QuotaSpec): boolean {
  const expressions = scopeSelector?.matchExpressions ?? [];
  return (
    scopes.every((scope) => matchesScope(pod, scope, 'Exists', [])) &&
    expressions.every(({ scopeName, operator, values = [] }) =>
      matchesScope(pod, scopeName, operator, values),
    )
  );
}

function matchesScope(pod: KubeObject, scope: string, operator: string, values: readonly string[]): boolean {
  const spec = specOf(pod);
  const isBestEffort = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].every(
    ({ resources = {} }) =>
      Object.keys(resources.requests ?? {}).length === 0 && Object.keys(resources.limits ?? {}).length === 0,
  );
  switch (scope) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return isBestEffort;
    case 'NotBestEffort':
      return !isBestEffort;
    case 'PriorityClass':
      return matchesValue(spec.priorityClassName ?? '', operator, values);
    case 'CrossNamespacePodAffinity':
      return spec.affinity?.podAffinity !== undefined || spec.affinity?.podAntiAffinity !== undefined;
    default:
      return false;
  }
}

function matchesValue(value: string, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return values.includes(value);
    case 'NotIn':
      return !values.includes(value);
    case 'DoesNotExist':
      return value === '';
    default:
      return value !== '';
  }
}

// ---- services and claims

function serviceUsage(name: string, service: KubeObject): Quantity {
  const {
    type = 'ClusterIP',
    ports = [],
    allocateLoadBalancerNodePorts = true,
  } = (service['spec'] ?? {}) as {
    readonly type?: string;
    readonly ports?: readonly unknown[];
    readonly allocateLoadBalancerNodePorts?: boolean;
  };
  if (name === 'services.loadbalancers') return type === 'LoadBalancer' ? ONE : ZERO;
  if (name === 'services.nodeports') {
    const has = type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts);
    return has ? Quantity.of(ports.length) : ZERO;
  }
  return ONE;
}

function claimUsage(name: string, claim: KubeObject): Quantity {
  const { storageClassName, resources } = (claim['spec'] ?? {}) as {
    readonly storageClassName?: string;
    readonly resources?: { readonly requests?: Amounts };
  };
  const size = Quantity.tryParse(resources?.requests?.['storage']) ?? ZERO;
  if (name === 'requests.storage') return size;
  const [className, counted] = name.split('.storageclass.storage.k8s.io/');
  if (counted === undefined) return ONE;
  if (className !== storageClassName) return ZERO;
  return counted === 'requests.storage' ? size : ONE;
}

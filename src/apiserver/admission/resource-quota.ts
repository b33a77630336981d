// Keeps a namespace inside its quotas. What is used is counted up here, at once with the write that uses it; the quota
// controller counts anew from what is there and so takes back what was given up.
// INVARIANT: a quota limits by its status, so one that no controller has accepted yet limits nothing.
import type { KubeObject, PersistentVolumeClaim, Pod, ResourceQuota, Service } from '../../api/index.ts';
import {
  Quantity,
  forbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../../machinery/index.ts';
import type { ObjectAccess } from '../object-access.ts';

type Usage = Map<string, Quantity>;

const ONE = Quantity.of(1);
/** Core resources that quotas may name without `count/`. */
const PLAIN_COUNTS = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);

function add(usage: Usage, name: string, amount: Quantity | undefined): void {
  if (amount === undefined) return;
  const sum = (usage.get(name)?.nanos ?? 0n) + amount.nanos;
  usage.set(name, Quantity.fromNanos(sum, amount.format));
}

/** Init containers run one after another before the others, so the largest of them counts, not their sum. */
function podUsage(usage: Usage, { spec }: Pod): void {
  for (const kind of ['requests', 'limits'] as const) {
    const sums: Usage = new Map();
    for (const { resources } of spec?.containers ?? []) {
      for (const [name, value] of Object.entries(resources?.[kind] ?? {}))
        add(sums, name, Quantity.tryParse(value));
    }
    for (const { resources } of spec?.initContainers ?? []) {
      for (const [name, value] of Object.entries(resources?.[kind] ?? {})) {
        const amount = Quantity.tryParse(value);
        const sum = sums.get(name);
        if (amount !== undefined && (sum === undefined || amount.nanos > sum.nanos)) sums.set(name, amount);
      }
    }
    for (const [name, sum] of sums) {
      add(usage, `${kind}.${name}`, sum);
      if (kind === 'requests') add(usage, name, sum);
    }
  }
}

function serviceUsage(usage: Usage, { spec }: Service): void {
  const ports = Quantity.of((spec?.ports ?? []).length);
  if (spec?.type === 'NodePort') add(usage, 'services.nodeports', ports);
  if (spec?.type !== 'LoadBalancer') return;
  add(usage, 'services.loadbalancers', ONE);
  if (spec.allocateLoadBalancerNodePorts !== false) add(usage, 'services.nodeports', ports);
}

function claimUsage(usage: Usage, { spec }: PersistentVolumeClaim): void {
  const storage = Quantity.tryParse(spec?.resources?.requests?.['storage']);
  add(usage, 'requests.storage', storage);
  const { storageClassName } = spec ?? {};
  if (storageClassName === undefined) return;
  const prefix = `${storageClassName}.storageclass.storage.k8s.io`;
  add(usage, `${prefix}/requests.storage`, storage);
  add(usage, `${prefix}/persistentvolumeclaims`, ONE);
}

/** What one object takes. */
function usageOf({ group, resource }: AdmissionAttributes, object: KubeObject | undefined): Usage {
  const usage: Usage = new Map();
  if (object === undefined) return usage;
  add(usage, `count/${resource}${group === '' ? '' : `.${group}`}`, ONE);
  if (group !== '') return usage;
  if (PLAIN_COUNTS.has(resource)) add(usage, resource, ONE);
  if (resource === 'pods') podUsage(usage, object as unknown as Pod);
  if (resource === 'services') serviceUsage(usage, object as unknown as Service);
  if (resource === 'persistentvolumeclaims') claimUsage(usage, object as unknown as PersistentVolumeClaim);
  return usage;
}

/** What a write takes more than what was there; resources that it frees are left to the controller. */
function increase(next: Usage, old: Usage): Usage {
  const more: Usage = new Map();
  for (const [name, amount] of next) {
    const nanos = amount.nanos - (old.get(name)?.nanos ?? 0n);
    if (nanos > 0n) more.set(name, Quantity.fromNanos(nanos, amount.format));
  }
  return more;
}

function matchesScopes(quota: ResourceQuota, { resource, object }: AdmissionAttributes): boolean {
  const { scopes = [], scopeSelector } = quota.spec ?? {};
  const wanted = [
    ...scopes.map((scopeName) => ({ scopeName, operator: 'Exists', values: [] as readonly string[] })),
    ...(scopeSelector?.matchExpressions ?? []),
  ];
  if (wanted.length === 0) return true;
  if (resource !== 'pods') return false;
  const { spec, status } = object as unknown as Pod;
  return wanted.every(({ scopeName, operator, values = [] }) => {
    switch (scopeName) {
      case 'Terminating':
        return spec?.activeDeadlineSeconds !== undefined;
      case 'NotTerminating':
        return spec?.activeDeadlineSeconds === undefined;
      case 'BestEffort':
        return (status?.qosClass ?? 'BestEffort') === 'BestEffort';
      case 'NotBestEffort':
        return (status?.qosClass ?? 'BestEffort') !== 'BestEffort';
      case 'PriorityClass': {
        const own = spec?.priorityClassName ?? '';
        if (operator === 'Exists') return own !== '';
        if (operator === 'DoesNotExist') return own === '';
        return values.includes(own) === (operator === 'In');
      }
      case 'CrossNamespacePodAffinity':
        return looksElsewhere(spec);
      default:
        return false;
    }
  });
}

/** Whether where it runs depends on pods of other namespaces. */
function looksElsewhere(spec: Pod['spec']): boolean {
  return [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].some((terms) =>
    [
      ...(terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((one) => one.podAffinityTerm),
    ].some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined),
  );
}

const COMPUTE = /^(?:(?:requests|limits)\.)?(?:cpu|memory)$/;

/** Containers of pods must say what a quota counts. */
function unspecified(quota: ResourceQuota, pod: Pod): readonly string[] {
  const missing = new Map<string, string[]>();
  for (const name of Object.keys(quota.status?.hard ?? {}).sort()) {
    if (!COMPUTE.test(name)) continue;
    const kind = name.startsWith('limits.') ? 'limits' : 'requests';
    const resource = name.replace(/^(requests|limits)\./, '');
    for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
      if (container.resources?.[kind]?.[resource] !== undefined) continue;
      missing.set(name, [...(missing.get(name) ?? []), container.name]);
    }
  }
  return [...missing].map(([name, containers]) => `${name} for: ${containers.join(',')}`);
}

const listed = (amounts: ReadonlyMap<string, Quantity>, names: readonly string[]): string =>
  names.map((name) => `${name}=${(amounts.get(name) ?? Quantity.zero).toString()}`).join(',');

function exceeded(quota: ResourceQuota, more: Usage): string | undefined {
  const { hard = {}, used = {} } = quota.status ?? {};
  const over: string[] = [];
  const [usedNow, limits]: [Usage, Usage] = [new Map(), new Map()];
  for (const name of [...more.keys()].sort()) {
    const limit = Quantity.tryParse(hard[name]);
    if (limit === undefined) continue;
    const now = Quantity.tryParse(used[name]) ?? Quantity.zero;
    usedNow.set(name, now);
    limits.set(name, limit);
    if (now.nanos + more.get(name)!.nanos > limit.nanos) over.push(name);
  }
  if (over.length === 0) return undefined;
  const { name = '' } = quota.metadata;
  return `exceeded quota: ${name}, requested: ${listed(more, over)}, used: ${listed(usedNow, over)}, limited: ${listed(limits, over)}`;
}

/** The quota with what the write takes counted as used. */
function charged(quota: ResourceQuota, more: Usage): KubeObject | undefined {
  const { hard = {}, used = {} } = quota.status ?? {};
  const next: Record<string, string | number> = { ...used };
  let changed = false;
  for (const [name, amount] of more) {
    if (hard[name] === undefined) continue;
    const now = Quantity.tryParse(used[name]) ?? Quantity.zero;
    next[name] = Quantity.fromNanos(now.nanos + amount.nanos, amount.format).toString();
    changed = true;
  }
  if (!changed) return undefined;
  const status = Object.freeze({ ...quota.status, used: Object.freeze(next) });
  return Object.freeze({ ...quota, status });
}

export function resourceQuotas(objects: ObjectAccess): AdmissionPlugin {
  const check = (quota: ResourceQuota, more: Usage, attributes: AdmissionAttributes): void => {
    const { group, resource, name } = attributes;
    if (group === '' && resource === 'pods' && attributes.operation === 'CREATE') {
      const missing = unspecified(quota, attributes.object as unknown as Pod);
      if (missing.length > 0) {
        const why = `failed quota: ${quota.metadata.name ?? ''}: must specify ${missing.join('; ')}`;
        throw forbidden({ group, resource }, name, why);
      }
    }
    const why = exceeded(quota, more);
    if (why !== undefined) throw forbidden({ group, resource }, name, why);
  };
  return {
    name: 'ResourceQuota',
    handles: ({ operation, namespace, subresource }) =>
      (operation === 'CREATE' || operation === 'UPDATE') && namespace !== '' && subresource === '',
    async validate(attributes) {
      const { group, operation, namespace, object, oldObject, dryRun } = attributes;
      // Of other groups objects are only counted, and a change makes them no more.
      if (group !== '' && operation !== 'CREATE') return;
      const quotas = await objects.list('', 'resourcequotas', namespace);
      // Most namespaces have none, and then nothing need be counted.
      if (quotas.length === 0) return;
      const more = increase(usageOf(attributes, object), usageOf(attributes, oldObject));
      if (more.size === 0) return;
      for (const found of quotas) {
        const quota = found as unknown as ResourceQuota;
        if (quota.status?.hard === undefined || !matchesScopes(quota, attributes)) continue;
        check(quota, more, attributes);
        if (dryRun) continue;
        await objects.update('', 'resourcequotas', namespace, quota.metadata.name ?? '', (current) => {
          check(current as unknown as ResourceQuota, more, attributes);
          return charged(current as unknown as ResourceQuota, more);
        });
      }
    },
  };
}

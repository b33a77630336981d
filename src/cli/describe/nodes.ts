// Nodes in words, with what their pods ask of them.
import type { KubeObject } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { Quantity, formatShortDuration } from '../../machinery/index.ts';
import type { Described } from './parts.ts';
import {
  annotations,
  at,
  labels,
  listAt,
  longTime,
  mapAt,
  textAt,
  type Description,
  type Fields,
} from './text.ts';

const ROLE_LABEL = /^node-role\.kubernetes\.io\/(.+)$/;
const SYSTEM_INFO = [
  ['Machine ID', 'machineID'],
  ['System UUID', 'systemUUID'],
  ['Boot ID', 'bootID'],
  ['Kernel Version', 'kernelVersion'],
  ['OS Image', 'osImage'],
  ['Operating System', 'operatingSystem'],
  ['Architecture', 'architecture'],
  ['Container Runtime Version', 'containerRuntimeVersion'],
  ['Kubelet Version', 'kubeletVersion'],
  ['Kube-Proxy Version', 'kubeProxyVersion'],
] as const;

export async function describeNode(
  out: Description,
  node: KubeObject,
  { others, find }: Described,
): Promise<void> {
  const { name = '', labels: marks = {} } = node.metadata;
  const status = mapAt(node, 'status');
  out.field(0, 'Name', name);
  const roles = Object.entries(marks).flatMap(([key, value]) => {
    if (key === 'kubernetes.io/role') return value === '' ? [] : [value];
    return ROLE_LABEL.exec(key)?.[1] ?? [];
  });
  out.field(0, 'Roles', [...new Set(roles)].sort().join(',') || '<none>');
  labels(out, node);
  annotations(out, node);
  out.field(0, 'CreationTimestamp', longTime(node.metadata.creationTimestamp ?? ''));
  out.block('Taints', taintTexts(node));
  out.field(0, 'Unschedulable', at(node, 'spec', 'unschedulable') === true);
  lease(out, await find('coordination.k8s.io', 'v1', 'leases', 'kube-node-lease', name));
  conditions(out, status);
  out.line(0, 'Addresses:');
  for (const one of listAt(status, 'addresses')) out.field(1, textAt(one, 'type'), textAt(one, 'address'));
  amounts(out, 'Capacity', mapAt(status, 'capacity'));
  amounts(out, 'Allocatable', mapAt(status, 'allocatable'));
  out.line(0, 'System Info:');
  for (const [called, field] of SYSTEM_INFO) out.field(1, called, textAt(status, 'nodeInfo', field));
  for (const [called, field] of [['PodCIDR', 'podCIDR'], ['PodCIDRs', 'podCIDRs'], ['ProviderID', 'providerID']] as const) {
    const value = at(node, 'spec', field);
    const text = Array.isArray(value) ? value.join(',') : textAt(node, 'spec', field);
    if (text !== '') out.field(0, called, text);
  } // prettier-ignore
  const pods = (await others('', 'v1', 'pods', '')).filter(
    (pod) =>
      textAt(pod, 'spec', 'nodeName') === name &&
      !['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase')),
  );
  resources(out, status, pods);
}

function taintTexts(node: KubeObject): readonly string[] {
  const text = (one: Fields): string => {
    const value = textAt(one, 'value');
    return `${textAt(one, 'key')}${value === '' ? '' : `=${value}`}:${textAt(one, 'effect')}`;
  };
  // COMPAT: by effect, and by key in each.
  const order = (one: Fields): string => `${textAt(one, 'effect')}|${textAt(one, 'key')}`;
  return [...listAt(node, 'spec', 'taints')].sort((a, b) => (order(a) < order(b) ? -1 : 1)).map(text);
}

function lease(out: Description, found: KubeObject | undefined): void {
  out.line(0, 'Lease:');
  const text = (field: string): string => textAt(found, 'spec', field);
  out.field(1, 'HolderIdentity', text('holderIdentity') || '<unset>');
  out.field(1, 'AcquireTime', longTime(text('acquireTime')));
  out.field(1, 'RenewTime', longTime(text('renewTime')));
}

function conditions(out: Description, status: Fields): void {
  const all = listAt(status, 'conditions');
  if (all.length === 0) return;
  out.line(0, 'Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage');
  out.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
  for (const one of all) {
    const [beat, turn] = [
      longTime(textAt(one, 'lastHeartbeatTime')),
      longTime(textAt(one, 'lastTransitionTime')),
    ];
    out.line(
      1,
      `${textAt(one, 'type')} \t${textAt(one, 'status')} \t${beat} \t${turn} \t${textAt(one, 'reason')} \t${textAt(one, 'message')}`,
    );
  }
}

function amounts(out: Description, name: string, map: Fields): void {
  if (Object.keys(map).length === 0) return;
  out.line(0, `${name}:`);
  for (const key of Object.keys(map).sort()) out.field(1, key, textAt(map, key));
}

// ---- what the pods ask for

type Amounts = Map<string, Quantity>;

function add(sum: Amounts, more: Fields): void {
  for (const key of Object.keys(more)) {
    const amount = Quantity.parse(textAt(more, key));
    sum.set(key, sum.get(key)?.add(amount) ?? amount);
  }
}

/** What the pod needs at its start or while it runs, whichever is more. */
function asked(pod: KubeObject, field: 'requests' | 'limits'): Amounts {
  const sum: Amounts = new Map();
  const beside: Amounts = new Map();
  const peak: Amounts = new Map();
  for (const one of listAt(pod, 'spec', 'containers')) add(sum, mapAt(one, 'resources', field));
  for (const one of listAt(pod, 'spec', 'initContainers')) {
    const own: Amounts = new Map();
    add(own, mapAt(one, 'resources', field));
    if (textAt(one, 'restartPolicy') === 'Always') {
      add(beside, mapAt(one, 'resources', field));
      add(sum, mapAt(one, 'resources', field));
      continue;
    }
    for (const [key, amount] of own) raise(peak, key, beside.get(key)?.add(amount) ?? amount);
  }
  for (const [key, amount] of peak) raise(sum, key, amount);
  const overhead = mapAt(pod, 'spec', 'overhead');
  if (field === 'requests' || sum.size > 0) add(sum, overhead);
  return sum;
}

function raise(map: Amounts, key: string, amount: Quantity): void {
  const known = map.get(key);
  if (known === undefined || amount.milliValue() > known.milliValue()) map.set(key, amount);
}

function resources(out: Description, status: Fields, pods: readonly KubeObject[]): void {
  const allocatable = mapAt(status, 'allocatable');
  const room = Object.keys(allocatable).length === 0 ? mapAt(status, 'capacity') : allocatable;
  const share = (amounts: Amounts, key: string): string => {
    const text = amounts.get(key)?.toString() ?? '0';
    const whole = Quantity.tryParse(textAt(room, key))?.milliValue() ?? 0;
    const part = whole === 0 ? 0 : Math.trunc(((amounts.get(key)?.milliValue() ?? 0) / whole) * 100);
    return `${text} (${part}%)`;
  };
  out.line(0, `Non-terminated Pods:\t(${pods.length} in total)`);
  out.line(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge');
  out.line(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---');
  const totals = { requests: new Map() as Amounts, limits: new Map() as Amounts };
  for (const pod of pods) {
    const [requests, limits] = [asked(pod, 'requests'), asked(pod, 'limits')];
    for (const [sum, own] of [[totals.requests, requests], [totals.limits, limits]] as const)
      for (const [key, amount] of own) sum.set(key, sum.get(key)?.add(amount) ?? amount); // prettier-ignore
    const { namespace = '', name = '', creationTimestamp = '' } = pod.metadata;
    const age = formatShortDuration(systemClock.now() - Date.parse(creationTimestamp));
    out.line(
      1,
      `${namespace}\t${name}\t\t${share(requests, 'cpu')}\t${share(limits, 'cpu')}\t${share(requests, 'memory')}\t${share(limits, 'memory')}\t${age}`,
    );
  }
  out.line(0, 'Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)');
  out.line(1, 'Resource\tRequests\tLimits');
  out.line(1, '--------\t--------\t------');
  const huge = Object.keys(room).filter((key) => key.startsWith('hugepages-')).sort(); // prettier-ignore
  for (const key of ['cpu', 'memory', 'ephemeral-storage', ...huge])
    out.line(1, `${key}\t${share(totals.requests, key)}\t${share(totals.limits, key)}`);
  const known = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods', 'storage', ...huge]);
  for (const key of Object.keys(room)
    .filter((one) => !known.has(one))
    .sort())
    // prettier-ignore
    out.line(1, `${key}\t${totals.requests.get(key)?.toString() ?? '0'}\t${totals.limits.get(key)?.toString() ?? '0'}`);
}

// The nodes a member starts with: how many, how large, where, and what they call themselves.
import type { NodeCondition, NodeStatus, Taint } from '../../api/index.ts';
import { OperatingError, formatTime } from '../../base/index.ts';
import { digest } from '../digest.ts';
import type { Node } from '../kinds.ts';

/** Some nodes that are alike. */
export interface NodePool {
  readonly count: number;
  /** Default `4`. */
  readonly cpu?: string;
  /** Default `16Gi`. */
  readonly memory?: string;
  /** Pods per node; default 110. */
  readonly pods?: number;
  /** Default `100Gi`. */
  readonly ephemeralStorage?: string;
  /** Further resources, e.g. `{ 'nvidia.com/gpu': '2' }`. */
  readonly extraResources?: Readonly<Record<string, string>>;
  readonly region?: string;
  /** Nodes are dealt out to these in turn. */
  readonly zones?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** Names are this and a number; default the member's name and `-node-`. */
  readonly namePrefix?: string;
}

// LIMIT: addresses are counted in two bytes, as are the pod networks of the nodes.
export const NODES_MAX = 4096;

export const DEFAULT_POOL: NodePool = { count: 3 };
export const KUBELET_VERSION = 'v1.36.0';

export interface NewNode {
  readonly apiVersion: 'v1';
  readonly kind: 'Node';
  readonly metadata: Pick<Node['metadata'], 'name' | 'labels'>;
  readonly spec: Node['spec'];
  readonly status: NodeStatus;
  readonly [field: string]: unknown;
}

/** The nodes of `pools`, numbered through. */
export function nodesOf(member: string, pools: readonly NodePool[], nowMs: number): NewNode[] {
  const total = pools.reduce((sum, { count }) => sum + count, 0);
  if (total > NODES_MAX) {
    throw new OperatingError(
      'TOO_MANY_NODES',
      `member ${member} was to have ${total} nodes`,
      `ask for at most ${NODES_MAX}, or add members`,
    );
  }
  const nodes: NewNode[] = [];
  for (const pool of pools) {
    for (let i = 0; i < pool.count; i++) nodes.push(nodeOf(member, pool, i, nodes.length, nowMs));
  }
  return nodes;
}

function nodeOf(member: string, pool: NodePool, place: number, index: number, nowMs: number): NewNode {
  const { zones = [], region, labels, taints } = pool;
  const name = `${pool.namePrefix ?? `${member}-node-`}${index + 1}`;
  const zone = zones[place % Math.max(zones.length, 1)];
  const podCIDR = podNetwork(index);
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        ...(region === undefined ? {} : { 'topology.kubernetes.io/region': region }),
        ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }),
        ...labels,
      },
    },
    spec: {
      podCIDR,
      podCIDRs: [podCIDR],
      providerID: `simulation://${member}/${name}`,
      ...(taints === undefined ? {} : { taints }),
    },
    status: nodeStatus(name, index, pool, nowMs),
  };
}

/** The /24 of the node with this number. */
function podNetwork(index: number): string {
  return `10.${64 + (index >> 8)}.${index & 255}.0/24`;
}

function hostAddress(index: number): string {
  return `172.18.${(index + 1) >> 8}.${(index + 1) & 255}`;
}

export function nodeStatus(
  name: string,
  index: number,
  pool: Omit<NodePool, 'count'>,
  nowMs: number,
): NodeStatus {
  const { cpu = '4', memory = '16Gi', pods = 110, ephemeralStorage = '100Gi', extraResources } = pool;
  const capacity = {
    cpu,
    'ephemeral-storage': ephemeralStorage,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory,
    pods: String(pods),
    ...extraResources,
  };
  return {
    capacity,
    allocatable: capacity,
    addresses: [
      { type: 'InternalIP', address: hostAddress(index) },
      { type: 'Hostname', address: name },
    ],
    conditions: healthyConditions(undefined, nowMs),
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      architecture: 'amd64',
      bootID: uuidOf(`${name}/boot`),
      containerRuntimeVersion: 'containerd://2.1.0',
      kernelVersion: '6.1.0',
      kubeProxyVersion: '',
      kubeletVersion: KUBELET_VERSION,
      machineID: digest(name).slice(0, 32),
      operatingSystem: 'linux',
      osImage: 'Simulated node',
      systemUUID: uuidOf(name),
    },
  };
}

function uuidOf(seed: string): string {
  const text = digest(seed);
  return [
    text.slice(0, 8),
    text.slice(8, 12),
    text.slice(12, 16),
    text.slice(16, 20),
    text.slice(20, 32),
  ].join('-');
}

const HEALTHY: readonly Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>[] = [
  {
    type: 'MemoryPressure',
    status: 'False',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  {
    type: 'DiskPressure',
    status: 'False',
    reason: 'KubeletHasNoDiskPressure',
    message: 'kubelet has no disk pressure',
  },
  {
    type: 'PIDPressure',
    status: 'False',
    reason: 'KubeletHasSufficientPID',
    message: 'kubelet has sufficient PID available',
  },
  {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'kubelet is posting ready status',
  },
];

/** What a kubelet reports when all is well, keeping the times of what has not changed. */
export function healthyConditions(
  before: readonly NodeCondition[] | undefined,
  nowMs: number,
): NodeCondition[] {
  const now = formatTime(nowMs);
  const own = new Set(HEALTHY.map(({ type }) => type));
  const conditions = HEALTHY.map((condition): NodeCondition => {
    const known = before?.find(({ type }) => type === condition.type);
    const lastTransitionTime = known?.status === condition.status ? (known.lastTransitionTime ?? now) : now;
    return { ...condition, lastHeartbeatTime: now, lastTransitionTime };
  });
  return [...conditions, ...(before ?? []).filter(({ type }) => !own.has(type))];
}

// What a member has and what is taken of it, from its nodes and pods. Pure.
// Two of upstream's faults are not kept: one node without free pods hides all nodes after it, and init containers
// are compared with the sum over all pods instead of with their own pod's containers.
import type { Cluster, Container, Node, Pod } from '../../api/index.ts';
import { Quantity } from '../../machinery/index.ts';

type Amounts = Map<string, Quantity>;
type Status = NonNullable<Cluster['status']>;
type ResourceModels = NonNullable<Cluster['spec']['resourceModels']>;

const STANDARD: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);
const ONE = Quantity.of(1);

function counts(resource: string): boolean {
  return (
    STANDARD.has(resource) ||
    resource.startsWith('hugepages-') ||
    resource.startsWith('attachable-volumes-') ||
    resource.includes('/')
  );
}

function add(to: Amounts, resource: string, amount: Quantity): void {
  const before = to.get(resource);
  to.set(resource, before === undefined ? amount : before.add(amount));
}

function addAll(to: Amounts, from: Readonly<Record<string, unknown>> | undefined): void {
  for (const [resource, text] of Object.entries(from ?? {})) {
    const amount = counts(resource) ? Quantity.tryParse(text as string | number) : undefined;
    if (amount !== undefined) add(to, resource, amount);
  }
}

/** What one pod asks for: its containers together or its largest init container, and its overhead. */
export function podRequests(pod: Pod): Amounts {
  const sum: Amounts = new Map();
  const requests = (container: Container): Readonly<Record<string, unknown>> =>
    container.resources?.requests ?? {};
  for (const container of pod.spec?.containers ?? []) addAll(sum, requests(container));
  for (const container of pod.spec?.initContainers ?? []) {
    for (const [resource, text] of Object.entries(requests(container))) {
      const amount = Quantity.tryParse(text as string | number);
      if (amount === undefined || !counts(resource)) continue;
      const now = sum.get(resource);
      if (now === undefined || now.compare(amount) < 0) sum.set(resource, amount);
    }
  }
  addAll(sum, pod.spec?.overhead);
  sum.set('pods', ONE);
  return sum;
}

function asResourceList(amounts: Amounts): Record<string, string> | undefined {
  const entries = [...amounts]
    .filter(([, amount]) => !amount.isZero)
    .map(([resource, amount]): [string, string] => [resource, amount.toString()]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function nodeSummary(nodes: readonly Node[]): NonNullable<Status['nodeSummary']> {
  const ready = nodes.filter(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  return { totalNum: nodes.length, readyNum: ready.length };
}

/**
 * All of what nodes have, of what running pods have taken, and of what waiting pods ask for.
 * @param models undefined: no model counts
 */
export function resourceSummary(
  nodes: readonly Node[],
  pods: readonly Pod[],
  models: ResourceModels | undefined,
): NonNullable<Status['resourceSummary']> {
  const allocatable: Amounts = new Map();
  const allocating: Amounts = new Map();
  const allocated: Amounts = new Map();
  const takenByNode = new Map<string, Amounts>();
  for (const node of nodes) addAll(allocatable, node.status?.allocatable);
  for (const pod of pods) {
    const nodeName = pod.spec?.nodeName ?? '';
    if (nodeName !== '' && (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')) continue;
    const requests = podRequests(pod);
    const total = nodeName === '' ? allocating : allocated;
    for (const [resource, amount] of requests) add(total, resource, amount);
    if (nodeName === '') continue;
    const taken = takenByNode.get(nodeName) ?? new Map<string, Quantity>();
    takenByNode.set(nodeName, taken);
    for (const [resource, amount] of requests) add(taken, resource, amount);
  }
  const modelings = models === undefined ? undefined : modelCounts(nodes, takenByNode, models);
  const lists = {
    allocatable: asResourceList(allocatable),
    allocating: asResourceList(allocating),
    allocated: asResourceList(allocated),
  };
  return {
    ...(lists.allocatable === undefined ? {} : { allocatable: lists.allocatable }),
    ...(lists.allocating === undefined ? {} : { allocating: lists.allocating }),
    ...(lists.allocated === undefined ? {} : { allocated: lists.allocated }),
    ...(modelings === undefined ? {} : { allocatableModelings: modelings }),
  };
}

/** How many nodes of each grade have room. A node without room for a pod, or below all grades, counts nowhere. */
function modelCounts(
  nodes: readonly Node[],
  takenByNode: ReadonlyMap<string, Amounts>,
  models: ResourceModels,
): { grade: number; count: number }[] | undefined {
  if (models.length === 0) return undefined;
  const mins = new Map<string, Quantity[]>();
  for (const { name } of models[0]?.ranges ?? []) {
    mins.set(
      name,
      models.map(({ ranges }) => Quantity.parse(ranges.find((range) => range.name === name)?.min ?? 0)),
    );
  }
  const found = models.map(() => 0);
  for (const node of nodes) {
    const index = gradeOf(node, takenByNode.get(node.metadata.name ?? ''), mins);
    if (index >= 0) found[index] = (found[index] ?? 0) + 1;
  }
  return models.map(({ grade }, index) => ({ grade, count: found[index] ?? 0 }));
}

function gradeOf(
  node: Node,
  taken: Amounts | undefined,
  mins: ReadonlyMap<string, readonly Quantity[]>,
): number {
  const free = (resource: string): Quantity => {
    const all = Quantity.tryParse(node.status?.allocatable?.[resource]) ?? Quantity.zero;
    const used = taken?.get(resource);
    return used === undefined ? all : all.sub(used);
  };
  if (free('pods').sign <= 0) return -1;
  let grade = Infinity;
  for (const [resource, steps] of mins) {
    const available = free(resource);
    grade = Math.min(
      grade,
      steps.findLastIndex((min) => min.compare(available) <= 0),
    );
  }
  return Number.isFinite(grade) ? grade : -1;
}

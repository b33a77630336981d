// Resource models: grades of nodes by what they have free (clusters-and-failover.md §20). A cluster reports how many
// nodes it has of each grade, and the scheduler counts on the least that a node of a grade has.
import type { Cluster, ResourceModel } from '../api/index.ts';
import { fieldError, Quantity, type FieldError } from '../machinery/index.ts';
import { countSets, placeSet, type NodeRun, type PodGroup } from './first-fit.ts';
import { amountOf } from './fleet-snapshot.ts';

const MAX_INT64 = '9223372036854775807';
const PODS_PER_VIRTUAL_NODE = 110;
const CPU_FROM = [0, 1, 2, 4, 8, 16, 32, 64, 128];
const MEMORY_FROM_GI = [0, 4, 16, 32, 64, 128, 256, 512, 1024];

type Quantities = Readonly<Record<string, string | number>>;

/** What a cluster gets that comes without models. */
export function defaultResourceModels(): readonly ResourceModel[] {
  const gi = (amount: number): string =>
    amount === 0 ? '0' : amount >= 1024 ? `${amount / 1024}Ti` : `${amount}Gi`;
  return CPU_FROM.map((cpu, grade) => {
    const cpuTo = CPU_FROM[grade + 1];
    const memoryTo = MEMORY_FROM_GI[grade + 1];
    return {
      grade,
      ranges: [
        { name: 'cpu', min: String(cpu), max: cpuTo === undefined ? MAX_INT64 : String(cpuTo) },
        {
          name: 'memory',
          min: gi(MEMORY_FROM_GI[grade] ?? 0),
          max: memoryTo === undefined ? MAX_INT64 : gi(memoryTo),
        },
      ],
    };
  });
}

/** Sorts by grade and opens both ends: the first grade starts at zero, the last has no upper end. */
export function standardiseResourceModels(models: readonly ResourceModel[]): readonly ResourceModel[] {
  const sorted = models.toSorted((a, b) => a.grade - b.grade);
  return sorted.map((model, index) => ({
    ...model,
    ranges: model.ranges.map((range) => ({
      ...range,
      ...(index === 0 ? { min: '0' } : {}),
      ...(index === sorted.length - 1 ? { max: MAX_INT64 } : {}),
    })),
  }));
}

/** What is wrong with standardised models: nothing, or the first fault. `path` is that of the list. */
export function validateResourceModels(
  models: readonly ResourceModel[],
  path: string,
): readonly FieldError[] {
  for (const [index, model] of models.entries()) {
    const before = models[index - 1];
    const at = `${path}[${index}]`;
    if (before !== undefined && before.grade === model.grade) {
      return [fieldError.invalid(`${at}.grade`, model.grade, 'each model must have a grade of its own')];
    }
    if (before !== undefined && before.ranges.length !== model.ranges.length) {
      const detail = 'each model must have as many ranges as the one before';
      return [fieldError.invalid(`${at}.ranges`, model.ranges, detail)];
    }
    for (const [place, range] of model.ranges.entries()) {
      const fault = rangeFault(range, before?.ranges[place], index === models.length - 1);
      if (fault !== undefined) return [fieldError.invalid(`${at}.ranges[${place}]`, range, fault)];
    }
  }
  return [];
}

type Range = ResourceModel['ranges'][number];

function rangeFault(range: Range, before: Range | undefined, last: boolean): string | undefined {
  const min = Quantity.tryParse(range.min) ?? Quantity.zero;
  const max = Quantity.tryParse(range.max) ?? Quantity.zero;
  if (max.compare(min) <= 0) return 'max must be greater than min';
  if (before === undefined) {
    if (!min.isZero) return 'min of the first model must be 0';
  } else {
    if (before.name !== range.name) return 'the resources must stand in the same order in each model';
    // COMPAT: compared as written, so that "1" and "1000m" leave a gap.
    if (String(before.max) !== String(range.min)) return 'min must be equal to max of the model before';
  }
  return last && !max.equals(Quantity.parse(MAX_INT64))
    ? `max of the last model must be ${MAX_INT64}`
    : undefined;
}

/** One node as model counting sees it. */
export interface NodeCapacity {
  /** What the node offers to pods. */
  readonly allocatable: Quantities;
  /** What its active pods request together. */
  readonly requested: Quantities;
  readonly podCount: number;
}

/** The last index whose minimum is at most `value`; −1 when even the first is more. */
export function gradeIndex(minimums: readonly number[], value: number): number {
  let low = 0;
  let high = minimums.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((minimums[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * How many nodes there are of each grade; `models` sorted. A node without room for a pod is not counted. Upstream
 * then stops and leaves all nodes after it out as well, which we do not.
 */
export function countNodesByGrade(
  models: readonly ResourceModel[],
  nodes: Iterable<NodeCapacity>,
): readonly { readonly grade: number; readonly count: number }[] | undefined {
  if (models.length === 0) return undefined;
  const minimums = new Map<string, number[]>();
  for (const [index, { ranges }] of models.entries()) {
    for (const { name, min } of ranges) {
      const list = minimums.get(name) ?? Array.from(models, () => Infinity);
      list[index] = amountOf(name, min);
      minimums.set(name, list);
    }
  }
  const counts = Array.from(models, () => 0);
  for (const node of nodes) {
    if (freeOn(node, 'pods') - node.podCount <= 0) continue;
    let grade = models.length - 1;
    for (const [resource, list] of minimums)
      grade = Math.min(grade, gradeIndex(list, freeOn(node, resource)));
    if (grade >= 0) counts[grade] = (counts[grade] ?? 0) + 1;
  }
  return models.map(({ grade }, index) => ({ grade, count: counts[index] ?? 0 }));
}

function freeOn({ allocatable, requested }: NodeCapacity, resource: string): number {
  if (!Object.hasOwn(allocatable, resource)) return 0;
  const used = Object.hasOwn(requested, resource) ? amountOf(resource, requested[resource] ?? 0) : 0;
  return amountOf(resource, allocatable[resource] ?? 0) - used;
}

// ---- estimating by models

const runsOf = new WeakMap<Cluster, readonly NodeRun[] | 'unusable'>();

/** The nodes that the models of a cluster stand for, in order of grade; 'unusable' when it reports no such. */
function virtualNodes(cluster: Cluster): readonly NodeRun[] | 'unusable' {
  const known = runsOf.get(cluster);
  if (known !== undefined) return known;
  const nodes = buildVirtualNodes(cluster);
  if (Object.isFrozen(cluster)) runsOf.set(cluster, nodes);
  return nodes;
}

function buildVirtualNodes({ spec, status }: Cluster): readonly NodeRun[] | 'unusable' {
  const models = (spec.resourceModels ?? []).toSorted((a, b) => a.grade - b.grade);
  const counts = new Map(
    (status?.resourceSummary?.allocatableModelings ?? []).map(({ grade, count }) => [grade, count]),
  );
  if (models.length === 0 || counts.size === 0) return 'unusable';
  const runs: NodeRun[] = [];
  for (const { grade, ranges } of models) {
    const count = counts.get(grade) ?? 0;
    if (count < 0) return 'unusable';
    if (count === 0) continue;
    const free = new Map(ranges.map(({ name, min }) => [name, amountOf(name, min)]));
    runs.push({ count, free, pods: PODS_PER_VIRTUAL_NODE, kind: 0 });
  }
  return runs;
}

/**
 * How many sets fit on the nodes that the models stand for, after the `assumed` ones were placed once each.
 * Undefined: the cluster reports no models. COMPAT: node affinity and tolerations do not count, and a resource that
 * the models leave out is taken as not there.
 */
export function setsByModels(
  cluster: Cluster,
  set: readonly PodGroup[],
  assumed: readonly (readonly PodGroup[])[],
  limit: number,
): number | undefined {
  let nodes = virtualNodes(cluster);
  if (nodes === 'unusable') return undefined;
  for (const workload of assumed) nodes = placeSet(nodes, workload).runs;
  return countSets(nodes, set, limit);
}

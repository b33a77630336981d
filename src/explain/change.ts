// Changes of a world as data: what `--if` asks about, what a preview is made of, and what would let a cluster in.
import type { Cluster, KubeObject, Taint } from '../api/index.ts';
import { OperatingError, formatTime } from '../base/index.ts';
import { Quantity, deepEqual } from '../machinery/index.ts';
import type { AnyOverridePolicy, Policy } from '../propagation/index.ts';
import type { Touched } from './settle.ts';
import type { WorldView } from './world.ts';
import { referenceOf, templateId, type TemplateReference, type World } from './world.ts';

export type ClusterChange =
  /** Without a key: all taints. */
  | { readonly kind: 'untaint'; readonly key?: string; readonly value?: string; readonly effect?: string }
  | { readonly kind: 'taint'; readonly key: string; readonly value: string; readonly effect: Taint['effect'] }
  /** Without a value: the label goes. */
  | { readonly kind: 'label'; readonly key: string; readonly value?: string }
  | { readonly kind: 'gone' }
  /** More room, as one more node would bring it. */
  | { readonly kind: 'room'; readonly resource: string; readonly amount: string }
  | { readonly kind: 'api'; readonly apiVersion: string; readonly apiKind: string }
  | { readonly kind: 'place'; readonly field: 'region' | 'provider' | 'zone'; readonly value: string };

export type Change =
  | (ClusterChange & { readonly cluster: string })
  /** Of the template in question. */
  | { readonly kind: 'replicas'; readonly replicas: number }
  /** Everything is placed as if for the first time. */
  | { readonly kind: 'afresh' }
  /** An object as it would be stored. */
  | { readonly kind: 'put'; readonly object: KubeObject }
  | { readonly kind: 'remove'; readonly object: KubeObject };

export interface Changed {
  readonly world: World;
  readonly touched: Touched;
}

type Draft = { -readonly [K in keyof World]: World[K] };

const KIND_FIELDS: Readonly<
  Record<string, 'policies' | 'clusterPolicies' | 'overridePolicies' | 'clusterOverridePolicies'>
> = {
  PropagationPolicy: 'policies',
  ClusterPropagationPolicy: 'clusterPolicies',
  OverridePolicy: 'overridePolicies',
  ClusterOverridePolicy: 'clusterOverridePolicies',
};
const POLICY_GROUP = 'policy.karmada.io/';

/** The world after all changes, in order. `view` is the world before them. */
export async function applyChanges(
  view: WorldView,
  changes: readonly Change[],
  subject?: TemplateReference,
): Promise<Changed> {
  const draft: Draft = { ...view.world };
  const templates = new Set<string>();
  const policies: Policy[] = [];
  const clusters = new Map<string, { before: Cluster; after: Cluster | undefined }>();
  let afresh = false;
  for (const change of changes) {
    if (change.kind === 'afresh') afresh = true;
    else if (change.kind === 'replicas') templates.add(await scale(view, draft, subject, change.replicas));
    else if (change.kind === 'put' || change.kind === 'remove') {
      const { object } = change;
      const changed = putOrRemove(draft, object, change.kind === 'put');
      if (changed === 'policy' && change.kind === 'put') policies.push(object as Policy);
      if (changed === 'template') templates.add(templateId(referenceOf(object)));
      if (changed === 'cluster') noteCluster(clusters, view, object as Cluster, change.kind === 'put');
    } else {
      const cluster = draft.clusters.find(({ metadata }) => metadata.name === change.cluster);
      if (cluster === undefined) throw unknownCluster(change.cluster, view.world.clusters);
      const after = changedCluster(cluster, change, view.world.nowMs);
      draft.clusters = draft.clusters.map((one) => (one === cluster ? after : one));
      noteCluster(clusters, view, after, true);
    }
  }
  return { world: draft, touched: { templates, policies, clusters: [...clusters.values()], afresh } };
}

function noteCluster(
  noted: Map<string, { before: Cluster; after: Cluster | undefined }>,
  view: WorldView,
  cluster: Cluster,
  there: boolean,
): void {
  const name = cluster.metadata.name ?? '';
  const before = view.fleet.byName(name)?.cluster ?? cluster;
  noted.set(name, { before, after: there ? cluster : undefined });
}

function unknownCluster(name: string, clusters: readonly Cluster[]): OperatingError {
  const known = clusters.map(({ metadata }) => metadata.name).join(', ');
  return new OperatingError(
    'UNKNOWN_CLUSTER',
    `there is no cluster "${name}"`,
    known === '' ? 'join a cluster first' : `name one of ${known}`,
  );
}

async function scale(
  view: WorldView,
  draft: Draft,
  subject: TemplateReference | undefined,
  replicas: number,
): Promise<string> {
  const template = subject === undefined ? undefined : view.template(subject);
  const revised = template === undefined ? undefined : await view.interpreter.revise(template, replicas);
  if (subject === undefined || template === undefined || revised === undefined) {
    throw new OperatingError(
      'NO_REPLICAS',
      `${subject?.kind ?? 'the object'} has no replicas to change`,
      'ask about a workload',
    );
  }
  draft.templates = draft.templates.map((one) => (one === template ? revised : one));
  return templateId(subject);
}

// ---- objects

function sameObject(a: KubeObject, b: KubeObject): boolean {
  return (
    a.kind === b.kind &&
    a.apiVersion === b.apiVersion &&
    a.metadata.name === b.metadata.name &&
    (a.metadata.namespace ?? '') === (b.metadata.namespace ?? '')
  );
}

function replaced<T extends KubeObject>(list: readonly T[], object: T, put: boolean): readonly T[] {
  const others = list.filter((one) => !sameObject(one, object));
  return put ? [...others, object] : others;
}

function putOrRemove(
  draft: Draft,
  object: KubeObject,
  put: boolean,
): 'policy' | 'override' | 'cluster' | 'template' {
  const { apiVersion, kind } = object;
  const field = apiVersion.startsWith(POLICY_GROUP) ? KIND_FIELDS[kind] : undefined;
  if (field !== undefined) {
    const list = draft[field] as readonly (Policy | AnyOverridePolicy)[];
    draft[field] = replaced(list, object as Policy, put) as never;
    return field === 'policies' || field === 'clusterPolicies' ? 'policy' : 'override';
  }
  if (kind === 'Cluster' && apiVersion.startsWith('cluster.karmada.io/')) {
    draft.clusters = replaced(draft.clusters, object as Cluster, put);
    return 'cluster';
  }
  draft.templates = replaced(draft.templates, object, put);
  return 'template';
}

// ---- clusters

/** The cluster as the change leaves it. */
export function changedCluster(cluster: Cluster, change: ClusterChange, nowMs: number): Cluster {
  switch (change.kind) {
    case 'untaint':
    case 'taint':
      return withSpec(cluster, { taints: changedTaints(cluster.spec.taints ?? [], change, nowMs) });
    case 'label': {
      const { [change.key]: _old, ...labels } = cluster.metadata.labels ?? {};
      const kept = change.value === undefined ? labels : { ...labels, [change.key]: change.value };
      return { ...cluster, metadata: { ...cluster.metadata, labels: kept } };
    }
    case 'gone': {
      const deletionTimestamp = formatTime(nowMs);
      return { ...cluster, metadata: { ...cluster.metadata, deletionTimestamp } };
    }
    case 'room':
      return withRoom(cluster, change.resource, change.amount);
    case 'api':
      return withApi(cluster, change.apiVersion, change.apiKind);
    case 'place':
      return withSpec(
        cluster,
        change.field === 'zone' ? { zones: [change.value] } : { [change.field]: change.value },
      );
  }
}

function withSpec(cluster: Cluster, spec: Partial<Cluster['spec']>): Cluster {
  const next = { ...cluster.spec, ...spec };
  if (deepEqual(next, cluster.spec)) return cluster;
  const generation = (cluster.metadata.generation ?? 0) + 1;
  return { ...cluster, metadata: { ...cluster.metadata, generation }, spec: next };
}

function changedTaints(
  taints: readonly Taint[],
  change: Extract<ClusterChange, { kind: 'taint' | 'untaint' }>,
  nowMs: number,
): readonly Taint[] {
  if (change.kind === 'untaint') {
    const { key, value, effect } = change;
    const goes = (taint: Taint): boolean =>
      (key === undefined || taint.key === key) &&
      (value === undefined || (taint.value ?? '') === value) &&
      (effect === undefined || taint.effect === effect);
    return taints.filter((taint) => !goes(taint));
  }
  const { key, value, effect } = change;
  const others = taints.filter((taint) => taint.key !== key || taint.effect !== effect);
  const since = effect === 'NoExecute' ? { timeAdded: formatTime(nowMs) } : {};
  return [...others, { key, effect, ...(value === '' ? {} : { value }), ...since }];
}

/** Allocatable grows, and by one node of the largest grade that the amount reaches. */
function withRoom(cluster: Cluster, resource: string, amount: string): Cluster {
  const summary = cluster.status?.resourceSummary ?? {};
  const more = Quantity.parse(amount);
  const before = Quantity.tryParse(summary.allocatable?.[resource]) ?? Quantity.zero;
  const allocatable = { ...summary.allocatable, [resource]: before.add(more).toString() };
  const grade = (cluster.spec.resourceModels ?? []).findLast(({ ranges }) =>
    ranges.some(({ name, min }) => name === resource && Quantity.parse(min).compare(more) <= 0),
  )?.grade;
  const modelings = (summary.allocatableModelings ?? []).map((one) =>
    one.grade === grade ? { ...one, count: one.count + 1 } : one,
  );
  return {
    ...cluster,
    status: {
      ...cluster.status,
      resourceSummary: {
        ...summary,
        allocatable,
        ...(summary.allocatableModelings === undefined ? {} : { allocatableModelings: modelings }),
      },
    },
  };
}

function withApi(cluster: Cluster, apiVersion: string, kind: string): Cluster {
  const apis = cluster.status?.apiEnablements ?? [];
  const added = { groupVersion: apiVersion, resources: [{ name: kind.toLowerCase(), kind }] };
  return { ...cluster, status: { ...cluster.status, apiEnablements: [...apis, added] } };
}

// What would let an excluded cluster in: the smallest change of the cluster that takes every rejection away, tried out
// on the decision itself before it is told.
import type { ClusterAffinity } from '../api/index.ts';
import type { Rejection, ScheduleInput, Verdict } from '../scheduling/index.ts';
import { fleetSnapshot, reasonText, remedyText, schedule } from '../scheduling/index.ts';
import type { Binding } from '../propagation/index.ts';
import { changedCluster, type ClusterChange } from './change.ts';
import { scheduleInput } from './settle.ts';
import type { WorldView } from './world.ts';

export interface WayIn {
  readonly cluster: string;
  readonly reasons: readonly { readonly code: string; readonly filter: string; readonly text: string }[];
  /** What a person would do, one for each reason. */
  readonly remedies: readonly string[];
  /** The same as questions for `--if`; empty when the cluster alone cannot be changed so that it fits. */
  readonly questions: readonly string[];
  /** What it would get if everything were placed afresh then; undefined when it would not be chosen. */
  readonly wouldGet?: { readonly replicas?: number };
}

// LIMIT: clusters for which a way in is tried; each costs a decision.
export const WAYS_MAX = 20;

type Wanted = ClusterChange | undefined;

function labelFor({ labelSelector }: ClusterAffinity, labels: Readonly<Record<string, string>>): Wanted {
  for (const [key, value] of Object.entries(labelSelector?.matchLabels ?? {}))
    if (labels[key] !== value) return { kind: 'label', key, value };
  for (const { key, operator, values = [] } of labelSelector?.matchExpressions ?? []) {
    const present = Object.hasOwn(labels, key);
    const [value = ''] = values;
    if (operator === 'In' && !(present && values.includes(labels[key] ?? '')))
      return { kind: 'label', key, value };
    if (operator === 'Exists' && !present) return { kind: 'label', key, value: 'true' };
    if (operator === 'DoesNotExist' && present) return { kind: 'label', key };
    if (operator === 'NotIn' && present && values.includes(labels[key] ?? '')) return { kind: 'label', key };
  }
  return undefined;
}

function placeFor({ fieldSelector }: ClusterAffinity): Wanted {
  for (const { key, operator, values = [] } of fieldSelector?.matchExpressions ?? []) {
    const [value] = values;
    if (operator !== 'In' || value === undefined) continue;
    if (key === 'region' || key === 'provider' || key === 'zone') return { kind: 'place', field: key, value };
  }
  return undefined;
}

/** The change of the cluster that meets one rejection; undefined when only something else can. */
function changeFor(
  rejection: Rejection,
  affinity: ClusterAffinity | undefined,
  labels: Readonly<Record<string, string>>,
): Wanted {
  switch (rejection.code) {
    case 'TaintUntolerated': {
      const { key, value, effect } = rejection;
      return { kind: 'untaint', key, ...(value === '' ? {} : { value }), effect };
    }
    case 'ApiMissing':
      return { kind: 'api', apiVersion: rejection.apiVersion, apiKind: rejection.kind };
    case 'AffinityMismatch':
      if (affinity === undefined) return undefined;
      if (rejection.criterion === 'labelSelector') return labelFor(affinity, labels);
      return rejection.criterion === 'fieldSelector' ? placeFor(affinity) : undefined;
    default:
      return undefined;
  }
}

export function questionText(cluster: string, change: ClusterChange): string {
  switch (change.kind) {
    case 'untaint': {
      const { key, value, effect } = change;
      const taint = `${key ?? ''}${value === undefined ? '' : `=${value}`}${effect === undefined ? '' : `:${effect}`}`;
      return `cluster ${cluster} untainted${taint === '' ? '' : ` ${taint}`}`;
    }
    case 'taint':
      return `cluster ${cluster} tainted ${change.key}${change.value === '' ? '' : `=${change.value}`}:${change.effect}`;
    case 'label':
      return `cluster ${cluster} label ${change.key}${change.value === undefined ? '-' : `=${change.value}`}`;
    case 'gone':
      return `cluster ${cluster} gone`;
    case 'room':
      return `cluster ${cluster} ${change.resource} +${change.amount}`;
    case 'api':
      return `cluster ${cluster} api ${change.apiVersion} ${change.apiKind}`;
    case 'place':
      return `cluster ${cluster} ${change.field} ${change.value}`;
  }
}

function affinityIn(input: ScheduleInput, term: string): ClusterAffinity | undefined {
  const { clusterAffinity, clusterAffinities = [] } = input.binding.spec.placement ?? {};
  return clusterAffinity ?? clusterAffinities.find(({ affinityName }) => affinityName === term);
}

interface Looked {
  readonly affinityName: string;
  readonly verdict: Verdict | undefined;
}

/** Every rejection of one cluster under the term in use. */
function look(input: ScheduleInput, cluster: string): Looked {
  const { attempts } = schedule({ ...input, explain: true });
  const attempt = attempts.at(-1);
  const index = input.fleet.clusters.findIndex(({ name }) => name === cluster);
  return { affinityName: attempt?.affinityName ?? '', verdict: attempt?.verdicts[index] };
}

// LIMIT: changes that are put together for one cluster; more than this is no advice any more.
const CHANGES_MAX = 5;

/** Undefined for a cluster that nothing keeps out. */
export function wayIn(view: WorldView, binding: Binding, cluster: string): WayIn | undefined {
  const input = scheduleInput(view, view, binding, 'Steady');
  const first = look(input, cluster);
  if (first.verdict?.outcome !== 'rejected') return undefined;
  const { rejections } = first.verdict;
  const reasons = rejections.map((rejection) => ({
    code: rejection.code,
    filter: rejection.filter,
    text: reasonText(rejection),
  }));
  const remedies = rejections.map(remedyText);
  const changes: ClusterChange[] = [];
  let now = input;
  let looked = first;
  while (looked.verdict?.outcome === 'rejected' && changes.length < CHANGES_MAX) {
    const current = now.fleet.byName(cluster)?.cluster;
    if (current === undefined) return undefined;
    const labels = current.metadata.labels ?? {};
    const affinity = affinityIn(input, looked.affinityName);
    const change = looked.verdict.rejections
      .map((rejection) => changeFor(rejection, affinity, labels))
      .find((one) => one !== undefined);
    if (change === undefined) return { cluster, reasons, remedies, questions: [] };
    changes.push(change);
    const changed = changedCluster(current, change, view.world.nowMs);
    const clusters = now.fleet.clusters.map((one) => (one.name === cluster ? changed : one.cluster));
    now = { ...now, fleet: fleetSnapshot(clusters) };
    looked = look(now, cluster);
  }
  if (looked.verdict?.outcome !== 'fits') return { cluster, reasons, remedies, questions: [] };
  const fresh = schedule({ ...now, mode: 'Fresh' });
  const target = fresh.ok ? fresh.clusters.find(({ name }) => name === cluster) : undefined;
  return {
    cluster,
    reasons,
    remedies,
    questions: changes.map((change) => questionText(cluster, change)),
    ...(target === undefined
      ? {}
      : { wouldGet: target.replicas === undefined ? {} : { replicas: target.replicas } }),
  };
}

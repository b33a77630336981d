// PodDisruptionBudgets: how many pods may be evicted now. The API server's eviction reads the answer.
// Reads PodDisruptionBudgets, Pods, and the controllers of those pods. Writes the budget's status.
import type { Condition, PodDisruptionBudgetStatus } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { labelSelectorFor, noSelector, semanticEqual } from '../../machinery/index.ts';
import { scaledValue } from '../amounts.ts';
import type { Pod, PodDisruptionBudget } from '../kinds.ts';
import { planOf, sooner, type Plan } from '../plan.ts';
import { isReady, isTerminal, isTerminating } from '../pods.ts';
import { podDisruptionBudgets } from '../resources.ts';

// COMPAT: an eviction that never happens stops counting after this time.
const DELETION_TIMEOUT_MS = 120_000;

export interface DisruptionInput {
  readonly budget: PodDisruptionBudget;
  /** Of the budget's namespace. */
  readonly pods: readonly Pod[];
  /** Replicas that the pod's controller wants, with the controller's uid; undefined: it has none that scales. */
  readonly scaleOf: (pod: Pod) => { readonly uid: string; readonly replicas: number } | undefined;
  readonly nowMs: number;
}

export function decideDisruptionBudget(input: DisruptionInput): Plan {
  const { budget, nowMs } = input;
  const selector = budget.spec.selector === undefined ? noSelector() : labelSelectorFor(budget.spec.selector);
  const pods = input.pods.filter((pod) => !isTerminal(pod) && selector.matches(pod.metadata.labels ?? {}));
  const { expected, desired } = expectationsOf(input, pods);
  const disrupted = stillDisrupted(budget, pods, nowMs);
  const healthy = pods.filter(
    (pod) => isReady(pod) && !isTerminating(pod) && !Object.hasOwn(disrupted.pods, pod.metadata.name),
  ).length;
  const allowed = expected > 0 ? Math.max(healthy - desired, 0) : 0;
  const status: PodDisruptionBudgetStatus = {
    currentHealthy: healthy,
    desiredHealthy: desired,
    disruptionsAllowed: allowed,
    expectedPods: expected,
    observedGeneration: budget.metadata.generation ?? 0,
    ...(Object.keys(disrupted.pods).length === 0 ? {} : { disruptedPods: disrupted.pods }),
    conditions: conditionsOf(budget, allowed, nowMs),
  };
  if (semanticEqual(status, budget.status ?? {})) return planOf([], [], disrupted.recheckInMs);
  return planOf(
    [[{ verb: 'updateStatus', resource: podDisruptionBudgets, object: { ...budget, status } }]],
    [],
    disrupted.recheckInMs,
  );
}

function expectationsOf(
  { budget, scaleOf }: DisruptionInput,
  pods: readonly Pod[],
): { readonly expected: number; readonly desired: number } {
  const { minAvailable, maxUnavailable } = budget.spec;
  const share = typeof minAvailable === 'string' || maxUnavailable !== undefined;
  let expected = pods.length;
  if (share) {
    const scales = new Map<string, number>();
    for (const pod of pods) {
      const scale = scaleOf(pod);
      if (scale !== undefined) scales.set(scale.uid, scale.replicas);
    }
    expected = [...scales.values()].reduce((total, replicas) => total + replicas, 0);
  }
  if (maxUnavailable !== undefined) {
    return { expected, desired: Math.max(expected - scaledValue(maxUnavailable, expected, 'up'), 0) };
  }
  return { expected, desired: scaledValue(minAvailable ?? 0, expected, 'up') };
}

/** Evictions that were granted and whose pods are still there, until they time out. */
function stillDisrupted(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  nowMs: number,
): { readonly pods: Readonly<Record<string, string>>; readonly recheckInMs: number | undefined } {
  const kept: [string, string][] = [];
  let recheckInMs: number | undefined;
  for (const [name, time] of Object.entries(budget.status?.disruptedPods ?? {})) {
    const pod = pods.find(({ metadata }) => metadata.name === name);
    const leftMs = Date.parse(time) + DELETION_TIMEOUT_MS - nowMs;
    if (pod === undefined || isTerminating(pod) || leftMs <= 0) continue;
    kept.push([name, time]);
    recheckInMs = sooner(recheckInMs, leftMs);
  }
  return { pods: Object.fromEntries(kept), recheckInMs };
}

function conditionsOf(budget: PodDisruptionBudget, allowed: number, nowMs: number): readonly Condition[] {
  const before = budget.status?.conditions ?? [];
  const current = before.find(({ type }) => type === 'DisruptionAllowed');
  const status = allowed > 0 ? 'True' : 'False';
  const next: Condition = {
    type: 'DisruptionAllowed',
    status,
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    lastTransitionTime: current?.status === status ? current.lastTransitionTime : formatTime(nowMs),
    observedGeneration: budget.metadata.generation ?? 0,
  };
  return [...before.filter(({ type }) => type !== 'DisruptionAllowed'), next];
}

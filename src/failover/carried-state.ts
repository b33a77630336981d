// Which state goes along when a copy is given up, and until when it is kept.
// INVARIANT: state that no healthy copy has confirmed is not given up for that of a copy that never was healthy.
import type { GracefulEvictionTask, StatePreservation, WorkloadState } from '../api/index.ts';
import type { Binding } from './binding.ts';
import { healthIn } from './eviction.ts';
import { StateUnreadable, extractState } from './preserved-state.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * The labels for the replacement of the copy in `cluster`; undefined when the policy preserves none.
 * @throws StateUnreadable
 */
export function stateToCarry(
  { spec, status }: Binding,
  preservation: StatePreservation | undefined,
  cluster: string,
): Labels | undefined {
  if (preservation === undefined || preservation.rules.length === 0) return undefined;
  // The copy itself came after a failover, and was not healthy since: what it was to begin with still holds.
  const carried = (spec.gracefulEvictionTasks ?? []).findLast(
    (task) => task.fromCluster !== cluster && carriesLabels(task),
  );
  if (carried !== undefined && healthIn(status, cluster) !== 'Healthy') return carried.preservedLabelState;
  return extractState(preservation, status?.aggregatedStatus, cluster);
}

function carriesLabels({ preservedLabelState }: GracefulEvictionTask): boolean {
  return preservedLabelState !== undefined && Object.keys(preservedLabelState).length > 0;
}

/** Whether a replacement is still to be told something by the task: its labels, or what is known of the copy it gave up. */
export function carriesState(task: GracefulEvictionTask, known: WorkloadState | undefined): boolean {
  if (carriesLabels(task)) return true;
  // Only a copy that went at once has its state told to another.
  if (task.purgeMode !== 'Directly') return false;
  const values = known?.status?.clusters?.find(({ cluster }) => cluster === task.fromCluster)?.values ?? [];
  return values.length > 0;
}

/** @throws StateUnreadable when a required piece of the workload's state is neither known nor carried along from before */
export function requireKnownState(
  { spec, status }: Binding,
  state: WorkloadState | undefined,
  cluster: string,
): void {
  const known = state?.status?.clusters?.find((one) => one.cluster === cluster);
  if (known?.requiredMissing !== true) return;
  // A copy that never was healthy has no state of its own to lose.
  const carried = (spec.gracefulEvictionTasks ?? []).some(
    (task) => task.fromCluster !== cluster && carriesState(task, state),
  );
  if (carried && healthIn(status, cluster) !== 'Healthy') return;
  throw new StateUnreadable(`required state is not known: ${(known.missing ?? []).join('; ')}`);
}

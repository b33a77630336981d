// State that survives the loss of a copy (propagation.md §3.8): labels for the one that takes its place.
import type { ResourceBindingSpec, TargetCluster } from '../api/index.ts';

/** Labels to inject into the manifest of the only target; undefined when there is nothing to carry over. */
export function preservedLabels(
  { gracefulEvictionTasks = [] }: ResourceBindingSpec,
  targets: readonly TargetCluster[],
): Readonly<Record<string, string>> | undefined {
  const [target] = targets;
  const task = gracefulEvictionTasks.at(-1);
  if (target === undefined || targets.length !== 1 || task?.purgeMode !== 'Directly') return undefined;
  if (task.clustersBeforeFailover?.includes(target.name) === true) return undefined;
  return task.preservedLabelState;
}

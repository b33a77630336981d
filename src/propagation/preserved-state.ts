// State that survives the loss of a copy (propagation.md §3.8): what the one that takes its place is told.
import type {
  GracefulEvictionTask,
  KubeObject,
  ResourceBindingSpec,
  StateValue,
  TargetCluster,
  WorkloadState,
} from '../api/index.ts';

/** What is set in the manifest of a replacement. */
export interface PreservedState {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** By path, such as `spec.job.initialSavepointPath`. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What to inject into the manifest of the only target; undefined when there is nothing to carry over. */
export function preservedState(
  { gracefulEvictionTasks: tasks = [] }: ResourceBindingSpec,
  targets: readonly TargetCluster[],
  known: WorkloadState | undefined,
): PreservedState | undefined {
  const [target] = targets;
  const last = tasks.at(-1);
  if (target === undefined || targets.length !== 1 || last?.purgeMode !== 'Directly') return undefined;
  if (last.clustersBeforeFailover?.includes(target.name) === true) return undefined;
  const values = valuesOf(tasks, target.name, known);
  const labels = { ...last.preservedLabelState, ...told(values, 'label') };
  const annotations = told(values, 'annotation');
  const fields = told(values, 'field');
  const nothing = [labels, annotations, fields].every((one) => Object.keys(one).length === 0);
  return nothing ? undefined : { labels, annotations, fields };
}

/** Of the last cluster left of which something is known: one that never was healthy had no state of its own. */
function valuesOf(
  tasks: readonly GracefulEvictionTask[],
  target: string,
  known: WorkloadState | undefined,
): readonly StateValue[] {
  for (const { fromCluster } of [...tasks].reverse()) {
    if (fromCluster === target) continue;
    const values = known?.status?.clusters?.find(({ cluster }) => cluster === fromCluster)?.values ?? [];
    if (values.length > 0) return values;
  }
  return [];
}

function told(values: readonly StateValue[], how: 'label' | 'annotation' | 'field'): Record<string, string> {
  return Object.fromEntries(
    values.flatMap((one) => {
      const key = one[how];
      return key === undefined ? [] : [[key, one.value]];
    }),
  );
}

/** The object with fields set; what is on the way is made, and nothing else is copied. */
export function withFields(object: KubeObject, fields: PreservedState['fields']): KubeObject {
  return Object.entries(fields).reduce(
    (changed, [path, value]) => setField(changed, path.split('.'), value) as KubeObject,
    object,
  );
}

function setField(object: unknown, [key, ...rest]: readonly string[], value: string): unknown {
  if (key === undefined) return value;
  const fields = typeof object === 'object' && object !== null && !Array.isArray(object) ? object : {};
  const inner = Object.hasOwn(fields, key) ? (fields as Record<string, unknown>)[key] : undefined;
  return { ...fields, [key]: setField(inner, rest, value) };
}

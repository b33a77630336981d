// What tells a workload from a ConfigMap or the like: the scheduler and the renderer must agree on it.
import type { ResourceBindingSpec } from '../api/index.ts';

/** Whether a binding runs replicas. */
export function isWorkload(
  spec: Pick<ResourceBindingSpec, 'replicas' | 'replicaRequirements' | 'components'>,
): boolean {
  return (
    (spec.replicas ?? 0) > 0 || spec.replicaRequirements !== undefined || (spec.components ?? []).length > 0
  );
}

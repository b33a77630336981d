// What the controllers that evict share: writing the change, and telling of it on the binding and its template.
import { errorMessage, formatTime } from '../base/index.ts';
import { kinds, type Resource } from '../client/index.ts';
import { heldCondition, type EvictionChange, type HeldStep, type Hold } from '../failover/index.ts';
import { withCondition, type Binding } from '../propagation/index.ts';
import { templateReference } from './binding-template.ts';
import type { ControllerContext } from './context.ts';

/** Both scopes, for controllers that run once for each. */
export const BINDING_SCOPES: readonly { readonly prefix: string; readonly resource: Resource<Binding> }[] = [
  { prefix: 'resource-binding', resource: kinds.resourceBindings },
  { prefix: 'cluster-resource-binding', resource: kinds.clusterResourceBindings },
];

/** Bindings by the clusters they are being evicted from. */
export const BINDINGS_BY_EVICTION = 'evictedFrom';
export const evictedFrom = ({ spec }: Binding): string[] =>
  (spec.gracefulEvictionTasks ?? []).map(({ fromCluster }) => fromCluster);

/** Only over the version that the decision was made of: two decisions over one binding must not mix. */
export async function writeEviction(
  { hubClient }: ControllerContext,
  resource: Resource<Binding>,
  binding: Binding,
  change: EvictionChange,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name = '', uid, resourceVersion } = binding.metadata;
  const spec = Object.fromEntries(
    Object.entries(change).map(([field, list]) => [field, list.length === 0 ? null : list]),
  );
  await hubClient.patch(
    resource,
    { namespace, name },
    { type: 'merge', body: { metadata: { uid, resourceVersion }, spec } },
    { signal },
  );
}

export function tellEvicted({ recorder }: ControllerContext, binding: Binding, cluster: string): void {
  const message = `Evict from cluster ${cluster} succeed.`;
  for (const object of [binding, templateReference(binding)])
    recorder.event(object, 'Normal', 'EvictWorkloadFromClusterSucceed', message);
}

export function tellNotEvicted(
  { recorder }: ControllerContext,
  binding: Binding,
  cluster: string,
  error: unknown,
): void {
  const message = `Evict from cluster ${cluster} failed: ${errorMessage(error)}.`;
  for (const object of [binding, templateReference(binding)])
    recorder.event(object, 'Warning', 'EvictWorkloadFromClusterFailed', message);
}

/**
 * Says on the binding that the guard keeps a copy, or no longer does. Whether that had to be written.
 * @param hold what stands in the way; undefined: nothing does
 */
export async function reportHeld(
  { hubClient, recorder, clock }: ControllerContext,
  resource: Resource<Binding>,
  binding: Binding,
  step: HeldStep,
  hold: Hold | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { status } = binding;
  const condition = heldCondition(status?.conditions, step, hold);
  if (condition === undefined) return false;
  const conditions = withCondition(status?.conditions, condition, formatTime(clock.now()));
  const next = { ...binding, status: { ...status, conditions } } as Binding;
  await hubClient.updateStatus(resource, next, { signal });
  if (hold === undefined) return true;
  for (const object of [binding, templateReference(binding)])
    recorder.event(object, 'Warning', hold.reason, hold.message);
  return true;
}

// The conditions and manifest statuses of a Work (propagation.md §2, §5.2, §6).
import {
  APPLIED_CONDITION,
  DISPATCHING_CONDITION,
  parseApiVersion,
  type Condition,
  type JsonValue,
  type KubeObject,
  type Work,
} from '../api/index.ts';
import { deepEqual, goAggregate } from '../machinery/index.ts';

type WorkStatus = NonNullable<Work['status']>;
type ManifestStatus = NonNullable<WorkStatus['manifestStatuses']>[number];
type Wanted = Omit<Condition, 'lastTransitionTime'>;

/** @param why in which way it is suspended, if not by the Work itself */
export function dispatchingCondition(suspended: boolean, why?: string): Wanted {
  return suspended
    ? {
        type: DISPATCHING_CONDITION,
        status: 'False',
        reason: 'SuspendDispatching',
        message: why ?? 'Work dispatching is in a suspended state.',
      }
    : {
        type: DISPATCHING_CONDITION,
        status: 'True',
        reason: 'Dispatching',
        message: 'Work is being dispatched to member clusters.',
      };
}

/** @param errors one for each manifest that could not be applied */
export function appliedCondition(manifests: number, errors: readonly string[]): Wanted {
  if (errors.length === 0) {
    return {
      type: APPLIED_CONDITION,
      status: 'True',
      reason: 'AppliedSuccessful',
      message: 'Manifest has been successfully applied',
    };
  }
  return {
    type: APPLIED_CONDITION,
    status: 'False',
    reason: 'AppliedFailed',
    message: `Failed to apply all manifests (${manifests - errors.length}/${manifests}): ${goAggregate(errors)}`,
  };
}

/** Sets one condition. The time of transition moves only with the status; an equal condition leaves the list as it is. */
export function withCondition(
  conditions: readonly Condition[] = [],
  wanted: Wanted,
  now: string,
): readonly Condition[] {
  const index = conditions.findIndex(({ type }) => type === wanted.type);
  const old = conditions[index];
  if (old === undefined) return [...conditions, { ...wanted, lastTransitionTime: now }];
  const next: Condition = {
    ...wanted,
    lastTransitionTime: old.status === wanted.status ? old.lastTransitionTime : now,
  };
  return deepEqual(old, next) ? conditions : conditions.with(index, next);
}

export function manifestStatus(
  manifest: KubeObject,
  ordinal: number,
  status: JsonValue | undefined,
  health: 'Healthy' | 'Unhealthy' | 'Unknown',
): ManifestStatus {
  const { group, version } = parseApiVersion(manifest.apiVersion);
  const { namespace, name = '' } = manifest.metadata;
  return {
    identifier: {
      ordinal,
      ...(group === '' ? {} : { group }),
      version,
      kind: manifest.kind,
      // COMPAT: upstream writes it, always empty.
      resource: '',
      ...(namespace === undefined ? {} : { namespace }),
      name,
    },
    ...(status === undefined ? {} : { status }),
    health,
  } as ManifestStatus;
}

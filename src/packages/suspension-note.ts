// What is written down of a suspension before anything else is done: status, conditions, history and events, in one write, so
// that it can be told from the package alone what happens to it, and a restart goes on where it was.
import {
  LOCAL_SUSPENSION_ANNOTATION,
  MANAGED_LABEL,
  PACKAGES_NAMESPACE,
  type Namespace,
  type PackageStatus,
} from '../api/index.ts';
import { isSuspensionOver } from '../fleet/index.ts';
import {
  isSuspendedBySpec,
  needsReview,
  resumePendingCondition,
  suspendedCondition,
  suspensionMessage,
  suspensionRecord,
  suspensionStatus,
  suspensionTransition,
  withAnnotations,
  withSuspensionRecord,
  withoutPackageSuspension,
  type AnyPackage,
  type EffectiveSuspension,
  type SuspensionTransition,
} from '../packaging/index.ts';
import { withConditions, type Wanted } from './conditions.ts';
import type { PackageContext } from './context.ts';
import { writeStatus } from './package-controller/status.ts';
import { resourceOf } from './resources.ts';

const COMPONENT = 'suspension-controller';
const FIELD_MANAGER = 'package-suspension-controller';
const GITOPS_ANNOTATION = 'packages.glasskube.dev/gitops-mode-enabled';

/** The package with what was noted; undefined: its spec was tidied up, which brings it back. */
export async function noteSuspension(
  context: PackageContext,
  one: AnyPackage,
  state: EffectiveSuspension,
  signal: AbortSignal,
): Promise<AnyPackage | undefined> {
  const nowMs = context.clock.now();
  const transition = suspensionTransition(one, state, nowMs);
  const noted = await writeStatus(context, one, statusWith(one, state, transition, nowMs));
  tell(context, noted, state, transition);
  if (state.active || !isTidiedUp(context, one, nowMs)) return noted;
  const tidy = withAnnotations(withoutPackageSuspension(noted), { [LOCAL_SUSPENSION_ANNOTATION]: undefined });
  await context.client.update(resourceOf(one.kind), tidy, {
    fieldManager: FIELD_MANAGER,
    signal,
  });
  return undefined;
}

function statusWith(
  one: AnyPackage,
  state: EffectiveSuspension,
  transition: SuspensionTransition,
  nowMs: number,
): PackageStatus {
  const { status = {} } = one;
  const ended = transition === 'Resumed' || transition === 'SuspensionExpired';
  const review = ended && needsReview(one, state);
  const conditions = [
    suspendedCondition(one, state, transition),
    // Together with the end, so that nothing is applied unread when the operator stops between the two.
    review
      ? resumePendingCondition(one, {
          do: 'Wait',
          message: 'It was resumed; what would change is being worked out.',
        })
      : state.active
        ? resumePendingCondition(one, undefined)
        : undefined,
  ].filter((condition): condition is Wanted => condition !== undefined);
  const suspension = suspensionStatus(status.suspension, state);
  const history = withSuspensionRecord(
    status.suspensionHistory,
    suspensionRecord(one, transition, state, nowMs),
  );
  return {
    ...status,
    ...(conditions.length === 0
      ? {}
      : {
          conditions: withConditions(
            status.conditions,
            conditions.map((each) => observed(one, each)),
            nowMs,
          ),
        }),
    ...(suspension === undefined ? {} : { suspension }),
    ...(history === undefined ? {} : { suspensionHistory: history }),
  };
}

function observed({ metadata: { generation } }: AnyPackage, condition: Wanted): Wanted {
  return generation === undefined ? condition : { ...condition, observedGeneration: generation };
}

function tell(
  { recorder }: PackageContext,
  one: AnyPackage,
  state: EffectiveSuspension,
  transition: SuspensionTransition,
): void {
  if (transition === 'None') return;
  const record = one.status?.suspensionHistory?.at(-1);
  const by = record?.by === undefined ? '' : ` by ${record.by}`;
  const why = record?.reason === undefined ? '' : `: ${record.reason}`;
  const message = {
    Suspended: suspensionMessage(state),
    SuspensionChanged: suspensionMessage(state),
    Resumed: `Resumed${by}${why}`,
    SuspensionExpired: 'The suspension is over',
  }[transition];
  recorder.withComponent(COMPONENT).event(one, 'Normal', transition, message);
}

/**
 * What is over says so in its status; its spec is put in order too, unless somebody else keeps it: a tool that applies
 * manifests, or the control plane whose template it is.
 */
function isTidiedUp({ caches }: PackageContext, { spec, metadata }: AnyPackage, nowMs: number): boolean {
  if (!isSuspendedBySpec(spec) || !isSuspensionOver(spec.suspension?.until, nowMs)) return false;
  // What somebody suspended here is not the control plane's, and would be taken for one without an end when it suspends too.
  const isLocal = metadata.annotations?.[LOCAL_SUSPENSION_ANNOTATION] === 'true';
  if (metadata.labels?.[MANAGED_LABEL] === 'true' && !isLocal) return false;
  const namespace = caches.namespaces.store.get(PACKAGES_NAMESPACE) as Namespace | undefined;
  return namespace?.metadata?.annotations?.[GITOPS_ANNOTATION] !== 'true';
}

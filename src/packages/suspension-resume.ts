// How a package goes on after a suspension: what it would change is shown and waited with, if that was wanted, and what others
// wrote meanwhile is overwritten or left to them.
import { createHash } from 'node:crypto';
import {
  APPROVED_PLAN_ANNOTATION,
  MANAGED_LABEL,
  ON_DRIFT_ANNOTATION,
  type KubeObject,
  type ObjectChange,
  type PackageStatus,
} from '../api/index.ts';
import {
  CHANGES_MAX,
  decideResume,
  isResuming,
  onDriftOf,
  planText,
  plannedChanges,
  resourceReference,
  resumePendingCondition,
  waitsForReview,
  type AnyPackage,
  type PackagePlan,
  type PlannedChange,
} from '../packaging/index.ts';
import { readSnapshot } from './applied-snapshot.ts';
import { isNews, withConditions } from './conditions.ts';
import type { PackageContext } from './context.ts';
import type { ApplyManner } from './package-controller/apply.ts';
import { writeStatus } from './package-controller/status.ts';
import { resourceOf } from './resources.ts';
import { compareWithApplied, specHashOf } from './suspension-rest.ts';

const COMPONENT = 'suspension-controller';

export function applyManner(owner: AnyPackage): ApplyManner {
  const wish = isResuming(owner) ? onDriftOf(owner) : undefined;
  const kept = wish === 'overwrite' ? [] : (owner.status?.keptFields ?? []);
  return wish === 'keep' ? { left: [], kept } : { kept };
}

/**
 * A suspension changes the spec and not what is wanted: what was applied before it is still what the package asks for, also
 * while its repository cannot be asked.
 */
export async function recognizeApplied(
  context: PackageContext,
  owner: AnyPackage,
  signal: AbortSignal,
): Promise<AnyPackage> {
  const { status = {}, metadata, spec } = owner;
  const { generation } = metadata;
  if (!isResuming(owner) || generation === undefined || status.appliedGeneration === generation) return owner;
  if (status.version !== spec.packageInfo.version) return owner;
  const snapshot = await readSnapshot(context.client, owner, signal);
  if (snapshot?.specHash !== specHashOf(owner)) return owner;
  return writeStatus(context, owner, { ...status, appliedGeneration: generation });
}

/** True: it waits for an approval, and nothing may be written. */
export async function waitsForApproval(
  context: PackageContext,
  owner: AnyPackage,
  plan: PackagePlan,
  signal: AbortSignal,
): Promise<boolean> {
  if (!waitsForReview(owner)) return false;
  const changes = await changesOf(context, plan, signal);
  const planHash = createHash('sha256').update(planText(changes)).digest('hex');
  const decision = decideResume(owner, planHash, changes.length);
  const condition = resumePendingCondition(owner, decision);
  const nowMs = context.clock.now();
  const { status = {} } = owner;
  const { planHash: _hash, pendingChanges: _changes, ...suspension } = status.suspension ?? { active: false };
  const waits = decision.do === 'Wait';
  const next: PackageStatus = {
    ...status,
    ...(condition === undefined ? {} : { conditions: withConditions(status.conditions, [condition], nowMs) }),
    suspension: {
      ...suspension,
      ...(waits
        ? { planHash, pendingChanges: changes.slice(0, CHANGES_MAX).map(({ change }) => change) }
        : {}),
    },
  };
  if (waits && condition !== undefined && isNews(status.conditions, condition))
    context.recorder.withComponent(COMPONENT).event(owner, 'Normal', 'ResumePending', condition.message);
  if (waits) await writeStatus(context, owner, next);
  return waits;
}

async function changesOf(
  context: PackageContext,
  plan: PackagePlan,
  signal: AbortSignal,
): Promise<readonly PlannedChange[]> {
  const objects: KubeObject[] = [];
  const others: PlannedChange[] = [];
  const compared = [];
  for (const step of plan.steps) {
    if (step.do === 'Apply') objects.push(step.object);
    if (step.do !== 'CreatePackage' && step.do !== 'SetComponentValues') continue;
    const operation = step.do === 'CreatePackage' ? 'Create' : 'Update';
    const { markedForDeletion: _mark, ...reference } = resourceReference(step.object);
    others.push({ change: { ...reference, operation }, patch: step.object['spec'] ?? null });
  }
  for (const object of objects) compared.push(await compareWithApplied(context, object, signal));
  const going = plan.steps.flatMap((step) => (step.do === 'Prune' ? [step.reference] : []));
  return [...others, ...plannedChanges(compared, going)];
}

/** The status of a package that was carried out whole: nothing of the suspension waits any more. */
export function withResumed(
  owner: AnyPackage,
  status: PackageStatus,
  manner: ApplyManner,
  nowMs: number,
): PackageStatus {
  const { suspension, keptFields: _kept, ...rest } = status;
  const keptFields = [...manner.kept, ...(manner.left ?? [])];
  const pending = resumePendingCondition(owner, { do: 'Apply', approved: isApproved(owner) });
  const conditions = withConditions(status.conditions, pending === undefined ? [] : [pending], nowMs).filter(
    // What differs is put right, or belongs to others now.
    ({ type }) => type !== 'Drifted',
  );
  return {
    ...rest,
    ...(status.conditions === undefined ? {} : { conditions }),
    ...(suspension === undefined ? {} : { suspension: { active: false } }),
    ...(keptFields.length === 0 ? {} : { keptFields: merged(keptFields) }),
  };
}

function isApproved({ metadata }: AnyPackage): boolean {
  return metadata.annotations?.[APPROVED_PLAN_ANNOTATION] !== undefined;
}

function merged(changes: readonly ObjectChange[]): readonly ObjectChange[] {
  const byObject = new Map<string, ObjectChange>();
  for (const change of changes) {
    const key = [change.group, change.kind, change.namespace ?? '', change.name].join('/');
    const known = byObject.get(key);
    const paths = [...new Set([...(known?.paths ?? []), ...(change.paths ?? [])])];
    const managers = [...new Set([...(known?.managers ?? []), ...(change.managers ?? [])])];
    byObject.set(key, { ...change, paths, ...(managers.length === 0 ? {} : { managers }) });
  }
  return [...byObject.values()].slice(0, CHANGES_MAX);
}

/** Wishes that were for this resumption alone go from the package, unless a control plane keeps its annotations. */
export async function forgetWishes(
  { client }: PackageContext,
  owner: AnyPackage,
  signal: AbortSignal,
): Promise<void> {
  const { annotations = {}, labels, name = '', namespace } = owner.metadata;
  const wishes = [ON_DRIFT_ANNOTATION, APPROVED_PLAN_ANNOTATION].filter((key) =>
    Object.hasOwn(annotations, key),
  );
  if (wishes.length === 0 || labels?.[MANAGED_LABEL] === 'true') return;
  const body = { metadata: { annotations: Object.fromEntries(wishes.map((key) => [key, null])) } };
  await client.patch(resourceOf(owner.kind), { name, namespace }, { type: 'merge', body }, { signal });
}

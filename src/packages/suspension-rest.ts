// What is done for a package while it is suspended: it is looked at, and what is not as it was applied is said. Nothing of it is
// written, but that its charts stand still; where only changes wait, what was applied last is kept as it is.
import { createHash } from 'node:crypto';
import {
  DRIFT_INTERVAL_ANNOTATION,
  PACKAGE_FIELD_MANAGER,
  SUSPENDED_BY_PACKAGE_ANNOTATION,
  type Condition,
  type KubeObject,
  type ObjectChange,
  type OwnedResourceReference,
  type PackageStatus,
} from '../api/index.ts';
import { errorMessage, formatTime } from '../base/index.ts';
import { DurationError, StatusError, parseLongDuration, parseTime } from '../machinery/index.ts';
import {
  driftOf,
  packageHealth,
  resourceKey,
  resourceReference,
  specHashText,
  type AnyPackage,
  type ComparedObject,
  type EffectiveSuspension,
  type PackageVerdict,
} from '../packaging/index.ts';
import { requeueAfter, type Outcome } from '../runtime/index.ts';
import { healFromSnapshot, isLeftAlone, liveObjects } from './applied-healing.ts';
import { readSnapshot, type Snapshot } from './applied-snapshot.ts';
import { withConditions, type Wanted } from './conditions.ts';
import type { PackageContext } from './context.ts';
import type { AppliedObjects } from './package-controller/apply.ts';
import { withVerdict, writeStatus } from './package-controller/status.ts';
import { chartObjects } from './suspension-charts.ts';
import { suspendReleases } from './suspension-helm.ts';
import { pendingChangesOf } from './suspension-pending.ts';

const COMPONENT = 'suspension-controller';
// LIMIT: what is suspended is looked at this often, whatever else is said.
const LOOK_AGAIN_MAX_MS = 3_600_000;
const DRIFT_INTERVAL_MIN_MS = 60_000;
// LIMIT: differences that a condition names.
const NAMED_MAX = 5;

export async function restSuspended(
  context: PackageContext,
  applied: AppliedObjects,
  owner: AnyPackage,
  state: EffectiveSuspension,
  signal: AbortSignal,
): Promise<Outcome> {
  const snapshot = await readSnapshot(context.client, owner, signal);
  if (state.mode === 'Full') await suspendReleases(context, owner, signal);
  const problem =
    state.mode === 'ChangesOnly' && snapshot !== undefined
      ? await healFromSnapshot(context, applied, owner, snapshot, signal)
      : undefined;
  const looked = await observed(context, owner, snapshot, state, signal);
  const status = withVerdict(context, owner, looked, await healthOf(context, owner, problem, signal));
  await writeStatus(context, owner, status);
  return requeueAfter(nextLook(context, owner, state), 'suspended');
}

function nextLook(
  { clock, settings, random }: PackageContext,
  owner: AnyPackage,
  state: EffectiveSuspension,
): number {
  const change = state.nextTransitionMs === undefined ? Infinity : state.nextTransitionMs - clock.now();
  const interval = state.driftDetection ? driftIntervalMs(owner, settings.driftMs) : LOOK_AGAIN_MAX_MS;
  // Packages that were suspended together need not be looked at together.
  const jittered = interval * (1 + random.fraction() / 10);
  return Math.max(0, Math.min(change, jittered, LOOK_AGAIN_MAX_MS));
}

function driftIntervalMs({ metadata }: AnyPackage, usualMs: number): number {
  const text = metadata.annotations?.[DRIFT_INTERVAL_ANNOTATION];
  if (text === undefined) return usualMs;
  try {
    return Math.max(parseLongDuration(text), DRIFT_INTERVAL_MIN_MS);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    return usualMs;
  }
}

/** How what is installed works: a suspension does not hide an outage. */
async function healthOf(
  context: PackageContext,
  owner: AnyPackage,
  problem: string | undefined,
  signal: AbortSignal,
): Promise<PackageVerdict> {
  if (owner.status?.version === undefined)
    return { state: 'Unknown', reason: 'Pending', message: 'it is suspended, and was not installed before' };
  if (problem !== undefined) return { state: 'Failed', reason: 'InstallationFailed', message: problem };
  const references = owner.status.ownedResources ?? [];
  const live = await liveObjects(context, references, signal);
  const health = packageHealth(
    references.map((reference) => ({
      called: `${reference.kind} ${reference.name}`,
      live: live.get(resourceKey(reference)),
    })),
  );
  const message = health.problems.join('; ');
  if (health.state === 'Failed') return { state: 'Failed', reason: 'InstallationFailed', message };
  if (health.state === 'Waiting') return { state: 'Unknown', reason: 'Pending', message };
  return {
    state: 'Ready',
    reason: 'UpToDate',
    message: `${references.length} objects work as they were applied`,
  };
}

/** The status with what differs and what waits, if it is time to look. */
async function observed(
  context: PackageContext,
  owner: AnyPackage,
  snapshot: Snapshot | undefined,
  state: EffectiveSuspension,
  signal: AbortSignal,
): Promise<PackageStatus> {
  const { status = {}, metadata } = owner;
  const { suspension } = status;
  if (suspension === undefined) return status;
  const waits = snapshot !== undefined && snapshot.specHash !== specHashOf(owner);
  const { pendingGeneration, pendingChanges, ...rest } = suspension;
  const lastMs = parseTime(suspension.driftCheckTime ?? '');
  const intervalMs = driftIntervalMs(owner, context.settings.driftMs);
  const isDue = state.driftDetection && (lastMs === undefined || context.clock.now() - lastMs >= intervalMs);
  const { generation } = metadata;
  const isNew = pendingGeneration !== generation;
  const changes =
    !waits || generation === undefined
      ? undefined
      : isNew || isDue
        ? await pendingChangesOf(context, owner, snapshot, signal)
        : pendingChanges;
  const noted: PackageStatus = {
    ...status,
    suspension: {
      ...rest,
      ...(waits && generation !== undefined ? { pendingGeneration: generation } : {}),
      ...(changes === undefined || changes.length === 0 ? {} : { pendingChanges: changes }),
    },
  };
  if (snapshot === undefined || !isDue) return noted;
  return withDrift(context, owner, noted, await driftNow(context, owner, snapshot, signal));
}

export function specHashOf({ spec }: AnyPackage): string {
  return createHash('sha256').update(specHashText(spec)).digest('hex');
}

/** A text: it could not be found out. */
async function driftNow(
  context: PackageContext,
  owner: AnyPackage,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<readonly ObjectChange[] | string> {
  try {
    const compared: ComparedObject[] = [];
    for (const object of snapshot.objects) {
      const one = await compareWithApplied(context, object, signal);
      if (!isLeftAlone(one.live)) compared.push(asOwned(one));
    }
    compared.push(...(await chartObjects(context, snapshot.objects, signal)));
    return driftOf(compared, await unexpected(context, owner, snapshot, signal));
  } catch (error) {
    if (signal.aborted || !(error instanceof StatusError)) throw error;
    return errorMessage(error);
  }
}

/** A release that stands still because of us is not owned for so long, which is no drift. */
function asOwned(one: ComparedObject): ComparedObject {
  const { live, applied } = one;
  const ours = live?.metadata.annotations?.[SUSPENDED_BY_PACKAGE_ANNOTATION] !== undefined;
  if (!ours || applied === undefined) return one;
  const { ownerReferences: _owners, ...metadata } = live.metadata;
  const { ownerReferences: _applied, ...wanted } = applied.metadata;
  return { ...one, live: { ...live, metadata }, applied: { ...applied, metadata: wanted } };
}

/** The object as it is, and as an apply would leave it, which is tried and not done. */
export async function compareWithApplied(
  { client, mapper }: PackageContext,
  wanted: KubeObject,
  signal: AbortSignal,
): Promise<ComparedObject> {
  const resource = await mapper.resourceForObject(wanted);
  if (resource === undefined) return { wanted };
  const { name = '', namespace } = wanted.metadata;
  const live = await client.find<KubeObject>(resource, { name, namespace }, { signal });
  if (live === undefined) return { wanted };
  const applied = await client.apply<KubeObject>(resource, wanted, {
    fieldManager: PACKAGE_FIELD_MANAGER,
    force: true,
    dryRun: true,
    signal,
  });
  return { wanted, live, applied };
}

/** Objects that are recorded as the package's and are no part of what was applied. */
async function unexpected(
  context: PackageContext,
  { status, metadata }: AnyPackage,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<readonly OwnedResourceReference[]> {
  const applied = new Set(snapshot.objects.map((object) => resourceKey(resourceReference(object))));
  const others = (status?.ownedResources ?? []).filter((reference) => !applied.has(resourceKey(reference)));
  const live = await liveObjects(context, others, signal);
  return others.filter((reference) =>
    (live.get(resourceKey(reference))?.metadata.ownerReferences ?? []).some(
      ({ uid }) => uid === metadata.uid,
    ),
  );
}

function withDrift(
  { clock, recorder }: PackageContext,
  owner: AnyPackage,
  status: PackageStatus,
  drift: readonly ObjectChange[] | string,
): PackageStatus {
  const condition = driftCondition(drift);
  const before = status.conditions?.find(({ type }) => type === 'Drifted');
  if (condition.reason === 'DriftDetected' && before?.message !== condition.message)
    recorder.withComponent(COMPONENT).event(owner, 'Warning', 'DriftDetected', condition.message);
  const { drift: _drift, ...rest } = status.suspension ?? { active: true };
  return {
    ...status,
    conditions: withConditions(status.conditions, [condition], clock.now()),
    suspension: {
      ...rest,
      driftCheckTime: formatTime(clock.now()),
      ...(typeof drift === 'string' || drift.length === 0 ? {} : { drift }),
    },
  };
}

function driftCondition(drift: readonly ObjectChange[] | string): Wanted {
  const told = (status: Condition['status'], reason: string, message: string): Wanted => ({
    type: 'Drifted',
    status,
    reason,
    message,
  });
  if (typeof drift === 'string') return told('Unknown', 'DriftCheckFailed', drift);
  if (drift.length === 0) return told('False', 'NoDrift', 'Everything is as it was applied.');
  const named = drift
    .slice(0, NAMED_MAX)
    .map(({ kind, namespace, name, class: what = '', paths = [], managers = [] }) => {
      const where = paths.length === 0 ? '' : ` at ${paths.slice(0, 3).join(', ')}`;
      const by = managers.length === 0 ? '' : ` by ${managers.join(', ')}`;
      return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name} ${what.toLowerCase()}${where}${by}`;
    });
  const more = drift.length > NAMED_MAX ? ` and ${drift.length - NAMED_MAX} more` : '';
  return told('True', 'DriftDetected', `Not as it was applied: ${named.join('; ')}${more}`);
}

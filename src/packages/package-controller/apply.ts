// Carrying out the steps of a plan: packages that are needed, then objects in their stages. What is as it was applied last is
// not applied again; whether the package has been suspended meanwhile is asked before every write.
import { createHash } from 'node:crypto';
import {
  PACKAGE_FIELD_MANAGER,
  PACKAGE_MANAGED_LABEL,
  PACKAGE_MANAGED_VALUE,
  type KubeObject,
  type ObjectChange,
} from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { isAlreadyExists, isConflict, kinds, type Resource } from '../../client/index.ts';
import { StatusError, encodeJson, ownerReference } from '../../machinery/index.ts';
import {
  packageId,
  packageKey,
  resourceKey,
  resourceReference,
  withoutConflictField,
  withoutKeptFields,
  type AnyPackage,
  type ApplyStage,
  type PackagePlan,
  type PackageStep,
} from '../../packaging/index.ts';
import { definitionServed } from '../../runtime/index.ts';
import type { PackageContext } from '../context.ts';
import { resourceOf } from '../resources.ts';

/** Objects that could not be applied; the message names each. */
export class ApplyError extends Error {
  override name = 'ApplyError';
}

/** The package was suspended while its objects were being applied. */
export class SuspendedMidApply extends Error {
  override name = 'SuspendedMidApply';
  readonly applied: readonly string[];

  constructor(applied: readonly string[]) {
    const some = applied.length === 0 ? 'nothing' : applied.join(', ');
    super(`suspended while objects were being applied; applied so far: ${some}`);
    this.applied = applied;
  }
}

interface Remembered {
  readonly digest: string;
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  readonly resourceVersion: string | undefined;
  readonly metadata: string;
}

/** What was applied, by package and object: only to spare writes, so that nothing depends on it after a restart. */
export class AppliedObjects {
  private readonly byPackage = new Map<string, Map<string, Remembered>>();

  isCurrent(owner: string, key: string, digest: string, live: KubeObject | undefined): boolean {
    const known = this.byPackage.get(owner)?.get(key);
    if (known === undefined || live === undefined) return false;
    const now = rememberedOf(digest, live);
    if (known.digest !== digest || known.uid !== now.uid) return false;
    if (known.resourceVersion === now.resourceVersion) return true;
    // Only the status moved: where there is a generation, it counts changes of everything else but metadata.
    return (
      known.generation !== undefined && known.generation === now.generation && known.metadata === now.metadata
    );
  }

  remember(owner: string, key: string, digest: string, live: KubeObject): void {
    const known = this.byPackage.get(owner) ?? new Map<string, Remembered>();
    known.set(key, rememberedOf(digest, live));
    this.byPackage.set(owner, known);
  }

  forget(owner: string): void {
    this.byPackage.delete(owner);
  }
}

function rememberedOf(digest: string, { metadata }: KubeObject): Remembered {
  const { uid, generation, resourceVersion, labels = {}, annotations = {}, ownerReferences = [] } = metadata;
  // Controllers write annotations of their own, which are none of ours.
  const ours = Object.entries(annotations).filter(([name]) => !name.startsWith('deployment.kubernetes.io/'));
  return {
    digest,
    uid,
    generation,
    resourceVersion,
    metadata: JSON.stringify([inOrder(Object.entries(labels)), inOrder(ours), ownerReferences]),
  };
}

function inOrder(entries: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** How objects are applied: as a rule over what others wrote. */
export interface ApplyManner {
  /** Fields that were left to others before. */
  readonly kept: readonly ObjectChange[];
  /** Present: fields that others own are left to them, and put down here. */
  readonly left?: ObjectChange[];
}

export interface ApplyOptions {
  readonly owner: AnyPackage;
  readonly plan: PackagePlan;
  readonly live: ReadonlyMap<string, KubeObject>;
  /** Whether the package has been suspended since. */
  readonly isSuspended: () => boolean;
  readonly manner?: ApplyManner;
  readonly signal: AbortSignal;
}

/** Creates and configures the packages that are needed. */
export async function applyPackages(
  context: PackageContext,
  { owner, plan, isSuspended, signal }: ApplyOptions,
): Promise<void> {
  for (const step of plan.steps) {
    if (step.do !== 'CreatePackage' && step.do !== 'SetComponentValues') continue;
    if (isSuspended()) throw new SuspendedMidApply([]);
    await applyPackage(context, owner, step, signal);
  }
}

async function applyPackage(
  { client }: PackageContext,
  owner: AnyPackage,
  step: PackageStep & { readonly object: KubeObject },
  signal: AbortSignal,
): Promise<void> {
  const { kind, metadata } = step.object;
  const resource = resourceOf(kind === 'Package' ? 'Package' : 'ClusterPackage') as Resource;
  if (step.do === 'SetComponentValues') {
    await client.update(resource, step.object, { signal });
    return;
  }
  await ensureNamespace(client, owner, metadata.namespace);
  try {
    await client.create(resource, step.object, { signal });
  } catch (error) {
    // Another package needs it too and was faster.
    if (!isAlreadyExists(error)) throw error;
  }
}

/** The namespace of a component; it goes with the package that it was made for. */
async function ensureNamespace(
  client: PackageContext['client'],
  owner: AnyPackage,
  name: string | undefined,
): Promise<void> {
  if (name === undefined) return;
  if ((await client.find(kinds.namespaces, { name })) !== undefined) return;
  try {
    await client.create(kinds.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        labels: { [PACKAGE_MANAGED_LABEL]: PACKAGE_MANAGED_VALUE },
        ...(owner.kind === 'Package'
          ? {}
          : { ownerReferences: [{ ...ownerReference(owner), blockOwnerDeletion: true }] }),
      },
    });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

const OVERWRITE: ApplyManner = { kept: [] };
// LIMIT: fields of one object that are left to others.
const LEFT_MAX = 50;

/** Applies over what others wrote, or without the fields that they own by now. Throws StatusError. */
async function applyAs(
  client: PackageContext['client'],
  resource: Resource,
  wanted: KubeObject,
  { left }: ApplyManner,
  signal: AbortSignal,
): Promise<KubeObject> {
  const options = { fieldManager: PACKAGE_FIELD_MANAGER, force: left === undefined, signal };
  if (left === undefined) return client.apply<KubeObject>(resource, wanted, options);
  const fields: string[] = [];
  const managers = new Set<string>();
  for (let object = wanted; ;) {
    try {
      const stored = await client.apply<KubeObject>(resource, object, options);
      if (fields.length > 0) {
        const { markedForDeletion: _mark, ...reference } = resourceReference(wanted);
        left.push({ ...reference, paths: fields, managers: [...managers].sort() });
      }
      return stored;
    } catch (error) {
      if (!isConflict(error) || !(error instanceof StatusError)) throw error;
      const before = object;
      for (const { field = '', message = '', reason } of error.status.details?.causes ?? []) {
        if (reason !== 'FieldManagerConflict' || fields.length >= LEFT_MAX) continue;
        object = withoutConflictField(object, field);
        fields.push(field);
        managers.add(/"([^"]+)"/.exec(message)?.[1] ?? message);
      }
      // Nothing that could be left out: the same would be refused again.
      if (object === before) throw error;
    }
  }
}

const STAGES: readonly ApplyStage[] = ['Namespace', 'Definition', 'Object'];

/** Applies all objects; answers how many were written. Throws ApplyError and SuspendedMidApply. */
export async function applyObjects(
  context: PackageContext,
  applied: AppliedObjects,
  options: ApplyOptions,
): Promise<number> {
  const steps = options.plan.steps.filter((step) => step.do === 'Apply');
  const done: string[] = [];
  for (const stage of STAGES) {
    const problems: string[] = [];
    const written: string[] = [];
    for (const step of steps.filter((one) => one.stage === stage)) {
      if (options.isSuspended()) throw new SuspendedMidApply(done);
      const problem = await applyOne(context, applied, step.object, options, written);
      if (problem !== undefined) problems.push(problem);
    }
    done.push(...written);
    if (problems.length > 0) throw new ApplyError(problems.join('; '));
    if (stage === 'Definition' && written.length > 0) await served(context, steps, options.signal);
  }
  return done.length;
}

async function served(
  { client, clock, mapper, settings }: PackageContext,
  steps: readonly { readonly object: KubeObject; readonly stage: ApplyStage }[],
  signal: AbortSignal,
): Promise<void> {
  const timeout = new AbortController();
  const cancel = clock.after(settings.definitionWaitMs, () =>
    timeout.abort(new ApplyError(`definitions are not served after ${settings.definitionWaitMs / 1000} s`)),
  );
  try {
    for (const { object, stage } of steps)
      if (stage === 'Definition')
        await definitionServed(
          client,
          object.metadata.name ?? '',
          clock,
          AbortSignal.any([signal, timeout.signal]),
        );
  } finally {
    cancel();
  }
  await mapper.refresh();
}

/** What went wrong; undefined: nothing. */
async function applyOne(
  { client, mapper }: PackageContext,
  applied: AppliedObjects,
  wanted: KubeObject,
  { owner, live, manner = OVERWRITE, signal }: ApplyOptions,
  written: string[],
): Promise<string | undefined> {
  const object = withoutKeptFields(wanted, manner.kept);
  const { kind, metadata } = object;
  const called = `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name ?? ''}`;
  const key = resourceKey(resourceReference(object));
  const ownerKey = `${owner.kind}/${packageKey(packageId(owner))}`;
  const digest = createHash('sha256').update(encodeJson(object)).digest('hex');
  if (applied.isCurrent(ownerKey, key, digest, live.get(key))) return undefined;
  try {
    const resource = await mapper.resourceForObject(object);
    if (resource === undefined)
      return `${called}: the cluster does not serve ${object.apiVersion} ${kind} yet`;
    const stored = await applyAs(client, resource, object, manner, signal);
    applied.remember(ownerKey, key, digest, stored);
    written.push(called);
    return undefined;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return `${called}: ${errorMessage(error)}`;
  }
}

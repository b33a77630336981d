// The steps of a promotion, each with its way back. A step may have been taken already, by a run that was interrupted
// before it could say so: each finds that out by itself.
// INVARIANT: nothing is deleted on the hub while the member's copy would go with it, nor anything that we did not make.
import { createHash } from 'node:crypto';
import {
  MANAGED_LABEL,
  WORK_NAMESPACE_ANNOTATION,
  executionNamespace,
  type CustomResourceDefinition,
  type KubeObject,
  type MigrationItem,
  type MigrationStep,
  type Work,
} from '../../api/index.ts';
import { OperatingError, sleep, systemClock } from '../../base/index.ts';
import { isAlreadyExists, isNotFound, kinds, type ApiResource } from '../../client/index.ts';
import { encodeJson, semanticEqual } from '../../machinery/index.ts';
import { contentOf, promotedTemplate, restoredOriginal, titleOf } from '../../propagation/index.ts';
import type { Session } from '../objects/index.ts';
import { isSameObject, referenceOf, type Journal } from './journal.ts';

export interface MigrationContext {
  readonly hub: Session;
  readonly member: Session;
  readonly journal: Journal;
  /** How long to wait for the control plane to follow, at each step. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Told when a step is done or undone. */
  readonly done: (step: MigrationStep, how: 'done' | 'undone') => Promise<void>;
  /** Called before each step; what it throws stops there. For tests. */
  readonly before?: (step: MigrationStep, how: 'do' | 'undo') => void;
}

const POLL_MS = 100;
// Made by the API server's own controllers from other objects: they hold nothing that anybody put there.
const DERIVED: ReadonlySet<string> = new Set(['events', 'endpoints', 'endpointslices']);

export function digestOf(object: KubeObject): string {
  return createHash('sha256')
    .update(encodeJson(contentOf(object)))
    .digest('hex');
}

export async function takeStep(context: MigrationContext, step: MigrationStep): Promise<void> {
  const { journal } = context;
  if (step.state === 'Done') return;
  context.before?.(step, 'do');
  const resumed = step.state !== 'Pending';
  await journal.mark(step, 'Started');
  const uid = await take(context, step, resumed);
  await journal.mark(step, 'Done', uid);
  await context.done(step, 'done');
}

export async function undoStep(context: MigrationContext, step: MigrationStep): Promise<void> {
  const { journal } = context;
  if (step.state === 'Pending' || step.state === 'Undone') return;
  context.before?.(step, 'undo');
  await journal.mark(step, 'Undoing');
  await undo(context, step);
  await journal.mark(step, 'Undone');
  await context.done(step, 'undone');
}

async function take(
  context: MigrationContext,
  step: MigrationStep,
  resumed: boolean,
): Promise<string | undefined> {
  switch (step.action) {
    case 'EnsureNamespace':
      return makeOnHub(context, namespaceFor(step.name), resumed);
    case 'CreateTemplate': {
      const uid = await makeOnHub(context, await templateFor(context, step), resumed);
      if (itemOf(context, step).role === 'Definition') await untilServed(context, step);
      return uid;
    }
    case 'CreatePolicy':
      return makeOnHub(context, policyFor(context, step), resumed);
    case 'Adopt':
      await untilAdopted(context, step);
      return undefined;
  }
}

async function undo(context: MigrationContext, step: MigrationStep): Promise<void> {
  switch (step.action) {
    case 'EnsureNamespace':
      return removeNamespace(context, step);
    case 'CreateTemplate':
      await untilPreserved(context, step);
      await removeFromHub(context, step);
      return restore(context, step);
    case 'CreatePolicy':
      return removeFromHub(context, step);
    case 'Adopt':
      return;
  }
}

// ---- on the hub

/** Our namespaces stay on the hub: sending one to members would take over namespaces of that name there. */
function namespaceFor(name: string): KubeObject {
  const labels = { 'namespace.karmada.io/skip-auto-propagation': 'true' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

async function templateFor(context: MigrationContext, step: MigrationStep): Promise<KubeObject> {
  const item = itemOf(context, step);
  const object = await inMember(context, step);
  if (object === undefined || digestOf(object) !== item.digest)
    throw new OperatingError(
      'MEMBER_CHANGED',
      `${titleOf(originalOf(item))} in ${clusterOf(context)} is not what was planned for any more`,
      'promote it again as it is now',
    );
  return promotedTemplate(object);
}

function policyFor({ journal }: MigrationContext, step: MigrationStep): KubeObject {
  const policies = journal.migration.spec.policies.map((text) => JSON.parse(text) as KubeObject);
  const found = policies.find((policy) => isSameObject(referenceOf(policy), step));
  if (found === undefined) throw new Error(`the journal has no policy ${step.name}`);
  return found;
}

/** Resolves with the uid of what was made; undefined when it was there before. */
async function makeOnHub(
  context: MigrationContext,
  object: KubeObject,
  resumed: boolean,
): Promise<string | undefined> {
  const { client } = context.hub;
  const resource = await resourceOn(context.hub, object);
  try {
    return (await client.create(resource, object, { signal: context.signal })).metadata.uid;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const known = await client.find(resource, keyOf(object), { signal: context.signal });
    if (known !== undefined && resumed && madeByUs(context, known, object)) return known.metadata.uid;
    if (object.kind === 'Namespace') return undefined;
    throw error;
  }
}

/** A custom kind can hold objects only once its definition is served. */
async function untilServed(context: MigrationContext, step: MigrationStep): Promise<void> {
  const { group, names } = (originalOf(itemOf(context, step)) as CustomResourceDefinition).spec;
  await until(context, `the hub serves ${names.kind}`, async () => {
    await context.hub.mapper.refresh();
    return context.hub.mapper.resourceForKind({ group, kind: names.kind });
  });
}

/** Whether what stands on the hub was made by the interrupted run: later than its journal, and with this content. */
function madeByUs({ journal }: MigrationContext, known: KubeObject, wanted: KubeObject): boolean {
  const begun = Date.parse(journal.migration.metadata.creationTimestamp ?? '');
  const made = Date.parse(known.metadata.creationTimestamp ?? '');
  if (!(made >= begun)) return false;
  return (
    isSubset(wanted.metadata.labels ?? {}, known.metadata.labels ?? {}) &&
    isSubset(contentOf(wanted), contentOf(known))
  );
}

/** Whether `b` says all that `a` says; what the server filled in besides does not count. */
function isSubset(a: unknown, b: unknown): boolean {
  const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isMap(a) && isMap(b)) return Object.entries(a).every(([key, value]) => isSubset(value, b[key]));
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((value, index) => isSubset(value, b[index]));
  return semanticEqual(a, b);
}

async function removeFromHub(context: MigrationContext, step: MigrationStep): Promise<void> {
  const { client } = context.hub;
  // A kind whose definition was never served, or has gone, has no objects.
  const resource = await context.hub.mapper.resourceForObject(step);
  if (resource === undefined) return;
  const known = await client.find(resource, step, { signal: context.signal });
  if (known === undefined) return;
  const wanted =
    step.action === 'CreatePolicy' ? policyFor(context, step) : originalOf(itemOf(context, step));
  // A run that was interrupted may have made it without having noted its uid.
  const uid = step.uid ?? (madeByUs(context, known, wanted) ? known.metadata.uid : undefined);
  if (uid === undefined || uid !== known.metadata.uid) return;
  await deleteAndWait(context, resource, step, uid);
}

async function deleteAndWait(
  context: MigrationContext,
  resource: ApiResource,
  step: MigrationStep,
  uid: string,
): Promise<void> {
  const { client } = context.hub;
  try {
    await client.delete(resource, step, { preconditions: { uid }, signal: context.signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  await until(context, `${step.kind} ${step.name} is gone from the hub`, async () => {
    const left = await client.find(resource, step, { signal: context.signal });
    return left === undefined || left.metadata.uid !== uid;
  });
}

/** Only when it is ours, and nothing has been put into it. */
async function removeNamespace(context: MigrationContext, step: MigrationStep): Promise<void> {
  const { client, mapper } = context.hub;
  const known = await client.find(kinds.namespaces, { name: step.name }, { signal: context.signal });
  if (known === undefined) return;
  const uid =
    step.uid ?? (madeByUs(context, known, namespaceFor(step.name)) ? known.metadata.uid : undefined);
  if (uid === undefined || uid !== known.metadata.uid) return;
  await mapper.refresh();
  const holding = (await mapper.resources()).filter(
    ({ namespaced, preferred, verbs, resource }) =>
      namespaced && preferred && verbs.includes('list') && verbs.includes('create') && !DERIVED.has(resource),
  );
  for (const resource of holding) {
    const { items } = await client.list(resource, { namespace: step.name, limit: 1, signal: context.signal });
    if (items.length > 0) return;
  }
  await deleteAndWait(context, await resourceOn(context.hub, step), step, uid);
}

// ---- in the member

async function untilAdopted(context: MigrationContext, step: MigrationStep): Promise<void> {
  const item = itemOf(context, step);
  const workNamespace = executionNamespace(clusterOf(context));
  const object = await until(
    context,
    `${step.kind} ${step.name} is taken over in ${clusterOf(context)}`,
    async () => {
      const now = await inMember(context, step);
      const { labels, annotations } = now?.metadata ?? {};
      return labels?.[MANAGED_LABEL] === 'true' && annotations?.[WORK_NAMESPACE_ANNOTATION] === workNamespace
        ? now
        : undefined;
    },
  );
  if (digestOf(object) === item.digest) return;
  throw new OperatingError(
    'MEMBER_CHANGED',
    `${titleOf(object)} in ${clusterOf(context)} has other content since it was taken over`,
    'look at the overrides that select it, and at who else writes it',
  );
}

/** Waits until whatever carries the object to members would leave it there. */
async function untilPreserved(context: MigrationContext, step: MigrationStep): Promise<void> {
  await until(context, `the Works of ${step.kind} ${step.name} would leave it in its members`, async () =>
    (await worksOf(context, step)).every(({ spec }) => spec.preserveResourcesOnDeletion === true),
  );
}

/** Makes the object of the member what it was, once nothing of the hub holds it any more. */
async function restore(context: MigrationContext, step: MigrationStep): Promise<void> {
  await until(context, `no Work holds ${step.kind} ${step.name} any more`, async () => {
    return (await worksOf(context, step)).length === 0;
  });
  const item = itemOf(context, step);
  if (item.role === 'Definition') return;
  const resource = await resourceOn(context.member, step);
  await until(context, `${step.kind} ${step.name} in ${clusterOf(context)} is as it was`, async () => {
    const now = await context.member.client.find(resource, step, { signal: context.signal });
    if (now === undefined)
      throw new OperatingError(
        'MEMBER_OBJECT_GONE',
        `${titleOf(originalOf(item))} has been deleted in ${clusterOf(context)}`,
        'make it anew there; the migration on the hub holds how it was',
      );
    const restored = restoredOriginal(originalOf(item), now);
    if (restored === undefined) return true;
    await context.member.client.update(resource, restored, { signal: context.signal });
    return false;
  });
}

async function worksOf(context: MigrationContext, step: MigrationStep): Promise<readonly Work[]> {
  const namespace = executionNamespace(clusterOf(context));
  const { items } = await context.hub.client.listAll(kinds.works, { namespace, signal: context.signal });
  return items.filter(({ spec }) =>
    (spec.workload?.manifests ?? []).some((manifest) =>
      isSameObject(referenceOf(manifest as unknown as KubeObject), step),
    ),
  );
}

async function inMember(context: MigrationContext, step: MigrationStep): Promise<KubeObject | undefined> {
  const resource = await resourceOn(context.member, step);
  return context.member.client.find(resource, step, { signal: context.signal });
}

// ---- shared

function clusterOf({ journal }: MigrationContext): string {
  return journal.migration.spec.cluster;
}

function itemOf({ journal }: MigrationContext, step: MigrationStep): MigrationItem {
  const found = journal.migration.spec.items.find((item) => isSameObject(item, step));
  if (found === undefined) throw new Error(`the journal has no ${step.kind} ${step.name}`);
  return found;
}

function originalOf(item: MigrationItem): KubeObject {
  return JSON.parse(item.before) as KubeObject;
}

function keyOf({ metadata }: KubeObject): { readonly namespace?: string | undefined; readonly name: string } {
  return { namespace: metadata.namespace, name: metadata.name ?? '' };
}

export async function resourceOn(
  session: Pick<Session, 'mapper' | 'cluster'>,
  object: { readonly apiVersion: string; readonly kind: string },
): Promise<ApiResource> {
  const resource = await session.mapper.resourceForObject(object);
  if (resource !== undefined) return resource;
  const where = session.cluster === undefined ? 'the hub' : `cluster ${session.cluster}`;
  throw new OperatingError(
    'KIND_NOT_SERVED',
    `${where} does not serve ${object.kind} of ${object.apiVersion}`,
    'promote its CustomResourceDefinition first, or add --dependencies, which does',
  );
}

/** Polls until it holds; throws OperatingError STILL_WAITING when it takes too long. */
async function until<T>(
  { timeoutMs, signal }: MigrationContext,
  what: string,
  holds: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadlineMs = systemClock.now() + timeoutMs;
  for (;;) {
    const found = await holds();
    if (found !== undefined && found !== false) return found;
    if (systemClock.now() > deadlineMs)
      throw new OperatingError(
        'STILL_WAITING',
        `it took too long until ${what}`,
        'look with "navarch why" at what holds it up',
      );
    await sleep(systemClock, POLL_MS, signal);
  }
}

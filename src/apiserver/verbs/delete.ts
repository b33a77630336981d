// DELETE of one object: preconditions, finalizers, grace, dependents.
import { parseApiVersion, type JsonObject, type KubeObject, type ObjectMeta } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { MODIFIED, StatusError, badRequest, conflict, notFound } from '../../machinery/index.ts';
import { validateAdmission } from '../admission-chain.ts';
import { identify, mediaTypeOf, OBJECT_MEDIA_TYPES, parseJsonBody, unsupportedMediaType } from '../body.ts';
import { admissionAttributes, keyOf, resourceOf, writeContext, type ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { typedDecode } from '../kinds/typed-decode.ts';
import { withMetadata, withResourceVersion } from '../object-codec.ts';
import { parseDeleteOptions, type DeleteOptions } from '../options.ts';
import { present } from '../presentation.ts';

// LIMIT: how often a deletion tries again when others change the object meanwhile.
const ATTEMPTS = 64;
const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

export interface Deleted {
  /** In the request's version: as it was when it went, or as it now waits. */
  readonly object: KubeObject;
  readonly gone: boolean;
}

export async function deleteOne(call: ResourceCall): Promise<ApiResponse> {
  const body = deleteBody(call);
  const options = parseDeleteOptions(call.request.query, body);
  const deleted = await deleteObject(call, call.info.name, options, body ?? {});
  return deletionAnswer(call, deleted, options);
}

export function deleteBody(call: ResourceCall): JsonObject | undefined {
  const mediaType = mediaTypeOf(call.request.headers['content-type']);
  const parsed = parseJsonBody(call, false);
  if (parsed === undefined) return undefined;
  if (mediaType !== '' && !(OBJECT_MEDIA_TYPES as readonly string[]).includes(mediaType)) {
    throw unsupportedMediaType(OBJECT_MEDIA_TYPES);
  }
  // COMPAT: null is taken for an object without fields.
  const json = parsed.json ?? {};
  const { kind, apiVersion } = json as { kind?: unknown; apiVersion?: unknown };
  if (typeof kind === 'string' && kind !== '' && kind !== 'DeleteOptions') {
    throw badRequest(`decoded object cannot be converted to DeleteOptions`);
  }
  if (typeof apiVersion === 'string' && parseApiVersion(apiVersion).version === '') {
    throw badRequest(`invalid apiVersion ${JSON.stringify(apiVersion)}`);
  }
  // The options of any group and version are the same.
  const plain = typeof apiVersion === 'string' ? { ...json, apiVersion: DELETE_OPTIONS.version } : json;
  return decodeOptions(identify(plain, DELETE_OPTIONS));
}

const DELETE_OPTIONS = { group: '', version: 'v1', kind: 'DeleteOptions' };
const typed = typedDecode(DELETE_OPTIONS);

/** COMPAT: what is of a wrong type is told without saying in what. */
function decodeOptions(json: JsonObject): JsonObject {
  try {
    return typed(json, { problems: [] }) as unknown as JsonObject;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw badRequest(error.message.replace(/^.* cannot be handled as a DeleteOptions: /, ''));
  }
}

export async function deletionAnswer(
  call: ResourceCall,
  { object, gone }: Deleted,
  options: Pick<DeleteOptions, 'orphanDependents'>,
): Promise<ApiResponse> {
  const { definition } = call.served;
  // COMPAT: only this old option tells by the code that the object is still there.
  const status = !gone && options.orphanDependents === false ? 202 : 200;
  if (!gone || definition.strategy.returnsDeleted === true) return present(call, status, object);
  const { uid } = object.metadata;
  return present(call, status, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name ?? '',
      ...(definition.group === '' ? {} : { group: definition.group }),
      kind: definition.resource,
      ...(uid === undefined ? {} : { uid }),
    },
  });
}

export async function deleteObject(
  call: ResourceCall,
  name: string,
  options: DeleteOptions,
  optionsObject: JsonObject,
): Promise<Deleted> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const deleted = await deleteOnce(call, name, options, optionsObject);
    if (deleted !== undefined) return deleted;
  }
  throw conflict(resourceOf(call), name, MODIFIED);
}

async function deleteOnce(
  call: ResourceCall,
  name: string,
  options: DeleteOptions,
  optionsObject: JsonObject,
): Promise<Deleted | undefined> {
  const { core, view, served } = call;
  const { strategy } = served.definition;
  const context = writeContext(call, options.dryRun);
  const key = keyOf(call, name);
  const entry = await core.storage.get(key);
  if (entry === undefined) throw notFound(resourceOf(call), name);
  const old = entry.value;
  checkPreconditions(call, name, options, old.metadata);
  const oldShown = await view.fromStorage(old);
  await validateAdmission(
    core.admission,
    admissionAttributes(call, 'DELETE', {
      name,
      dryRun: options.dryRun,
      object: undefined,
      oldObject: oldShown,
      options: optionsObject,
    }),
    context.warn,
  );
  const next = beginDeletion(call, old, options, context.nowMs);
  if (options.propagationPolicy === undefined && options.orphanDependents === undefined) {
    if (strategy.orphanWarning !== undefined) context.warn(strategy.orphanWarning);
  }
  const waits = isWaiting(next) || strategy.isHeld?.(next) === true;
  if (options.dryRun) return { object: await view.fromStorage(waits ? next : old), gone: !waits };
  if (!waits) {
    const removed = await core.storage.delete(key, entry.revision);
    if (!removed.ok) return undefined;
    await strategy.deleted?.(old);
    const last =
      strategy.gracePeriodSeconds === undefined
        ? removed.entry.value
        : withResourceVersion(next, String(removed.entry.revision));
    return { object: await view.fromStorage(last), gone: true };
  }
  if (next === old) return { object: oldShown, gone: false };
  const updated = await core.storage.update(key, next, entry.revision);
  if (!updated.ok) return undefined;
  return { object: await view.fromStorage(updated.entry.value), gone: false };
}

function isWaiting({ metadata }: KubeObject): boolean {
  return (metadata.finalizers ?? []).length > 0 || (metadata.deletionGracePeriodSeconds ?? 0) > 0;
}

function checkPreconditions(
  call: ResourceCall,
  name: string,
  options: DeleteOptions,
  metadata: ObjectMeta,
): void {
  const { group, kind } = call.served.definition;
  const { uid, resourceVersion } = options;
  // COMPAT: these messages name the kind where all others name the resource.
  const resource = { group, resource: kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(resource, name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(resource, name, why);
  }
}

/** The object with the marks of its deletion; the same one when they are there already. */
function beginDeletion(
  call: ResourceCall,
  old: KubeObject,
  options: DeleteOptions,
  nowMs: number,
): KubeObject {
  const { strategy } = call.served.definition;
  const asked = options.gracePeriodSeconds;
  const finalizers = finalizersFor(
    old.metadata.finalizers ?? [],
    options,
    strategy.orphansByDefault === true,
  );
  const graceSeconds = strategy.gracePeriodSeconds?.(old, asked) ?? 0;
  const begun = old.metadata.deletionTimestamp !== undefined;
  const left = old.metadata.deletionGracePeriodSeconds ?? 0;
  // A grace period may only become shorter once it runs.
  const grace = begun ? Math.min(graceSeconds, left) : graceSeconds;
  if (begun && grace === left && sameList(finalizers, old.metadata.finalizers ?? [])) return old;
  const { finalizers: _, ...metadata } = old.metadata;
  const startMs = begun ? Date.parse(old.metadata.deletionTimestamp) - left * 1000 : nowMs;
  const generation = metadata.generation ?? 0;
  const marked = withMetadata(old, {
    ...metadata,
    ...(finalizers.length === 0 ? {} : { finalizers }),
    deletionTimestamp: formatTime(startMs + grace * 1000),
    deletionGracePeriodSeconds: grace,
    // Controllers must look again at an object that is going.
    ...(generation > 0 && !begun ? { generation: generation + 1 } : {}),
  });
  return begun ? marked : (strategy.beginDeletion?.(marked) ?? marked);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** Finalizers by which the garbage collector learns what to do with dependents. */
function finalizersFor(
  current: readonly string[],
  { orphanDependents, propagationPolicy }: DeleteOptions,
  orphansByDefault: boolean,
): readonly string[] {
  const had = { orphan: current.includes(ORPHAN), foreground: current.includes(FOREGROUND) };
  const explicit = orphanDependents !== undefined || propagationPolicy !== undefined;
  const orphan =
    orphanDependents ??
    (explicit ? propagationPolicy === 'Orphan' : had.orphan || (!had.foreground && orphansByDefault));
  const foreground = explicit ? propagationPolicy === 'Foreground' : had.foreground;
  if (orphan === had.orphan && foreground === had.foreground) return current;
  const others = current.filter((one) => one !== ORPHAN && one !== FOREGROUND);
  return [...others, ...(orphan ? [ORPHAN] : []), ...(foreground ? [FOREGROUND] : [])];
}

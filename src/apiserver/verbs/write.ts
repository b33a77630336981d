// How objects come to be and change, whatever the verb: metadata, preparation, checks, admission, storage.
// INVARIANT: an update is checked against exactly the object that it replaces; when somebody else was faster, it is
// built and checked anew.
import type { JsonObject, KubeObject, ObjectMeta } from '../../api/index.ts';
import { formatTime, randomSuffix } from '../../base/index.ts';
import {
  MODIFIED,
  alreadyExists,
  badRequest,
  conflict,
  deepEqual,
  fieldError,
  goQuote,
  invalid,
  keepTimes,
  nameIsDnsSubdomain,
  notFound,
  specChanged,
  validateObjectMeta,
  validateObjectMetaUpdate,
  type FieldError,
} from '../../machinery/index.ts';
import { validateAdmission } from '../admission-chain.ts';
import { admissionAttributes, keyOf, kindOf, resourceOf, writeContext, type ResourceCall } from '../call.ts';
import { withMetadata, withResourceVersion } from '../object-codec.ts';
import type { WriteOptions } from '../options.ts';
import type { Reservation, WriteContext } from '../resource.ts';
import { StatusError } from '../../machinery/index.ts';
import { admit } from './admit.ts';

// LIMIT: how often a generated name that exists already is generated anew; as kube-apiserver.
const GENERATED_NAME_ATTEMPTS = 8;
// LIMIT: names are cut so that the suffix fits into 63 characters.
const MAX_GENERATED_BASE = 58;
// LIMIT: how often an update that does not insist on a version tries again when others are faster.
const UPDATE_ATTEMPTS = 64;

/** The object inside the request's namespace; a cluster-scoped one outside of any. */
export function placeInNamespace(call: ResourceCall, object: KubeObject): KubeObject {
  const given = object.metadata.namespace ?? '';
  const wanted = call.served.definition.namespaced ? call.info.namespace : '';
  if (given === wanted) return object;
  if (given !== '' && wanted !== '') {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const { namespace: _, ...metadata } = object.metadata;
  return withMetadata(object, wanted === '' ? metadata : { ...metadata, namespace: wanted });
}

// ---- create

/** Settles reservations with how the write ended. */
async function reserving<T>(
  reservation: Reservation | undefined,
  write: () => Promise<{ readonly result: T; readonly written: boolean }>,
): Promise<T> {
  let outcome: { readonly result: T; readonly written: boolean };
  try {
    outcome = await write();
  } catch (error) {
    await reservation?.settle(false);
    throw error;
  }
  await reservation?.settle(outcome.written);
  return outcome.result;
}

function newMetadata(call: ResourceCall, metadata: ObjectMeta, context: WriteContext): ObjectMeta {
  const {
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    resourceVersion,
    ...kept
  } = metadata as ObjectMeta & { selfLink?: string };
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== '0') {
    // COMPAT: upstream's storage refuses this so late that it is a 500.
    throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
  }
  delete kept.selfLink;
  const { generation = 'never' } = call.served.definition.strategy;
  return {
    ...kept,
    uid: context.random.uuid(),
    creationTimestamp: formatTime(context.nowMs),
    ...(generation === 'never' ? {} : { generation: 1 }),
  };
}

function withGeneratedName(object: KubeObject, context: WriteContext): KubeObject {
  const { name = '', generateName = '' } = object.metadata;
  if (name !== '' || generateName === '') return object;
  const generated = generateName.slice(0, MAX_GENERATED_BASE) + randomSuffix(context.random);
  return withMetadata(object, { ...object.metadata, name: generated });
}

function refuseInvalid(call: ResourceCall, name: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(kindOf(call), name, errors);
}

/** Whoever may only change objects makes none by it. */
function mayCreate({ core, user, info }: ResourceCall): void {
  core.authorize(user, { ...info, verb: 'create' });
}

/**
 * Creates `object`, of the request's version and with its defaults, and returns what is now stored in that version.
 * @param allowed throws where the request as such does not say that the user may create
 */
export async function createObject(
  call: ResourceCall,
  object: KubeObject,
  options: WriteOptions,
  optionsObject: JsonObject,
  allowed?: (call: ResourceCall) => void,
): Promise<KubeObject> {
  const context = writeContext(call, options.dryRun);
  const placed = placeInNamespace(call, object);
  const named = withGeneratedName(placed, context);
  const generated = named !== placed;
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? named : withGeneratedName(placed, context);
    const stored = await createOnce(call, candidate, context, optionsObject, allowed);
    if (stored !== undefined) return await call.view.fromStorage(stored);
    if (!generated || attempt === GENERATED_NAME_ATTEMPTS) {
      const error = alreadyExists(resourceOf(call), candidate.metadata.name ?? '');
      if (!generated) throw error;
      throw new StatusError(
        409,
        'AlreadyExists',
        `${error.message}, the server was not able to generate a unique name for the object`,
        {
          ...error.status.details,
          retryAfterSeconds: 1,
        },
      );
    }
  }
}

/** Undefined: there is an object of this name already. */
async function createOnce(
  call: ResourceCall,
  object: KubeObject,
  context: WriteContext,
  optionsObject: JsonObject,
  allowed: ((call: ResourceCall) => void) | undefined,
): Promise<KubeObject | undefined> {
  const { core, served, view } = call;
  const { definition } = served;
  const { strategy } = definition;
  const attributes = {
    name: object.metadata.name ?? '',
    dryRun: context.dryRun,
    oldObject: undefined,
    options: optionsObject,
  };
  const admitted = await admit(call, {
    ...admissionAttributes(call, 'CREATE', { ...attributes, object }),
    object,
  });
  let next = await view.toStorage(admitted);
  next = withMetadata(next, newMetadata(call, next.metadata, context));
  next = strategy.prepareForCreate?.(next, context) ?? next;
  const reservation = await strategy.reserve?.(next, undefined, context);
  if (reservation !== undefined) next = reservation.object;
  return reserving(reservation, async () => {
    const name = next.metadata.name ?? '';
    refuseInvalid(call, name, [
      ...validateObjectMeta(next.metadata, {
        namespaced: definition.namespaced,
        nameRule: strategy.nameRule ?? nameIsDnsSubdomain,
        builtIn: definition.custom !== true,
      }),
      ...(strategy.validate?.(next, context) ?? []),
    ]);
    for (const warning of strategy.warnings?.(next, undefined) ?? []) context.warn(warning);
    allowed?.(call);
    const final = await view.fromStorage(next);
    await validateAdmission(
      core.admission,
      admissionAttributes(call, 'CREATE', { ...attributes, name, object: final }),
      context.warn,
    );
    const key = keyOf(call, name);
    if (context.dryRun) {
      const exists = (await core.storage.get(key)) !== undefined;
      return { result: exists ? undefined : next, written: false };
    }
    const result = await core.storage.create(key, next);
    return { result: result.ok ? result.entry.value : undefined, written: result.ok };
  });
}

// ---- update

export interface UpdateRequest {
  /** Builds the next object, in the request's version with its defaults, from what is stored now. */
  build(current: KubeObject): KubeObject | Promise<KubeObject>;
  /** Builds the object to create when there is none. */
  buildNew?(): KubeObject | Promise<KubeObject>;
  /** The uid that the stored object must have. */
  readonly expectedUid?: string;
  readonly options: WriteOptions;
  readonly optionsObject: JsonObject;
}

export interface UpdateResult {
  /** In the request's version. */
  readonly object: KubeObject;
  readonly created: boolean;
}

export async function updateObject(
  call: ResourceCall,
  name: string,
  request: UpdateRequest,
): Promise<UpdateResult> {
  const context = writeContext(call, request.options.dryRun);
  const key = keyOf(call, name);
  for (let attempt = 1; attempt <= UPDATE_ATTEMPTS; attempt++) {
    const entry = await call.core.storage.get(key);
    if (entry === undefined) {
      if (request.buildNew === undefined) throw notFound(resourceOf(call), name);
      const object = await request.buildNew();
      const made = await createObject(call, object, request.options, request.optionsObject, mayCreate);
      return { object: made, created: true };
    }
    const stored = await updateOnce(call, name, entry, request, context);
    if (stored !== undefined) return { object: await call.view.fromStorage(stored), created: false };
  }
  throw conflict(resourceOf(call), name, MODIFIED);
}

interface Current {
  readonly value: KubeObject;
  readonly revision: number;
}

/** Undefined: somebody else changed the object meanwhile. */
async function updateOnce(
  call: ResourceCall,
  name: string,
  current: Current,
  request: UpdateRequest,
  context: WriteContext,
): Promise<KubeObject | undefined> {
  const { core, view, served } = call;
  const { strategy } = served.definition;
  const old = current.value;
  checkUid(call, name, request.expectedUid, old);
  const oldShown = await view.fromStorage(old);
  const built = placeInNamespace(call, await request.build(oldShown));
  const attributes = {
    name,
    dryRun: context.dryRun,
    oldObject: oldShown,
    options: request.optionsObject,
  };
  const admitted = await admit(call, {
    ...admissionAttributes(call, 'UPDATE', { ...attributes, object: built }),
    object: built,
  });
  checkVersion(call, name, admitted.metadata.resourceVersion, old);
  let next = withMetadata(await view.toStorage(admitted), updatedMetadata(admitted.metadata, old.metadata));
  next = prepareForUpdate(call, next, old, context);
  const reservation =
    call.subresource === undefined ? await strategy.reserve?.(next, old, context) : undefined;
  if (reservation !== undefined) next = reservation.object;
  return reserving(reservation, async () => {
    refuseInvalid(call, name, [
      ...validateObjectMetaUpdate(next.metadata, old.metadata, {
        builtIn: served.definition.custom !== true,
      }),
      ...updateErrors(call, next, old, context),
    ]);
    if (call.subresource === undefined) {
      for (const warning of strategy.warnings?.(next, old) ?? []) context.warn(warning);
    }
    const final = await view.fromStorage(next);
    await validateAdmission(
      core.admission,
      admissionAttributes(call, 'UPDATE', { ...attributes, object: final }),
      context.warn,
    );
    return store(call, name, keepTimes(next, old), current, context);
  });
}

async function store(
  call: ResourceCall,
  name: string,
  next: KubeObject,
  { value: old, revision }: Current,
  context: WriteContext,
): Promise<{ result: KubeObject | undefined; written: boolean }> {
  const { storage } = call.core;
  const key = keyOf(call, name);
  const { strategy } = call.served.definition;
  const gone = mayGo(next) && strategy.isHeld?.(next) !== true;
  if (context.dryRun) return { result: next, written: false };
  if (gone) {
    // COMPAT: watchers see the object go as it was stored, the answer shows it as this update left it.
    const removed = await storage.delete(key, revision);
    if (removed.ok) {
      await strategy.deleted?.(next);
      const revisionText = String(removed.entry.revision);
      return { result: withResourceVersion(next, revisionText), written: true };
    }
    return { result: undefined, written: false };
  }
  if (deepEqual(next, old)) return { result: old, written: false };
  const result = await storage.update(key, next, revision);
  if (result.ok) return { result: result.entry.value, written: true };
  return { result: undefined, written: false };
}

/** An object whose deletion has begun and that nothing holds any more. */
function mayGo({ metadata }: KubeObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0
  );
}

/** Where kube-apiserver keeps its built-in resources, where that is not under their own names. */
const UPSTREAM_ROOTS: Readonly<Record<string, string>> = {
  endpoints: 'services/endpoints',
  ingresses: 'ingress',
  nodes: 'minions',
  replicationcontrollers: 'controllers',
  services: 'services/specs',
};
const QUALIFIED_ROOTS = ['apiextensions.k8s.io', 'apiregistration.k8s.io'];

/** The key under which kube-apiserver would keep the object in etcd, as messages show it. */
function upstreamKey(
  { group, custom, namespaced }: ResourceCall['served']['definition'],
  resource: string,
  namespace: string,
  name: string,
): string {
  const qualified = custom === true || QUALIFIED_ROOTS.includes(group);
  const root = qualified ? `${group}/${resource}` : (UPSTREAM_ROOTS[resource] ?? resource);
  return `/registry/${root}/${namespaced ? `${namespace}/` : ''}${name}`;
}

function checkUid(call: ResourceCall, name: string, expected: string | undefined, old: KubeObject): void {
  const { uid } = old.metadata;
  if (expected === undefined || expected === '' || expected === uid) return;
  const why = `Precondition failed: UID in precondition: ${expected}, UID in object meta: ${uid}`;
  const key = upstreamKey(call.served.definition, resourceOf(call).resource, call.info.namespace, name);
  throw conflict(
    resourceOf(call),
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  );
}

/**
 * Refuses a request that names another version than the stored one. A request that lost a race comes here again with
 * what is stored then, so one that insists on a version fails, and a patch that names none is built anew.
 */
function checkVersion(call: ResourceCall, name: string, given: string | undefined, old: KubeObject): void {
  if (given === undefined || given === '' || given === '0') {
    if (call.served.definition.strategy.requiresResourceVersion === true && call.subresource === undefined) {
      // COMPAT: the resource stands where others have the kind, and the version is shown as a number.
      const { group, resource } = resourceOf(call);
      const error = fieldError.invalid('metadata.resourceVersion', 0, 'must be specified for an update');
      throw invalid({ group, kind: resource }, name, [error]);
    }
    return;
  }
  if (!/^\d+$/.test(given)) {
    // COMPAT: upstream's storage refuses this so late that it is a 500.
    throw new StatusError(500, '', `strconv.ParseUint: parsing ${goQuote(given)}: invalid syntax`);
  }
  if (given !== old.metadata.resourceVersion) throw conflict(resourceOf(call), name, MODIFIED);
}

/** What of an object's metadata a client cannot change is put back without a complaint. */
function updatedMetadata(given: ObjectMeta, old: ObjectMeta): ObjectMeta {
  const { selfLink: _, ...kept } = given as ObjectMeta & { selfLink?: string };
  const metadata: Record<string, unknown> = { ...kept, resourceVersion: old.resourceVersion };
  const keep = (field: keyof ObjectMeta): void => {
    if (old[field] === undefined) delete metadata[field];
    else metadata[field] = old[field];
  };
  keep('creationTimestamp');
  keep('generation');
  if ((given.uid ?? '') === '') keep('uid');
  if (old.deletionTimestamp !== undefined) {
    keep('deletionTimestamp');
    keep('deletionGracePeriodSeconds');
  }
  return metadata;
}

function prepareForUpdate(
  call: ResourceCall,
  given: KubeObject,
  old: KubeObject,
  context: WriteContext,
): KubeObject {
  const { strategy } = call.served.definition;
  const { subresource } = call;
  if (subresource?.part !== undefined) return subresource.part.prepareForUpdate(given, old, context);
  const next = strategy.prepareForUpdate?.(given, old, context) ?? given;
  const { generation = 'never' } = strategy;
  if (generation === 'never') return next;
  const counts = generation === 'spec' ? specChanged(next, old) : generation(next, old);
  if (!counts) return next;
  return withMetadata(next, { ...next.metadata, generation: (old.metadata.generation ?? 0) + 1 });
}

function updateErrors(
  call: ResourceCall,
  next: KubeObject,
  old: KubeObject,
  context: WriteContext,
): readonly FieldError[] {
  const { strategy } = call.served.definition;
  const { part } = call.subresource ?? {};
  if (part !== undefined) return part.validateUpdate?.(next, old, context) ?? [];
  if (strategy.validateUpdate !== undefined) return strategy.validateUpdate(next, old, context);
  return strategy.validate?.(next, context) ?? [];
}

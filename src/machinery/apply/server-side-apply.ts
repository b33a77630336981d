// Server-side apply: merging a configuration into an object by who owns what. Behaviour and messages are those of
// kube-apiserver. Pure: objects in, objects out, the time as a value.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import { errorMessage, formatTime } from '../../base/index.ts';
import { deepEqual } from '../json.ts';
import { goJson } from '../go-text.ts';
import { isJsonList, isJsonObject } from '../json-draft.ts';
import { badRequest, StatusError } from '../status-error.ts';
import { ConflictError } from './apply-conflict.ts';
import { compareObjects } from './compare.ts';
import { endpointOf, type Endpoint, type FieldManagement } from './endpoint.ts';
import { FieldSet } from './field-set.ts';
import { fieldSetFor, typeErrors, withNamedFields, withoutFields } from './field-walks.ts';
import {
  identityOf,
  readManaged,
  ManagedFieldsError,
  type Managed,
  type ManagedSet,
  type ManagerIdentity,
} from './managed-fields.ts';
import { mergeConfiguration } from './merge.ts';
import {
  reconcile,
  STRIPPED,
  takeOver,
  updateManaged,
  withManagedFields,
  withoutManagedFields,
} from './take-over.ts';
import { keepTimes } from './track-update.ts';

const BEFORE_FIRST_APPLY = 'before-first-apply';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export interface AppliedConfiguration {
  /** What is stored; undefined when there is nothing yet. */
  readonly live: KubeObject | undefined;
  /** What the client sent, as it sent it: not defaulted, not pruned. */
  readonly applied: KubeObject;
  readonly manager: string;
  /** Take over what others manage. */
  readonly force: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Returns the object after `manager` applied its configuration: merged, without what it applied last time and not this
 * time (unless others own that), and with managedFields. The result is still to be decoded, defaulted, admitted and
 * validated; call `keepTimes` after that. Throws a StatusError: 409 with the conflicting fields as causes, 400 for a
 * configuration that is not one, 500 (as upstream) for one that does not fit the schema.
 */
export function serverSideApply(request: AppliedConfiguration, management: FieldManagement): KubeObject {
  const { applied, live, manager, force } = request;
  const endpoint = endpointOf(management);
  checkConfiguration(applied, management);
  const result = applyResolvingLastApplied(request, endpoint, force);
  if (manager !== 'kubectl' || !hasLastApplied(result)) return keepTimes(result, live);
  return keepTimes(withLastApplied(result, applied), live);
}

function checkConfiguration(applied: KubeObject, management: FieldManagement): void {
  const { apiVersion, kind } = management;
  if (applied.apiVersion !== apiVersion || applied.kind !== kind) {
    const [version = '', group = ''] = (applied.apiVersion ?? '').split('/').toReversed();
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${applied.kind}`);
  }
  if (Array.isArray(applied.metadata?.managedFields)) throw badRequest('metadata.managedFields must be nil');
}

/** COMPAT: kubectl may take over from itself what it applied client-side before, without being told to force. */
function applyResolvingLastApplied(
  request: AppliedConfiguration,
  endpoint: Endpoint,
  force: boolean,
): KubeObject {
  try {
    return applyOnce(request, endpoint, force);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const allowed =
      request.manager === 'kubectl' && request.live !== undefined
        ? lastAppliedSet(request.live, endpoint)
        : undefined;
    if (allowed === undefined) throw error.toStatus();
    const remaining = error.conflicts.filter(({ path }) => !allowed.has(path));
    if (remaining.length > 0) throw new ConflictError(remaining).toStatus();
    return applyOnce(request, endpoint, true);
  }
}

function applyOnce(request: AppliedConfiguration, endpoint: Endpoint, force: boolean): KubeObject {
  const { live, applied, now } = request;
  const { apiVersion, subresource = '' } = endpoint.management;
  const before = live === undefined ? endpoint.blank : withoutManagedFields(live);
  const config = applied as unknown as JsonValue;
  const errors = typeErrors(config, endpoint.type);
  if (errors.length > 0) throw notTyped(applied, errors);
  const managed = reconcile(managedForApply(live, before, now, endpoint), endpoint);
  const identity: ManagerIdentity = {
    manager: request.manager === '' ? 'unknown' : request.manager,
    operation: 'Apply',
    subresource,
  };
  const key = identityOf(identity, apiVersion);
  const last = managed.get(key);
  const set = fieldSetFor(config, endpoint.type).recursiveDifference(endpoint.reset);
  managed.set(key, { ...identity, apiVersion, time: undefined, set });
  const applies = set.difference(STRIPPED);
  const own = last?.set.equals(applies) === true ? last.set : applies;
  const merged = mergeOrRefuse(before, config, endpoint);
  const pruned = prune(merged, managed, last, set, endpoint);
  const { left } = takeOver(before, pruned, managed, key, force, endpoint);
  // COMPAT: applying what is there already leaves no time, or the one of the last apply that changed something.
  const time = deepEqual(pruned, before) ? last?.time : formatTime(now);
  if (own.isEmpty) left.delete(key);
  else left.set(key, { ...identity, apiVersion, time, set: own });
  return withManagedFields(pruned, left, live?.metadata.managedFields);
}

/** What was there before anything was applied counts as one manager's. */
function managedForApply(
  live: KubeObject | undefined,
  before: JsonValue,
  now: number,
  endpoint: Endpoint,
): Managed {
  let managed: Managed;
  try {
    managed = readManaged(live?.metadata.managedFields);
  } catch (error) {
    if (!(error instanceof ManagedFieldsError)) throw error;
    throw new StatusError(500, '', `failed to decode managed fields: ${error.message}`);
  }
  if (managed.size > 0 || live === undefined) return managed;
  return updateManaged(endpoint.blank, before, managed, BEFORE_FIRST_APPLY, now, endpoint);
}

function notTyped({ metadata, apiVersion, kind }: KubeObject, errors: readonly string[]): StatusError {
  const detail = errors.length === 1 ? errors[0] : `errors:\n${errors.map((one) => `  ${one}`).join('\n')}`;
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const called = `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}; ${group}/${version}, Kind=${kind}`;
  return new StatusError(500, '', `failed to create typed patch object (${called}): ${detail}`);
}

function mergeOrRefuse(before: JsonValue, config: JsonValue, endpoint: Endpoint): JsonValue {
  try {
    return mergeConfiguration(before, config, endpoint.type) ?? {};
  } catch (error) {
    throw new StatusError(500, '', `failed to merge config: ${errorMessage(error)}`);
  }
}

/**
 * Removes what the manager applied last time and not this time. Two things stay nevertheless: what somebody else owns,
 * and what nobody owned (it lies below something removed, but the manager never applied it).
 */
function prune(
  merged: JsonValue,
  managed: Managed,
  last: ManagedSet | undefined,
  set: FieldSet,
  endpoint: Endpoint,
): JsonValue {
  if (last === undefined || last.set.isEmpty) return merged;
  const version = endpoint.version(last.apiVersion);
  if (version === undefined) return merged;
  // Whoever applies what it applied before, and maybe more, gives up nothing.
  if (last.apiVersion === endpoint.management.apiVersion && last.set.isWithin(set)) return merged;
  const { type } = version;
  const whole = version.convert(merged);
  const lastSet = withNamedFields(last.set, type);
  let pruned = withoutFields(whole, lastSet, type);
  pruned = addBackOwned(whole, pruned, managed, last.apiVersion, endpoint);
  const prunedSet = withNamedFields(fieldSetFor(pruned, type), type);
  const wholeSet = withNamedFields(fieldSetFor(whole, type), type);
  const gone = wholeSet.difference(prunedSet).intersection(lastSet);
  return version.convertBack(withoutFields(whole, gone, type));
}

function addBackOwned(
  whole: JsonValue,
  pruned: JsonValue,
  managed: Managed,
  prunedVersion: string,
  endpoint: Endpoint,
): JsonValue {
  const owned = new Map<string, FieldSet>([[prunedVersion, FieldSet.empty]]);
  for (const { apiVersion, set } of managed.values()) {
    owned.set(apiVersion, (owned.get(apiVersion) ?? FieldSet.empty).union(set));
  }
  const home = endpoint.version(prunedVersion);
  let result = pruned;
  for (const [apiVersion, set] of owned) {
    const version = endpoint.version(apiVersion);
    if (version === undefined || home === undefined) continue;
    const there = (object: JsonValue): JsonValue =>
      apiVersion === prunedVersion ? object : version.convert(home.convertBack(object));
    const back = (object: JsonValue): JsonValue =>
      apiVersion === prunedVersion ? object : home.convert(version.convertBack(object));
    const { type } = version;
    const wholeThere = there(whole);
    const wholeSet = withNamedFields(fieldSetFor(wholeThere, type), type);
    const prunedSet = withNamedFields(fieldSetFor(there(result), type), type);
    const kept = prunedSet.union(withNamedFields(set, type));
    result = back(withoutFields(wholeThere, wholeSet.difference(kept), type));
  }
  return result;
}

// ---- kubectl's annotation of what it applied client-side

function lastAppliedText(object: KubeObject): string {
  return object.metadata.annotations?.[LAST_APPLIED] ?? '';
}

function hasLastApplied(object: KubeObject): boolean {
  return lastAppliedText(object) !== '';
}

/** The fields of the last client-side apply that still are as they were applied; undefined: there was none. */
function lastAppliedSet(live: KubeObject, endpoint: Endpoint): FieldSet | undefined {
  const config = parseObject(lastAppliedText(live));
  if (config === undefined || config['apiVersion'] !== endpoint.management.apiVersion) return undefined;
  if (typeErrors(config, endpoint.type).length > 0) return undefined;
  const { modified, added, removed } = compareObjects(config, withoutManagedFields(live), endpoint.type);
  return fieldSetFor(config, endpoint.type).difference(modified).difference(added).difference(removed);
}

function parseObject(text: string): JsonObject | undefined {
  if (text === '') return undefined;
  try {
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function withLastApplied(object: KubeObject, applied: KubeObject): KubeObject {
  const { annotations: given, ...metadata } = applied.metadata ?? {};
  const { [LAST_APPLIED]: _, ...annotations } = given ?? {};
  const configuration = {
    ...applied,
    metadata: given === undefined ? metadata : { ...metadata, annotations },
  };
  const text = `${goJson(withSortedKeys(configuration as unknown as JsonValue))}\n`;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [LAST_APPLIED]: text } },
  };
}

/** As Go writes maps. */
function withSortedKeys(value: JsonValue): JsonValue {
  if (isJsonList(value)) return value.map(withSortedKeys);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(
    entries.map(([key, one]) => [key, one === undefined ? null : withSortedKeys(one)]),
  );
}

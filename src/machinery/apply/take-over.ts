// What a change does to the ownership of fields: others lose what it touches, the writer gains what it sets.
import type { JsonObject, JsonValue, KubeObject, ManagedFieldsEntry } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { deepEqual } from '../json.ts';
import { ConflictError, type Conflict } from './apply-conflict.ts';
import { compareObjects, type Comparison } from './compare.ts';
import type { Endpoint, TypeOfVersion } from './endpoint.ts';
import { fieldSetOf, type FieldSet } from './field-set.ts';
import { reconcileWithType } from './field-walks.ts';
import {
  capUpdaters,
  identityOf,
  readManaged,
  writeManaged,
  ManagedFieldsError,
  type Managed,
  type ManagerIdentity,
} from './managed-fields.ts';

/** What belongs to the object itself and to nobody in particular. */
export const STRIPPED = fieldSetOf(
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation'].map(
    (name) => ['metadata', name],
  ),
  ['metadata', 'managedFields'],
  ['metadata', 'resourceVersion'],
);
export function withoutManagedFields(object: KubeObject): JsonObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return (object.metadata.managedFields === undefined
    ? object
    : { ...object, metadata }) as unknown as JsonObject;
}

/** `before`: the entries that the object has in store. */
export function withManagedFields(
  object: JsonValue,
  managed: Managed,
  before: readonly ManagedFieldsEntry[] | undefined,
): KubeObject {
  const { managedFields: _, ...metadata } = (object as unknown as KubeObject).metadata ?? {};
  const entries = writeManaged(managed);
  // Written anew they would be equal objects; shared they are the same, and known to be.
  const kept = before !== undefined && deepEqual(entries, before) ? before : entries;
  return {
    ...(object as unknown as KubeObject),
    metadata: kept === undefined ? metadata : { ...metadata, managedFields: kept },
  };
}

/** What is managed now. Nobody's, when it cannot be read. */
export function readOrEmpty(entries: readonly ManagedFieldsEntry[] | undefined): Managed {
  try {
    return readManaged(entries);
  } catch (error) {
    if (error instanceof ManagedFieldsError) return new Map();
    throw error;
  }
}

export function updateManaged(
  before: JsonValue,
  after: JsonValue,
  managed: Managed,
  manager: string,
  now: number,
  endpoint: Endpoint,
): Managed {
  const { apiVersion, subresource = '' } = endpoint.management;
  const identity: ManagerIdentity = {
    manager: manager === '' ? 'unknown' : manager,
    operation: 'Update',
    subresource,
  };
  const key = identityOf(identity, apiVersion);
  const reconciled = reconcile(managed, endpoint);
  const { left, change } = takeOver(before, after, reconciled, undefined, true, endpoint);
  const own = change().set.difference(STRIPPED);
  if (!own.isEmpty) {
    const previous = left.get(key);
    const set = previous === undefined ? own : united(own.shared(), previous.set);
    left.set(key, { ...identity, apiVersion, time: formatTime(now), set });
  }
  return capUpdaters(left);
}

/**
 * What a manager has now, by what it gained and what it had. Most writes do what others did before them. Only of sets that
 * many objects share: others would be as many as there are objects.
 */
const unions = new WeakMap<FieldSet, WeakMap<FieldSet, FieldSet>>();

function united(added: FieldSet, previous: FieldSet): FieldSet {
  if (!added.isShared || !previous.isShared) return added.union(previous);
  let known = unions.get(added);
  if (known === undefined) unions.set(added, (known = new WeakMap()));
  let set = known.get(previous);
  if (set === undefined) known.set(previous, (set = added.union(previous)));
  return set;
}

/** Entries brought in line with what the schemas of their versions say now. */
export function reconcile(managed: Managed, endpoint: Endpoint): Managed {
  const reconciled: Managed = new Map();
  for (const [identity, entry] of managed) {
    const version = endpoint.version(entry.apiVersion);
    if (version === undefined) continue;
    const set = reconcileWithType(entry.set, version.type);
    reconciled.set(identity, set === entry.set ? entry : { ...entry, set });
  }
  return reconciled;
}

interface Change {
  /** What was added or modified. */
  readonly set: FieldSet;
  readonly removed: FieldSet;
}

interface Takeover {
  readonly left: Managed;
  /** What changed, in the endpoint's version. */
  readonly change: () => Change;
}

/** Takes from all managers but `self` what the change touches. Throws ConflictError unless it may `force`. */
export function takeOver(
  before: JsonValue,
  after: JsonValue,
  managed: Managed,
  self: string | undefined,
  force: boolean,
  endpoint: Endpoint,
): Takeover {
  const changes = new Map<string, Change>();
  const changeIn = (apiVersion: string, version: TypeOfVersion): Change => {
    const known = changes.get(apiVersion);
    if (known !== undefined) return known;
    const comparison = compareObjects(version.convert(before), version.convert(after), version.type);
    const made = changeOf(comparison, endpoint.reset);
    changes.set(apiVersion, made);
    return made;
  };
  const left: Managed = new Map();
  const conflicts: Conflict[] = [];
  for (const [identity, entry] of managed) {
    if (identity === self) {
      left.set(identity, entry);
      continue;
    }
    const version = endpoint.version(entry.apiVersion);
    if (version === undefined) continue;
    const { set, removed } = changeIn(entry.apiVersion, version);
    if (!force) for (const path of entry.set.intersection(set).paths()) conflicts.push({ entry, path });
    const kept = entry.set.difference(set).difference(removed);
    if (!kept.isEmpty) left.set(identity, kept === entry.set ? entry : { ...entry, set: kept });
  }
  if (conflicts.length > 0) throw new ConflictError(conflicts);
  const { apiVersion } = endpoint.management;
  const version = endpoint.version(apiVersion);
  if (version === undefined) throw new Error(`no version ${apiVersion}`);
  return { left, change: () => changeIn(apiVersion, version) };
}

function changeOf({ removed, modified, added }: Comparison, reset: FieldSet): Change {
  return {
    set: modified.union(added).recursiveDifference(reset),
    removed: removed.recursiveDifference(reset),
  };
}

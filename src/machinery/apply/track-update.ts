// managedFields after a create, update or patch. Pure: objects in, objects out, the time as a value.
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { deepEqual } from '../json.ts';
import { endpointOf, type Endpoint, type FieldManagement } from './endpoint.ts';
import { FieldSet } from './field-set.ts';
import { noteInLine } from './field-walks.ts';
import { firstOwnership } from './first-ownership.ts';
import { writeSet, type Managed } from './managed-fields.ts';
import {
  STRIPPED,
  readOrEmpty,
  updateManaged,
  withManagedFields,
  withoutManagedFields,
} from './take-over.ts';

function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined) return false;
  return entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] ?? {}).length === 0);
}

/** COMPAT: clients may edit managedFields, or reset them with an empty entry; what they leave out stays. */
function managedForUpdate(
  live: KubeObject | undefined,
  next: KubeObject,
  subresource: string | undefined,
): Managed {
  const own = next.metadata.managedFields;
  const before = live?.metadata.managedFields;
  if (subresource !== undefined) return readOrEmpty(before);
  if (isReset(own)) return new Map();
  if (deepEqual(own, before)) return readOrEmpty(before);
  const managed = readOrEmpty(own);
  return managed.size === 0 ? readOrEmpty(before) : managed;
}

export interface TrackedUpdate {
  /** What is stored; undefined when the object is being created. */
  readonly live: KubeObject | undefined;
  /** What is about to be stored, after patches, defaults and admission. */
  readonly next: KubeObject;
  /** Who writes; empty: unknown. */
  readonly manager: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Returns `next` with managedFields as they are after a create, update or patch by `manager`: it owns what the write
 * changes, and others lose that. When the write changes nothing that is managed, times stay as they were.
 */
export function trackUpdate(update: TrackedUpdate, management: FieldManagement): KubeObject {
  const { live, next, now } = update;
  const endpoint = endpointOf(management);
  const managed = managedForUpdate(live, next, management.subresource);
  const bare = withoutManagedFields(next);
  // COMPAT: what was never tracked (or was reset) is not tracked until it is applied.
  if (managed.size === 0 && live?.metadata.uid !== undefined) return bare as unknown as KubeObject;
  if (live === undefined && managed.size === 0) {
    const created = withFirstOwnership(bare, update, endpoint);
    if (created !== undefined) return created;
  }
  const before = live === undefined ? endpoint.blank : withoutManagedFields(live);
  const tracked = updateManaged(before, bare, managed, update.manager, now, endpoint);
  return withManagedFields(bare, tracked, live?.metadata.managedFields);
}

/** Undefined: for the general way. */
function withFirstOwnership(
  bare: JsonObject,
  { manager, now }: TrackedUpdate,
  { blank, type, reset, management }: Endpoint,
): KubeObject | undefined {
  const owned = firstOwnership(blank, bare, type, { whole: reset, alone: STRIPPED });
  if (owned === 'unusual') return undefined;
  const object = bare as unknown as KubeObject;
  if (owned.fields === undefined) return object;
  const set = FieldSet.ofOwnFields(owned.fields);
  noteInLine(set, type);
  const entry = writeSet({
    manager: manager === '' ? 'unknown' : manager,
    operation: 'Update',
    subresource: management.subresource ?? '',
    apiVersion: management.apiVersion,
    time: formatTime(now),
    set,
  });
  return { ...object, metadata: { ...object.metadata, managedFields: Object.freeze([entry]) } };
}

/**
 * Returns `next`, or with the times of `live` when the two differ in nothing else of their managedFields and in
 * nothing at all beside: a write that changes nothing must come out as nothing.
 */
export function keepTimes(next: KubeObject, live: KubeObject | undefined): KubeObject {
  const entries = next.metadata.managedFields;
  const before = live?.metadata.managedFields;
  if (live === undefined || entries === undefined || before === undefined) return next;
  if (entries.length !== before.length || !sameButManagedFields(next, live)) return next;
  const byIdentity = readOrEmpty(before);
  for (const [identity, entry] of readOrEmpty(entries)) {
    const old = byIdentity.get(identity);
    if (old === undefined || old.apiVersion !== entry.apiVersion) return next;
    if (old.set !== entry.set && !deepEqual(old.set.toFields(), entry.set.toFields())) return next;
  }
  return live;
}

function sameButManagedFields(a: KubeObject, b: KubeObject): boolean {
  const rest = { metadata: undefined };
  return (
    deepEqual({ ...a, ...rest }, { ...b, ...rest }) &&
    deepEqual({ ...a.metadata, managedFields: undefined }, { ...b.metadata, managedFields: undefined })
  );
}

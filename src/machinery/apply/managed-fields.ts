// metadata.managedFields, read into sets by manager and written back in kube-apiserver's order.
import type { JsonObject, ManagedFieldsEntry } from '../../api/index.ts';
import { goQuote } from '../go-text.ts';
import { isJsonObject } from '../json-draft.ts';
import { parseTime } from '../time.ts';
import { FieldSet } from './field-set.ts';

/** Who manages fields: entries with the same identity are one. */
export interface ManagerIdentity {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: string;
}

export interface ManagedSet extends ManagerIdentity {
  readonly apiVersion: string;
  readonly time: string | undefined;
  readonly set: FieldSet;
  /** The entry from which it was read, or from which it was made. */
  readonly read?: ManagedFieldsEntry;
}

/** By identity. */
export type Managed = Map<string, ManagedSet>;

/** managedFields that nobody wrote by our rules. */
export class ManagedFieldsError extends Error {
  override name = 'ManagedFieldsError';
}

/** What one manager does by update is kept apart by version; what it applies is not. */
export function identityOf(identity: ManagerIdentity, apiVersion: string): string {
  const version = identity.operation === 'Update' ? apiVersion : '';
  return JSON.stringify([identity.manager, identity.operation, version, identity.subresource]);
}

/** Throws ManagedFieldsError. */
export function readManaged(entries: readonly ManagedFieldsEntry[] | undefined): Managed {
  const managed: Managed = new Map();
  entries?.forEach((entry, index) => {
    const { operation, apiVersion = '', fieldsType = '', fieldsV1, manager = '', subresource = '' } = entry;
    if (operation !== 'Apply' && operation !== 'Update') {
      throw new ManagedFieldsError('operation must be `Apply` or `Update`');
    }
    if (apiVersion === '') throw new ManagedFieldsError('apiVersion must not be empty');
    if (fieldsType === '')
      throw new ManagedFieldsError(`missing fieldsType in managed fields entry ${index}`);
    if (fieldsType !== 'FieldsV1') {
      throw new ManagedFieldsError(
        `invalid fieldsType ${goQuote(fieldsType)} in managed fields entry ${index}`,
      );
    }
    const identity = { manager, operation, subresource } as const;
    managed.set(identityOf(identity, apiVersion), {
      ...identity,
      apiVersion,
      time: entry.time,
      set: readSet(fieldsV1),
      read: entry,
    });
  });
  return managed;
}

/** Why entries cannot be read; undefined when they can. */
export function managedFieldsFault(entries: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  try {
    readManaged(entries);
    return undefined;
  } catch (error) {
    if (!(error instanceof ManagedFieldsError)) throw error;
    return error.message;
  }
}

function readSet(fields: unknown): FieldSet {
  if (!isJsonObject(fields)) return FieldSet.empty;
  try {
    return FieldSet.fromFields(fields);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ManagedFieldsError(`error decoding set: ${error.message}`);
  }
}

/** Undefined when nobody manages anything. */
export function writeManaged(managed: Managed): readonly ManagedFieldsEntry[] | undefined {
  if (managed.size === 0) return undefined;
  const sets = [...managed.values()];
  if (sets.length > 1) sets.sort(compareSets);
  return Object.freeze(sets.map(writeSet));
}

/** A write changes few of an object's entries; the others stay the very objects that they were. */
export function writeSet(managed: ManagedSet): ManagedFieldsEntry {
  const { manager, operation, apiVersion, time, set, subresource, read } = managed;
  const fieldsV1 = set.toFields();
  if (read !== undefined && isWrittenAs(read, managed, fieldsV1)) return read;
  return Object.freeze({
    ...(manager === '' ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource === '' ? {} : { subresource }),
  });
}

const IN_ORDER = ['manager', 'operation', 'apiVersion', 'time', 'fieldsType', 'fieldsV1', 'subresource'];

/** Whether an entry is to the byte what would be written. */
function isWrittenAs(entry: ManagedFieldsEntry, wanted: ManagedSet, fieldsV1: JsonObject): boolean {
  let last = -1;
  for (const field in entry) {
    const at = IN_ORDER.indexOf(field);
    if (at <= last) return false;
    last = at;
  }
  return (
    entry.fieldsV1 === fieldsV1 &&
    entry.fieldsType === 'FieldsV1' &&
    entry.time === wanted.time &&
    entry.apiVersion === wanted.apiVersion &&
    entry.operation === wanted.operation &&
    entry.manager === (wanted.manager === '' ? undefined : wanted.manager) &&
    entry.subresource === (wanted.subresource === '' ? undefined : wanted.subresource)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const UTC_SECONDS = 'YYYY-MM-DDTHH:MM:SSZ'.length;

/** By whole seconds. Times are nearly always written the same way, and then their texts have their order. */
function compareTimes({ time: a = '' }: ManagedSet, { time: b = '' }: ManagedSet): number {
  if (a === b) return 0;
  if (a.length === UTC_SECONDS && b.length === UTC_SECONDS && a.endsWith('Z') && b.endsWith('Z')) {
    return compareTexts(a, b);
  }
  const seconds = (time: string): number => Math.floor((parseTime(time) ?? 0) / 1000);
  return seconds(a) - seconds(b);
}

function compareSets(a: ManagedSet, b: ManagedSet): number {
  return (
    compareTexts(a.operation, b.operation) ||
    compareTimes(a, b) ||
    compareTexts(a.manager, b.manager) ||
    compareTexts(a.apiVersion, b.apiVersion) ||
    compareTexts(a.subresource, b.subresource)
  );
}

// LIMIT: upstream's bound on how many updaters an object remembers one by one.
const UPDATERS_MAX = 10;
const OLD_UPDATES = 'ancient-changes';

/** Merges the oldest updaters of each version into one entry, until no more than the limit are left. */
export function capUpdaters(managed: Managed): Managed {
  if (managed.size <= UPDATERS_MAX) return managed;
  const updaters = [...managed]
    .filter(([, { operation }]) => operation === 'Update')
    .sort(([a, left], [b, right]) => compareTimes(left, right) || compareTexts(a, b));
  if (updaters.length <= UPDATERS_MAX) return managed;
  const capped: Managed = new Map(managed);
  const firstOfVersion = new Map<string, string>();
  let left = updaters.length;
  for (const [identity, updater] of updaters) {
    if (left <= UPDATERS_MAX) break;
    const { apiVersion, time, set } = updater;
    const first = firstOfVersion.get(apiVersion);
    if (first === undefined) {
      firstOfVersion.set(apiVersion, identity);
      continue;
    }
    const bucket: ManagerIdentity = { manager: OLD_UPDATES, operation: 'Update', subresource: '' };
    const bucketIdentity = identityOf(bucket, apiVersion);
    const base = capped.get(bucketIdentity) ?? capped.get(first);
    if (!capped.has(bucketIdentity)) capped.delete(first);
    capped.delete(identity);
    capped.set(bucketIdentity, {
      ...bucket,
      apiVersion,
      time,
      set: set.union(base?.set ?? FieldSet.empty),
    });
    left--;
  }
  return capped;
}

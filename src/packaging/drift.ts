// What in the cluster is not as it is wanted: found while a package is suspended, shown, and never put right by whoever
// looks. What is compared is the object as it is with the object as an apply would leave it, which the API server
// tells without storing it, so that defaults and spellings are nobody's difference.
// INVARIANT: values are looked at and never kept: what is recorded of a difference is where it is and who wrote it.
import {
  PACKAGE_FIELD_MANAGER,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type ObjectChange,
  type OwnedResourceReference,
} from '../api/index.ts';
import {
  deepEqual,
  differingFields,
  mergePatchBetween,
  ownsField,
  type FieldSteps,
} from '../machinery/index.ts';

/** LIMIT: objects that a status tells of. */
export const CHANGES_MAX = 100;
// LIMIT: places that are told of one object.
const PATHS_MAX = 20;

/** One object that the package consists of. */
export interface ComparedObject {
  /** How it is wanted. */
  readonly wanted: KubeObject;
  /** As it is; absent: it is not there. */
  readonly live?: KubeObject | undefined;
  /** As an apply would leave it; absent: nobody was asked, and only what `wanted` says counts. */
  readonly applied?: KubeObject | undefined;
}

/** What differs from what was applied last; objects of the package that are no part of it last. */
export function driftOf(
  objects: readonly ComparedObject[],
  unexpected: readonly OwnedResourceReference[],
): readonly ObjectChange[] {
  const changes = objects.flatMap((one): readonly ObjectChange[] => {
    if (one.live === undefined) return [{ ...namesOf(one.wanted), class: 'Missing' }];
    const paths = changedPaths(one);
    if (paths.length === 0) return [];
    return [{ ...namesOf(one.wanted), class: 'Modified', ...placesOf(paths, one.live) }];
  });
  const extra = unexpected.map(({ markedForDeletion: _mark, ...reference }): ObjectChange => ({
    ...reference,
    class: 'Unexpected',
  }));
  return [...changes, ...extra].slice(0, CHANGES_MAX);
}

/** What carrying on would do: one entry an object that changes. */
export interface PlannedChange {
  readonly change: ObjectChange;
  /** The difference, for the hash of the plan alone: it may hold what is secret. */
  readonly patch: unknown;
}

/** What applying `objects` and deleting `going` would change, in an order that is always the same. */
export function plannedChanges(
  objects: readonly ComparedObject[],
  going: readonly OwnedResourceReference[],
): readonly PlannedChange[] {
  const written = objects.flatMap((one): readonly PlannedChange[] => {
    const { wanted, live, applied = wanted } = one;
    if (live === undefined)
      return [{ change: { ...namesOf(wanted), operation: 'Create' }, patch: comparable(wanted) }];
    const paths = changedPaths(one);
    if (paths.length === 0) return [];
    const patch = mergePatchBetween(comparable(live), comparable(applied)) ?? {};
    return [{ change: { ...namesOf(wanted), operation: 'Update', ...placesOf(paths, live) }, patch }];
  });
  const deleted = going.map(({ markedForDeletion: _mark, ...reference }): PlannedChange => ({
    change: { ...reference, operation: 'Delete' },
    patch: null,
  }));
  return [...written, ...deleted].sort((a, b) => compare(keyOf(a.change), keyOf(b.change)));
}

function keyOf({ group, kind, namespace = '', name, operation }: ObjectChange): string {
  return [group, kind, namespace, name, operation ?? ''].join('/');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The text whose hash names a plan: the same changes give the same text, and nothing else does. */
export function planText(changes: readonly PlannedChange[]): string {
  return JSON.stringify(changes.map(({ change, patch }) => [keyOf(change), inOrder(patch)]));
}

/** Fields in order of their names, so that the order in which somebody wrote them does not count. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => compare(a, b))
    .map(([key, child]) => [key, inOrder(child)]);
}

function changedPaths({ wanted, live, applied }: ComparedObject): readonly FieldSteps[] {
  if (live === undefined) return [];
  if (applied === undefined) return differingFields(comparable(wanted), comparable(live));
  const [after, before] = [comparable(applied), comparable(live)];
  if (deepEqual(after, before)) return [];
  const both = [...differingFields(after, before), ...differingFields(before, after)];
  return [...new Map(both.map((path) => [pointer(path), path])).values()];
}

/** Without what the API server writes by itself, and what others report. */
export function comparable(object: KubeObject): JsonObject {
  const {
    status: _status,
    metadata,
    ...body
  } = object as unknown as JsonObject & { metadata: KubeObject['metadata'] };
  const { labels, annotations = {}, ownerReferences, finalizers } = metadata;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _last, ...told } = annotations;
  return {
    ...body,
    metadata: {
      ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(told).length === 0 ? {} : { annotations: told }),
      ...(ownerReferences === undefined ? {} : { ownerReferences: ownerReferences as unknown as JsonValue }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
  };
}

function placesOf(
  paths: readonly FieldSteps[],
  { metadata }: KubeObject,
): Pick<ObjectChange, 'paths' | 'managers'> {
  const others = (metadata.managedFields ?? []).filter(
    ({ manager, fieldsV1 }) =>
      manager !== PACKAGE_FIELD_MANAGER && paths.some((path) => ownsField(fieldsV1, path)),
  );
  const managers = [...new Set(others.map(({ manager }) => manager ?? ''))]
    .filter((name) => name !== '')
    .sort();
  return {
    paths: paths.slice(0, PATHS_MAX).map(pointer),
    ...(managers.length === 0 ? {} : { managers }),
  };
}

function pointer(path: FieldSteps): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** How statuses name an object. */
function namesOf({ apiVersion, kind, metadata }: KubeObject): ObjectChange {
  const slash = apiVersion.indexOf('/');
  const { namespace, name = '' } = metadata;
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
    name,
    ...(namespace === undefined || namespace === '' ? {} : { namespace }),
  };
}

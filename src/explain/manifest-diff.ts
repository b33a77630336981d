// What differs between two manifests, field by field, as a person reads it.
import type { JsonValue, KubeObject } from '../api/index.ts';
import { deepEqual } from '../machinery/index.ts';

export interface FieldChange {
  /** As kubectl writes it: `spec.template.spec.containers[0].image`. */
  readonly path: string;
  /** Absent: there was none. */
  readonly before?: JsonValue;
  /** Absent: there is none any more. */
  readonly after?: JsonValue;
}

// LIMIT: differences listed of one manifest.
const CHANGES_MAX = 40;

// What the control plane itself writes into manifests says nothing to a person.
const OURS = /\.karmada\.io\//;

/** What differs between two manifests, field by field, marks of the control plane left out. */
export function manifestChanges(before: KubeObject, after: KubeObject): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  compare(before as unknown as JsonValue, after as unknown as JsonValue, '', changes);
  return changes.slice(0, CHANGES_MAX);
}

function compare(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  path: string,
  into: FieldChange[],
): void {
  if (into.length >= CHANGES_MAX || deepEqual(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let at = 0; at < Math.max(before.length, after.length); at++)
      compare(before[at] as JsonValue, after[at] as JsonValue, `${path}[${at}]`, into);
    return;
  }
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (OURS.test(key) || key === 'resourceVersion' || key === 'uid') continue;
      compare(before[key], after[key], path === '' ? key : `${path}${step(key)}`, into);
    }
    return;
  }
  into.push({
    path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
}

function step(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function isObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether pods are replaced: their template changed. */
export function restartsPods(changes: readonly FieldChange[]): boolean {
  return changes.some(
    ({ path }) => path.startsWith('spec.template.') || path.startsWith('spec.jobTemplate.'),
  );
}

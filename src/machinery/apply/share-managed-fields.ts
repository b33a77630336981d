// managedFields of objects that were just decoded, made to share what they have in common. A text that is parsed gives
// every object trees of its own, a third of its memory, though thousands of them are the same.
import { LEAF, sharedFields } from './shared-fields.ts';
import { deepFreeze, type JsonObject } from '../../api/index.ts';
import type { PathElement } from './path-element.ts';

// LIMIT: fieldsV1 that are nested deeper stay as they are.
const DEPTH_MAX = 64;
const SELF = '.';

/**
 * Freezes an answer of an API server that was just decoded, through and through, and returns it: an object, a list of
 * objects, or whatever else it is.
 */
export function freezeDecoded<T>(value: T): T {
  shareManagedFields(value);
  const items = fieldOf(value, 'items');
  if (Array.isArray(items)) for (const item of items as readonly unknown[]) shareManagedFields(item);
  return deepFreeze(value);
}

/**
 * Replaces each fieldsV1 of an object by an equal one, frozen, that others have too. What is no fieldsV1 stays.
 * @param object just decoded: not frozen, and not yet seen by anybody else
 */
export function shareManagedFields(object: unknown): void {
  const managed = fieldOf(fieldOf(object, 'metadata'), 'managedFields');
  if (!Array.isArray(managed)) return;
  for (const entry of managed as readonly unknown[]) {
    const tree = fieldOf(entry, 'fieldsV1');
    const shared = isObject(tree) ? share(tree, 0) : undefined;
    if (shared !== undefined) (entry as { fieldsV1: JsonObject }).fieldsV1 = shared;
  }
}

/** Undefined: it is no set of fields in the form in which API servers write them. */
function share(tree: JsonObject, depth: number): JsonObject | undefined {
  if (depth > DEPTH_MAX) return undefined;
  let member = false;
  const elements: PathElement[] = [];
  const below: JsonObject[] = [];
  for (const [element, value] of Object.entries(tree)) {
    if (!isObject(value)) return undefined;
    const shared = share(value, depth + 1);
    if (shared === undefined) return undefined;
    if (element !== SELF) {
      elements.push(element);
      below.push(shared);
    } else if (elements.length === 0 && shared === LEAF) member = true;
    else return undefined;
  }
  return !member && elements.length === 0 ? LEAF : sharedFields(member, elements, below);
}

function fieldOf(value: unknown, field: string): unknown {
  return isObject(value) ? value[field] : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

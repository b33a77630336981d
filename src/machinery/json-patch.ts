// JSON Patch (RFC 6902) in the dialect of kube-apiserver's library, and JSON Merge Patch (RFC 7386).
// The document is never changed: what a patch does not touch is shared with the result.
import type { JsonObject, JsonValue } from '../api/index.ts';
import { goQuote } from './go-text.ts';
import { deepEqual } from './json.ts';
import { badRequest, StatusError } from './status-error.ts';

/** LIMIT: upstream's bound on the operations of one patch; each copies what is on its path. */
const OPERATIONS_MAX = 10_000;

/** LIMIT: kube-apiserver's bound on the bytes that all copies of one patch may add. */
const COPIES_MAX = 3 * 1024 * 1024;

const FIELDS = new Set(['op', 'path', 'from', 'value']);

type Operation = Readonly<Record<string, JsonValue | undefined>>;

/** Why an operation does not apply. Kubernetes answers without it, so it travels as the error's cause. */
class PatchFailure extends Error {
  override name = 'PatchFailure';
}

/**
 * Applies a decoded JSON Patch. COMPAT: negative indices count from the end, `replace` may set a missing key of an
 * object, and an absent value is null. Throws a StatusError: 400 for what is no patch, 413 for too many operations,
 * 422 when an operation does not apply.
 */
export function applyJsonPatch(document: JsonValue, patch: unknown): JsonValue {
  const operations = operationsOf(patch);
  if (operations.length > OPERATIONS_MAX) {
    const why = `The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${operations.length}`;
    throw new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${why}`);
  }
  const draft = new Draft(document);
  try {
    for (const operation of operations) draft.apply(operation);
  } catch (error) {
    if (!(error instanceof PatchFailure)) throw error;
    const message = 'the server rejected our request due to an error in our request';
    throw new StatusError(422, 'Invalid', message, {}, { cause: error });
  }
  return draft.document;
}

function operationsOf(patch: unknown): readonly Operation[] {
  // COMPAT: null is a patch without operations.
  if (patch === null) return [];
  if (!Array.isArray(patch)) {
    throw badRequest(`json: cannot unmarshal ${typeof patch} into Go value of type jsonpatch.Patch`);
  }
  for (const operation of patch as readonly unknown[]) {
    if (typeof operation !== 'object' || operation === null || Array.isArray(operation)) {
      const kind = Array.isArray(operation) ? 'array' : typeof operation;
      throw badRequest(`json: cannot unmarshal ${kind} into Go value of type jsonpatch.Operation`);
    }
  }
  return patch as readonly Operation[];
}

/** What field validation says about keys that no operation has; one line each. */
export function unknownJsonPatchFields(patch: unknown): string[] {
  if (!Array.isArray(patch)) return [];
  return (patch as readonly unknown[]).flatMap((operation, index) =>
    typeof operation !== 'object' || operation === null
      ? []
      : Object.keys(operation)
          .filter((field) => !FIELDS.has(field))
          .map((field) => `json patch unknown field "[${index}].${field}"`),
  );
}

type Container = JsonValue[] | Record<string, JsonValue>;

class Draft {
  document: JsonValue;
  /** Containers made here, which nobody else holds yet: these are changed in place. */
  #own = new WeakSet<object>();
  #copied = 0;

  constructor(document: JsonValue) {
    this.document = document;
  }

  apply(operation: Operation): void {
    const kind = operation['op'];
    switch (kind) {
      case 'add':
        this.#add(text(operation, 'path'), operation['value'] ?? null, 'add');
        break;
      case 'remove':
        this.#remove(text(operation, 'path'), 'remove');
        break;
      case 'replace':
        this.#replace(text(operation, 'path'), operation['value'] ?? null);
        break;
      case 'move': {
        const value = this.#read(text(operation, 'from'), 'move');
        this.#remove(text(operation, 'from'), 'move');
        this.#add(text(operation, 'path'), value ?? null, 'move');
        break;
      }
      case 'copy':
        this.#copy(text(operation, 'from'), text(operation, 'path'));
        break;
      case 'test':
        this.#test(text(operation, 'path'), operation['value'] ?? null);
        break;
      default:
        throw new PatchFailure(`Unexpected kind: ${typeof kind === 'string' ? kind : 'unknown'}`);
    }
  }

  #read(path: string, during: string): JsonValue | undefined {
    const parts = split(path, during);
    const key = parts.pop() ?? '';
    let at: JsonValue | undefined = this.document;
    for (const part of parts) at = isContainer(at) ? child(at, part) : undefined;
    if (!isContainer(at)) throw missingPath(during, path);
    if (Array.isArray(at) && child(at, key) === undefined) throw invalidIndex(during, path, key);
    return child(at, key);
  }

  #copy(from: string, path: string): void {
    const value = this.#read(from, 'copy') ?? null;
    this.#copied += sizeOf(value, COPIES_MAX - this.#copied);
    if (this.#copied > COPIES_MAX) {
      throw new PatchFailure(
        `Unable to complete the copy, the accumulated size increase of copy is more than the limit ${COPIES_MAX}`,
      );
    }
    // The value is about to hang in two places, one of them maybe within itself, so nothing under it may be changed in place.
    this.#own = new WeakSet();
    this.#add(path, value, 'copy');
  }

  #add(path: string, value: JsonValue, during: string): void {
    const { container, key } = this.#writable(path, during);
    if (!Array.isArray(container)) {
      define(container, key, value);
      return;
    }
    if (key === '-') {
      container.push(value);
      return;
    }
    const index = indexOf(key, container.length + 1);
    if (index === undefined || index > container.length) throw invalidIndex(during, path, key);
    container.splice(index, 0, value);
  }

  #remove(path: string, during: string): void {
    const { container, key } = this.#writable(path, during);
    if (!Array.isArray(container)) {
      if (!Object.hasOwn(container, key)) {
        throw new PatchFailure(
          `error in ${during} for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`,
        );
      }
      delete container[key];
      return;
    }
    const index = indexOf(key, container.length);
    if (index === undefined || index >= container.length) throw invalidIndex(during, path, key);
    container.splice(index, 1);
  }

  #replace(path: string, value: JsonValue): void {
    if (path === '') {
      if (!isContainer(value)) throw new PatchFailure('replace operation value must be object or array');
      this.document = value;
      return;
    }
    const { container, key } = this.#writable(path, 'replace');
    if (!Array.isArray(container)) {
      define(container, key, value);
      return;
    }
    const index = indexOf(key, container.length);
    if (index === undefined || index >= container.length) {
      throw new PatchFailure(`replace operation does not apply: doc is missing key: ${path}: missing value`);
    }
    container[index] = value;
  }

  #test(path: string, value: JsonValue): void {
    const actual = path === '' ? this.document : this.#read(path, 'test');
    if (deepEqual(actual ?? null, value)) return;
    throw new PatchFailure(`testing value ${path} failed: test failed`);
  }

  /** The container that holds the last part of `path`, with every container on the way made our own. */
  #writable(path: string, during: string): { container: Container; key: string } {
    const parts = split(path, during);
    const key = parts.pop() ?? '';
    let container = this.#adopt(this.document);
    if (container === undefined) throw missingPath(during, path);
    this.document = container;
    for (const part of parts) {
      const next: Container | undefined = this.#adopt(child(container, part));
      if (next === undefined) throw missingPath(during, path);
      if (Array.isArray(container)) container[indexOf(part, container.length) ?? 0] = next;
      else define(container, part, next);
      container = next;
    }
    return { container, key };
  }

  #adopt(value: JsonValue | undefined): Container | undefined {
    if (!isContainer(value)) return undefined;
    if (this.#own.has(value)) return value;
    const copy: Container = Array.isArray(value) ? [...value] : { ...value };
    this.#own.add(copy);
    return copy;
  }
}

/** About how many bytes a value takes as JSON; anything above `limit` once it is more. */
function sizeOf(value: JsonValue, limit: number): number {
  if (!isContainer(value)) return typeof value === 'string' ? value.length + 2 : 5;
  let size = 2;
  for (const [key, inner] of Object.entries(value)) {
    size += (Array.isArray(value) ? 1 : key.length + 4) + sizeOf(inner, limit - size);
    if (size > limit) break;
  }
  return size;
}

/** Own keys only, `__proto__` included. */
function define(container: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
  } else container[key] = value;
}

function isContainer(value: JsonValue | undefined): value is Container {
  return typeof value === 'object' && value !== null;
}

function child(container: Container, key: string): JsonValue | undefined {
  if (!Array.isArray(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  const index = indexOf(key, container.length);
  return index === undefined ? undefined : container[index];
}

/** Negative indices count back from `end`; undefined: not an index, or before the start. */
function indexOf(key: string, end: number): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(key)) return undefined;
  const index = Number(key);
  return index >= 0 ? index : index < -end ? undefined : end + index;
}

function split(path: string, during: string): string[] {
  const parts = path.split('/').slice(1);
  if (parts.length === 0) throw missingPath(during, path);
  return parts.map((part) => part.replace(/~[01]/g, (escape) => (escape === '~1' ? '/' : '~')));
}

function text(operation: Operation, field: 'path' | 'from'): string {
  const value = operation[field];
  if (typeof value === 'string') return value;
  throw new PatchFailure(`${operation['op'] as string} operation failed to decode ${field}: missing value`);
}

function missingPath(during: string, path: string): PatchFailure {
  return new PatchFailure(
    `${during} operation does not apply: doc is missing path: ${goQuote(path)}: missing value`,
  );
}

function invalidIndex(during: string, path: string, key: string): PatchFailure {
  return new PatchFailure(
    `error in ${during} for path: '${path}': Unable to access invalid index: ${key}: invalid index referenced`,
  );
}

// ---- JSON Merge Patch

/** Applies a decoded merge patch: null removes, objects merge, everything else replaces. Throws a 400 StatusError. */
export function applyMergePatch(document: JsonValue, patch: unknown): JsonValue {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    throw badRequest('Invalid JSON Patch');
  }
  return merge(document, patch as JsonObject);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(document: JsonValue, patch: JsonObject): JsonValue {
  if (!isObject(document)) return withoutNulls(patch);
  let merged: Record<string, JsonValue> | undefined;
  for (const key in patch) {
    const change = patch[key];
    if (change === undefined) continue;
    const current = Object.hasOwn(document, key) ? document[key] : undefined;
    if (change === null) {
      if (!Object.hasOwn(document, key)) continue;
      merged ??= { ...(document as Record<string, JsonValue>) };
      delete merged[key];
      continue;
    }
    // COMPAT: a list that replaces an object keeps the nulls inside its objects; anything else loses them.
    const next = isObject(current)
      ? isObject(change)
        ? merge(current, change)
        : change
      : withoutNulls(change);
    if (next === current) continue;
    merged ??= { ...(document as Record<string, JsonValue>) };
    define(merged, key, next);
  }
  return merged ?? document;
}

/** Without the keys whose value is null; nulls in lists stay. */
function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    const pruned = items.map(withoutNulls);
    return pruned.every((item, index) => item === items[index]) ? value : pruned;
  }
  if (!isObject(value)) return value;
  let changed = false;
  const pruned: Record<string, JsonValue> = {};
  for (const key in value) {
    const current = value[key];
    if (current === null || current === undefined) {
      changed = true;
      continue;
    }
    const next = withoutNulls(current);
    changed ||= next !== current;
    define(pruned, key, next);
  }
  return changed ? pruned : value;
}

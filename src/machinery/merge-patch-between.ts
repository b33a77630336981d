// The smallest merge patch (RFC 7386) that turns one version of an object into another. Controllers build the version
// they want by spread and write only what differs; what both share by reference is skipped without being looked at.
import { deepEqual } from './json.ts';

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldOf(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function set(patch: Record<string, unknown>, key: string, value: unknown): void {
  // Plain assignment of `__proto__` would change the patch's prototype instead.
  Object.defineProperty(patch, key, { value, enumerable: true, configurable: true, writable: true });
}

/**
 * The patch from `from` to `to`; undefined when they are the same. Fields that are absent or undefined in `to` are
 * removed. Lists are replaced as a whole.
 */
export function mergePatchBetween(from: object, to: object): Readonly<Record<string, unknown>> | undefined {
  if (from === to) return undefined;
  const before = from as Fields;
  const after = to as Fields;
  const patch: Record<string, unknown> = {};
  let changed = false;
  const change = (key: string, value: unknown): void => {
    set(patch, key, value);
    changed = true;
  };
  for (const key of Object.keys(before)) {
    if (before[key] !== undefined && fieldOf(after, key) === undefined) change(key, null);
  }
  for (const key of Object.keys(after)) {
    const old = fieldOf(before, key);
    const value = after[key];
    if (value === undefined || value === old) continue;
    if (isFields(old) && isFields(value)) {
      const inner = mergePatchBetween(old, value);
      if (inner !== undefined) change(key, inner);
    } else if (!deepEqual(old, value)) {
      change(key, value);
    }
  }
  return changed ? patch : undefined;
}

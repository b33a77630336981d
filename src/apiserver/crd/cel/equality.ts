// Equality and order of CEL values, for functions that compare what the type checker let through.

/** Deep equality; lists by position, maps and objects by key, numbers by value whatever their type. */
export function celEquals(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // oxlint-disable-next-line eqeqeq -- 1n and 1.0 are equal in CEL
  if (isNumber(a) && isNumber(b)) return a == b;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => celEquals(item, b[index]));
  }
  if (Array.isArray(b)) return false;
  if (a instanceof Date || b instanceof Date) return a instanceof Date && b instanceof Date && +a === +b;
  if (ArrayBuffer.isView(a))
    return ArrayBuffer.isView(b) && Buffer.from(a as Uint8Array).equals(b as Uint8Array);
  const [first, second] = [entriesOf(a), entriesOf(b)];
  if (first.size !== second.size) return false;
  for (const [key, value] of first) {
    if (!second.has(key) || !celEquals(value, second.get(key))) return false;
  }
  return true;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function entriesOf(value: object): ReadonlyMap<unknown, unknown> {
  return value instanceof Map ? value : new Map(Object.entries(value));
}

/** Negative, zero or positive. Values of one type that has an order. */
export function celCompare(a: unknown, b: unknown): number {
  const [first, second] = [a as number, b as number];
  if (first < second) return -1;
  return first > second ? 1 : 0;
}

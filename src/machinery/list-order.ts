// The order of a list that is merged from two sides: the patch's items in the patch's order, those only the server
// has in the server's order, woven together so that where both sides know two items the server's order holds.
import type { JsonValue } from '../api/index.ts';

/**
 * Orders `merged`. Items named in `patchOrder` follow it; the others follow `serverOrder`; an item of the server comes
 * before the first patch item that stands after it on the server, else after all of them.
 * `keyOf` tells which items are the same.
 */
export function orderedMerge(
  merged: readonly JsonValue[],
  patchOrder: readonly JsonValue[],
  serverOrder: readonly JsonValue[],
  keyOf: (item: JsonValue) => JsonValue,
): readonly JsonValue[] {
  const inPatch = places(patchOrder, keyOf);
  const onServer = places(serverOrder, keyOf);
  const patched: JsonValue[] = [];
  const serverOnly: JsonValue[] = [];
  for (const item of merged) (inPatch.has(keyOf(item)) ? patched : serverOnly).push(item);
  sortBy(patched, inPatch, keyOf);
  sortBy(serverOnly, onServer, keyOf);
  const ordered: JsonValue[] = [];
  let left = 0;
  let right = 0;
  while (left < serverOnly.length || right < patched.length) {
    const server = serverOnly[left];
    const patch = patched[right];
    if (patch === undefined || (server !== undefined && isBefore(server, patch))) {
      ordered.push(server ?? null);
      left++;
    } else {
      ordered.push(patch);
      right++;
    }
  }
  return ordered.every((item, index) => item === serverOrder[index]) && ordered.length === serverOrder.length
    ? serverOrder
    : ordered;

  function isBefore(a: JsonValue, b: JsonValue): boolean {
    const first = onServer.get(keyOf(a));
    const second = onServer.get(keyOf(b));
    return first !== undefined && second !== undefined && first < second;
  }
}

/** The first place of each key. */
function places(items: readonly JsonValue[], keyOf: (item: JsonValue) => JsonValue): Map<JsonValue, number> {
  const found = new Map<JsonValue, number>();
  items.forEach((item, index) => {
    const key = keyOf(item);
    if (!found.has(key)) found.set(key, index);
  });
  return found;
}

function sortBy(
  items: JsonValue[],
  order: ReadonlyMap<JsonValue, number>,
  keyOf: (item: JsonValue) => JsonValue,
): void {
  items.sort((a, b) => (order.get(keyOf(a)) ?? 0) - (order.get(keyOf(b)) ?? 0));
}

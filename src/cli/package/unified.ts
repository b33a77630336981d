// Two objects as people compare them: lines that go and come, with some around them. Pure.
// INVARIANT: values of Secrets never come out, whichever object holds them.
import type { JsonValue, KubeObject } from '../../api/index.ts';

const CONTEXT = 3;
// LIMIT: cells of the table in which equal lines are looked for; beyond it all that differs is shown as gone and come.
const CELLS_MAX = 4_000_000;

type Line = readonly [mark: ' ' | '-' | '+', text: string];

/** The lines of a unified diff without its header; none: they are the same. */
export function unifiedLines(before: readonly string[], after: readonly string[]): readonly string[] {
  const lines = script(before, after);
  const shown = new Set<number>();
  lines.forEach(([mark], at) => {
    if (mark !== ' ') for (let near = at - CONTEXT; near <= at + CONTEXT; near++) shown.add(near);
  });
  const out: string[] = [];
  let [old, now] = [1, 1];
  for (let at = 0; at < lines.length;) {
    if (!shown.has(at)) {
      // Lines that are not shown are the same on both sides.
      at++;
      old++;
      now++;
      continue;
    }
    let end = at;
    while (end < lines.length && shown.has(end)) end++;
    const hunk = lines.slice(at, end);
    const olds = hunk.filter(([mark]) => mark !== '+').length;
    const news = hunk.filter(([mark]) => mark !== '-').length;
    const range = (first: number, count: number): string => `${count === 0 ? first - 1 : first},${count}`;
    out.push(
      `@@ -${range(old, olds)} +${range(now, news)} @@`,
      ...hunk.map(([mark, text]) => `${mark}${text}`),
    );
    old += olds;
    now += news;
    at = end;
  }
  return out;
}

function script(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++;
  const same = (lines: readonly string[]): readonly Line[] => lines.map((text): Line => [' ', text]);
  return [
    ...same(before.slice(0, start)),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...same(before.slice(before.length - end)),
  ];
}

/** By the longest common subsequence. */
function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const [rows, width] = [before.length, after.length + 1];
  if (rows * width > CELLS_MAX)
    return [...before.map((text): Line => ['-', text]), ...after.map((text): Line => ['+', text])];
  const longest = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      longest[i * width + j] =
        before[i] === after[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < rows || j < after.length) {
    if (i < rows && j < after.length && before[i] === after[j]) {
      lines.push([' ', before[i]!]);
      i++;
      j++;
    } else if (
      j >= after.length ||
      (i < rows && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)
    )
      lines.push(['-', before[i++]!]);
    else lines.push(['+', after[j++]!]);
  }
  return lines;
}

// ---- what nobody may read

interface Pair {
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
}

/**
 * Both sides without values of Secrets: those of Secrets themselves, and what came out of one into another object.
 * @param isSecretPlace whether a place of this object, as a JSON pointer, is filled from a Secret
 */
export function withoutSecrets(
  kind: string,
  pair: Pair,
  secrets: readonly string[],
  isSecretPlace: (pointer: string) => boolean,
): Pair {
  const hidden = (pointer: string, leaf: JsonValue): boolean =>
    (kind === 'Secret' && /^\/(data|stringData)\//.test(pointer)) ||
    isSecretPlace(pointer) ||
    (typeof leaf === 'string' && secrets.some((secret) => leaf.includes(secret)));
  const [before, after] = [leavesOf(pair.before), leavesOf(pair.after)];
  const all = new Set([...before.keys(), ...after.keys()]);
  const places = new Map<string, boolean>();
  for (const pointer of all) {
    const sides = [before.get(pointer), after.get(pointer)];
    if (sides.some((leaf) => leaf !== undefined && hidden(pointer, leaf)))
      places.set(pointer, sides[0] === sides[1]);
  }
  return {
    before: masked(pair.before, places, '*** (before)', ''),
    after: masked(pair.after, places, '*** (after)', ''),
  };
}

function masked<T extends JsonValue | undefined>(
  value: T,
  places: ReadonlyMap<string, boolean>,
  word: string,
  pointer: string,
): T {
  const same = places.get(pointer);
  if (same !== undefined) return (same ? '***' : word) as T;
  if (Array.isArray(value))
    return value.map((item, index) => masked(item, places, word, `${pointer}/${index}`)) as unknown as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      masked(child, places, word, `${pointer}/${escaped(key)}`),
    ]),
  ) as T;
}

/** Places that hold one of these texts. */
export function placesOf(object: KubeObject, secrets: readonly string[]): readonly string[] {
  return [...leavesOf(object as unknown as JsonValue)]
    .filter(([, leaf]) => typeof leaf === 'string' && secrets.some((secret) => leaf.includes(secret)))
    .map(([pointer]) => pointer);
}

function leavesOf(
  value: JsonValue | undefined,
  pointer: string = '',
  found: Map<string, JsonValue> = new Map(),
): ReadonlyMap<string, JsonValue> {
  if (value === undefined) return found;
  if (typeof value !== 'object' || value === null) return found.set(pointer, value);
  const entries: readonly (readonly [string | number, JsonValue | undefined])[] = Array.isArray(value)
    ? value.map((item, index) => [index, item as JsonValue] as const)
    : Object.entries(value);
  for (const [key, child] of entries) leavesOf(child, `${pointer}/${escaped(String(key))}`, found);
  return found;
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

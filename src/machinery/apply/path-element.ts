// One step of a path in managedFields: a field, an item of a list map by its keys, an item of a set by its value.
// Elements are kept in the form in which managedFields writes them (`f:spec`, `k:{"name":"a"}`, `v:"x"`), which is
// canonical, so that equal elements are equal texts.
import type { JsonObject, JsonValue } from '../../api/index.ts';
import { goJson } from '../go-text.ts';
import { sortTexts } from '../sort-texts.ts';

export type PathElement = string;

// LIMIT: fields whose elements are kept: those of all kinds of a hub are some thousands, and users name some more.
const FIELDS_MAX = 5_000;
const fields = new Map<string, PathElement>();

/** One text for each name: made anew at every write, it would have to be hashed anew in every set that it goes into. */
export function fieldElement(name: string): PathElement {
  let element = fields.get(name);
  if (element === undefined) {
    if (fields.size >= FIELDS_MAX) fields.clear();
    element = `f:${name}`;
    fields.set(name, element);
  }
  return element;
}

export function valueElement(value: JsonValue): PathElement {
  return `v:${goJson(value)}`;
}

/** `keys` in any order. */
export function keyElement(keys: readonly (readonly [string, JsonValue])[]): PathElement {
  const sorted = keys.length === 1 ? keys : keys.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `k:{${sorted.map(([name, value]) => `${goJson(name)}:${goJson(value)}`).join()}}`;
}

/** The field's name, when the element is a field. */
export function fieldName(element: PathElement): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined;
}

export function isKey(element: PathElement): boolean {
  return element.startsWith('k:');
}

/** Reads an element as somebody wrote it. Undefined: of a kind that is not known here. Throws SyntaxError. */
export function parseElement(text: string): PathElement | undefined {
  switch (text.slice(0, 2)) {
    case 'f:':
      return text;
    case 'k:':
      return keyElement(
        Object.entries(JSON.parse(text.slice(2)) as JsonObject).map(([k, v]) => [k, v ?? null]),
      );
    case 'v:':
      return valueElement(JSON.parse(text.slice(2)) as JsonValue);
    case 'i:':
      if (!/^i:-?\d+$/.test(text)) throw new SyntaxError(`not an index: ${text}`);
      return text;
    default:
      if (text[1] !== ':') throw new SyntaxError(`missing colon: ${text}`);
      return undefined;
  }
}

/** In the order in which field sets are written: fields, then keys, then values, then indices. */
export function sortElements(elements: readonly PathElement[]): readonly PathElement[] {
  // Nearly all elements are fields or plain names of items, and every write sorts dozens of them.
  if (elements.every(isField) || arePlainNames(elements)) return sortTexts([...elements]);
  const ranked = elements.map((element) => ({
    element,
    rank: RANKS.indexOf(element[0] ?? ''),
    content: contentOf(element),
  }));
  return ranked.sort(compareRanked).map(({ element }) => element);
}

const isField = (element: PathElement): boolean => element.charCodeAt(0) === 0x66;

/** Whether all are items by one key that is the same text but for a value, and so are in the order of these texts. */
function arePlainNames(elements: readonly PathElement[]): boolean {
  const [first = ''] = elements;
  const start = first.indexOf('":"') + 3;
  if (start < 3 || !isKey(first)) return false;
  const prefix = first.slice(0, start);
  return elements.every(
    (element) => element.startsWith(prefix) && isPlain(element, start, element.length - 2),
  );
}

/** Nothing that JSON escapes, no second key, and nothing that comes before the `"` after a shorter value. */
function isPlain(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x22 || code === 0x5c) return false;
  }
  return text.charCodeAt(to) === 0x22;
}

const RANKS = ['f', 'k', 'v', 'i'];

interface Ranked {
  readonly element: PathElement;
  readonly rank: number;
  /** The keys or the value in the element. */
  readonly content: JsonValue;
}

function compareRanked(a: Ranked, b: Ranked): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  switch (a.element[0]) {
    case 'k':
      return compareKeys(a.content as JsonObject, b.content as JsonObject);
    case 'v':
    case 'i':
      return compareValues(a.content, b.content);
    default:
      return a.element < b.element ? -1 : a.element > b.element ? 1 : 0;
  }
}

function contentOf(element: PathElement): JsonValue {
  return isField(element) ? element : (JSON.parse(element.slice(2)) as JsonValue);
}

function compareKeys(a: JsonObject, b: JsonObject): number {
  const left = Object.entries(a);
  const right = Object.entries(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [leftName = '', leftValue = null] = left[i] ?? [];
    const [rightName = '', rightValue = null] = right[i] ?? [];
    if (leftName !== rightName) return leftName < rightName ? -1 : 1;
    const order = compareValues(leftValue, rightValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

const TYPES = ['number', 'string', 'boolean', 'object'];

function compareValues(a: JsonValue, b: JsonValue): number {
  const types = TYPES.indexOf(typeof a) - TYPES.indexOf(typeof b);
  if (types !== 0) return types;
  if (typeof a === 'object' || typeof b === 'object') {
    const left = JSON.stringify(a);
    const right = JSON.stringify(b);
    return left < right ? -1 : left > right ? 1 : 0;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The element as messages show it: `.spec`, `[name="a"]`, `[="x"]`, `[3]`. */
export function elementText(element: PathElement): string {
  switch (element[0]) {
    case 'k': {
      const keys = Object.entries(contentOf(element) as JsonObject);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join()}]`;
    }
    case 'v':
      return `[=${JSON.stringify(contentOf(element))}]`;
    case 'i':
      return `[${element.slice(2)}]`;
    default:
      return `.${element.slice(2)}`;
  }
}

export function pathText(path: readonly PathElement[]): string {
  return path.map(elementText).join('');
}

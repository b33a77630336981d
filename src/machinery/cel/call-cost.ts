// What calls cost when they are run, in kube-apiserver's units: one is about 50 ns of its time. How far a rule may go is
// part of the API, so the numbers are the same here.
import { ListValue, MapValue, OpaqueValue, Optional, characterCount, type Value } from './values.ts';
import { byteLength } from '../go-text.ts';
import type { FormatValue } from './kubernetes-types.ts';

/** For each character of a text that is walked over. */
export const PER_CHARACTER = 0.1;
/** For each character of a pattern, times what walking over the text costs. */
export const PER_PATTERN_CHARACTER = 0.25;
export const LIST_CREATION = 10;
export const MAP_CREATION = 30;
export const STRUCT_CREATION = 40;
// Two questions to an authorizer are what one expression can pay for.
const ACCESS_CHECK = 350_000;

type Cost = (args: readonly Value[], result: Value) => number;

const one: Cost = () => 1;

/** How much there is of a value. */
export function sizeOf(value: Value | undefined): number {
  if (typeof value === 'string') return characterCount(value);
  if (value instanceof ListValue || value instanceof MapValue || value instanceof OpaqueValue)
    return value.size;
  if (value instanceof Uint8Array) return value.length;
  return value instanceof Optional && value.value !== undefined ? sizeOf(value.value) : 1;
}

const walk = (size: number, times = 1): number => Math.ceil(size * times * PER_CHARACTER);
const search = (size: number, patternLength: number): number =>
  Math.ceil((1 + size) * PER_CHARACTER) * Math.ceil(patternLength * PER_PATTERN_CHARACTER);

const walkFirst: Cost = ([first]) => walk(sizeOf(first));
const walkFirstTwice: Cost = ([first]) => walk(sizeOf(first), 2);
const searchFirst: Cost = ([text, pattern]) => search(sizeOf(text), sizeOf(pattern));
const walkAll: Cost = ([value]) => (value === undefined ? 0 : traversal(value));

/** All that is in a value. */
function traversal(value: Value): number {
  if (typeof value === 'string') return Math.floor(byteLength(value) * PER_CHARACTER);
  if (value instanceof Uint8Array) return Math.floor(value.length * PER_CHARACTER);
  let sum = 0;
  if (value instanceof ListValue) {
    for (const item of value) sum += traversal(item);
    return sum;
  }
  if (value instanceof MapValue) {
    for (const key of value.keys()) sum += traversal(key) + traversal(value.find(key)!);
    return sum;
  }
  return 1;
}

/** A call that makes a list. */
const making = (steps: number): number => 1 + LIST_CREATION + steps;
const comparingAll = (list: Value | undefined): number => {
  const size = sizeOf(list);
  const first = list instanceof ListValue && size > 0 ? list.at(0) : undefined;
  const isText = typeof first === 'string' || first instanceof Uint8Array;
  return making(Math.floor(size * size * (isText ? 2 + PER_CHARACTER : 2)));
};
const setCost =
  (times: number): Cost =>
  ([a, b]) =>
    1 + sizeOf(a) * sizeOf(b) * times;

const BY_NAME: ReadonlyMap<string, Cost> = new Map<string, Cost>([
  ...['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'].map((name): [string, Cost] => [
    name,
    walkAll,
  ]),
  ...['url', 'lowerAscii', 'upperAscii', 'substring', 'trim'].map((name): [string, Cost] => [
    name,
    walkFirst,
  ]),
  ...['cidr', 'isIP', 'isCIDR', 'quantity', 'isQuantity', 'semver', 'isSemver'].map(
    (name): [string, Cost] => [name, walkFirst],
  ),
  ...['replace', 'split', 'ip.isCanonical'].map((name): [string, Cost] => [name, walkFirstTwice]),
  ['sort', ([list]) => comparingAll(list)],
  ['@sortByAssociatedKeys', ([, keys]) => comparingAll(keys)],
  ['join', (_, result) => walk(sizeOf(result), 2)],
  ['check', () => ACCESS_CHECK],
  ['find', searchFirst],
  ['findAll', searchFirst],
  ['validate', ([format, text]) => search(sizeOf(text), (format as FormatValue).patternLength)],
]);

function containsCost(extra: (args: readonly Value[]) => number): Cost {
  return (args) => walk(2 * sizeOf(args[0])) + extra(args);
}
const maskCost = ([network]: readonly Value[]): number => walk(sizeOf(network)) + 1;
const textCost = ([, text]: readonly Value[]): number => walk(sizeOf(text));

const smaller: Cost = ([a, b]) => walk(Math.min(sizeOf(a), sizeOf(b)));
const joined: Cost = ([a, b]) => walk(sizeOf(a) + sizeOf(b));

const BY_OVERLOAD: ReadonlyMap<string, Cost> = new Map<string, Cost>([
  ['string_to_ip', walkFirst],
  ['cidr_contains_ip_ip', containsCost(() => 0)],
  ['cidr_contains_ip_string', containsCost(textCost)],
  ['cidr_contains_cidr', containsCost(maskCost)],
  ['cidr_contains_cidr_string', containsCost((args) => maskCost(args) + textCost(args))],
  ['lists_range', (_, result) => making(sizeOf(result))],
  ['list_slice', (_, result) => making(sizeOf(result))],
  ['list_reverse', (_, result) => making(sizeOf(result))],
  ['list_flatten', ([list]) => making(sizeOf(list))],
  ['list_flatten_int', ([list, depth]) => making(sizeOf(list) * Number(depth))],
  ['list_distinct', ([list]) => comparingAll(list)],
  ['list_sets_contains_list', setCost(1)],
  ['list_sets_intersects_list', setCost(1)],
  ['list_sets_equivalent_list', setCost(2)],
  ['starts_with_string', ([, prefix]) => walk(sizeOf(prefix))],
  ['ends_with_string', ([, suffix]) => walk(sizeOf(suffix))],
  ['string_to_bytes', walkFirst],
  ['bytes_to_string', walkFirst],
  ['strings_quote', walkFirst],
  ['string_format', walkFirst],
  ['in_list', ([, list]) => sizeOf(list)],
  ['equals', ([a, b]) => (a instanceof OpaqueValue ? 1 : walk(Math.min(sizeOf(a), sizeOf(b))))],
  ['not_equals', smaller],
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((word): [string, Cost][] => [
    [`${word}_string`, smaller],
    [`${word}_bytes`, smaller],
  ]),
  ['add_string', joined],
  ['add_bytes', joined],
  ['matches_string', searchFirst],
  ['contains_string', ([text, part]) => walk(sizeOf(text)) * walk(sizeOf(part))],
]);

/** What calling an overload of a function costs, beside its arguments. */
export function callCost(name: string, overload: string): Cost {
  return BY_NAME.get(name) ?? BY_OVERLOAD.get(overload) ?? one;
}

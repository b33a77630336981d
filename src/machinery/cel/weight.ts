// How much there is of a value, all that is in it counted as often as it is met. Values may share their parts, so that a
// short expression can make one that nobody could walk over: what is too heavy is given up before anything walks over it.
import type { JsonValue } from '../../api/index.ts';
import { ListValue, MapValue, Optional, type Value } from './values.ts';

/** Of JSON, worked out once for each list and object. */
const ofJson = new WeakMap<object, number>();
/** Of lists and maps that expressions have made. */
const ofMade = new WeakMap<object, number>();

export function jsonWeight(json: JsonValue | undefined): number {
  if (typeof json !== 'object' || json === null) return 1;
  let weight = ofJson.get(json);
  if (weight === undefined) {
    weight = 1;
    for (const child of Object.values(json)) weight += jsonWeight(child);
    ofJson.set(json, weight);
  }
  return weight;
}

/** INVARIANT: asked only of values that nobody adds to any more. */
export function weightOf(value: Value | undefined): number {
  if (value instanceof Optional) return weightOf(value.value);
  if (!(value instanceof ListValue || value instanceof MapValue)) return 1;
  const { source } = value;
  if (source !== undefined) return jsonWeight(source);
  let weight = ofMade.get(value);
  if (weight === undefined) {
    weight = 1;
    if (value instanceof ListValue) for (const item of value) weight += weightOf(item);
    else for (const key of value.keys()) weight += weightOf(value.find(key));
    ofMade.set(value, weight);
  }
  return weight;
}

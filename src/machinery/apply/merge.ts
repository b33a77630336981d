// Laying an applied configuration over the live object: what it sets wins, what it does not mention stays.
import type { JsonValue } from '../../api/index.ts';
import { ObjectDraft, isJsonList, isJsonObject, ownField } from '../json-draft.ts';
import {
  childType,
  itemElement,
  kindOf,
  mainKind,
  type FieldType,
  type ListType,
  type MapType,
} from './field-type.ts';
import type { PathElement } from './path-element.ts';

/** `config` must have passed `typeErrors`. Shares with `live` what it does not change. */
export function mergeConfiguration(
  live: JsonValue | undefined,
  config: JsonValue | undefined,
  type: FieldType | undefined,
): JsonValue | undefined {
  if (config === undefined || config === live) return live;
  if (live === undefined || type === undefined) return config;
  const kind = kindOf(type, config) ?? kindOf(type, live) ?? mainKind(type);
  if (kind === 'map' && type.map !== undefined) return mergeMaps(live, config, type.map);
  if (kind === 'list' && type.list !== undefined) return mergeLists(live, config, type.list);
  return config;
}

function mergeMaps(live: JsonValue, config: JsonValue, type: MapType): JsonValue | undefined {
  const left = isJsonObject(live) ? live : {};
  const right = isJsonObject(config) ? config : {};
  if (type.atomic || (Object.keys(left).length === 0 && Object.keys(right).length === 0)) return config;
  const draft = new ObjectDraft(left);
  for (const key in right) {
    const merged = mergeConfiguration(ownField(left, key), right[key], childType(type, key));
    if (merged === undefined) draft.delete(key);
    else draft.set(key, merged);
  }
  return draft.value;
}

function mergeLists(live: JsonValue, config: JsonValue, type: ListType): JsonValue | undefined {
  const left = isJsonList(live) ? live : [];
  const right = isJsonList(config) ? config : [];
  if (type.atomic || (left.length === 0 && right.length === 0)) return config;
  const merged = weave(left, right, type);
  if (merged.length === 0) return undefined;
  const same = merged.length === left.length && merged.every((item, index) => item === left[index]);
  return same ? live : merged;
}

interface Items {
  readonly elements: readonly PathElement[];
  readonly values: ReadonlyMap<PathElement, JsonValue>;
}

/** COMPAT: items of the live list that share a key count as null, so that none of them is merged with. */
function itemsOf(list: readonly JsonValue[], type: ListType): Items {
  const values = new Map<PathElement, JsonValue>();
  const elements = list.map((item) => {
    const element = itemElement(type, item);
    values.set(element, values.has(element) ? null : item);
    return element;
  });
  return { elements, values };
}

/**
 * The order: the configuration's items keep theirs and so do those only the live list has; of the latter each comes
 * as early as the shared items allow.
 */
function weave(live: readonly JsonValue[], config: readonly JsonValue[], type: ListType): JsonValue[] {
  const left = itemsOf(live, type);
  const right = itemsOf(config, type);
  const shared = right.elements.filter((element) => left.values.has(element));
  const merged: JsonValue[] = [];
  const done = new Set<PathElement>();
  let nextShared = 0;
  const take = (element: PathElement): void => {
    done.add(element);
    const value = mergeConfiguration(left.values.get(element), right.values.get(element), type.items);
    if (value !== undefined) merged.push(value);
    if (shared[nextShared] === element) nextShared++;
  };
  let l = 0;
  let r = 0;
  while (l < left.elements.length || r < right.elements.length) {
    const liveElement = left.elements[l];
    const configElement = right.elements[r];
    if (liveElement !== undefined && configElement !== undefined) {
      if (liveElement === configElement) {
        take(configElement);
        l++;
        r++;
        continue;
      }
      const wanted = shared[nextShared];
      if (right.values.has(liveElement) && wanted !== undefined && wanted !== liveElement) {
        l++;
        continue;
      }
    }
    if (liveElement !== undefined) {
      if (!right.values.has(liveElement)) {
        merged.push(live[l] ?? null);
        l++;
        continue;
      }
      if (done.has(liveElement)) l++;
    }
    if (configElement !== undefined) {
      take(configElement);
      r++;
    }
  }
  return merged;
}

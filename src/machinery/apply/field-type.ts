// What server-side apply wants to know of a schema: which values are leaves, which maps and lists are owned field by
// field or item by item, and by what their items are told apart.
import { resolveRef as resolveBuiltinRef, type JsonValue } from '../../api/index.ts';
import { OBJECT_META } from '../embedded-resource.ts';
import { isJsonList, isJsonObject, ownField } from '../json-draft.ts';
import { planFor, type Plan } from '../schema-plan.ts';
import { keyElement, valueElement, type PathElement } from './path-element.ts';

export interface MapType {
  /** Owned as a whole. */
  readonly atomic: boolean;
  /** A field that the schema names. */
  field(name: string): FieldType | undefined;
  /** Any other key; undefined: the schema allows no other. */
  readonly element: FieldType | undefined;
}

export interface ListType {
  readonly atomic: boolean;
  /** Key fields of a list map; empty for a set. */
  readonly keys: readonly string[];
  readonly items: FieldType;
}

/** What kinds of value may stand somewhere; several where the schema leaves it open. */
export interface FieldType {
  /** The JSON type that a scalar must have; `any` for all of them. */
  readonly scalar: 'any' | 'string' | 'number' | 'boolean' | undefined;
  readonly map: MapType | undefined;
  readonly list: ListType | undefined;
  readonly default: JsonValue | undefined;
}

/** Everything below is owned with it. */
const UNTYPED: FieldType = {
  scalar: 'any',
  default: undefined,
  get list(): ListType {
    return { atomic: true, keys: [], items: UNTYPED };
  },
  get map(): MapType {
    return { atomic: true, field: () => undefined, element: UNTYPED };
  },
};

/** No schema: maps are owned key by key, lists as a whole. */
const DEDUCED: FieldType = {
  scalar: 'any',
  default: undefined,
  get list(): ListType {
    return { atomic: true, keys: [], items: UNTYPED };
  },
  get map(): MapType {
    return { atomic: false, field: () => undefined, element: DEDUCED };
  },
};

const SCALAR: FieldType = { scalar: 'any', map: undefined, list: undefined, default: undefined };
const TEXT: FieldType = { ...SCALAR, scalar: 'string' };

const RAW_EXTENSION = 'io.k8s.apimachinery.pkg.runtime.RawExtension';

// Whether unknown fields are kept is inherited by what a structural schema nests; so is being a resource's root.
type Variant = 'plain' | 'open' | 'root' | 'open root';
const types = new WeakMap<Plan, Map<Variant, FieldType>>();

/** The type of a whole object of the schema. */
export function rootType(plan: Plan): FieldType {
  return typeOf(plan, false, true);
}

function typeOf(plan: Plan, open: boolean, root: boolean): FieldType {
  const variant: Variant = root ? (open ? 'open root' : 'root') : open ? 'open' : 'plain';
  let variants = types.get(plan);
  if (variants === undefined) types.set(plan, (variants = new Map()));
  const known = variants.get(variant);
  if (known !== undefined) return known;
  const type = makeType(plan, open, root);
  variants.set(variant, type);
  return type;
}

function makeType(plan: Plan, inherited: boolean, root: boolean): FieldType {
  const { schema } = plan;
  if (plan.definition === RAW_EXTENSION) return { ...UNTYPED, list: UNTYPED.list, map: UNTYPED.map };
  if (plan.special === 'quantity' || plan.special === 'int-or-string') {
    return { ...SCALAR, default: schema.default };
  }
  const open = inherited || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const base = { scalar: undefined, map: undefined, list: undefined, default: schema.default };
  switch (schema.type) {
    case 'object':
      return { ...base, map: new PlannedMap(plan, open, root) };
    case 'array':
      return { ...base, list: listType(plan, open) };
    case 'integer':
    case 'number':
      return { ...base, scalar: 'number' };
    case 'boolean':
      return { ...base, scalar: 'boolean' };
    case 'string':
      return { ...base, scalar: schema.format === undefined || schema.format === 'byte' ? 'string' : 'any' };
    default:
      return { ...base, scalar: 'any', map: new PlannedMap(plan, open, root), list: listType(plan, open) };
  }
}

class PlannedMap implements MapType {
  readonly atomic: boolean;
  readonly #plan: Plan;
  readonly #open: boolean;
  readonly #resource: boolean;
  readonly #fields = new Map<string, FieldType>();
  #element: { readonly type: FieldType | undefined } | undefined;

  constructor(plan: Plan, open: boolean, root: boolean) {
    this.#plan = plan;
    this.#open = open;
    this.#resource = plan.structural && (root || plan.embedded);
    this.atomic = plan.schema['x-kubernetes-map-type'] === 'atomic';
  }

  field(name: string): FieldType | undefined {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const type = this.#fieldType(name);
    // Names that the schema does not know come from users and are not remembered.
    if (type !== undefined) this.#fields.set(name, type);
    return type;
  }

  get element(): FieldType | undefined {
    this.#element ??= { type: this.#elementType() };
    return this.#element.type;
  }

  #fieldType(name: string): FieldType | undefined {
    if (this.#resource) {
      if (name === 'metadata') return typeOf(planFor(OBJECT_META, resolveBuiltinRef), false, false);
      if (name === 'apiVersion' || name === 'kind') return TEXT;
    }
    const property = this.#plan.property(name);
    return property === undefined ? undefined : typeOf(property, this.#open, false);
  }

  #elementType(): FieldType | undefined {
    const { schema, additional } = this.#plan;
    if (additional !== undefined) return typeOf(additional, this.#open, false);
    if (schema.additionalProperties === true) return DEDUCED;
    if (schema.additionalProperties === false) return undefined;
    const nothingNamed = schema.properties === undefined || Object.keys(schema.properties).length === 0;
    return this.#open || nothingNamed ? DEDUCED : undefined;
  }
}

function listType(plan: Plan, open: boolean): ListType {
  const { schema } = plan;
  const items = plan.items === undefined ? UNTYPED : typeOf(plan.items, open, false);
  const kind = schema['x-kubernetes-list-type'];
  if (kind === 'set') return { atomic: false, keys: [], items };
  if (kind === 'map') return { atomic: false, keys: schema['x-kubernetes-list-map-keys'] ?? [], items };
  const strategy = schema['x-kubernetes-patch-strategy'];
  if (kind === undefined && (strategy === 'merge' || strategy === 'merge,retainKeys')) {
    const mergeKey = schema['x-kubernetes-patch-merge-key'];
    return { atomic: false, keys: mergeKey === undefined ? [] : [mergeKey], items };
  }
  return { atomic: true, keys: [], items };
}

/** The kind that `value` is, among those a type allows; undefined: of none, or null, which may be any. */
export type Kind = 'scalar' | 'list' | 'map';

export function kindOf(type: FieldType, value: JsonValue | undefined): Kind | undefined {
  if (isJsonObject(value)) return type.map === undefined ? undefined : 'map';
  if (isJsonList(value)) return type.list === undefined ? undefined : 'list';
  if (value === undefined || value === null) return undefined;
  return type.scalar === undefined ? undefined : 'scalar';
}

/** The kind by which a value is handled when it is of none that its type allows. */
export function mainKind(type: FieldType): Kind {
  return type.map === undefined ? (type.scalar === undefined ? 'list' : 'scalar') : 'map';
}

export function childType(map: MapType, key: string): FieldType | undefined {
  return map.field(key) ?? map.element;
}

/** A list item that has no identity; the message says why. */
export class ItemError extends Error {
  override name = 'ItemError';
}

/** The path element of an item of a set or list map. Throws ItemError. */
export function itemElement(list: ListType, item: JsonValue): PathElement {
  if (list.keys.length === 0) {
    if (isJsonObject(item)) {
      throw new ItemError("associative list without keys has an element that's a map type");
    }
    if (isJsonList(item)) throw new ItemError('not supported: associative list with lists as elements');
    if (item === null)
      throw new ItemError("associative list without keys has an element that's an explicit null");
    return valueElement(item);
  }
  if (item === null) throw new ItemError('associative list with keys may not have a null element');
  if (!isJsonObject(item)) throw new ItemError('associative list with keys may not have non-map elements');
  const keys: [string, JsonValue][] = [];
  for (const name of list.keys) {
    const value = ownField(item, name) ?? list.items.map?.field(name)?.default;
    if (value !== undefined) keys.push([name, value]);
  }
  if (keys.length > 0) return keyElement(keys);
  const names = list.keys.map((name) => JSON.stringify(name)).join(' ');
  throw new ItemError(
    `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  );
}

// Objects and maps of JSON as values, read through the schema and turned into values only where an expression looks.
import type { JsonObject, JsonValue } from '../../api/index.ts';
import { deepEqual } from '../json.ts';
import { escapeField } from './escaping.ts';
import type { Shape } from './shapes.ts';
import { opaque } from './types.ts';
import { MapValue, OpaqueValue, equalValues, noSuchOverload, type Value } from './values.ts';

const UNKNOWN = opaque('unknown');

/** Data of no known type: it can be told whether it is the same. */
export class UnknownValue extends OpaqueValue {
  readonly type = UNKNOWN;
  readonly json: JsonValue;
  constructor(json: JsonValue) {
    super();
    this.json = json;
  }
  equals({ json }: UnknownValue): boolean {
    return deepEqual(this.json, json);
  }
}

/** A map from strings. */
export class JsonMap extends MapValue {
  readonly #json: JsonObject;
  readonly #held: Shape;

  constructor(json: JsonObject, held: Shape) {
    super();
    this.#json = json;
    this.#held = held;
  }

  override get source(): JsonValue {
    return this.#json;
  }

  get size(): number {
    return Object.keys(this.#json).length;
  }

  keys(): readonly string[] {
    return Object.keys(this.#json);
  }

  find(key: Value): Value | undefined {
    if (typeof key !== 'string') throw noSuchOverload();
    const json = Object.hasOwn(this.#json, key) ? this.#json[key] : undefined;
    return json === undefined ? undefined : this.#held.value(json);
  }
}

/** What is known of the fields of an object. */
export interface Fields {
  /** From each way in which expressions may spell a field to its name. */
  readonly names: ReadonlyMap<string, string>;
  /** By name; undefined: a field of no known type. */
  readonly shapes: ReadonlyMap<string, Shape | undefined>;
}

/** An object with fields. A field that is null is taken to be absent. */
export class ObjectValue extends MapValue {
  readonly #json: JsonObject;
  readonly #fields: Fields;

  constructor(json: JsonObject, fields: Fields) {
    super();
    this.#json = json;
    this.#fields = fields;
  }

  override get source(): JsonValue {
    return this.#json;
  }

  get size(): number {
    return Object.keys(this.#json).length;
  }

  keys(): readonly string[] {
    return Object.keys(this.#json).flatMap((name) =>
      this.#fields.shapes.has(name) ? [escapeField(name) ?? name] : [],
    );
  }

  find(key: Value): Value | undefined {
    if (typeof key !== 'string') throw noSuchOverload();
    const name = this.#fields.names.get(key);
    return name === undefined ? undefined : this.#field(name);
  }

  /** As it is in JSON, whether or not expressions could reach it. */
  json(name: string): JsonValue | undefined {
    return Object.hasOwn(this.#json, name) ? this.#json[name] : undefined;
  }

  #field(name: string): Value | undefined {
    const json = this.json(name);
    if (json === undefined || json === null) return undefined;
    const shape = this.#fields.shapes.get(name);
    return shape === undefined ? new UnknownValue(json) : shape.value(json);
  }

  override equals(other: MapValue): boolean {
    if (this.size !== other.size) return false;
    if (!(other instanceof ObjectValue)) return super.equals(other);
    return Object.keys(this.#json).every((name) => this.#sameField(name, other));
  }

  #sameField(name: string, other: ObjectValue): boolean {
    if (!this.#fields.shapes.has(name)) {
      const theirs = other.json(name);
      // COMPAT: what only one of the two has, beside the fields of the schema, makes no difference.
      return theirs === undefined || deepEqual(this.json(name), theirs);
    }
    const [mine, theirs] = [this.#field(name), other.#field(name)];
    if (mine === undefined || theirs === undefined) return mine === theirs;
    return equalValues(mine, theirs);
  }
}

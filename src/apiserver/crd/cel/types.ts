// Schemas as CEL types, and JSON values as values of them: integers are 64 bits wide, times are times, objects have the
// fields of their schema and no others.
import { Duration } from '@marcbachmann/cel-js/evaluator';
import type { Environment } from '@marcbachmann/cel-js';
import type { JsonObject, JsonValue, Schema } from '../../../api/index.ts';
import { parseDuration } from '../../../machinery/index.ts';
import { celEquals } from './equality.ts';

/** How a value of the schema appears in an expression. */
export interface CelType {
  /** As the environment calls it: `int`, `list<Object3>`. */
  readonly name: string;
  convert(value: JsonValue): unknown;
}

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return'.split(
    ' ',
  ),
);

const ESCAPES: Readonly<Record<string, string>> = { '.': '__dot__', '-': '__dash__', '/': '__slash__' };

/** The name of a field in expressions; undefined for names that no expression can spell. */
export function escapeField(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  const escaped = name
    .replaceAll('__', '__underscores__')
    .replaceAll(/[.\-/]/g, (character) => ESCAPES[character]!);
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined;
}

const STRING: CelType = { name: 'string', convert: (value) => value };
const BOOLEAN: CelType = { name: 'bool', convert: (value) => value };
const INTEGER: CelType = { name: 'int', convert: (value) => BigInt(Math.trunc(Number(value))) };
const NUMBER: CelType = { name: 'double', convert: Number };
const BYTES: CelType = { name: 'bytes', convert: (value) => Buffer.from(value as string, 'base64') };
const TIMESTAMP: CelType = {
  name: 'google.protobuf.Timestamp',
  convert: (value) => new Date(value as string),
};
const DURATION: CelType = {
  name: 'google.protobuf.Duration',
  convert: (value) => Duration.fromMilliseconds(parseDuration(value as string)),
};
const DYNAMIC: CelType = { name: 'dyn', convert: dynamic };

const STRING_FORMATS: Readonly<Record<string, CelType>> = {
  byte: BYTES,
  'date-time': TIMESTAMP,
  date: TIMESTAMP,
  duration: DURATION,
};

/** A value that no schema tells more about. */
function dynamic(value: JsonValue): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(dynamic);
  return new Map(Object.entries(value as JsonObject).map(([key, inner]) => [key, dynamic(inner ?? null)]));
}

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Declares in `env` what the schema needs, and gives the type of its values. */
export class TypeBuilder {
  readonly #env: Environment;
  #objects = 0;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** @param resource the schema is that of a whole object: it has apiVersion, kind and the names in metadata */
  typeOf(schema: Schema, resource = false): CelType {
    const type = this.#plainType(schema, resource);
    if (schema.nullable !== true || type === DYNAMIC) return type;
    // Null is a value of its own type; only an open type has room for both.
    return { name: 'dyn', convert: (value) => (value === null ? null : type.convert(value)) };
  }

  #plainType(schema: Schema, resource: boolean): CelType {
    if (schema['x-kubernetes-int-or-string'] === true) return DYNAMIC;
    switch (schema.type) {
      case 'string': {
        const { format = '' } = schema;
        return Object.hasOwn(STRING_FORMATS, format) ? STRING_FORMATS[format]! : STRING;
      }
      case 'boolean':
        return BOOLEAN;
      case 'integer':
        return INTEGER;
      case 'number':
        return NUMBER;
      case 'array':
        return this.#list(schema.items ?? {});
      case 'object':
        return typeof schema.additionalProperties === 'object'
          ? this.#map(schema.additionalProperties)
          : this.#object(schema, resource || schema['x-kubernetes-embedded-resource'] === true);
      default:
        return DYNAMIC;
    }
  }

  #list(schema: Schema): CelType {
    const items = this.typeOf(schema);
    return {
      name: `list<${items.name}>`,
      convert: remembering((value) =>
        Array.isArray(value) ? (value as readonly JsonValue[]).map((item) => items.convert(item)) : value,
      ),
    };
  }

  #map(schema: Schema): CelType {
    const values = this.typeOf(schema);
    return {
      name: `map<string, ${values.name}>`,
      convert: remembering((value) =>
        isObject(value)
          ? new Map(Object.entries(value).map(([key, inner]) => [key, values.convert(inner ?? null)]))
          : value,
      ),
    };
  }

  #object(schema: Schema, resource: boolean): CelType {
    const name = `Object${++this.#objects}`;
    const properties: Record<string, Schema> = { ...schema.properties };
    if (resource) Object.assign(properties, META);
    const fields: [name: string, escaped: string, type: CelType][] = [];
    for (const [field, inner] of Object.entries(properties)) {
      const escaped = escapeField(field);
      if (escaped !== undefined) fields.push([field, escaped, this.typeOf(inner)]);
    }
    // One class for each type: by it the evaluator knows what a value is.
    class Structure {
      constructor(value: JsonObject) {
        for (const [field, escaped, type] of fields) {
          const inner = Object.hasOwn(value, field) ? value[field] : undefined;
          if (inner !== undefined) (this as Record<string, unknown>)[escaped] = type.convert(inner);
        }
      }
    }
    this.#env
      .registerType(name, {
        ctor: Structure,
        fields: Object.fromEntries(fields.map(([, escaped, type]) => [escaped, type.name])),
      })
      .registerOperator(`${name} == ${name}`, celEquals);
    return { name, convert: remembering((value) => (isObject(value) ? new Structure(value) : value)) };
  }
}

/** What rules may know of a whole object besides its own fields. */
const META: Readonly<Record<string, Schema>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } },
};

/** Converts each value once: objects are frozen, and several rules look at the same parts. */
function remembering(convert: (value: JsonValue) => unknown): (value: JsonValue) => unknown {
  const known = new WeakMap<object, unknown>();
  return (value) => {
    if (typeof value !== 'object' || value === null) return convert(value);
    const before = known.get(value);
    if (before !== undefined) return before;
    const converted = convert(value);
    known.set(value, converted);
    return converted;
  };
}

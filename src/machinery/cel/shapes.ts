// What a schema means to expressions: the type of its values, how large they can be, and how JSON becomes a value.
// Fields whose schema says nothing of their type are not there for expressions.
import type { JsonObject, JsonValue, Schema } from '../../api/index.ts';
import { isJsonList, isJsonObject } from '../json-draft.ts';
import { escapeField, isReserved } from './escaping.ts';
import { JsonList, JsonMapList, JsonSetList } from './json-lists.ts';
import { JsonMap, ObjectValue } from './json-values.ts';
import { Duration, Timestamp } from './times.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  STRING,
  TIMESTAMP,
  listOf,
  mapOf,
  objectOf,
  type CelType,
} from './types.ts';
import { EvaluationError, type Value } from './values.ts';

export interface Shape {
  readonly type: CelType;
  /** Characters, items or entries at most; 0 of what has no size. */
  readonly maxSize: number;
  /** The shortest that a value can be in JSON. */
  readonly minBytes: number;
  /** By escaped name. */
  readonly fields?: ReadonlyMap<string, Shape>;
  /** What a list or map holds. */
  readonly held?: Shape;
  /** Throws an EvaluationError when the JSON is not what the schema says. */
  value(json: JsonValue): Value;
}

/** LIMIT: what a request may be at most, and so everything in it. */
export const REQUEST_BYTES_MAX = 3 * 1024 * 1024;
const LONGEST_STRING = REQUEST_BYTES_MAX - 2;
const NAME_CHARACTERS_MAX = 253;

function dataError(expected: string): EvaluationError {
  return new EvaluationError(`invalid data, expected ${expected}`);
}

const goTypeName = (json: JsonValue): string => {
  if (isJsonList(json)) return '[]interface {}';
  if (isJsonObject(json)) return 'map[string]interface {}';
  if (typeof json === 'number') return Number.isInteger(json) ? 'int64' : 'float64';
  return typeof json === 'boolean' ? 'bool' : typeof json;
};

// ---- scalars

function scalar(type: CelType, minBytes: number, read: (json: JsonValue) => Value, maxSize = 0): Shape {
  return { type, minBytes, maxSize, value: read };
}

const BOOLEAN_SHAPE = scalar(BOOL, 4, (json) => {
  if (typeof json !== 'boolean') throw dataError(`bool, got ${goTypeName(json)}`);
  return json;
});

const NUMBER_SHAPE = scalar(DOUBLE, 1, (json) => {
  if (typeof json !== 'number') throw dataError(`float, got ${goTypeName(json)}`);
  return json;
});

const INTEGER_SHAPE = scalar(INT, 1, (json) => {
  if (!Number.isInteger(json)) throw dataError(`int, got ${goTypeName(json)}`);
  return BigInt(json as number);
});

function intOrString(json: JsonValue): Value {
  if (typeof json === 'string') return json;
  if (!Number.isInteger(json)) throw dataError('XIntOrString value to be either a string or integer');
  return BigInt(json as number);
}

function textReader(read: (text: string) => Value): (json: JsonValue) => Value {
  return (json) => {
    if (typeof json !== 'string') throw dataError(`string, got ${goTypeName(json)}`);
    return read(json);
  };
}

const readDuration = textReader((text) => {
  const duration = Duration.parse(text);
  if (duration === undefined) throw new EvaluationError(`Invalid duration ${text}`);
  return duration;
});

function timestampReader(what: string, suffix: string): (json: JsonValue) => Value {
  return textReader((text) => {
    const timestamp = Timestamp.parse(text.toUpperCase() + suffix);
    if (timestamp === undefined) throw new EvaluationError(`Invalid ${what} formatted string ${text}`);
    return timestamp;
  });
}

const readBytes = textReader((text) => Buffer.from(text, 'base64'));

/** A character may take four bytes. */
const boundedSize = ({ maxLength }: Schema): number | undefined =>
  maxLength === undefined ? undefined : Math.max(0, maxLength) * 4;

function enumSize({ enum: values = [] }: Schema): number | undefined {
  if (values.length === 0) return undefined;
  return Math.max(0, ...values.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0)));
}

function stringShape(schema: Schema): Shape {
  switch (schema.format) {
    case 'byte':
      return scalar(
        BYTES,
        2,
        readBytes,
        schema.maxLength === undefined ? LONGEST_STRING : Math.max(0, schema.maxLength),
      );
    case 'duration':
      return scalar(DURATION, 3, readDuration, 32);
    case 'date':
      return scalar(TIMESTAMP, 12, timestampReader('date', 'T00:00:00Z'), 12);
    case 'date-time':
      return scalar(TIMESTAMP, 21, timestampReader('date-time', ''), 32);
    default: {
      const size = boundedSize(schema) ?? enumSize(schema) ?? LONGEST_STRING;
      return scalar(
        STRING,
        2,
        textReader((text) => text),
        size,
      );
    }
  }
}

// ---- everything else

const shapes = new WeakMap<Schema, Shape | null>();
const resourceShapes = new WeakMap<Schema, Shape | null>();

/**
 * Undefined: the schema says nothing of the type of its values.
 * @param resource the schema is that of a whole object, which has apiVersion, kind and names whatever its schema says
 */
export function shapeOf(
  schema: Schema,
  resource = schema['x-kubernetes-embedded-resource'] === true,
): Shape | undefined {
  const known = resource ? resourceShapes : shapes;
  let shape = known.get(schema);
  if (shape === undefined) {
    shape = makeShape(schema, resource, 'self') ?? null;
    known.set(schema, shape);
  }
  return shape ?? undefined;
}

/** Null is a value only where the schema says so. */
function acceptingNull({ nullable }: Schema, shape: Shape): Shape {
  return {
    ...shape,
    value(json) {
      if (json !== null) return shape.value(json);
      if (nullable === true) return null;
      throw new EvaluationError('invalid data, got null for schema with nullable=false');
    },
  };
}

/** @param name what messages call the type of objects there */
function makeShape(schema: Schema, resource: boolean, name: string): Shape | undefined {
  const shape = plainShape(schema, resource, name);
  return shape === undefined ? undefined : acceptingNull(schema, shape);
}

function plainShape(schema: Schema, resource: boolean, name: string): Shape | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return scalar(DYN, 1, intOrString, boundedSize(schema) ?? LONGEST_STRING);
  }
  switch (schema.type) {
    case 'array':
      return listShape(schema, name);
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? mapShape(schema, schema.additionalProperties, name)
        : objectShape(resource ? withNames(schema) : schema, name);
    case 'string':
      return stringShape(schema);
    case 'boolean':
      return BOOLEAN_SHAPE;
    case 'number':
      return NUMBER_SHAPE;
    case 'integer':
      return INTEGER_SHAPE;
    default:
      return undefined;
  }
}

function below(schema: Schema, name: string): Shape | undefined {
  return makeShape(schema, schema['x-kubernetes-embedded-resource'] === true, name);
}

function listShape(schema: Schema, name: string): Shape | undefined {
  const held = schema.items === undefined ? undefined : below(schema.items, `${name}.@idx`);
  if (held === undefined) return undefined;
  const make = listMaker(schema, held);
  return {
    type: listOf(held.type),
    maxSize:
      schema.maxItems === undefined
        ? Math.floor(LONGEST_STRING / (held.minBytes + 1))
        : Math.max(0, schema.maxItems),
    minBytes: 2,
    held,
    value(json) {
      if (!isJsonList(json)) throw dataError('an array for the provided schema with type=array');
      return make(json);
    },
  };
}

function listMaker(schema: Schema, held: Shape): (items: readonly JsonValue[]) => JsonList {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  switch (schema['x-kubernetes-list-type']) {
    case 'set':
      return (items) => new JsonSetList(items, held);
    case 'map':
      return (items) => new JsonMapList(items, held, keys);
    default:
      return (items) => new JsonList(items, held);
  }
}

/** The shortest key, with its quotes, colon and comma. */
const ENTRY_BYTES = 6;

function mapShape(schema: Schema, values: Schema, name: string): Shape | undefined {
  const held = below(values, `${name}.@elem`);
  if (held === undefined) return undefined;
  return {
    type: mapOf(STRING, held.type),
    maxSize:
      schema.maxProperties === undefined
        ? Math.floor(LONGEST_STRING / (held.minBytes + ENTRY_BYTES))
        : Math.max(0, schema.maxProperties),
    minBytes: 2,
    held,
    value: (json) => new JsonMap(asObject(json), held),
  };
}

function asObject(json: JsonValue): JsonObject {
  if (!isJsonObject(json)) throw dataError('a map for the provided schema with type=object');
  return json;
}

function objectShape(schema: Schema, name: string): Shape {
  const fields = new Map<string, Shape>();
  const names = new Map<string, string>();
  const byName = new Map<string, Shape | undefined>();
  let minBytes = 2;
  for (const [field, inner] of Object.entries(schema.properties ?? {})) {
    const escaped = escapeField(field);
    const shape = below(inner, `${name}.${escaped ?? field}`);
    byName.set(field, shape);
    const spellings = escaped === undefined ? [] : isReserved(field) ? [escaped, field] : [escaped];
    for (const spelling of spellings) names.set(spelling, field);
    if (shape === undefined) continue;
    for (const spelling of spellings) fields.set(spelling, shape);
    const required = schema.required?.includes(field) === true && inner.default === undefined;
    if (required) minBytes += field.length + shape.minBytes + 4;
  }
  const types = new Map(Array.from(fields, ([field, { type }]): [string, CelType] => [field, type]));
  return {
    type: objectOf(name, types),
    maxSize: 0,
    minBytes,
    fields,
    value: (json) => new ObjectValue(asObject(json), { names, shapes: byName }),
  };
}

/** With what rules may know of any whole object. */
function withNames(schema: Schema): Schema {
  const { properties } = schema;
  const metadata = properties?.['metadata'];
  const isString = (field: Schema | undefined): boolean => field?.type === 'string';
  const complete =
    isString(properties?.['kind']) &&
    isString(properties?.['apiVersion']) &&
    metadata?.type === 'object' &&
    isString(metadata.properties?.['name']) &&
    isString(metadata.properties?.['generateName']);
  if (complete) return schema;
  const named = (field: string, max: number): Schema => ({
    type: 'string',
    maxLength: Math.min(max, metadata?.properties?.[field]?.maxLength ?? max),
  });
  return {
    ...schema,
    properties: {
      ...properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: {
        type: 'object',
        properties: {
          name: named('name', NAME_CHARACTERS_MAX),
          generateName: named('generateName', NAME_CHARACTERS_MAX - 1),
        },
      },
    },
  };
}

/** The largest size at the end of a way from values of the shape. */
export function maxSizeAt(shape: Shape, path: readonly string[]): number | undefined {
  let current: Shape | undefined = shape;
  for (const step of path) {
    if (step === '@keys') return current?.type.kind === 'map' ? 0 : undefined;
    current = step === '@items' || step === '@values' ? current?.held : current?.fields?.get(step);
  }
  return current?.maxSize;
}

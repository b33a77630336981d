// Which type a value has at run time.
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  NULL,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
  listOf,
  mapOf,
  optionalOf,
  type CelType,
} from './types.ts';
import { ListValue, MapValue, OpaqueValue, Optional, TypeValue, Uint, type Value } from './values.ts';

const LIST = listOf(DYN);
const MAP = mapOf(DYN, DYN);
const OPTIONAL = optionalOf(DYN);

/** COMPAT: objects of a schema are maps at run time. */
export function typeOfValue(value: Value): CelType {
  switch (typeof value) {
    case 'bigint':
      return INT;
    case 'number':
      return DOUBLE;
    case 'string':
      return STRING;
    case 'boolean':
      return BOOL;
    default:
  }
  if (value === null) return NULL;
  if (value instanceof ListValue) return LIST;
  if (value instanceof MapValue) return MAP;
  if (value instanceof Uint) return UINT;
  if (value instanceof Uint8Array) return BYTES;
  if (value instanceof Optional) return OPTIONAL;
  if (value instanceof TypeValue) return TYPE;
  if (value instanceof OpaqueValue) return value.type;
  return value.kind === 'duration' ? DURATION : TIMESTAMP;
}

/** Whether a value is of a type, without looking at what lists and maps hold. */
export function isOfType(value: Value, type: CelType): boolean {
  switch (type.kind) {
    case 'int':
      return typeof value === 'bigint';
    case 'uint':
      return value instanceof Uint;
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'list':
      return value instanceof ListValue;
    case 'map':
    case 'object':
      return value instanceof MapValue;
    case 'type':
      return value instanceof TypeValue;
    case 'duration':
    case 'timestamp':
      return (
        typeof value === 'object' && value !== null && 'nanoseconds' in value && value.kind === type.kind
      );
    case 'opaque':
      return type.name === 'optional_type'
        ? value instanceof Optional
        : value instanceof OpaqueValue && value.type.name === type.name;
    default:
      return true;
  }
}

/** As isOfType, with a look at the first thing that a list or map holds. */
export function isOfTypeInside(value: Value, type: CelType): boolean {
  if (!isOfType(value, type)) return false;
  if (value instanceof ListValue && type.kind === 'list') {
    return value.size === 0 || isOfTypeInside(value.at(0), type.parameters[0]!);
  }
  if (!(value instanceof MapValue) || type.kind !== 'map') return true;
  for (const key of value.keys()) {
    return isOfTypeInside(key, type.parameters[0]!) && isOfTypeInside(value.find(key)!, type.parameters[1]!);
  }
  return true;
}

// Turns a client's JSON into an object of a built-in kind, as decoding into kube-apiserver's Go types and
// encoding again would: fields the kind does not have are dropped (and reported), nulls and empty optional
// values vanish, required structures appear, times and quantities take their canonical form.
// One pass over the value; the input is never changed. What comes out is open for defaults and frozen by the caller,
// but for parts that came frozen out of an earlier pass: these are passed on as they are.
import type { JsonObject, KubeObject, Schema } from '../../api/index.ts';
import { Quantity, badRequest } from '../../machinery/index.ts';
import { formatMicroTime, formatTime } from '../../base/index.ts';
import { isListed } from './value-fields.ts';

/** What decoding found besides the object. */
export interface DecodeReport {
  /** `unknown field "spec.replcias"`, in the order of the input. */
  readonly problems: string[];
}

export type SchemaLookup = (definition: string) => Schema | undefined;

class TypeMismatch extends Error {}

interface Walk {
  readonly path: (string | number)[];
  readonly problems: string[];
  /** The Go structure whose fields are being read. */
  struct: string;
  /** Whether the last step of the path is a map's key, which Go does not tell. */
  inMap: boolean;
}

/** Gives undefined for what Go would leave out. */
type Decode = (value: unknown, walk: Walk) => unknown;

interface Field {
  readonly decode: Decode;
  /** What stands there when nothing was sent: a function, since structures are decoded from nothing. */
  readonly absent: ((walk: Walk) => unknown) | undefined;
}

function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`;
  return text;
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? 'object' : typeof value;
}

function mismatch(value: unknown, walk: Walk, wanted: string, shown = typeName(value)): TypeMismatch {
  const fields = walk.path.filter((step) => typeof step === 'string');
  if (walk.inMap) fields.pop();
  const where = fields.length === 0 ? 'value' : `struct field ${walk.struct}.${fields.join('.')}`;
  return new TypeMismatch(`json: cannot unmarshal ${shown} into Go ${where} of type ${wanted}`);
}

/** COMPAT: types that read themselves do not know where they stand. */
function ownMismatch(value: unknown, wanted: string): TypeMismatch {
  return new TypeMismatch(`json: cannot unmarshal ${typeName(value)} into Go value of type ${wanted}`);
}

/** Open maps come from clients; a key like `__proto__` must become a plain property. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

// ---- scalars

function stringDecoder(keepEmpty: boolean): Decode {
  return (value, walk) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'string') throw mismatch(value, walk, 'string');
    return value === '' && !keepEmpty ? undefined : value;
  };
}

const INT_LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-2_147_483_648, 2_147_483_647],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

function integerDecoder(format: string, keepZero: boolean): Decode {
  const [min, max] = INT_LIMITS[format] ?? INT_LIMITS['int64']!;
  return (value, walk) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'number') throw mismatch(value, walk, format);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw mismatch(value, walk, format, `number ${value}`);
    }
    return value === 0 && !keepZero ? undefined : value;
  };
}

function booleanDecoder(keepFalse: boolean): Decode {
  return (value, walk) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'boolean') throw mismatch(value, walk, 'bool');
    return !value && !keepFalse ? undefined : value;
  };
}

const decodeNumber: Decode = (value, walk) => {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'number') throw mismatch(value, walk, 'float64');
  return value;
};

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const decodeBytes: Decode = (value, walk) => {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'string') throw mismatch(value, walk, '[]uint8');
  const text = /[\r\n]/.test(value) ? value.replaceAll(/[\r\n]/g, '') : value;
  if (!BASE64.test(text)) {
    const at = /[^A-Za-z0-9+/]/.exec(text)?.index ?? text.length - (text.length % 4);
    throw new TypeMismatch(`illegal base64 data at input byte ${at}`);
  }
  return text;
};

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

function timeDecoder(format: (milliseconds: number) => string, micro: boolean): Decode {
  return (value) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'string') throw ownMismatch(value, 'string');
    const milliseconds = RFC3339.test(value) ? Date.parse(value.replace(',', '.')) : Number.NaN;
    if (Number.isNaN(milliseconds)) {
      const quoted = JSON.stringify(value);
      throw new TypeMismatch(
        `parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted} as "2006"`,
      );
    }
    if (micro && /\.\d{6}Z$/.test(value)) return value;
    return format(milliseconds);
  };
}

const decodeQuantity: Decode = (value) => {
  if (value === null || value === undefined) return '0';
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
  try {
    return Quantity.parse(text).toString();
  } catch (error) {
    throw new TypeMismatch((error as Error).message);
  }
};

const decodeIntOrString: Decode = (value) => {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw ownMismatch(value, 'int32');
};

/** Values without a schema of their own: kept as they came, copied unless they are frozen already. */
const decodeAnything: Decode = (value) => (value === undefined ? undefined : freezeCopy(value));

function freezeCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(freezeCopy));
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) setOwn(copy, key, freezeCopy((value as JsonObject)[key]));
  return Object.freeze(copy);
}

// ---- compounds

interface Item {
  readonly decode: Decode;
  /** What a null element becomes. */
  readonly zero: (walk: Walk) => unknown;
  readonly goType: string;
}

function listDecoder(item: Item, keepEmpty: boolean): Decode {
  return (value, walk) => {
    if (value === null || value === undefined) return undefined;
    if (!Array.isArray(value)) throw mismatch(value, walk, `[]${item.goType}`);
    if (value.length === 0 && !keepEmpty) return undefined;
    const list: unknown[] = Array.from({ length: value.length });
    for (let i = 0; i < value.length; i++) {
      walk.path.push(i);
      list[i] = item.decode(value[i], walk) ?? item.zero(walk);
      walk.path.pop();
    }
    return list;
  };
}

function mapDecoder(item: Item): Decode {
  return (value, walk) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw mismatch(value, walk, `map[string]${item.goType}`);
    }
    const keys = Object.keys(value);
    if (keys.length === 0) return undefined;
    const map: Record<string, unknown> = {};
    for (const key of keys) {
      walk.path.push(key);
      walk.inMap = true;
      setOwn(map, key, item.decode((value as JsonObject)[key], walk) ?? item.zero(walk));
      walk.inMap = false;
      walk.path.pop();
    }
    return map;
  };
}

// Parts that are worth remembering: specs, statuses and pod templates, which writers send back as they got them.
const KNOWN_DEPTH = 3;
const KNOWN_FIELDS = 6;

class StructDecoder {
  readonly #goType: string;
  readonly #name: string;
  readonly #fields = new Map<string, Field>();
  readonly #present: [string, Field][] = [];
  /** Results of this decoder, which need no second pass when they come back inside a new object. */
  readonly #known = new WeakSet<object>();

  constructor(goType: string) {
    this.#goType = goType;
    this.#name = goType.slice(goType.indexOf('.') + 1);
  }

  complete(fields: ReadonlyMap<string, Field>): void {
    for (const [name, field] of fields) {
      this.#fields.set(name, field);
      if (field.absent !== undefined) this.#present.push([name, field]);
    }
  }

  readonly decode: Decode = (value, walk) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) throw mismatch(value, walk, this.#goType);
    const { path } = walk;
    const memorable =
      this.#fields.size >= KNOWN_FIELDS &&
      path.length <= KNOWN_DEPTH &&
      path.length > 0 &&
      path[0] !== 'metadata';
    if (memorable && Object.isFrozen(value) && this.#known.has(value)) return value;
    const outer = walk.struct;
    walk.struct = this.#name;
    walk.inMap = false;
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const field = this.#fields.get(key);
      walk.path.push(key);
      if (field === undefined) {
        walk.problems.push(`unknown field ${JSON.stringify(pathText(walk.path))}`);
      } else {
        const decoded = field.decode((value as JsonObject)[key], walk);
        if (decoded !== undefined) out[key] = decoded;
      }
      walk.path.pop();
    }
    for (const [name, field] of this.#present) if (out[name] === undefined) out[name] = field.absent!(walk);
    walk.struct = outer;
    if (memorable) this.#known.add(out);
    return out;
  };
}

// ---- from schemas

const EMPTY = Object.freeze({});
const REF = '#/components/schemas/';

function refOf(schema: Schema): string | undefined {
  const ref = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]!.$ref : undefined);
  return ref?.startsWith(REF) === true ? ref.slice(REF.length) : ref;
}

/** How Go calls the type: `v1.PodSpec`, `map[string]string`. */
function goTypeOf(schema: Schema | string): string {
  const ref = typeof schema === 'string' ? schema : refOf(schema);
  if (ref !== undefined) return ref.split('.').slice(-2).join('.');
  const { type = '', format, items, additionalProperties } = schema as Schema;
  if (type === 'integer') return format ?? 'int64';
  if (type === 'boolean') return 'bool';
  if (type === 'array') return `[]${goTypeOf(items ?? {})}`;
  if (typeof additionalProperties === 'object') return `map[string]${goTypeOf(additionalProperties)}`;
  return type;
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

const leafDecoders: Readonly<Record<string, Decode>> = {
  [`${META}Time`]: timeDecoder(formatTime, false),
  [`${META}MicroTime`]: timeDecoder(formatMicroTime, true),
  'io.k8s.apimachinery.pkg.api.resource.Quantity': decodeQuantity,
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': decodeIntOrString,
};

/** Decoders of all built-in types, made when first needed and shared between kinds. */
export class TypedDecoders {
  readonly #lookup: SchemaLookup;
  readonly #structs = new Map<string, StructDecoder>();

  constructor(lookup: SchemaLookup) {
    this.#lookup = lookup;
  }

  /** Decodes the root object of a kind; type errors become a 400 as kube-apiserver words them. */
  decodeKind(
    definition: string,
    identity: { readonly group: string; readonly version: string; readonly kind: string },
    value: JsonObject,
    report: DecodeReport,
  ): KubeObject {
    const walk: Walk = { path: [], problems: report.problems, struct: '', inMap: false };
    try {
      return this.#definition(definition)(value, walk) as KubeObject;
    } catch (error) {
      if (!(error instanceof TypeMismatch)) throw error;
      const { kind, version } = identity;
      throw badRequest(
        `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${error.message}`,
      );
    }
  }

  /** What the definition's type holds when nothing was set. */
  zero(definition: string): unknown {
    return this.#definition(definition)(EMPTY, { path: [], problems: [], struct: '', inMap: false });
  }

  #definition(name: string): Decode {
    const leaf = leafDecoders[name];
    if (leaf !== undefined) return leaf;
    const made = this.#structs.get(name);
    if (made !== undefined) return made.decode;
    const schema = this.#lookup(name);
    if (schema?.properties === undefined) return decodeAnything;
    const struct = new StructDecoder(goTypeOf(name));
    this.#structs.set(name, struct);
    const fields = new Map<string, Field>();
    for (const [field, fieldSchema] of Object.entries(schema.properties)) {
      fields.set(field, this.#field(name, field, fieldSchema, schema.required?.includes(field) === true));
    }
    struct.complete(fields);
    return struct.decode;
  }

  #field(type: string, name: string, schema: Schema, required: boolean): Field {
    const ref = refOf(schema);
    if (ref !== undefined) {
      const decode: Decode = (value, walk) => this.#definition(ref)(value, walk);
      if (ref === `${META}Time` || ref === `${META}MicroTime`) {
        return { decode, absent: isListed('time', type, name) ? () => null : undefined };
      }
      // A default of {} is how OpenAPI shows a structure that is no pointer: it is always there.
      const isValue = schema.default !== undefined && !(ref in leafDecoders);
      return { decode, absent: isValue ? (walk) => decode(EMPTY, walk) : undefined };
    }
    return this.#inlineField(type, name, schema, required);
  }

  #inlineField(type: string, name: string, schema: Schema, required: boolean): Field {
    const always = schema.default !== undefined;
    const zero = always ? () => schema.default : undefined;
    switch (schema.type) {
      case 'string':
        if (schema.format === 'byte') {
          return { decode: decodeBytes, absent: required ? () => null : undefined };
        }
        return { decode: stringDecoder(always || isListed('pointerString', type, name)), absent: zero };
      case 'integer': {
        const omitted = isListed('valueScalar', type, name);
        // COMPAT: an optional value may say that it is zero when nothing is set; it is left out all the same.
        const kept = always && (required || !omitted);
        return {
          decode: integerDecoder(schema.format ?? 'int64', kept || !omitted),
          absent: kept ? zero : undefined,
        };
      }
      case 'boolean':
        return { decode: booleanDecoder(always || !isListed('valueScalar', type, name)), absent: zero };
      case 'number':
        return { decode: decodeNumber, absent: zero };
      case 'array': {
        const item = this.#item(schema.items ?? {});
        const written = required || isListed('list', type, name);
        const keepEmpty = written || isListed('emptyList', type, name);
        return { decode: listDecoder(item, keepEmpty), absent: written ? () => null : undefined };
      }
      case 'object': {
        if (typeof schema.additionalProperties !== 'object') break;
        return { decode: mapDecoder(this.#item(schema.additionalProperties)), absent: undefined };
      }
      default:
    }
    return { decode: decodeAnything, absent: undefined };
  }

  #item(schema: Schema): Item {
    const ref = refOf(schema);
    if (ref !== undefined) {
      const decode: Decode = (value, walk) => this.#definition(ref)(value, walk);
      return { decode, zero: (walk) => decode(EMPTY, walk), goType: goTypeOf(ref) };
    }
    const { decode } = this.#inlineField('', '', { ...schema, default: schema.default ?? '' }, false);
    const zeros: Readonly<Record<string, unknown>> = { string: '', integer: 0, number: 0, boolean: false };
    const zero = zeros[schema.type ?? ''] ?? null;
    return { decode, zero: () => zero, goType: goTypeOf(schema) };
  }
}

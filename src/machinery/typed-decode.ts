// Reading JSON as a built-in Kubernetes type: what Go's decoder does with a typed struct. Wrong types are refused in
// its words, unknown fields are named and dropped, nulls mean absent, and quantities, times and bytes come out
// in the form in which kube-apiserver stores them.
import type { GroupVersionKind, JsonObject, JsonValue, Schema } from '../api/index.ts';
import { formatMicroTime, formatTime } from '../base/index.ts';
import { FieldPath } from './field-path.ts';
import { ObjectDraft, isJsonList, isJsonObject, mapList } from './json-draft.ts';
import { Quantity, QuantityError } from './quantity.ts';
import { planFor, type Plan, type RefResolver } from './schema-plan.ts';
import { badRequest } from './status-error.ts';
import { parseTime } from './time.ts';

export interface Decoded {
  readonly value: JsonValue;
  /** Paths of fields that the type does not have, in the order in which they stand: `spec.foo`. */
  readonly unknown: readonly string[];
}

/**
 * Decodes `value` as the type that `schema` describes. Throws a 400 StatusError whose message is that of Go's decoder,
 * e.g. `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`.
 * With `lenient`, values of a wrong type pass as they are.
 */
export function decodeTyped(
  value: JsonValue,
  schema: Schema,
  resolveRef: RefResolver,
  options: { readonly lenient?: boolean } = {},
): Decoded {
  const decoder = new Decoder(options.lenient === true);
  const decoded = decoder.decode(value, planFor(schema, resolveRef));
  return { value: decoded ?? {}, unknown: decoder.unknown };
}

const JSON_KINDS = { string: 'string', number: 'number', boolean: 'bool', object: 'object' } as const;

function jsonKind(value: JsonValue): string {
  return isJsonList(value) ? 'array' : JSON_KINDS[typeof value as keyof typeof JSON_KINDS];
}

class Decoder {
  readonly unknown: string[] = [];
  readonly #lenient: boolean;
  readonly #path = new FieldPath();
  /** The path as Go's messages have it: without indices and keys of maps. */
  readonly #fields: string[] = [];
  #struct = '';

  constructor(lenient: boolean) {
    this.#lenient = lenient;
  }

  /** Undefined: null, which in Go leaves the field unset. */
  decode(value: JsonValue, plan: Plan): JsonValue | undefined {
    if (value === null) return undefined;
    if (plan.special !== undefined) return this.#special(value, plan);
    switch (plan.schema.type) {
      case 'object':
        return isJsonObject(value) ? this.#object(value, plan) : this.#mismatch(value, plan);
      case 'array':
        return isJsonList(value) ? this.#list(value, plan) : this.#mismatch(value, plan);
      case 'string':
        return typeof value === 'string' ? value : this.#mismatch(value, plan);
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#mismatch(value, plan);
      case 'number':
        return typeof value === 'number' ? value : this.#mismatch(value, plan);
      case 'integer':
        return this.#integer(value, plan);
      default:
        return value;
    }
  }

  #object(object: JsonObject, plan: Plan): JsonValue {
    if (plan.open && plan.schema.properties === undefined) return object;
    const outer = this.#struct;
    if (plan.schema.properties !== undefined) this.#struct = namesOf(plan).struct;
    const draft = new ObjectDraft(object);
    for (const key in object) {
      const value = object[key];
      if (value === undefined) continue;
      const child = plan.child(key);
      if (child === undefined) {
        if (plan.open) continue;
        this.unknown.push(this.#path.toString(key));
        draft.delete(key);
        continue;
      }
      const isField = plan.schema.properties !== undefined;
      this.#path.push(key);
      if (isField) this.#fields.push(key);
      const decoded = this.decode(value, child);
      if (isField) this.#fields.pop();
      this.#path.pop();
      if (decoded === undefined) {
        if (isField) draft.delete(key);
        else draft.set(key, zero(child));
      } else if (isField && isEmpty(decoded, child) && !plan.required.has(key)) draft.delete(key);
      else draft.set(key, decoded);
    }
    this.#struct = outer;
    return draft.value;
  }

  #list(list: readonly JsonValue[], plan: Plan): JsonValue {
    const { items } = plan;
    if (items === undefined) return list;
    return mapList(list, (item, index) => {
      this.#path.push(index);
      const decoded = this.decode(item, items) ?? zero(items);
      this.#path.pop();
      return decoded;
    });
  }

  #integer(value: JsonValue, plan: Plan): JsonValue {
    if (typeof value !== 'number') return this.#mismatch(value, plan);
    const limit = plan.schema.format === 'int32' ? 2 ** 31 : 2 ** 63;
    if (!Number.isInteger(value) || value >= limit || value < -limit) {
      return this.#mismatch(value, plan, `number ${value}`);
    }
    return value;
  }

  #special(value: JsonValue, plan: Plan): JsonValue {
    switch (plan.special) {
      case 'quantity':
        return this.#quantity(value);
      case 'int-or-string':
        if (typeof value === 'string') return value;
        if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31) return value;
        return this.#refuse(value, `json: cannot unmarshal ${jsonKind(value)} into Go value of type int32`);
      case 'time':
      case 'micro-time':
        return this.#time(value, plan.special);
      default:
        return this.#bytes(value, plan);
    }
  }

  #quantity(value: JsonValue): JsonValue {
    try {
      return Quantity.parse(
        typeof value === 'string' || typeof value === 'number' ? value : 'none',
      ).toString();
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
      return this.#refuse(value, error.message);
    }
  }

  #time(value: JsonValue, special: 'time' | 'micro-time'): JsonValue {
    if (typeof value !== 'string') {
      return this.#refuse(value, `json: cannot unmarshal ${jsonKind(value)} into Go value of type string`);
    }
    const milliseconds = parseTime(value);
    if (milliseconds === undefined) {
      const layout = special === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
      const quoted = JSON.stringify(value);
      return this.#refuse(value, `parsing time ${quoted} as "${layout}": cannot parse ${quoted} as "2006"`);
    }
    // Whole seconds in UTC are as they are to be.
    if (special === 'time' && value.length === WHOLE_SECONDS.length && value.endsWith('Z')) return value;
    if (special === 'time') return formatTime(Math.floor(milliseconds));
    // Microseconds are more than a double of milliseconds can be trusted with; a UTC text keeps its own digits.
    const fraction = /^[^.,]{19}(?:[.,](\d{1,6})\d*)?Z$/.exec(value);
    return fraction === null
      ? formatMicroTime(Math.floor(milliseconds))
      : `${value.slice(0, 19)}.${(fraction[1] ?? '').padEnd(6, '0')}Z`;
  }

  #bytes(value: JsonValue, plan: Plan): JsonValue {
    if (typeof value !== 'string') return this.#mismatch(value, plan);
    const text = value.replaceAll(/[\r\n]/g, '');
    const bad = firstBadBase64(text);
    return bad === undefined ? text : this.#refuse(value, `illegal base64 data at input byte ${bad}`);
  }

  #mismatch(value: JsonValue, plan: Plan, kind: string = jsonKind(value)): JsonValue {
    const target =
      this.#fields.length === 0
        ? `Go value of type ${goType(plan)}`
        : `Go struct field ${this.#struct}.${this.#fields.join('.')} of type ${goType(plan)}`;
    return this.#refuse(value, `json: cannot unmarshal ${kind} into ${target}`);
  }

  #refuse(value: JsonValue, message: string): JsonValue {
    if (this.#lenient) return value;
    throw badRequest(message);
  }
}

/** Lists and maps without content are left out by Go's encoder; structs without content are not. */
const WHOLE_SECONDS = 'YYYY-MM-DDTHH:MM:SSZ';

function isEmpty(value: JsonValue, plan: Plan): boolean {
  if (isJsonList(value)) return value.length === 0;
  if (!isJsonObject(value) || plan.schema.properties !== undefined || plan.open) return false;
  for (const _ in value) return false;
  return true;
}

/** What Go puts where a list or map has null. */
function zero(plan: Plan): JsonValue {
  switch (plan.schema.type) {
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'object':
      return {};
    default:
      return plan.special === 'quantity' ? '0' : null;
  }
}

interface Names {
  /** `v1.Container`; for the kind that a decoder starts from, which no reference names, by its kind. */
  readonly type: string | undefined;
  /** `Container`. */
  readonly struct: string;
}

const names = new WeakMap<Plan, Names>();

function namesOf(plan: Plan): Names {
  let known = names.get(plan);
  if (known === undefined) {
    const type = typeName(plan);
    names.set(plan, (known = { type, struct: type?.split('.')[1] ?? '' }));
  }
  return known;
}

function typeName(plan: Plan): string | undefined {
  if (plan.definition !== undefined) return plan.definition.split('.').slice(-2).join('.');
  const kinds = (plan.schema as { 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[] })[
    'x-kubernetes-group-version-kind'
  ];
  const own = kinds?.[0];
  return own === undefined ? undefined : `${own.version}.${own.kind}`;
}

function goType(plan: Plan): string {
  if (plan.special === 'bytes') return '[]uint8';
  const name = namesOf(plan).type;
  if (name !== undefined) return name;
  switch (plan.schema.type) {
    case 'array':
      return `[]${plan.items === undefined ? 'interface {}' : goType(plan.items)}`;
    case 'object':
      return `map[string]${plan.additional === undefined ? 'interface {}' : goType(plan.additional)}`;
    case 'boolean':
      return 'bool';
    case 'integer':
      return plan.schema.format ?? 'int64';
    case 'number':
      return 'float64';
    default:
      return 'string';
  }
}

/** Where Go's standard base64 decoder stops; undefined when the text is valid. */
function firstBadBase64(text: string): number | undefined {
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const end = /^[A-Za-z0-9+/]*/.exec(text)?.[0].length ?? 0;
  if (end < text.length && text[end] !== '=') return end;
  return end < text.length ? end : text.length - (text.length % 4);
}

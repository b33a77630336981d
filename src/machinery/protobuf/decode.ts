// Bodies in Kubernetes' protobuf form, which kubectl and Go clients send for built-in kinds, as the JSON that the same
// client would have sent. Field numbers are data (api's protobufFields); only the types that have a JSON form of their
// own are told here.
import {
  builtinSchema,
  definitionFor,
  parseApiVersion,
  protobufFields,
  protobufMessageFor,
  type JsonObject,
  type ProtobufField,
} from '../../api/index.ts';
import { formatMicroTime, formatTime } from '../../base/index.ts';
import { badRequest } from '../status-error.ts';
import { readFields, type WireField } from './wire.ts';

type Json = Record<string, unknown>;

const MAGIC = [0x6b, 0x38, 0x73, 0x00];
const META = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
const text = new TextDecoder('utf-8');

export function isProtobuf(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/** The object in `k8s\0` and an envelope. Throws a 400 StatusError for what is none, or of a kind that is not built in. */
export function decodeProtobuf(bytes: Uint8Array): Json {
  if (!isProtobuf(bytes)) throw badRequest('the body does not begin as Kubernetes objects in protobuf do');
  const envelope = decodeMessage(
    'k8s.io.apimachinery.pkg.runtime.Unknown',
    bytes.subarray(MAGIC.length),
    true,
  );
  const { apiVersion = '', kind = '' } = (envelope['typeMeta'] ?? {}) as {
    apiVersion?: string;
    kind?: string;
  };
  const raw = envelope['raw'];
  const message = messageFor(apiVersion, kind);
  if (message === undefined) throw badRequest(`no protobuf form is known for ${apiVersion}, Kind=${kind}`);
  return { apiVersion, kind, ...decodeMessage(message, raw instanceof Uint8Array ? raw : new Uint8Array()) };
}

/** One message of a built-in kind by itself. Throws a 400 StatusError for bytes that are none. */
export function decodeProtobufMessage(message: string, bytes: Uint8Array): JsonObject {
  return decodeMessage(message, bytes) as JsonObject;
}

/** Options are of every group; they are written as meta.k8s.io's. */
function messageFor(apiVersion: string, kind: string): string | undefined {
  const definition = definitionFor({ ...parseApiVersion(apiVersion), kind });
  if (definition !== undefined) return protobufMessageFor(definition);
  return protobufFields(`${META}${kind}`) === undefined ? undefined : `${META}${kind}`;
}

// ---- types whose JSON is not an object of their fields

const SPECIAL: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  [`${META}Time`]: (bytes) => time(bytes, formatTime),
  [`${META}MicroTime`]: (bytes) => time(bytes, formatMicroTime),
  [`${META}Duration`]: (bytes) => `${Number(varintOf(bytes, 1)) / 1e9}s`,
  [`${META}FieldsV1`]: rawJson,
  'k8s.io.apimachinery.pkg.runtime.RawExtension': rawJson,
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSON': rawJson,
  'k8s.io.apimachinery.pkg.api.resource.Quantity': (bytes) => textOf(bytes, 1),
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': (bytes) =>
    varintOf(bytes, 1) === 1n ? textOf(bytes, 3) : Number(BigInt.asIntN(32, varintOf(bytes, 2))),
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': (bytes) => {
    const value = decodeMessage(
      'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray',
      bytes,
      true,
    );
    return value['schema'] ?? value['jSONSchemas'];
  },
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': (bytes) => {
    const value = decodeMessage(
      'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool',
      bytes,
      true,
    );
    return value['schema'] ?? value['allows'] ?? false;
  },
};

/** Lists that protobuf wraps into a message, e.g. ExtraValue. */
function isWrappedList(fields: readonly ProtobufField[]): boolean {
  return fields.length === 1 && fields[0]?.name === 'items' && fields[0].cardinality === 'repeated';
}

function find(bytes: Uint8Array, number: number): WireField['value'] | undefined {
  let found: WireField['value'] | undefined;
  for (const field of readFields(bytes)) if (field.number === number) found = field.value;
  return found;
}

function textOf(bytes: Uint8Array, number: number): string {
  const value = find(bytes, number);
  return value instanceof Uint8Array ? text.decode(value) : '';
}

function varintOf(bytes: Uint8Array, number: number): bigint {
  const value = find(bytes, number);
  return typeof value === 'bigint' ? value : 0n;
}

function rawJson(bytes: Uint8Array): unknown {
  const raw = textOf(bytes, 1);
  if (raw === '') return null;
  try {
    return JSON.parse(raw) as unknown;
  } catch {
    throw badRequest('an embedded object in the protobuf body is no JSON');
  }
}

function time(bytes: Uint8Array, format: (milliseconds: number) => string): string | null {
  const seconds = Number(BigInt.asIntN(64, varintOf(bytes, 1)));
  const nanos = Number(BigInt.asIntN(32, varintOf(bytes, 2)));
  // COMPAT: Go's zero time is an empty message.
  if (bytes.length === 0) return null;
  const milliseconds = seconds * 1000 + Math.floor(nanos / 1e6);
  return Math.abs(milliseconds) > 8.64e15 ? null : format(milliseconds);
}

// ---- messages

interface JsonField extends ProtobufField {
  /** Go embeds the message: its fields are the object's own in JSON. */
  readonly inline: boolean;
}

const known = new Map<string, ReadonlyMap<number, JsonField>>();
const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** The fields by number under the names they have in JSON, which the schema of the kind tells. */
function jsonFields(message: string, fields: readonly ProtobufField[]): ReadonlyMap<number, JsonField> {
  const found = known.get(message);
  if (found !== undefined) return found;
  const properties = builtinSchema(definitionOf(message))?.properties;
  const names = new Map(Object.keys(properties ?? {}).map((name) => [plain(name), name]));
  const result = new Map(
    fields.map((field): [number, JsonField] => {
      const name = names.get(plain(field.name));
      const isMessage = field.type.includes('.') && field.cardinality === 'single';
      const inline = properties !== undefined && name === undefined && isMessage;
      return [field.number, { ...field, name: name ?? field.name, inline }];
    }),
  );
  known.set(message, result);
  return result;
}

/** The reverse of protobufMessageFor. */
function definitionOf(message: string): string {
  return message
    .replace(/^k8s\.io\./, 'io.k8s.')
    .replace('.apiextensions_apiserver.', '.apiextensions-apiserver.')
    .replace('.kube_aggregator.', '.kube-aggregator.');
}

/** @param raw keeps bytes as they are instead of as base64 */
function decodeMessage(message: string, bytes: Uint8Array, raw = false): Json {
  const fields = protobufFields(message);
  if (fields === undefined) throw badRequest(`no protobuf form is known for ${message}`);
  const byNumber = jsonFields(message, fields);
  const object: Json = {};
  for (const found of readFields(bytes)) {
    const field = byNumber.get(found.number);
    // A field of a newer client; as with JSON, what is not known is left out.
    if (field === undefined) continue;
    if (field.inline) {
      Object.assign(object, decodeValue(field.type, found, raw));
    } else if (field.cardinality === 'map') {
      const map = (object[field.name] ??= Object.create(null) as Json) as Json;
      const [key, value] = entry(field, found, raw);
      map[key] = value;
    } else {
      const value = decodeValue(field.type, found, raw);
      if (field.cardinality === 'repeated') ((object[field.name] ??= []) as unknown[]).push(value);
      else if (value !== '') object[field.name] = value;
    }
  }
  return object;
}

function entry(field: ProtobufField, { value }: WireField, raw: boolean): readonly [string, unknown] {
  if (!(value instanceof Uint8Array))
    throw badRequest(`the field ${field.name} of the protobuf body is no map`);
  let key = '';
  let found: WireField | undefined;
  for (const part of readFields(value)) {
    if (part.number === 1 && part.value instanceof Uint8Array) key = text.decode(part.value);
    if (part.number === 2) found = part;
  }
  return [key, found === undefined ? emptyOf(field.type) : decodeValue(field.type, found, raw)];
}

function emptyOf(type: string): unknown {
  if (type === 'string' || type === 'bytes') return '';
  return type === 'bool' ? false : /^(int|double)/.test(type) ? 0 : {};
}

function decodeValue(type: string, { value, wire }: WireField, raw: boolean): unknown {
  if (value instanceof Uint8Array) {
    if (type === 'string') return text.decode(value);
    if (type === 'bytes') return raw ? value : Buffer.from(value).toString('base64');
    const special = SPECIAL[type];
    if (special !== undefined) return special(value);
    const fields = protobufFields(type);
    if (fields !== undefined && isWrappedList(fields)) return decodeMessage(type, value)['items'] ?? [];
    return decodeMessage(type, value, raw);
  }
  if (type === 'bool') return value !== 0n;
  if (type === 'double' && wire === 'fixed64') return new Float64Array(new BigUint64Array([value]).buffer)[0];
  const number = Number(BigInt.asIntN(64, value));
  if (Number.isSafeInteger(number)) return number;
  throw badRequest(`the number ${BigInt.asIntN(64, value)} in the protobuf body cannot be kept exactly`);
}

// Objects of built-in kinds in Kubernetes' protobuf form, which Go clients ask for. Field numbers are data (api's
// protobufFields); only the types that have a JSON form of their own are told here. The counterpart of decode.ts.
import {
  builtinSchema,
  definitionFor,
  parseApiVersion,
  protobufFields,
  protobufMessageFor,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type ProtobufField,
  type WatchEvent,
} from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import { encodeJson } from '../json.ts';
import { parseDuration } from '../time.ts';
import { Writer } from './wire-writer.ts';

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

const MAGIC = new Uint8Array([0x6b, 0x38, 0x73, 0x00]);
const META = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
const EXTENSIONS = 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.';

interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

function messageFor({ apiVersion, kind }: TypeMeta): string | undefined {
  const definition = definitionFor({ ...parseApiVersion(apiVersion), kind });
  if (definition === undefined) return undefined;
  const message = protobufMessageFor(definition);
  return protobufFields(message) === undefined ? undefined : message;
}

/** Whether objects of this kind have a protobuf form. */
export function hasProtobuf(type: TypeMeta): boolean {
  return messageFor(type) !== undefined;
}

export function encodeProtobuf(object: TypeMeta): Uint8Array {
  const { apiVersion, kind } = object;
  const message = messageFor(object);
  assert(message !== undefined, `${apiVersion}, Kind=${kind} has a protobuf form`);
  const writer = new Writer();
  // COMPAT: content encoding and type are empty, and Go writes them all the same.
  writer.string(4, '');
  writer.string(3, '');
  writer.part(2, () => writeMessage(writer, message, object as unknown as JsonObject));
  writer.part(1, () => {
    writer.string(2, kind);
    writer.string(1, apiVersion);
  });
  writer.raw(MAGIC);
  return writer.finish();
}

/** One message of a built-in kind by itself, e.g. `k8s.io.api.core.v1.Toleration`. */
export function encodeProtobufMessage(message: string, object: JsonObject): Uint8Array {
  const writer = new Writer();
  writeMessage(writer, message, object);
  return writer.finish();
}

/** Frames of watches. One for each server: it keeps what it encoded for the watchers after the first. */
export class ProtobufFrames {
  // LIMIT: objects whose bytes are kept.
  static readonly #kept = 2048;
  readonly #recent = new Map<KubeObject, Uint8Array>();

  /** One event: its length, then a meta/v1 WatchEvent without an envelope around an object with one. */
  frame({ type, object }: WatchEvent): Uint8Array {
    const writer = new Writer();
    writer.part(2, () => writer.bytes(1, this.#bytesOf(object)));
    writer.string(1, type);
    const { size } = writer;
    writer.raw(new Uint8Array([size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]));
    return writer.finish();
  }

  #bytesOf(object: KubeObject): Uint8Array {
    const known = this.#recent.get(object);
    if (known !== undefined) return known;
    const bytes = encodeProtobuf(object);
    if (this.#recent.size >= ProtobufFrames.#kept) this.#recent.delete(this.#recent.keys().next().value!);
    this.#recent.set(object, bytes);
    return bytes;
  }
}

// ---- types whose JSON is not an object of their fields

/** Of a string, or of a number where a quantity may be one. */
function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Write = (writer: Writer, value: JsonValue) => void;

const writeTime: Write = (writer, value) => {
  // COMPAT: Go's zero time is an empty message.
  if (typeof value !== 'string') return;
  const milliseconds = Date.parse(value);
  const seconds = Math.floor(milliseconds / 1000);
  writer.integer(2, Math.round((milliseconds - seconds * 1000) * 1e6));
  writer.integer(1, seconds);
};

const writeRawJson: Write = (writer, value) => writer.bytes(1, encodeJson(value));

const writeIntOrString: Write = (writer, value) => {
  const isString = typeof value === 'string';
  writer.string(3, isString ? value : '');
  writer.integer(2, isString ? 0 : Number(value));
  writer.integer(1, isString ? 1 : 0);
};

const writeList =
  (number: number): Write =>
  (writer, value) => {
    for (const item of [...(value as readonly string[])].reverse()) writer.string(number, item);
  };

const writeSchema = (writer: Writer, number: number, value: JsonValue): void =>
  writer.part(number, () => writeMessage(writer, `${EXTENSIONS}JSONSchemaProps`, value as JsonObject));

const SPECIAL: Readonly<Record<string, Write>> = {
  [`${META}Time`]: writeTime,
  [`${META}MicroTime`]: writeTime,
  [`${META}Duration`]: (writer, value) => writer.integer(1, Math.round(parseDuration(textOf(value)) * 1e6)),
  [`${META}FieldsV1`]: writeRawJson,
  [`${META}Verbs`]: writeList(1),
  'k8s.io.apimachinery.pkg.runtime.RawExtension': writeRawJson,
  'k8s.io.apimachinery.pkg.api.resource.Quantity': (writer, value) => writer.string(1, textOf(value)),
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': writeIntOrString,
  [`${EXTENSIONS}JSON`]: writeRawJson,
  [`${EXTENSIONS}JSONSchemaPropsOrBool`](writer, value) {
    if (typeof value === 'boolean') {
      writer.integer(1, value ? 1 : 0);
      return;
    }
    writeSchema(writer, 2, value);
    writer.integer(1, 1);
  },
  [`${EXTENSIONS}JSONSchemaPropsOrArray`](writer, value) {
    if (!Array.isArray(value)) writeSchema(writer, 1, value);
    else for (const item of (value as readonly JsonValue[]).toReversed()) writeSchema(writer, 2, item);
  },
  [`${EXTENSIONS}JSONSchemaPropsOrStringArray`](writer, value) {
    if (Array.isArray(value)) writeList(2)(writer, value as readonly JsonValue[]);
    else writeSchema(writer, 1, value);
  },
};

/** Lists that protobuf wraps into a message, e.g. ExtraValue. */
function isWrappedList(type: string): boolean {
  const fields = protobufFields(type);
  return fields?.length === 1 && fields[0]?.name === 'items' && fields[0].cardinality === 'repeated';
}

// ---- messages

interface JsonField extends ProtobufField {
  /** Go embeds the message: its fields are the object's own in JSON. */
  readonly inline: boolean;
}

const known = new Map<string, readonly JsonField[]>();
const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

function definitionOf(message: string): string {
  return message
    .replace(/^k8s\.io\./, 'io.k8s.')
    .replace('.apiextensions_apiserver.', '.apiextensions-apiserver.')
    .replace('.kube_aggregator.', '.kube-aggregator.');
}

/** The fields under their JSON names, the last first as they are written. */
function jsonFields(message: string): readonly JsonField[] {
  const found = known.get(message);
  if (found !== undefined) return found;
  const fields = protobufFields(message);
  assert(fields !== undefined, `there is a protobuf message ${message}`);
  const properties = builtinSchema(definitionOf(message))?.properties;
  const names = new Map(Object.keys(properties ?? {}).map((name) => [plain(name), name]));
  const result = fields
    .map((field): JsonField => {
      const name = names.get(plain(field.name));
      const isMessage = field.type.includes('.') && field.cardinality === 'single';
      const inline = properties !== undefined && name === undefined && isMessage;
      return { ...field, name: name ?? field.name, inline };
    })
    .sort((a, b) => b.number - a.number);
  known.set(message, result);
  return result;
}

function writeMessage(writer: Writer, message: string, object: JsonObject): void {
  for (const { name, number, type, cardinality, inline } of jsonFields(message)) {
    if (inline) {
      writer.part(number, () => writeMessage(writer, type, object));
      continue;
    }
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value === undefined || value === null) continue;
    if (cardinality === 'map') {
      writeMap(writer, number, type, value as JsonObject);
    } else if (cardinality === 'repeated') {
      for (const item of (value as readonly JsonValue[]).toReversed()) writeValue(writer, number, type, item);
    } else {
      writeValue(writer, number, type, value);
    }
  }
}

function writeMap(writer: Writer, number: number, type: string, map: JsonObject): void {
  // Sorted, so that equal objects have equal bytes.
  for (const key of Object.keys(map).sort().reverse()) {
    writer.part(number, () => {
      writeValue(writer, 2, type, map[key] ?? '');
      writer.string(1, key);
    });
  }
}

function writeValue(writer: Writer, number: number, type: string, value: JsonValue): void {
  if (type === 'string') writer.string(number, textOf(value));
  else if (type === 'bytes') writer.bytes(number, Buffer.from(textOf(value), 'base64'));
  else if (type === 'bool') writer.integer(number, value === true ? 1 : 0);
  else if (type === 'double') writer.double(number, Number(value));
  else if (!type.includes('.')) writer.integer(number, Number(value));
  else {
    const special = SPECIAL[type];
    writer.part(number, () => {
      if (special !== undefined) special(writer, value);
      else if (Array.isArray(value) && isWrappedList(type))
        writeList(1)(writer, value as readonly JsonValue[]);
      else writeMessage(writer, type, value as JsonObject);
    });
  }
}

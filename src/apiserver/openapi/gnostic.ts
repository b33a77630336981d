// OpenAPI v2 as protobuf, in the messages of gnostic (openapi.v2.Document): the only form in which kubectl 1.27 and
// client-go's OpenAPISchema() take it. Field numbers are those of gnostic's openapiv2/OpenAPIv2.proto.
import type { DocumentV2, OperationV2, ParameterV2, PathItemV2, SchemaV2 } from './document-v2.ts';

const VARINT = 0;
const DOUBLE = 1;
const BYTES = 2;

/** Writes one message. Nested messages are written by another one and copied in behind their length. */
class Message {
  #bytes = new Uint8Array(256);
  #length = 0;
  static readonly #encoder = new TextEncoder();

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  #varint(value: number): void {
    this.#room(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  #key(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  text(field: number, value: string | undefined): this {
    if (value === undefined || value === '') return this;
    return this.#raw(field, Message.#encoder.encode(value));
  }

  texts(field: number, values: readonly string[] | undefined): this {
    for (const value of values ?? []) this.#raw(field, Message.#encoder.encode(value));
    return this;
  }

  flag(field: number, value: unknown): this {
    if (value !== true) return this;
    this.#key(field, VARINT);
    this.#varint(1);
    return this;
  }

  /** Whole numbers of at least 0: lengths and counts. */
  count(field: number, value: unknown): this {
    if (typeof value !== 'number' || value <= 0) return this;
    this.#key(field, VARINT);
    this.#varint(value);
    return this;
  }

  double(field: number, value: unknown): this {
    if (typeof value !== 'number' || value === 0) return this;
    this.#key(field, DOUBLE);
    this.#room(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
    return this;
  }

  message(field: number, value: Message | undefined): this {
    return value === undefined ? this : this.#raw(field, value.bytes());
  }

  #raw(field: number, bytes: Uint8Array): this {
    this.#key(field, BYTES);
    this.#varint(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Any: the value as YAML text, of which JSON is a part. */
function any(value: unknown): Message {
  return new Message().text(2, JSON.stringify(value));
}

/** NamedAny, NamedSchema and all the other pairs of a name and a value. */
function named(name: string, value: Message): Message {
  return new Message().text(1, name).message(2, value);
}

function extensions(message: Message, field: number, from: object): Message {
  for (const [key, value] of Object.entries(from)) {
    if (key.startsWith('x-')) message.message(field, named(key, any(value)));
  }
  return message;
}

function schema(from: SchemaV2): Message {
  const message = new Message()
    .text(1, from.$ref)
    .text(2, from.format)
    .text(3, from['title'] as string | undefined)
    .text(4, from.description)
    .message(5, from.default === undefined ? undefined : any(from.default))
    .double(6, from['multipleOf'])
    .double(7, from['maximum'])
    .flag(8, from['exclusiveMaximum'])
    .double(9, from['minimum'])
    .flag(10, from['exclusiveMinimum'])
    .count(11, from['maxLength'])
    .count(12, from['minLength'])
    .text(13, from.pattern)
    .count(14, from['maxItems'])
    .count(15, from['minItems'])
    .flag(16, from['uniqueItems'])
    .count(17, from['maxProperties'])
    .count(18, from['minProperties'])
    .texts(19, from.required);
  for (const value of from.enum ?? []) message.message(20, any(value));
  if (from.additionalProperties !== undefined) {
    message.message(21, new Message().message(1, schema(from.additionalProperties)));
  }
  if (from.type !== undefined) message.message(22, new Message().text(1, from.type));
  if (from.items !== undefined) message.message(23, new Message().message(1, schema(from.items)));
  if (from.properties !== undefined) {
    const properties = new Message();
    for (const [name, inner] of Object.entries(from.properties)) {
      properties.message(1, named(name, schema(inner)));
    }
    message.message(25, properties);
  }
  return extensions(message, 31, from);
}

/** ParametersItem. */
function parameter(from: ParameterV2): Message {
  if (from.in === 'body') {
    const body = new Message()
      .text(2, from.name)
      .text(3, from.in)
      .flag(4, from.required)
      .message(5, schema(from.schema ?? {}));
    return new Message().message(1, new Message().message(1, body));
  }
  const query = from.in === 'query';
  const written = new Message()
    .flag(1, from.required)
    .text(2, from.in)
    .text(4, from.name)
    .text(query ? 6 : 5, from.type)
    .flag(query ? 20 : 19, from.uniqueItems);
  const nonBody = new Message().message(query ? 3 : 4, written);
  return new Message().message(1, new Message().message(2, nonBody));
}

function operation(from: OperationV2): Message {
  const message = new Message()
    .texts(1, from.tags)
    .text(5, from.operationId)
    .texts(6, from.produces)
    .texts(7, from.consumes);
  for (const one of from.parameters) message.message(8, parameter(one));
  const responses = new Message();
  for (const [code, { description, schema: result }] of Object.entries(from.responses)) {
    const response = new Message().text(1, description);
    if (result !== undefined) response.message(2, new Message().message(1, schema(result)));
    responses.message(1, named(code, new Message().message(1, response)));
  }
  return extensions(message.message(9, responses), 13, from);
}

const METHODS = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

function pathItem({ operations, parameters }: PathItemV2): Message {
  const message = new Message();
  for (const [method, field] of Object.entries(METHODS)) {
    const found = operations[method as keyof typeof METHODS];
    if (found !== undefined) message.message(field, operation(found));
  }
  for (const one of parameters) message.message(9, parameter(one));
  return message;
}

/** The bytes of an openapi.v2.Document. */
export function documentV2Protobuf({ version, paths, definitions }: DocumentV2): Uint8Array {
  const allPaths = new Message();
  for (const [path, item] of paths) allPaths.message(2, named(path, pathItem(item)));
  const allDefinitions = new Message();
  for (const [name, one] of definitions) allDefinitions.message(1, named(name, schema(one)));
  return new Message()
    .text(1, '2.0')
    .message(2, new Message().text(1, 'Kubernetes').text(2, version))
    .message(8, allPaths)
    .message(9, allDefinitions)
    .bytes()
    .slice();
}

// OpenAPI v2 as protobuf, in the messages of gnostic (openapi.v2.Document): the only form in which kubectl 1.27 and
// client-go's OpenAPISchema() take it. Field numbers are those of gnostic's openapiv2/OpenAPIv2.proto.
import type { DocumentV2, OperationV2, ParameterV2, PathItemV2, SchemaV2 } from './document-v2.ts';

const VARINT = 0;
const DOUBLE = 1;
const BYTES = 2;

/** Writes one message into one buffer. A message inside it is written in place, then moved to make room for its length. */
class Writer {
  #bytes = Buffer.allocUnsafe(1 << 20);
  #at = 0;

  #room(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  #varint(value: number): void {
    this.#room(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  #key(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  /** Absent and empty texts are left out. */
  text(field: number, value: string | undefined): void {
    if (value !== undefined && value !== '') this.#text(field, value);
  }

  #text(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.#key(field, BYTES);
    this.#varint(length);
    this.#room(length);
    this.#at += this.#bytes.write(value, this.#at);
  }

  texts(field: number, values: readonly string[] | undefined): void {
    for (const value of values ?? []) this.#text(field, value);
  }

  flag(field: number, value: unknown): void {
    if (value !== true) return;
    this.#key(field, VARINT);
    this.#varint(1);
  }

  /** Whole numbers of at least 0: lengths and counts. */
  count(field: number, value: unknown): void {
    if (typeof value !== 'number' || value <= 0) return;
    this.#key(field, VARINT);
    this.#varint(value);
  }

  double(field: number, value: unknown): void {
    if (typeof value !== 'number' || value === 0) return;
    this.#key(field, DOUBLE);
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  message(field: number, write: () => void): void {
    this.#key(field, BYTES);
    const start = this.#at;
    write();
    const length = this.#at - start;
    let width = 1;
    for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 0x80)) width++;
    this.#room(width);
    this.#bytes.copyWithin(start + width, start, this.#at);
    this.#at = start;
    this.#varint(length);
    this.#at += length;
  }

  /** Any: the value as YAML text, of which JSON is a part. */
  any(field: number, value: unknown): void {
    this.message(field, () => this.text(2, JSON.stringify(value)));
  }

  /** NamedAny, NamedSchema and all the other pairs of a name and a value. */
  named(field: number, name: string, write: () => void): void {
    this.message(field, () => {
      this.text(1, name);
      this.message(2, write);
    });
  }

  extensions(field: number, from: object): void {
    for (const [key, value] of Object.entries(from)) {
      if (key.startsWith('x-')) this.named(field, key, () => this.text(2, JSON.stringify(value)));
    }
  }

  finish(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#bytes, 0, this.#at);
  }
}

function writeSchema(to: Writer, from: SchemaV2): void {
  to.text(1, from.$ref);
  to.text(2, from.format);
  to.text(3, from['title'] as string | undefined);
  to.text(4, from.description);
  if (from.default !== undefined) to.any(5, from.default);
  to.double(6, from['multipleOf']);
  to.double(7, from['maximum']);
  to.flag(8, from['exclusiveMaximum']);
  to.double(9, from['minimum']);
  to.flag(10, from['exclusiveMinimum']);
  to.count(11, from['maxLength']);
  to.count(12, from['minLength']);
  to.text(13, from.pattern);
  to.count(14, from['maxItems']);
  to.count(15, from['minItems']);
  to.flag(16, from['uniqueItems']);
  to.count(17, from['maxProperties']);
  to.count(18, from['minProperties']);
  to.texts(19, from.required);
  for (const value of from.enum ?? []) to.any(20, value);
  const { additionalProperties, type, items, properties } = from;
  if (additionalProperties !== undefined) {
    to.message(21, () => to.message(1, () => writeSchema(to, additionalProperties)));
  }
  if (type !== undefined) to.message(22, () => to.text(1, type));
  if (items !== undefined) to.message(23, () => to.message(1, () => writeSchema(to, items)));
  if (properties !== undefined) {
    to.message(25, () => {
      for (const [name, inner] of Object.entries(properties)) to.named(1, name, () => writeSchema(to, inner));
    });
  }
  to.extensions(31, from);
}

/** ParametersItem. */
function writeParameter(to: Writer, from: ParameterV2): void {
  if (from.in === 'body') {
    to.message(1, () =>
      to.message(1, () => {
        to.text(2, from.name);
        to.text(3, from.in);
        to.flag(4, from.required);
        to.message(5, () => writeSchema(to, from.schema ?? {}));
      }),
    );
    return;
  }
  const query = from.in === 'query';
  to.message(1, () =>
    to.message(2, () =>
      to.message(query ? 3 : 4, () => {
        to.flag(1, from.required);
        to.text(2, from.in);
        to.text(4, from.name);
        to.text(query ? 6 : 5, from.type);
        to.flag(query ? 20 : 19, from.uniqueItems);
      }),
    ),
  );
}

function writeResponses(to: Writer, { responses }: OperationV2): void {
  for (const [code, { description, schema }] of Object.entries(responses)) {
    to.named(1, code, () =>
      to.message(1, () => {
        to.text(1, description);
        if (schema !== undefined) to.message(2, () => to.message(1, () => writeSchema(to, schema)));
      }),
    );
  }
}

function writeOperation(to: Writer, from: OperationV2): void {
  to.texts(1, from.tags);
  to.text(5, from.operationId);
  to.texts(6, from.produces);
  to.texts(7, from.consumes);
  for (const one of from.parameters) to.message(8, () => writeParameter(to, one));
  to.message(9, () => writeResponses(to, from));
  to.extensions(13, from);
}

const METHODS = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

function writePath(to: Writer, { operations, parameters }: PathItemV2): void {
  for (const [method, field] of Object.entries(METHODS)) {
    const found = operations[method as keyof typeof METHODS];
    if (found !== undefined) to.message(field, () => writeOperation(to, found));
  }
  for (const one of parameters) to.message(9, () => writeParameter(to, one));
}

/** The bytes of an openapi.v2.Document. */
export function documentV2Protobuf({ version, paths, definitions }: DocumentV2): Uint8Array {
  const to = new Writer();
  to.text(1, '2.0');
  to.message(2, () => {
    to.text(1, 'Kubernetes');
    to.text(2, version);
  });
  to.message(8, () => {
    for (const [path, item] of paths) to.named(2, path, () => writePath(to, item));
  });
  to.message(9, () => {
    for (const [name, one] of definitions) to.named(1, name, () => writeSchema(to, one));
  });
  return to.finish();
}

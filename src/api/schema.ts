// One schema per kind is the only place where its fields are written down: the TypeScript type, defaults,
// validation, OpenAPI and the CRD all come from it. `Schema` is the structural subset of OpenAPI v3 that
// Kubernetes uses, as plain data; the `s` builders attach the TypeScript type to it at no run-time cost.
import type { JsonObject, JsonValue, ObjectMeta } from './object.ts';

export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** apiextensions/v1 JSONSchemaProps as far as structural schemas use it, plus Kubernetes' patch extensions. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: JsonValue;
  readonly example?: JsonValue;
  readonly nullable?: boolean;
  readonly enum?: readonly JsonValue[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly $ref?: string;
  readonly externalDocs?: JsonObject;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-unions'?: readonly JsonObject[];
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

declare const valueType: unique symbol;

/** A schema that knows the TypeScript type of its values. The type is not there at run time. */
export type Typed<T> = Schema & { readonly [valueType]?: T };

/** The type of the values that a typed schema describes. */
export type Infer<S> = S extends { readonly [valueType]?: infer T } ? T : never;

type Fields = Readonly<Record<string, Schema>>;
type Flat<T> = { readonly [K in keyof T]: T[K] };
type ObjectOf<R, O> = Flat<{ [K in keyof R]: Infer<R[K]> } & { [K in keyof O]?: Infer<O[K]> }>;

interface ObjectFields<R, O> {
  readonly required?: R;
  readonly optional?: O;
}

/** An object of a kind: its literal names, metadata, and the fields of its schema. */
type KindOf<A extends string, K extends string, R, O> = Flat<
  { apiVersion: A; kind: K; metadata: ObjectMeta } & ObjectOf<R, O>
>;

const QUANTITY =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$';

function objectSchema(
  description: string,
  { required, optional }: ObjectFields<Fields, Fields>,
  rules: Schema,
): Schema {
  const names = Object.keys(required ?? {});
  return {
    description,
    type: 'object',
    ...(required === undefined && optional === undefined ? {} : { properties: { ...required, ...optional } }),
    ...(names.length === 0 ? {} : { required: names }),
    ...rules,
  };
}

/** Builders of typed schemas. Each takes a sentence for `kubectl explain` first and further rules last. */
export const s = {
  string: (description: string, rules: Schema = {}): Typed<string> => ({
    description,
    type: 'string',
    ...rules,
  }),
  /** One of a few strings. */
  choice: <const V extends string>(
    description: string,
    values: readonly V[],
    rules: { readonly default?: V } = {},
  ): Typed<V> => ({ description, type: 'string', enum: values, ...rules }),
  /** A string that the schema leaves open, but of which the webhooks or clients allow only these. */
  word: <const V extends string>(
    description: string,
    _values: readonly V[],
    rules: Schema = {},
  ): Typed<V> => ({
    description,
    type: 'string',
    ...rules,
  }),
  /** A moment in RFC 3339. */
  time: (description: string): Typed<string> => ({ description, type: 'string', format: 'date-time' }),
  boolean: (description: string, rules: { readonly default?: boolean } = {}): Typed<boolean> => ({
    description,
    type: 'boolean',
    ...rules,
  }),
  integer: (description: string, rules: Schema = {}): Typed<number> => ({
    description,
    type: 'integer',
    ...rules,
  }),
  int32: (description: string, rules: Schema = {}): Typed<number> => ({
    description,
    type: 'integer',
    format: 'int32',
    ...rules,
  }),
  int64: (description: string, rules: Schema = {}): Typed<number> => ({
    description,
    type: 'integer',
    format: 'int64',
    ...rules,
  }),
  /** An amount of a resource, such as `500m` or `2Gi`. */
  quantity: (description: string): Typed<string | number> => ({
    description,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    pattern: QUANTITY,
    'x-kubernetes-int-or-string': true,
  }),
  /** Any JSON value, kept as it is. */
  anything: (description: string): Typed<JsonValue> => ({
    description,
    'x-kubernetes-preserve-unknown-fields': true,
  }),
  /** Any JSON object, kept as it is. */
  openObject: (description: string): Typed<JsonObject> => ({
    description,
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  }),
  list: <T>(description: string, items: Typed<T>, rules: Schema = {}): Typed<readonly T[]> => ({
    description,
    type: 'array',
    items,
    ...rules,
  }),
  /** An object with keys of the user's choice. */
  map: <T>(description: string, values: Typed<T>): Typed<Readonly<Record<string, T>>> => ({
    description,
    type: 'object',
    additionalProperties: values,
  }),
  object: <R extends Fields = Record<never, never>, O extends Fields = Record<never, never>>(
    description: string,
    fields: ObjectFields<R, O>,
    rules: Schema = {},
  ): Typed<ObjectOf<R, O>> => objectSchema(description, fields, rules),
  /** A whole object: `fields` are those beside apiVersion, kind and metadata. */
  kind: <
    const A extends string,
    const K extends string,
    R extends Fields = Record<never, never>,
    O extends Fields = Record<never, never>,
  >(
    description: string,
    _names: { readonly apiVersion: A; readonly kind: K },
    fields: ObjectFields<R, O>,
  ): Typed<KindOf<A, K, R, O>> =>
    objectSchema(
      description,
      {
        ...fields,
        optional: {
          apiVersion: s.string('The API group and version that this object is written in.'),
          kind: s.string('What kind of object this is.'),
          metadata: { type: 'object' },
          ...fields.optional,
        },
      },
      {},
    ),
  /** The same schema under another sentence. */
  describe: <T>(description: string, schema: Typed<T>): Typed<T> => ({ ...schema, description }),
} as const;

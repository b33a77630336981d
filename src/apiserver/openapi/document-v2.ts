// OpenAPI v2: one document for everything. Kept for clients that ask for nothing else, kubectl among them for
// `apply` up to 1.27 and `explain --output=plaintext-openapiv2`. It knows less than v3: alternatives, nulls and
// rules are left out.
import type { JsonValue, Schema } from '../../api/index.ts';
import { definitionsOf } from './definitions.ts';
import {
  PATCH_DEFINITION,
  mediaTypesFor,
  pathsOf,
  type OpenApiResource,
  type Operation,
  type Path,
  type QueryParameter,
} from './operations.ts';

const V3 = '#/components/schemas/';
const V2 = '#/definitions/';

/** A schema of v2. `type` is absent where any type will do. */
export interface SchemaV2 {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: JsonValue;
  readonly enum?: readonly JsonValue[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaV2>>;
  readonly additionalProperties?: SchemaV2;
  readonly items?: SchemaV2;
  readonly pattern?: string;
  readonly [key: string]: unknown;
}

/** What v2 takes over as it is, besides extensions. */
const PLAIN: readonly (keyof Schema)[] = [
  'type',
  'format',
  'title',
  'description',
  'default',
  'enum',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
];

function extensionsOf(schema: Schema): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema).filter(
      ([key]) => key.startsWith('x-kubernetes-') && key !== 'x-kubernetes-validations',
    ),
  );
}

/** Quantities and the like are unions that v2 cannot say; upstream calls them strings. */
function unionType(schema: Schema): { type?: string; format?: string } {
  if (schema['x-kubernetes-int-or-string'] === true) return {};
  if (schema.format === 'int-or-string') return { type: 'string', format: 'int-or-string' };
  if (schema.oneOf?.some(({ type }) => type === 'string') === true) return { type: 'string' };
  return schema.type === undefined ? {} : { type: schema.type };
}

function schemaV2(schema: Schema): SchemaV2 {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference !== undefined) {
    return {
      $ref: reference.replace(V3, V2),
      ...(schema.description === undefined ? {} : { description: schema.description }),
      ...(schema.default === undefined ? {} : { default: schema.default }),
      ...extensionsOf(schema),
    };
  }
  const result: Record<string, unknown> = extensionsOf(schema);
  for (const key of PLAIN) if (schema[key] !== undefined) result[key] = schema[key];
  delete result['type'];
  Object.assign(result, unionType(schema));
  // COMPAT: kubectl checks against v2, and would refuse null and unknown fields where v3 allows them.
  if (schema.nullable === true) {
    delete result['type'];
    return result;
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return result;
  if (schema.properties !== undefined) {
    result['properties'] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, inner]) => [name, schemaV2(inner)]),
    );
  }
  const required = schema.required?.filter((name) => schema.properties?.[name]?.nullable !== true) ?? [];
  if (required.length > 0) result['required'] = required;
  if (schema.items !== undefined) result['items'] = schemaV2(schema.items);
  if (typeof schema.additionalProperties === 'object') {
    result['additionalProperties'] = schemaV2(schema.additionalProperties);
  }
  return result;
}

export interface ParameterV2 {
  readonly name: string;
  readonly in: 'query' | 'path' | 'body';
  readonly required?: boolean;
  readonly type?: string;
  readonly uniqueItems?: boolean;
  readonly schema?: SchemaV2;
}

export interface OperationV2 {
  readonly tags: readonly string[];
  readonly operationId: string;
  readonly consumes: readonly string[];
  readonly produces: readonly string[];
  readonly parameters: readonly ParameterV2[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly schema?: SchemaV2 }>>;
  readonly 'x-kubernetes-action': string;
  readonly 'x-kubernetes-group-version-kind': {
    readonly group: string;
    readonly kind: string;
    readonly version: string;
  };
}

export interface PathItemV2 {
  readonly parameters: readonly ParameterV2[];
  readonly operations: Readonly<Partial<Record<Operation['method'], OperationV2>>>;
}

export interface DocumentV2 {
  readonly version: string;
  readonly paths: ReadonlyMap<string, PathItemV2>;
  readonly definitions: ReadonlyMap<string, SchemaV2>;
}

const PRODUCES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

const queryParameter = ({ name, type }: QueryParameter): ParameterV2 => ({
  name,
  in: 'query',
  type,
  uniqueItems: true,
});

function operationV2(operation: Operation): OperationV2 {
  const { action, body, gvk, id, query, result, tag } = operation;
  const ok = { description: 'OK', ...(result === undefined ? {} : { schema: { $ref: V2 + result } }) };
  const wrote = action === 'post' || action === 'put' || action === 'patch';
  return {
    tags: [tag],
    operationId: id,
    consumes: body === PATCH_DEFINITION ? mediaTypesFor(operation, PATCHES) : ['*/*'],
    produces: result === undefined ? ['*/*'] : mediaTypesFor(operation, PRODUCES),
    parameters: [
      ...(body === undefined
        ? []
        : [
            {
              name: 'body',
              in: 'body' as const,
              ...(action === 'delete' || action === 'deletecollection' ? {} : { required: true }),
              schema: { $ref: V2 + body },
            },
          ]),
      ...query.map(queryParameter),
    ],
    responses: {
      '200': ok,
      ...(wrote ? { '201': { ...ok, description: 'Created' } } : {}),
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: gvk.group, kind: gvk.kind, version: gvk.version },
  };
}

function pathV2({ operations, parameters }: Path): PathItemV2 {
  return {
    parameters: [
      ...parameters.map(
        (name) => ({ name, in: 'path', required: true, type: 'string', uniqueItems: true }) as const,
      ),
      queryParameter({ name: 'pretty', type: 'string' }),
    ],
    operations: Object.fromEntries(operations.map((one) => [one.method, operationV2(one)])),
  };
}

/** The document about everything that is served. */
export function documentV2(serverVersion: string, resources: readonly OpenApiResource[]): DocumentV2 {
  const definitions = [...definitionsOf(resources)];
  return {
    version: serverVersion,
    paths: new Map(pathsOf(resources).map((path) => [path.path, pathV2(path)])),
    definitions: new Map(definitions.map(([name, json]) => [name, schemaV2(JSON.parse(json) as Schema)])),
  };
}

/** The document as JSON. */
export function documentV2Json({ version, paths, definitions }: DocumentV2): string {
  return JSON.stringify({
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries(
      [...paths].map(([path, { operations, parameters }]) => [path, { ...operations, parameters }]),
    ),
    definitions: Object.fromEntries(definitions),
    securityDefinitions: {
      BearerToken: { type: 'apiKey', in: 'header', name: 'authorization', description: 'Bearer token' },
    },
    security: [{ BearerToken: [] }],
  });
}

// The definitions that documents are made of, as JSON text. Those of built-in kinds are put in as they are
// stored, without parsing; those of custom resources and of Cluster are written from their schemas.
import {
  builtinSchemaJson,
  clusterDefinitions,
  definitionFor,
  formatApiVersion,
  type Schema,
} from '../../api/index.ts';
import { listDefinition, type OpenApiResource } from './operations.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const refTo = (definition: string): Schema => ({ $ref: `#/components/schemas/${definition}` });

const API_VERSION: Schema = {
  type: 'string',
  description: 'The API group and version that this object is written in.',
};
const KIND: Schema = { type: 'string', description: 'What kind of object this is.' };
const metadataOf = (definition: string): Schema => ({
  description: 'What all objects have in common: names, labels, owners, versions.',
  allOf: [refTo(META + definition)],
});

/** A schema with what OpenAPI publishes apart replaced by references. Unchanged parts are shared. */
function published(schema: Schema, root = true): Schema {
  const name = root ? undefined : clusterDefinitions.get(schema);
  if (name !== undefined) return referenceWith(name, schema.description);
  let result = schema;
  if (schema.properties !== undefined) {
    const properties = mapValues(schema.properties);
    if (properties !== schema.properties) result = { ...result, properties };
  }
  if (schema.items !== undefined) {
    const items = published(schema.items, false);
    if (items !== schema.items) result = { ...result, items };
  }
  if (typeof schema.additionalProperties === 'object') {
    const additionalProperties = published(schema.additionalProperties, false);
    if (additionalProperties !== schema.additionalProperties) result = { ...result, additionalProperties };
  }
  if (!root && schema['x-kubernetes-embedded-resource'] === true) {
    const properties = {
      apiVersion: API_VERSION,
      kind: KIND,
      ...result.properties,
      metadata: metadataOf('ObjectMeta'),
    };
    return { ...result, properties };
  }
  return result;
}

function referenceWith(definition: string, description: string | undefined): Schema {
  const reference = { allOf: [refTo(definition)] };
  return description === undefined ? reference : { description, ...reference };
}

function mapValues(properties: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  let changed = false;
  const entries = Object.entries(properties).map(([key, inner]): [string, Schema] => {
    const value = published(inner, false);
    changed ||= value !== inner;
    return [key, value];
  });
  return changed ? Object.fromEntries(entries) : properties;
}

function customKind({ definition, version }: OpenApiResource): Schema {
  const { group, kind } = definition;
  const schema = published(version.schema);
  return {
    ...schema,
    type: 'object',
    properties: {
      ...schema.properties,
      apiVersion: schema.properties?.['apiVersion'] ?? API_VERSION,
      kind: schema.properties?.['kind'] ?? KIND,
      metadata: metadataOf('ObjectMeta'),
    },
    ...gvkExtension(group, version.name, kind),
  };
}

function gvkExtension(group: string, version: string, kind: string): Schema {
  return { 'x-kubernetes-group-version-kind': [{ group, kind, version }] } as Schema;
}

function customList({ definition, version }: OpenApiResource): Schema {
  const { group, kind, listKind } = definition;
  const called = `${kind}.${formatApiVersion({ group, version: version.name })}`;
  return {
    description: `A list of ${called} objects.`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: API_VERSION,
      items: { description: 'The objects.', type: 'array', items: refTo(version.definition) },
      kind: KIND,
      metadata: metadataOf('ListMeta'),
    },
    ...gvkExtension(group, version.name, listKind),
  };
}

/** What every document has, whatever it is about. */
const ALWAYS = ['APIGroup', 'APIResourceList', 'DeleteOptions', 'Patch', 'Status', 'WatchEvent'];

/** Name and JSON text of everything that the kinds refer to, themselves included; sorted. */
export function definitionsOf(resources: readonly OpenApiResource[]): Map<string, string> {
  const custom = new Map<string, () => Schema>();
  const roots: string[] = ALWAYS.map((name) => META + name);
  for (const resource of resources) {
    const { definition, version } = resource;
    roots.push(version.definition);
    if (builtinSchemaJson(version.definition) === undefined) {
      custom.set(version.definition, () => customKind(resource));
    }
    if (definition.verbs.includes('list')) {
      const list = listDefinition(resource);
      roots.push(list);
      if (builtinSchemaJson(list) === undefined) custom.set(list, () => customList(resource));
    }
    for (const { kind } of Object.values(definition.subresources)) {
      const shown = kind === undefined ? undefined : definitionFor(kind);
      if (shown !== undefined) roots.push(shown);
    }
  }
  for (const [schema, name] of clusterDefinitions) {
    if (!custom.has(name)) custom.set(name, () => published(schema));
  }
  return withReferences(roots, (name) => {
    const builtin = builtinSchemaJson(name);
    if (builtin !== undefined) return builtin;
    const schema = custom.get(name)?.();
    return schema === undefined ? undefined : JSON.stringify(schema);
  });
}

function withReferences(
  roots: readonly string[],
  textOf: (name: string) => string | undefined,
): Map<string, string> {
  const found = new Map<string, string>();
  const open = [...roots];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    const json = textOf(name);
    if (json === undefined) continue;
    found.set(name, json);
    for (const [, inner] of json.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) open.push(inner!);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

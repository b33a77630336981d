import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  builtinResources,
  builtinSchema,
  clusterKind,
  definitionFor,
  karmadaKinds,
  type KindDefinition,
  type KubeObject,
  type Schema,
} from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { ALL_VERBS, type ResourceDefinition, type ResourceVerb, type ResourceVersion } from '../resource.ts';
import { OpenApiDocuments } from './index.ts';

function version(name: string, definition: string, schema: Schema): ResourceVersion {
  return { name, served: true, definition, schema, decode: (value) => value as unknown as KubeObject };
}

const common = {
  listKind: '',
  storageApiVersion: '',
  storageRoot: '',
  strategy: {},
  itemsNameKind: false,
};

const builtin: readonly ResourceDefinition[] = builtinResources().map((resource) => {
  const definition = definitionFor(resource)!;
  return {
    ...common,
    ...resource,
    resource: resource.plural,
    listKind: `${resource.kind}List`,
    verbs: resource.verbs as readonly ResourceVerb[],
    versions: [version(resource.version, definition, builtinSchema(definition)!)],
    subresources: Object.fromEntries(
      resource.subresources.map(({ name, verbs, ...kind }) => [
        name,
        { verbs, ...(kind.kind === resource.kind ? {} : { kind }) },
      ]),
    ),
  };
});

function custom(kind: KindDefinition, prefix: string): ResourceDefinition {
  return {
    ...common,
    custom: true,
    group: kind.group,
    resource: kind.plural,
    singular: kind.kind.toLowerCase(),
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    namespaced: kind.namespaced,
    shortNames: kind.shortNames ?? [],
    categories: kind.categories ?? [],
    verbs: ALL_VERBS,
    versions: kind.versions.map(({ name, schema }) => version(name, `${prefix}${name}.${kind.kind}`, schema)),
    subresources: { status: { verbs: ['get', 'patch', 'update'] } },
  };
}

const cluster = {
  ...custom(clusterKind, 'com.github.karmada-io.karmada.pkg.apis.cluster.'),
  custom: false,
};
const all = [
  ...builtin,
  ...karmadaKinds.map((kind) => custom(kind, `${kind.group.split('.').reverse().join('.')}.`)),
  cluster,
];

interface Answer {
  readonly status: number;
  readonly contentType?: string;
  readonly object?: unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

function get(
  documents: OpenApiDocuments,
  url: string,
  headers: Record<string, string> = {},
): Answer | undefined {
  const { pathname, searchParams } = new URL(url, 'https://hub');
  return documents.respond({ path: pathname, query: searchParams, headers }) as Answer | undefined;
}

const indexOf = (documents: OpenApiDocuments): Index['paths'] =>
  (get(documents, '/openapi/v3')!.object as Index).paths;
const json = (answer: Answer | undefined): unknown => JSON.parse(Buffer.from(answer!.bytes!).toString());

interface Index {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
}
type Operations = Readonly<
  Record<
    string,
    {
      readonly parameters?: readonly { readonly name: string }[];
      readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
      readonly 'x-kubernetes-action'?: string;
      readonly 'x-kubernetes-group-version-kind'?: unknown;
    }
  >
>;
interface DocumentV3 {
  readonly paths: Readonly<Record<string, Operations>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const served = (definitions: readonly ResourceDefinition[]): OpenApiDocuments =>
  new OpenApiDocuments({ generation: 0, definitions: () => definitions }, 'v1.36.2', systemClock);

test('the index names a document for every group version, and each is complete in itself', () => {
  const documents = served(all);
  const paths = indexOf(documents);
  assert.ok(
    paths['apis/apps/v1'] !== undefined && paths['api/v1'] !== undefined && paths['apis/apps'] !== undefined,
  );
  for (const { serverRelativeURL } of Object.values(paths)) {
    const answer = get(documents, serverRelativeURL);
    assert.equal(answer?.status, 200);
    assert.equal(answer.headers?.['cache-control'], 'public, immutable');
    const document = json(answer) as DocumentV3;
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/#\/components\/schemas\/([^"]+)"/g)) {
      assert.ok(document.components.schemas[name!] !== undefined, `${serverRelativeURL}: ${name}`);
    }
  }
});

test('clients find what a kind supports at its patch operation', () => {
  const documents = served(all);
  for (const { custom: isCustom, group, kind, verbs, versions } of all) {
    if (!verbs.includes('patch')) continue;
    for (const { name } of versions) {
      const url = `/openapi/v3/${group === '' ? 'api' : `apis/${group}`}/${name}`;
      const { paths } = json(get(documents, url)) as DocumentV3;
      const patch = Object.values(paths)
        .map((path) => path['patch'])
        .find((operation) => {
          const gvk = operation?.['x-kubernetes-group-version-kind'];
          return JSON.stringify(gvk) === JSON.stringify({ group, kind, version: name });
        });
      assert.equal(patch?.['x-kubernetes-action'], 'patch', `${group}/${name} ${kind}`);
      const parameters = patch.parameters?.map((parameter) => parameter.name) ?? [];
      assert.deepEqual(parameters, ['dryRun', 'fieldManager', 'fieldValidation', 'force']);
      const strategic = 'application/strategic-merge-patch+json' in (patch.requestBody?.content ?? {});
      assert.equal(strategic, isCustom !== true, `strategic merge patch of ${group}/${name} ${kind}`);
    }
  }
});

test('custom resources are published with metadata, explanations and a list kind', () => {
  const documents = served(all);
  const { components, paths } = json(
    get(documents, '/openapi/v3/apis/policy.karmada.io/v1alpha1'),
  ) as DocumentV3;
  const policy = components.schemas['io.karmada.policy.v1alpha1.PropagationPolicy'];
  assert.deepEqual(policy?.properties?.['metadata']?.allOf, [
    { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
  ]);
  assert.match(policy.properties['spec']?.properties?.['placement']?.description ?? '', /run/);
  const list = components.schemas['io.karmada.policy.v1alpha1.PropagationPolicyList'];
  assert.equal(
    list?.properties?.['items']?.items?.$ref,
    '#/components/schemas/io.karmada.policy.v1alpha1.PropagationPolicy',
  );
  const item = '/apis/policy.karmada.io/v1alpha1/namespaces/{namespace}/propagationpolicies/{name}';
  assert.deepEqual(Object.keys(paths[item] ?? {}), ['get', 'put', 'patch', 'delete', 'parameters']);
});

test('the parts of Cluster are definitions of their own, under the names that upstream gives them', () => {
  const { components } = json(get(served(all), '/openapi/v3/apis/cluster.karmada.io/v1alpha1')) as DocumentV3;
  const prefix = 'com.github.karmada-io.karmada.pkg.apis.cluster.v1alpha1.';
  const reference = `#/components/schemas/${prefix}ClusterSpec`;
  const schema = components.schemas[`${prefix}Cluster`];
  assert.equal(schema?.properties?.['spec']?.allOf?.[0]?.$ref, reference);
  assert.ok(schema.properties['metadata']?.allOf !== undefined);
  assert.ok('x-kubernetes-group-version-kind' in schema);
  assert.equal(components.schemas[`${prefix}ClusterSpec`]?.properties?.['syncMode']?.type, 'string');
});

test('a document is answered once: by its etag not again, and under an old hash not at all', () => {
  const documents = served(all);
  const answer = get(documents, '/openapi/v3/apis/apps/v1');
  const etag = answer?.headers?.['etag'] ?? '';
  assert.equal(answer?.headers?.['cache-control'], undefined);
  const again = get(documents, '/openapi/v3/apis/apps/v1', { 'if-none-match': etag });
  assert.equal(again?.status, 304);
  assert.equal(again.bytes?.length, 0);
  const old = get(documents, '/openapi/v3/apis/apps/v1?hash=OLD');
  assert.equal(old?.status, 301);
  assert.equal(get(documents, old.headers?.['location'] ?? '')?.status, 200);
  assert.equal(get(documents, '/openapi/v3/apis/nobody/v1'), undefined);
});

test('a changed custom resource moves the hash of its own group version only', () => {
  let generation = 0;
  let definitions: readonly ResourceDefinition[] = all;
  const source = {
    get generation(): number {
      return generation;
    },
    definitions: () => definitions,
  };
  const documents = new OpenApiDocuments(source, 'v1.36.2', systemClock);
  const before = indexOf(documents);
  definitions = all.map((definition) =>
    definition === cluster
      ? { ...cluster, versions: [{ ...cluster.versions[0]!, schema: { type: 'object' } }] }
      : definition,
  );
  assert.deepEqual(indexOf(documents), before, 'nobody said that it changed');
  generation++;
  const after = indexOf(documents);
  const moved = Object.keys(after).filter(
    (path) => after[path]?.serverRelativeURL !== before[path]?.serverRelativeURL,
  );
  assert.deepEqual(moved, ['apis/cluster.karmada.io/v1alpha1']);
});

test('equal servers give equal hashes', () => {
  assert.deepEqual(get(served(all), '/openapi/v3')?.object, get(served(all), '/openapi/v3')?.object);
});

interface DocumentV2 {
  readonly swagger: string;
  readonly paths: Readonly<Record<string, Operations>>;
  readonly definitions: Readonly<Record<string, Schema>>;
}

test('version 2 says only what version 2 can say', () => {
  const answer = get(served(all), '/openapi/v2');
  assert.equal(answer?.contentType, 'application/json');
  const document = json(answer) as DocumentV2;
  assert.equal(document.swagger, '2.0');
  const text = JSON.stringify(document.definitions);
  // JSONSchemaProps has fields of these names, which are properties and no keywords.
  const { 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps': _props, ...rest } =
    document.definitions;
  assert.ok(!/"(oneOf|anyOf|allOf|nullable|not)":/.test(JSON.stringify(rest)));
  for (const [, name] of text.matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)) {
    assert.ok(document.definitions[name!] !== undefined, name);
  }
  assert.ok(!text.includes('#/components'));
  assert.deepEqual(document.definitions['io.k8s.apimachinery.pkg.api.resource.Quantity'], { type: 'string' });
  const containers = document.definitions['io.k8s.api.core.v1.PodSpec']?.properties?.['containers'];
  assert.equal(containers?.['x-kubernetes-patch-merge-key'], 'name');
});

/** Fields of a protobuf message: those with a length as bytes, the others as numbers. */
function fields(bytes: Uint8Array): Map<number, (Uint8Array | number)[]> {
  const found = new Map<number, (Uint8Array | number)[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wireType = key % 8;
    let value: Uint8Array | number;
    if (wireType === 0) value = varint();
    else if (wireType === 1) {
      value = new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true);
      at += 8;
    } else {
      assert.equal(wireType, 2);
      const length = varint();
      value = bytes.subarray(at, at + length);
      at += length;
    }
    const field = Math.floor(key / 8);
    found.set(field, [...(found.get(field) ?? []), value]);
  }
  assert.equal(at, bytes.length);
  return found;
}

const inner = (message: Map<number, (Uint8Array | number)[]>, field: number): Uint8Array[] =>
  (message.get(field) ?? []) as Uint8Array[];
const string = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
/** NamedSchema, NamedPathItem, NamedAny: name and value. */
const pairs = (messages: readonly Uint8Array[]): Map<string, Uint8Array> =>
  new Map(
    messages.map((bytes) => {
      const message = fields(bytes);
      return [string(inner(message, 1)[0]), inner(message, 2)[0] ?? new Uint8Array()];
    }),
  );

test('version 2 as protobuf says the same as in JSON', () => {
  const documents = served(all);
  const document = json(get(documents, '/openapi/v2')) as DocumentV2;
  const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
  const answer = get(documents, '/openapi/v2', { accept });
  assert.equal(answer?.contentType, 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
  const top = fields(answer.bytes!);
  assert.equal(string(inner(top, 1)[0]), '2.0');
  const definitions = pairs(inner(fields(inner(top, 9)[0]!), 1));
  assert.deepEqual([...definitions.keys()], Object.keys(document.definitions));
  const paths = pairs(inner(fields(inner(top, 8)[0]!), 2));
  assert.deepEqual([...paths.keys()], Object.keys(document.paths));

  const compare = (bytes: Uint8Array, expected: Schema, at: string): void => {
    const message = fields(bytes);
    assert.equal(string(inner(message, 1)[0]), expected.$ref ?? '', at);
    assert.equal(string(inner(message, 4)[0]), expected.description ?? '', at);
    assert.deepEqual(inner(message, 19).map(string), expected.required ?? [], at);
    const type = inner(message, 22)[0];
    assert.equal(type === undefined ? undefined : string(inner(fields(type), 1)[0]), expected.type, at);
    const extensions = pairs(inner(message, 31));
    for (const [name, value] of Object.entries(expected)) {
      if (!name.startsWith('x-')) continue;
      const any = fields(extensions.get(name) ?? new Uint8Array());
      assert.deepEqual(JSON.parse(string(inner(any, 2)[0])), value, `${at} ${name}`);
    }
    const properties = inner(message, 25)[0];
    const named = properties === undefined ? new Map() : pairs(inner(fields(properties), 1));
    assert.deepEqual([...named.keys()], Object.keys(expected.properties ?? {}), at);
    for (const [name, property] of Object.entries(expected.properties ?? {})) {
      compare(named.get(name) as Uint8Array, property, `${at}.${name}`);
    }
    const items = inner(message, 23)[0];
    if (expected.items !== undefined) compare(inner(fields(items!), 1)[0]!, expected.items, `${at}[]`);
    if (typeof expected.additionalProperties === 'object') {
      const values = inner(message, 21)[0];
      compare(inner(fields(values!), 1)[0]!, expected.additionalProperties, `${at}{}`);
    }
  };
  for (const [name, bytes] of definitions) compare(bytes, document.definitions[name]!, name);

  const item = '/apis/apps/v1/namespaces/{namespace}/deployments/{name}';
  const patch = fields(inner(fields(paths.get(item)!), 8)[0]!);
  const gvk = fields(pairs(inner(patch, 13)).get('x-kubernetes-group-version-kind')!);
  assert.deepEqual(JSON.parse(string(inner(gvk, 2)[0])), {
    group: 'apps',
    kind: 'Deployment',
    version: 'v1',
  });
  // ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema > name; the first one is the body.
  const names = inner(patch, 8)
    .slice(1)
    .map((bytes) => fields(inner(fields(inner(fields(bytes), 1)[0]!), 2)[0]!))
    .map((nonBody) => string(inner(fields(inner(nonBody, 3)[0]!), 4)[0]));
  assert.deepEqual(names, ['dryRun', 'fieldManager', 'fieldValidation', 'force']);
});

test('the Accept header chooses the form, and nothing suitable is 406', () => {
  const documents = served(builtin);
  const type = (accept: string): string | undefined => get(documents, '/openapi/v2', { accept })?.contentType;
  const dotted = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
  assert.equal(type('*/*'), 'application/json');
  assert.equal(
    type('application/json;q=0.5, application/com.github.proto-openapi.spec.v2@v1.0+protobuf'),
    dotted,
  );
  assert.equal(type(`${dotted};q=0.1,application/json`), 'application/json');
  assert.throws(() => type('text/html'), /media types are accepted/);
});

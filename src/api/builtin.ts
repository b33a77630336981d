// The built-in Kubernetes kinds as data: what a real kube-apiserver lists in discovery and publishes as schemas.
// Nothing is parsed before it is asked for, and one definition at a time, so that a hub that serves a few
// kinds pays for a few. All results are frozen and shared.
//
// Versions: two resources are served in more than one version, `horizontalpodautoscalers` (autoscaling/v2 and
// v1) and `events` (v1 and events.k8s.io/v1). Each version has its own entry here and its own schema; one of
// them is the version that is stored, see builtin-conversion.ts. Everything else has one version.
import { assert } from '../base/index.ts';
import { bootstrapRbacLines } from './generated/bootstrap-rbac.ts';
import { resourceLines } from './generated/kubernetes-resources.ts';
import { schemaLines } from './generated/kubernetes-schemas.ts';
import { protobufLines } from './generated/protobuf-fields.ts';
import { parseApiVersion, type GroupVersionKind } from './gvk.ts';
import { deepFreeze, type KubeObject } from './object.ts';
import type { Schema } from './schema.ts';

/** `deployments/scale`, `pods/eviction`: the kind it takes and gives is often of another group. */
export interface BuiltinSubresource extends GroupVersionKind {
  readonly name: string;
  readonly verbs: readonly string[];
}

export interface BuiltinResource extends GroupVersionKind {
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly BuiltinSubresource[];
}

interface ListedResource {
  readonly groupVersion: string;
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Of the kind, where it is not that of the resource. */
  readonly group?: string;
  readonly version?: string;
}

const linesOf = (text: string): string[] => text.trim().split('\n');

/** Parses on the first call, then returns the same value. */
function lazily<T>(parse: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= parse());
}

interface LazyTable<T> {
  get(name: string): T | undefined;
  text(name: string): string | undefined;
  names(): readonly string[];
}

/** A table whose values are parsed one by one. */
function lazyTable<T>(text: string): LazyTable<T> {
  const unparsed = lazily(
    () =>
      new Map(
        linesOf(text).map((line) => {
          const tab = line.indexOf('\t');
          return [line.slice(0, tab), line.slice(tab + 1)];
        }),
      ),
  );
  const parsed = new Map<string, T>();
  const names = lazily(() => Object.freeze([...unparsed().keys()]));
  return {
    names,
    text: (name) => unparsed().get(name),
    get(name) {
      const known = parsed.get(name);
      if (known !== undefined) return known;
      const json = unparsed().get(name);
      if (json === undefined) return undefined;
      const value = deepFreeze(JSON.parse(json) as T);
      parsed.set(name, value);
      return value;
    },
  };
}

function subresourceOf(listed: ListedResource): BuiltinSubresource {
  const own = parseApiVersion(listed.groupVersion);
  return {
    name: listed.name.slice(listed.name.indexOf('/') + 1),
    // The core group is left out of discovery like an absent one; the version tells them apart.
    group: listed.group ?? (listed.version === undefined ? own.group : ''),
    version: listed.version ?? own.version,
    kind: listed.kind,
    verbs: listed.verbs,
  };
}

/** Every built-in resource in every served version, in the order in which discovery lists them. */
export const builtinResources: () => readonly BuiltinResource[] = lazily(() => {
  const listed = linesOf(resourceLines).map((line) => JSON.parse(line) as ListedResource);
  const subresources = Map.groupBy(
    listed.filter(({ name }) => name.includes('/')),
    ({ groupVersion, name }) => `${groupVersion}/${name.slice(0, name.indexOf('/'))}`,
  );
  return deepFreeze(
    listed
      .filter(({ name }) => !name.includes('/'))
      .map(({ groupVersion, name, singularName, namespaced, kind, verbs, shortNames, categories }) => ({
        ...parseApiVersion(groupVersion),
        plural: name,
        singular: singularName,
        kind,
        namespaced,
        verbs,
        shortNames: shortNames ?? [],
        categories: categories ?? [],
        subresources: (subresources.get(`${groupVersion}/${name}`) ?? []).map(subresourceOf),
      })),
  );
});

const schemas = lazyTable<Schema>(schemaLines);

/** The schema of a definition, e.g. `io.k8s.api.apps.v1.Deployment`. Its references are left as they are. */
export function builtinSchema(definitionName: string): Schema | undefined {
  return schemas.get(definitionName);
}

/** The same as JSON text, for putting it into documents without parsing it. */
export function builtinSchemaJson(definitionName: string): string | undefined {
  return schemas.text(definitionName);
}

/** All definition names, sorted. */
export function builtinDefinitions(): readonly string[] {
  return schemas.names();
}

const REFERENCE = '#/components/schemas/';

/** The definition name in a `$ref` of OpenAPI v3. */
export function referencedDefinition(reference: string): string {
  assert(reference.startsWith(REFERENCE), `schema reference ${reference} points to no definition`);
  return reference.slice(REFERENCE.length);
}

/** The schema that a `$ref` inside a built-in schema means. */
export function resolveRef(reference: string): Schema {
  const schema = schemas.get(referencedDefinition(reference));
  assert(schema !== undefined, `schema reference ${reference} has no definition`);
  return schema;
}

const definitionsByKind = lazily(() => {
  const found = new Map<string, string>();
  // Only what names its kind is parsed; the text tells that without parsing.
  for (const line of linesOf(schemaLines)) {
    const start = line.indexOf('"x-kubernetes-group-version-kind":');
    if (start < 0) continue;
    const end = line.indexOf(']', start);
    const kinds = JSON.parse(line.slice(line.indexOf('[', start), end + 1)) as GroupVersionKind[];
    const definition = line.slice(0, line.indexOf('\t'));
    for (const { group, version, kind } of kinds) found.set(`${group}/${version}/${kind}`, definition);
  }
  return found;
});

/** The definition name of a kind; undefined for kinds without one (those of connect options). */
export function definitionFor({ group, version, kind }: GroupVersionKind): string | undefined {
  return definitionsByKind().get(`${group}/${version}/${kind}`);
}

type RbacLine = Readonly<Record<string, unknown>> & {
  readonly kind: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
};

/** The roles and bindings every cluster starts with, as objects without server-set metadata. */
export const bootstrapRbac: () => readonly KubeObject[] = lazily(() =>
  deepFreeze(
    linesOf(bootstrapRbacLines).map((line) => {
      const { kind, name, labels, ...rest } = JSON.parse(line) as RbacLine;
      return {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind,
        metadata: {
          name,
          labels,
          annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
        },
        ...rest,
      };
    }),
  ),
);

export interface ProtobufField {
  readonly name: string;
  readonly number: number;
  /** A scalar (`string`, `bytes`, `bool`, `int32`, `int64`, `double`) or the full name of a message. */
  readonly type: string;
  /** `map`: keys are strings, `type` is that of the values. */
  readonly cardinality: 'single' | 'repeated' | 'map';
}

type FieldLine = readonly [number: number, type: string, repeated?: 'repeated'];

const messageLines = lazyTable<Readonly<Record<string, FieldLine>>>(protobufLines);
const messages = new Map<string, readonly ProtobufField[]>();
const SCALARS = new Set(['string', 'bytes', 'bool', 'int32', 'int64', 'double']);

function fieldOf(name: string, [number, written, repeated]: FieldLine, scope: string): ProtobufField {
  const map = /^map<string,(.+)>$/.exec(written)?.[1];
  const type = map ?? written;
  const qualified = type.startsWith('.') ? type.slice(1) : SCALARS.has(type) ? type : `${scope}.${type}`;
  const cardinality = map === undefined ? (repeated ?? 'single') : 'map';
  return { name, number, type: qualified, cardinality };
}

/** The fields of a protobuf message by its full name, e.g. `k8s.io.api.core.v1.Pod`; undefined: no such message. */
export function protobufFields(messageName: string): readonly ProtobufField[] | undefined {
  const known = messages.get(messageName);
  if (known !== undefined) return known;
  const lines = messageLines.get(messageName);
  if (lines === undefined) return undefined;
  const scope = messageName.slice(0, messageName.lastIndexOf('.'));
  const fields = Object.entries(lines).map(([name, line]) => fieldOf(name, line, scope));
  messages.set(messageName, deepFreeze(fields));
  return fields;
}

/** The protobuf message of a definition: `io.k8s.api.core.v1.Pod` is `k8s.io.api.core.v1.Pod` there. */
export function protobufMessageFor(definitionName: string): string {
  return definitionName
    .replace(/^io\.k8s\./, 'k8s.io.')
    .replace('.apiextensions-apiserver.', '.apiextensions_apiserver.')
    .replace('.kube-aggregator.', '.kube_aggregator.');
}

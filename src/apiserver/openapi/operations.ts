// What can be done with the served resources, as OpenAPI tells it: one operation for each path and method. Both
// versions of the document are written from this list.
import { definitionFor, formatApiVersion, type GroupVersionKind } from '../../api/index.ts';
import type { ResourceDefinition, ResourceVersion } from '../resource.ts';

/** A resource in one of its served versions. */
export interface OpenApiResource {
  readonly definition: ResourceDefinition;
  readonly version: ResourceVersion;
}

type Action = 'list' | 'post' | 'deletecollection' | 'get' | 'put' | 'patch' | 'delete' | 'connect';

export interface QueryParameter {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'integer';
}

export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** COMPAT: kubectl finds out by `patch` operations what the server supports for a kind. */
  readonly action: Action;
  readonly id: string;
  readonly tag: string;
  readonly gvk: GroupVersionKind;
  readonly query: readonly QueryParameter[];
  /** Definition of the body; a patch has the one of meta/v1. */
  readonly body: string | undefined;
  /** Definition of the answer; undefined: text or a stream. */
  readonly result: string | undefined;
  /** Of a custom resource: it is never sent in protobuf. */
  readonly custom: boolean;
}

export interface Path {
  readonly path: string;
  /** Names of path parameters. */
  readonly parameters: readonly ('name' | 'namespace' | 'path')[];
  readonly operations: readonly Operation[];
}

const STRATEGIC = 'application/strategic-merge-patch+json';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/**
 * Those of the media types that a resource takes and gives. COMPAT: kubectl patches in the strategic way where it
 * finds that way here, and custom resources refuse it.
 */
export function mediaTypesFor({ custom }: Operation, types: readonly string[]): readonly string[] {
  return custom ? types.filter((type) => type !== STRATEGIC && type !== PROTOBUF) : types;
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
export const PATCH_DEFINITION = `${META}Patch`;
export const STATUS_DEFINITION = `${META}Status`;
const DELETE_OPTIONS = `${META}DeleteOptions`;

const text = (name: string): QueryParameter => ({ name, type: 'string' });
const flag = (name: string): QueryParameter => ({ name, type: 'boolean' });
const count = (name: string): QueryParameter => ({ name, type: 'integer' });

const SELECT = [
  text('continue'),
  text('fieldSelector'),
  text('labelSelector'),
  count('limit'),
  text('resourceVersion'),
  text('resourceVersionMatch'),
  flag('sendInitialEvents'),
  count('timeoutSeconds'),
];
const LIST = [flag('allowWatchBookmarks'), ...SELECT, flag('watch')];
const WRITE = [text('dryRun'), text('fieldManager'), text('fieldValidation')];
const PATCH = [...WRITE, flag('force')];
const DELETE = [
  text('dryRun'),
  count('gracePeriodSeconds'),
  flag('ignoreStoreReadErrorWithClusterBreakingPotential'),
  flag('orphanDependents'),
  text('propagationPolicy'),
];

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const camel = (words: string): string =>
  words
    .split(/[^A-Za-z0-9]+/)
    .map(capital)
    .join('');

/** `AppsV1`, `CoreV1`, `PolicyKarmadaIoV1alpha1`; COMPAT: `.k8s.io` is left out of names. */
function groupVersionName(group: string, version: string): string {
  return camel(group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')) + capital(version);
}

function tagOf(group: string, version: string): string {
  const name = camel(group === '' ? 'core' : group.replace(/\.k8s\.io$/, ''));
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${version}`;
}

/** The definition of the list of a kind. */
export function listDefinition({ definition, version }: OpenApiResource): string {
  const { group, listKind: kind } = definition;
  return definitionFor({ group, version: version.name, kind }) ?? `${version.definition}List`;
}

interface Shape {
  readonly method: Operation['method'];
  readonly action: Action;
  readonly idPrefix: string;
  readonly query: readonly QueryParameter[];
}

const ITEM: Readonly<Record<string, Shape>> = {
  get: { method: 'get', action: 'get', idPrefix: 'read', query: [] },
  create: { method: 'post', action: 'post', idPrefix: 'create', query: WRITE },
  update: { method: 'put', action: 'put', idPrefix: 'replace', query: WRITE },
  patch: { method: 'patch', action: 'patch', idPrefix: 'patch', query: PATCH },
  delete: { method: 'delete', action: 'delete', idPrefix: 'delete', query: DELETE },
};

const COLLECTION: Readonly<Record<string, Shape>> = {
  list: { method: 'get', action: 'list', idPrefix: 'list', query: LIST },
  create: { method: 'post', action: 'post', idPrefix: 'create', query: WRITE },
  deletecollection: {
    method: 'delete',
    action: 'deletecollection',
    idPrefix: 'deleteCollection',
    query: [...SELECT, ...DELETE],
  },
};

function bodyOf(action: Action, kind: string): string | undefined {
  if (action === 'patch') return PATCH_DEFINITION;
  if (action === 'delete' || action === 'deletecollection') return DELETE_OPTIONS;
  return action === 'post' || action === 'put' ? kind : undefined;
}

function resourcePaths(resource: OpenApiResource): Path[] {
  const { definition, version } = resource;
  const { group, kind, namespaced } = definition;
  const verbs = new Set<string>(definition.verbs);
  const base = `${group === '' ? '/api' : '/apis'}/${formatApiVersion({ group, version: version.name })}`;
  const prefix = groupVersionName(group, version.name);
  const scope = namespaced ? 'Namespaced' : '';
  const collection = namespaced
    ? `${base}/namespaces/{namespace}/${definition.resource}`
    : `${base}/${definition.resource}`;
  const inNamespace = namespaced ? (['namespace'] as const) : [];
  const named = ['name', ...inNamespace] as const;

  const operation = (shape: Shape, idSuffix: string, result: string): Operation => ({
    method: shape.method,
    action: shape.action,
    id: `${shape.idPrefix}${prefix}${idSuffix}`,
    tag: tagOf(group, version.name),
    gvk: { group, version: version.name, kind },
    query: shape.query,
    body: bodyOf(shape.action, version.definition),
    result,
    custom: definition.custom === true,
  });
  const results: Readonly<Partial<Record<Action, string>>> = {
    list: listDefinition(resource),
    deletecollection: STATUS_DEFINITION,
    delete: definition.strategy.returnsDeleted === true ? version.definition : STATUS_DEFINITION,
  };
  const operations = (shapes: Readonly<Record<string, Shape>>): Operation[] =>
    Object.keys(shapes)
      .filter((verb) => verbs.has(verb) && !(shapes === ITEM && verb === 'create'))
      .map((verb) => {
        const shape = shapes[verb]!;
        return operation(shape, scope + kind, results[shape.action] ?? version.definition);
      });

  const paths: Path[] = [
    { path: collection, parameters: inNamespace, operations: operations(COLLECTION) },
    { path: `${collection}/{name}`, parameters: named, operations: operations(ITEM) },
  ];
  if (namespaced && verbs.has('list')) {
    const everywhere = operation(COLLECTION['list']!, `${kind}ForAllNamespaces`, listDefinition(resource));
    paths.push({ path: `${base}/${definition.resource}`, parameters: [], operations: [everywhere] });
  }
  for (const name of Object.keys(definition.subresources)) {
    paths.push(subresourcePath(resource, name, `${collection}/{name}/${name}`, named));
  }
  return paths.filter((path) => path.operations.length > 0);
}

function subresourcePath(
  { definition, version }: OpenApiResource,
  name: string,
  path: string,
  parameters: Path['parameters'],
): Path {
  const subresource = definition.subresources[name]!;
  const gvk = subresource.kind ?? {
    group: definition.group,
    version: version.name,
    kind: definition.kind,
  };
  const shown = subresource.kind === undefined ? version.definition : definitionFor(gvk);
  const prefix = groupVersionName(definition.group, version.name);
  const suffix = `${definition.namespaced ? 'Namespaced' : ''}${definition.kind}${camel(name)}`;
  const operations = subresource.verbs
    .filter((verb) => Object.hasOwn(ITEM, verb))
    .map((verb): Operation => {
      const { method, action, idPrefix, query } = ITEM[verb]!;
      const common = {
        method,
        tag: tagOf(definition.group, version.name),
        gvk,
        custom: definition.custom === true,
      };
      // A subresource without a kind of its own schema is a connection: proxy, exec, log.
      return shown === undefined
        ? {
            ...common,
            action: 'connect',
            id: `connect${prefix}${capital(method)}${suffix}`,
            query: [],
            body: undefined,
            result: undefined,
          }
        : {
            ...common,
            action,
            id: `${idPrefix}${prefix}${suffix}`,
            query,
            body: bodyOf(action, shown),
            result: shown,
          };
    });
  return { path, parameters, operations };
}

/** Every path of the resources with its operations, sorted. */
export function pathsOf(resources: readonly OpenApiResource[]): Path[] {
  return resources.flatMap(resourcePaths).sort((a, b) => (a.path < b.path ? -1 : 1));
}

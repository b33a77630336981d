// OpenAPI v3: one document for each group version. Written as text, piece by piece, because most of it is text
// already.
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

const JSON_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

const SECURITY = {
  BearerToken: { type: 'apiKey', in: 'header', name: 'authorization', description: 'Bearer token' },
};

function queryParameter({ name, type }: QueryParameter): object {
  return { name, in: 'query', schema: { type, uniqueItems: true } };
}

function pathParameters({ parameters }: Path): object[] {
  return [
    ...parameters.map((name) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string', uniqueItems: true },
    })),
    queryParameter({ name: 'pretty', type: 'string' }),
  ];
}

function content(types: readonly string[], definition: string): object {
  const schema = { $ref: `#/components/schemas/${definition}` };
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function answer(operation: Operation): object {
  const { result, action } = operation;
  if (result === undefined) return { '*/*': { schema: { type: 'string' } } };
  const streams = action === 'list' ? JSON_TYPES.slice(0, 1).map((type) => `${type};stream=watch`) : [];
  return content([...mediaTypesFor(operation, JSON_TYPES), ...streams], result);
}

function operationObject(operation: Operation): object {
  const { action, body, gvk, id, query, tag } = operation;
  return {
    tags: [tag],
    operationId: id,
    ...(query.length === 0 ? {} : { parameters: query.map(queryParameter) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: content(
              body === PATCH_DEFINITION ? mediaTypesFor(operation, PATCH_TYPES) : ['*/*'],
              body,
            ),
          },
        }),
    responses: {
      '200': { description: 'OK', content: answer(operation) },
      ...(action === 'post' || action === 'put' || action === 'patch'
        ? { '201': { description: 'Created', content: answer(operation) } }
        : {}),
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: gvk.group, kind: gvk.kind, version: gvk.version },
  };
}

function pathText(path: Path): string {
  const operations = path.operations.map((one) => [one.method, operationObject(one)]);
  const item = { ...Object.fromEntries(operations), parameters: pathParameters(path) };
  return `${JSON.stringify(path.path)}:${JSON.stringify(item)}`;
}

/** A path that tells what there is; it has no kind. */
function discoveryPath(path: string, id: string, definition: string): string {
  const item = {
    get: {
      operationId: id,
      responses: {
        '200': { description: 'OK', content: content(JSON_TYPES, definition) },
        '401': { description: 'Unauthorized' },
      },
    },
  };
  return `${JSON.stringify(path)}:${JSON.stringify(item)}`;
}

function documentText(
  version: string,
  paths: readonly string[],
  definitions: ReadonlyMap<string, string>,
): string {
  const schemas = [...definitions].map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  return (
    `{"openapi":"3.0.0","info":${JSON.stringify({ title: 'Kubernetes', version })},` +
    `"paths":{${paths.join(',')}},` +
    `"components":{"schemas":{${schemas.join(',')}},"securitySchemes":${JSON.stringify(SECURITY)}}}`
  );
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

/** The document of a group version, whose path is like `apis/apps/v1`. */
export function groupVersionDocument(
  serverVersion: string,
  path: string,
  resources: readonly OpenApiResource[],
): string {
  const paths = [
    discoveryPath(`/${path}/`, 'getAPIResources', `${META}APIResourceList`),
    ...pathsOf(resources).map(pathText),
  ];
  return documentText(serverVersion, paths, definitionsOf(resources));
}

/** The documents of `api`, `apis` and `apis/<group>`: nothing but discovery. */
export function discoveryDocument(serverVersion: string, path: string): string {
  const group = path.startsWith('apis/');
  const paths = [discoveryPath(`/${path}/`, 'getAPIGroup', `${META}${group ? 'APIGroup' : 'Status'}`)];
  return documentText(serverVersion, paths, definitionsOf([]));
}

// Puts what another API server says of its group version into our OpenAPI v2 document: its paths, and the definitions
// they need. Pure. COMPAT: a definition of a name that we give to something else gets a suffix, as upstream does it.
import { deepEqual } from '../../machinery/index.ts';
import type { DocumentV2, ParameterV2, PathItemV2, SchemaV2 } from './document-v2.ts';

const DEFINITIONS = '#/definitions/';

interface Swagger {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly definitions: Readonly<Record<string, unknown>>;
}

function swaggerOf(value: unknown): Swagger | undefined {
  const { swagger, paths, definitions } = (value ?? {}) as Partial<Swagger> & { readonly swagger?: unknown };
  const isTable = (table: unknown): boolean => typeof table === 'object' && table !== null;
  if (swagger !== '2.0' || !isTable(paths) || !isTable(definitions)) return undefined;
  return { paths: paths as Swagger['paths'], definitions: definitions as Swagger['definitions'] };
}

/** Visits every reference to a definition, and puts in its place what `rename` says. */
function withReferences(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => withReferences(one, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string' && inner.startsWith(DEFINITIONS)
        ? [key, DEFINITIONS + rename(inner.slice(DEFINITIONS.length))]
        : [key, withReferences(inner, rename)],
    ),
  );
}

/** The names of all definitions that are reached from `roots`. */
function reached(roots: readonly unknown[], definitions: Swagger['definitions']): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    withReferences(value, (name) => {
      if (!names.has(name) && Object.hasOwn(definitions, name)) {
        names.add(name);
        visit(definitions[name]);
      }
      return name;
    });
  };
  for (const root of roots) visit(root);
  return names;
}

function pathItem({ parameters = [], ...operations }: Readonly<Record<string, unknown>>): PathItemV2 {
  return {
    parameters: parameters as readonly ParameterV2[],
    operations,
  };
}

/** Our document with the paths of a remote group version; what is no OpenAPI v2 document adds nothing. */
export function mergeV2(own: DocumentV2, remote: unknown, group: string, version: string): DocumentV2 {
  const swagger = swaggerOf(remote);
  if (swagger === undefined) return own;
  const prefix = `/apis/${group}/${version}/`;
  const added = Object.entries(swagger.paths).filter(([path]) => path.startsWith(prefix));
  const needed = reached(
    added.map(([, item]) => item),
    swagger.definitions,
  );
  const renamed = new Map<string, string>();
  const nameFor = (name: string): string => {
    for (let count = 1; ; count++) {
      const candidate = count === 1 ? name : `${name}_v${count}`;
      const taken = own.definitions.get(candidate);
      if (taken === undefined || deepEqual(taken, swagger.definitions[name])) return candidate;
    }
  };
  for (const name of needed) renamed.set(name, nameFor(name));
  const rename = (name: string): string => renamed.get(name) ?? name;
  const paths = new Map(own.paths);
  for (const [path, item] of added) {
    paths.set(path, pathItem(withReferences(item, rename) as Readonly<Record<string, unknown>>));
  }
  const definitions = new Map(own.definitions);
  for (const name of needed) {
    definitions.set(rename(name), withReferences(swagger.definitions[name], rename) as SchemaV2);
  }
  return { ...own, paths, definitions };
}

// What `get` asks of one cluster: tables or objects, by names or by selectors, each failure with the cluster's name.
import { formatApiVersion, type KubeList, type KubeObject } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import {
  ConnectionError,
  objectPath,
  resourcePath,
  isNotFound,
  type ApiResource,
} from '../../client/index.ts';
import { compileJsonPath, relaxedJsonPath, StatusError } from '../../machinery/index.ts';
import { filesGiven, locateObjects, readObjects, resolveArguments, type Wanted } from '../objects/index.ts';
import { TABLE_ACCEPT, type ServerTable, type TableColumn, type TableRow } from '../output/index.ts';
import { CommandError } from '../shell/index.ts';
import { CONTROL_PLANE, type GetFlags, type Target } from './flags.ts';

export interface FetchRequest {
  readonly operands: readonly string[];
  readonly flags: GetFlags;
  readonly asTable: boolean;
}

/** What one request for one resource brought. */
export interface Part {
  readonly resource: ApiResource;
  readonly cluster: string;
  /** One object was asked for by its name. */
  readonly single: boolean;
  readonly columns?: readonly TableColumn[];
  readonly rows?: readonly TableRow[];
  readonly objects?: readonly KubeObject[];
  readonly resourceVersion?: string;
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof StatusError && error.code === 401;
}

export interface Fetched {
  readonly parts: readonly Part[];
  readonly errors: readonly Error[];
}

export interface Request extends Wanted {
  readonly namespace: string | undefined;
}

const PAGE = '500';

export async function fetchFrom(target: Target, request: FetchRequest): Promise<Fetched> {
  const errors: Error[] = [];
  const parts: Part[] = [];
  try {
    for (const one of await requestsFor(target, request)) {
      try {
        parts.push(await fetchOne(target, one, request));
      } catch (error) {
        if (request.flags.ignoreNotFound === true && isNotFound(error)) continue;
        errors.push(named(target, error));
      }
    }
  } catch (error) {
    errors.push(named(target, error));
  }
  return { parts, errors };
}

/** COMPAT: also the control plane's own errors carry its name. That nothing listens there is said in kubectl's words. */
export function named({ label }: Target, error: unknown): Error {
  const ours = label === CONTROL_PLANE;
  if (ours && (error instanceof ConnectionError || isUnauthorized(error)) && error instanceof Error)
    return error;
  return new CommandError(`cluster(${label}): ${errorMessage(error)}`);
}

/** The requests that the operands, or the files, come to in this cluster. */
export async function requestsFor(
  target: Target,
  { operands, flags }: FetchRequest,
): Promise<readonly Request[]> {
  const { session, label } = target;
  if (label !== CONTROL_PLANE) await testConnection(target);
  const namespace = flags.allNamespaces === true ? undefined : session.namespace;
  if (filesGiven(flags)) {
    const { located, errors } = await locateObjects(session, await readObjects(flags));
    if (errors[0] !== undefined) throw errors[0];
    return located.map((one) => ({
      resource: one.resource,
      name: one.object.metadata.name,
      namespace: one.namespace,
    }));
  }
  const selected = selectorOf(flags) !== undefined || flags.fieldSelector !== undefined;
  const wanted = await resolveArguments(session.mapper, operands, {
    allNamespaces: flags.allNamespaces === true,
    selected,
    typeAlone: true,
  });
  return wanted.map((one) => ({ ...one, namespace: one.resource.namespaced ? namespace : undefined }));
}

async function testConnection({ label, session }: Target): Promise<void> {
  try {
    await session.client.request({ method: 'GET', path: '/api' });
  } catch (error) {
    throw new CommandError(
      `basic connection test to cluster(${label}) failed, please check authorization or network: ${errorMessage(error)}`,
    );
  }
}

export function selectorOf({ labels, selector }: GetFlags): string | undefined {
  return labels ?? selector;
}

export function pathOf({ resource, namespace, name }: Request): string {
  return name === undefined ? resourcePath(resource, namespace) : objectPath(resource, { namespace, name });
}

export function queryOf({ name }: Request, flags: GetFlags): Record<string, string> {
  if (name !== undefined) return {};
  const selector = selectorOf(flags);
  return {
    ...(selector === undefined ? {} : { labelSelector: selector }),
    ...(flags.fieldSelector === undefined ? {} : { fieldSelector: flags.fieldSelector }),
  };
}

async function fetchOne(target: Target, one: Request, { flags, asTable }: FetchRequest): Promise<Part> {
  const base = { resource: one.resource, cluster: target.label, single: one.name !== undefined };
  const pages: unknown[] = [];
  let next = '';
  const refused = (error: unknown): never => {
    throw one.name === undefined ? withSelection(error, one, flags) : error;
  };
  do {
    pages.push(
      await target.session.client
        .request({
          method: 'GET',
          path: pathOf(one),
          query: {
            ...queryOf(one, flags),
            ...(one.name === undefined ? { limit: PAGE } : {}),
            ...(next === '' ? {} : { continue: next }),
            ...(asTable && flags.sortBy !== undefined ? { includeObject: 'Object' } : {}),
          },
          ...(asTable ? { headers: { accept: TABLE_ACCEPT } } : {}),
        })
        .catch(refused),
    );
    next = (pages.at(-1) as KubeList).metadata?.continue ?? '';
  } while (next !== '');
  return asTable ? tablePart(base, pages, flags) : objectPart(base, pages, flags);
}

/** COMPAT: a refused selection is told with what was selected. */
function withSelection(error: unknown, { resource }: Request, flags: GetFlags): unknown {
  if (!(error instanceof StatusError) || (error.reason !== 'BadRequest' && error.reason !== 'NotFound'))
    return error;
  const label = selectorOf(flags) ?? '';
  const field = flags.fieldSelector ?? '';
  const what = JSON.stringify(`${formatApiVersion(resource)}, Resource=${resource.resource}`);
  const text =
    label === '' && field === ''
      ? `Unable to list ${what}`
      : `Unable to find ${what} that match label selector ${JSON.stringify(label)}, field selector ${JSON.stringify(field)}`;
  return new StatusError(error.code, error.reason, `${text}: ${error.message}`, error.status.details);
}

type PartBase = Pick<Part, 'resource' | 'cluster' | 'single'>;

function tablePart(base: PartBase, pages: readonly unknown[], { sortBy }: GetFlags): Part {
  const tables = pages.map((page) => asServerTable(page));
  const [first] = tables;
  const rows = tables.flatMap((table) => table.rows ?? []);
  return {
    ...base,
    columns: first?.columnDefinitions ?? [],
    rows: sortBy === undefined ? rows : sortedBy(sortBy, rows, (row) => row.object),
    resourceVersion: first?.metadata?.resourceVersion ?? '',
  };
}

/** Servers that make no tables answer objects: these get a name and an age. */
export function asServerTable(answer: unknown): ServerTable {
  const { kind } = answer as ServerTable;
  if (kind === 'Table') return answer as ServerTable;
  const { items } = answer as KubeList;
  const objects: readonly KubeObject[] = items ?? [answer as KubeObject];
  return {
    kind: 'Table',
    metadata: (answer as KubeList).metadata,
    columnDefinitions: [{ name: 'Name', format: 'name' }, { name: 'Created At' }],
    rows: objects.map((object) => ({
      cells: [object.metadata.name ?? '', object.metadata.creationTimestamp ?? ''],
      object,
    })),
  };
}

function objectPart(base: PartBase, pages: readonly unknown[], { sortBy }: GetFlags): Part {
  const [first] = pages as readonly KubeList[];
  const list = first?.kind.endsWith('List') === true && !base.single;
  const objects = list
    ? (pages as readonly KubeList[]).flatMap(({ items, apiVersion, kind }) =>
        (items ?? []).map((item) => ({
          ...item,
          apiVersion: item.apiVersion ?? apiVersion,
          kind: item.kind ?? kind.replace(/List$/, ''),
        })),
      )
    : (pages as readonly KubeObject[]);
  return {
    ...base,
    objects: sortBy === undefined ? objects : sortedBy(sortBy, objects, (object) => object),
    resourceVersion: first?.metadata?.resourceVersion ?? '',
  };
}

/** By what a path finds, objects without it first; numbers as numbers. */
function sortedBy<T>(path: string, items: readonly T[], objectOf: (item: T) => unknown): readonly T[] {
  const compiled = compileJsonPath(relaxedJsonPath(path), { allowMissingKeys: true });
  const keyed = items.map((item) => ({ item, key: compiled.find(objectOf(item)).flat()[0] }));
  return keyed.sort((a, b) => compareKeys(a.key, b.key)).map(({ item }) => item);
}

function compareKeys(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = typeof a === 'string' ? a : JSON.stringify(a);
  const right = typeof b === 'string' ? b : JSON.stringify(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

// What a request's path and method mean, as authorization, audit and dispatch see it. The rules are those of
// kube-apiserver's RequestInfo: clients' RBAC rules are written against exactly these verbs and resources.
import type { RequestInfo } from './contract.ts';

/** Subresources of namespaces; anything else behind `/namespaces/NAME/` is a resource inside that namespace. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

const VERB_OF_METHOD: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

export interface ParsedPath {
  readonly info: RequestInfo;
  /** True for the old `/api/v1/watch/...` form. */
  readonly legacyWatch: boolean;
}

function nonResource(method: string, path: string): ParsedPath {
  const info: RequestInfo = {
    isResource: false,
    path,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    rest: '',
  };
  return { info, legacyWatch: false };
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function isWatch(query: URLSearchParams): boolean {
  const asked = query.get('watch');
  // COMPAT: `?watch` and `?watch=` count as a watch, as Go's conversion of query values has it.
  return asked !== null && asked !== 'false' && asked !== '0';
}

/** A list or watch of one object by `metadata.name` is authorized with that name, if it can be one in a path. */
function nameFromFieldSelector(query: URLSearchParams): string {
  for (const term of query.get('fieldSelector')?.split(',') ?? []) {
    const name = /^metadata\.name==?([^!=]+)$/.exec(term)?.[1];
    if (name !== undefined) return name === '.' || name === '..' || /[/%]/.test(name) ? '' : name;
  }
  return '';
}

function segmentsOf(path: string): string[] {
  const segments: string[] = [];
  for (let from = 0; from < path.length;) {
    const slash = path.indexOf('/', from);
    const end = slash === -1 ? path.length : slash;
    if (end > from) segments.push(path.slice(from, end));
    from = end + 1;
  }
  return segments;
}

export function parseRequestInfo(method: string, path: string, query: URLSearchParams): ParsedPath {
  const parts = segmentsOf(path);
  const isCore = parts[0] === 'api';
  const start = isCore ? 2 : 3;
  if ((!isCore && parts[0] !== 'apis') || parts.length <= start) return nonResource(method, path);
  const group = isCore ? '' : decode(parts[1]!);
  const version = decode(parts[start - 1]!);
  let rest = parts.slice(start);
  if (path.includes('%')) rest = rest.map(decode);
  const legacyWatch = rest[0] === 'watch' && rest.length > 1;
  if (legacyWatch) rest = rest.slice(1);

  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1]!;
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2]!)) rest = rest.slice(2);
  }
  const [resource = '', pathName = '', subresource = ''] = rest;
  let name = pathName;
  let verb = legacyWatch ? 'watch' : (VERB_OF_METHOD[method] ?? method.toLowerCase());
  if (name === '' && verb === 'get') {
    verb = isWatch(query) ? 'watch' : 'list';
    name = nameFromFieldSelector(query);
  } else if (name === '' && verb === 'delete') {
    verb = 'deletecollection';
  }
  const info: RequestInfo = {
    isResource: true,
    path,
    verb,
    group,
    version,
    namespace,
    resource,
    subresource,
    name,
    rest: rest.length > 3 ? rest.slice(3).join('/') : '',
  };
  return { info, legacyWatch };
}

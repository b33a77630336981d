// What shells offer while a command is being written: types, names of objects, namespaces, clusters.
import type { KubeList } from '../../api/index.ts';
import { resourcePath } from '../../client/index.ts';
import type { CompletionRequest } from '../shell/index.ts';
import { resolveType } from './arguments.ts';
import { clusterNames, openSession, type Session } from './session.ts';

/** LIMIT: names offered at once. */
const NAMES_MAX = 500;

type Complete = (request: CompletionRequest) => Promise<readonly string[]>;

/** Completes `TYPE NAME...` and `TYPE/NAME`, and the flags that name clusters and namespaces. */
export function completeObjects(request: CompletionRequest): Promise<readonly string[]> {
  return asking(request, async (session) => {
    const flag = await flagValues(session, request);
    if (flag !== undefined) return flag;
    const [type] = request.operands;
    const slash = request.word.indexOf('/');
    if (slash > 0) {
      const written = request.word.slice(0, slash);
      return (await names(session, written, request)).map((name) => `${written}/${name}`);
    }
    if (type === undefined || type.includes('/')) return types(session);
    return (await names(session, type, request)).filter((name) => !request.operands.includes(name));
  });
}

/** Completes names of one type: `cordon CLUSTER`, `logs POD`. */
export function completeNames(type: string, several = false): Complete {
  return (request) =>
    asking(request, async (session) => {
      const flag = await flagValues(session, request);
      if (flag !== undefined) return flag;
      if (!several && request.operands.length > 0) return [];
      return (await names(session, type, request)).filter((name) => !request.operands.includes(name));
    });
}

async function asking(
  { flags }: CompletionRequest,
  ask: (session: Session) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const text = (name: string): string | undefined => flags.get(name);
  const kubeconfig = text('kubeconfig');
  const karmadaContext = text('karmada-context');
  const namespace = text('namespace');
  const session = await openSession({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(karmadaContext === undefined ? {} : { karmadaContext }),
    ...(namespace === undefined ? {} : { namespace }),
  });
  try {
    return await ask(session);
  } finally {
    await session.close();
  }
}

/** Candidates for the value of a flag; undefined: the word is an operand. */
async function flagValues(
  session: Session,
  { flag }: CompletionRequest,
): Promise<readonly string[] | undefined> {
  if (flag === undefined) return undefined;
  if (flag === 'namespace') return names(session, 'namespaces', undefined);
  if (flag === 'cluster' || flag === 'clusters') return clusterNames(session);
  return [];
}

async function types(session: Session): Promise<readonly string[]> {
  const all = await session.mapper.resources();
  return all
    .filter(({ preferred, verbs }) => preferred && verbs.includes('get'))
    .map(({ resource, group }) => (group === '' ? resource : `${resource}.${group}`))
    .sort();
}

async function names(
  session: Session,
  type: string,
  request: CompletionRequest | undefined,
): Promise<readonly string[]> {
  const cluster = request?.flags.get('cluster') ?? request?.flags.get('clusters');
  const there = cluster === undefined || cluster.includes(',') ? session : session.member(cluster);
  const resource = await resolveType(there.mapper, type);
  const answer = (await there.client.request({
    method: 'GET',
    path: resourcePath(resource, resource.namespaced ? session.namespace : undefined),
    query: { limit: String(NAMES_MAX) },
    headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json' },
  })) as KubeList;
  return answer.items.map(({ metadata }) => metadata.name ?? '');
}

// `clusters/NAME/proxy/PATH`: a member's API through the hub, as the user who asks; and for the name `*`, that of all
// members together. COMPAT: spec and messages are upstream's; a member that cannot be reached has no part in what
// all members answer.
import type { Cluster, KubeObject } from '../../api/index.ts';
import {
  UpstreamConnections,
  UpstreamError,
  forward,
  parseRequestInfo,
  plainText,
  readWhole,
  type ApiRequest,
  type ApiResponse,
  type Subresource,
  type SubresourceCall,
} from '../../apiserver/index.ts';
import type { Clock } from '../../base/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { memberAccess } from './member-access.ts';
import { inOrder, mergeLists, withoutSubresource } from './all-clusters.ts';

/** LIMIT: how long one member may take to say whether it has something, when all are asked. */
const ASK_TIMEOUT_MS = 10_000;

export interface ClusterProxyOptions {
  readonly clock: Clock;
  /** The hub's own API server, for what belongs to no member. */
  readonly handleHere: (request: ApiRequest) => Promise<ApiResponse>;
}

export interface ClusterProxy {
  readonly subresource: Subresource;
  close(): void;
}

export function createClusterProxy({ clock, handleHere }: ClusterProxyOptions): ClusterProxy {
  const connections = new UpstreamConnections(clock);

  const toMember = async (
    call: SubresourceCall,
    cluster: Cluster,
    request: ApiRequest,
  ): Promise<ApiResponse> => {
    const access = await memberAccess(call.objects, cluster, request.user);
    try {
      return await forward(connections, request, { ...access, path: request.path });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      const { name = '' } = cluster.metadata;
      const message = `error trying to reach cluster ${name}: ${error.message}`;
      throw new StatusError(503, 'ServiceUnavailable', message, {}, { cause: error });
    }
  };

  /** What a member answers to a GET; undefined when it cannot be asked, or does not answer with 200. */
  const ask = async (call: SubresourceCall, cluster: Cluster, path: string): Promise<unknown> => {
    const late = new AbortController();
    const cancel = clock.after(ASK_TIMEOUT_MS, () => late.abort(new Error('the member takes too long')));
    const signal = AbortSignal.any([late.signal, call.request.signal]);
    const headers = { accept: 'application/json' };
    const request = { ...call.request, method: 'GET', path, headers, body: undefined, signal };
    try {
      const { status, body } = await readWhole(
        await toMember(call, cluster, withoutUpgrade(request)),
        signal,
      );
      return status === 200 ? body : undefined;
    } catch {
      return undefined;
    } finally {
      cancel();
    }
  };

  /** The members that answer, by name, each with what it says. */
  const askAll = async (
    call: SubresourceCall,
    path: string,
  ): Promise<readonly { readonly cluster: Cluster; readonly body: unknown }[]> => {
    const clusters = inOrder((await call.objects.list('cluster.karmada.io', 'clusters', '')) as Cluster[]);
    const answers = await Promise.all(
      clusters.map(async (cluster) => ({ cluster, body: await ask(call, cluster, path) })),
    );
    return answers.filter(({ body }) => body !== undefined);
  };

  const toAll = async (call: SubresourceCall, request: ApiRequest): Promise<ApiResponse> => {
    const { info } = parseRequestInfo(request.method, request.path, request.query);
    if (!info.isResource) return handleHere(asHimself(request));
    if (info.name === '') {
      if (info.verb !== 'list') return plainText(405, `Request verb ${info.verb} is not support`);
      const answers = await askAll(call, request.path);
      if (answers.length === 0) return plainText(404, 'not found');
      const object = mergeLists(answers.map(({ body }) => body as KubeObject));
      return { kind: 'object', status: 200, object };
    }
    const having = await askAll(call, withoutSubresource(request.path, info));
    const [only] = having;
    if (only === undefined) return plainText(404, "resource not found or don't have permission to get it");
    if (having.length === 1) return toMember(call, only.cluster, request);
    const names = having.map(({ cluster }) => cluster.metadata.name).join(',');
    return plainText(409, `conflict resource, exist in more than one cluster: ${names}`);
  };

  return {
    subresource: {
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
      kind: { group: 'cluster.karmada.io', version: 'v1alpha1', kind: 'ClusterProxyOptions' },
      connects: 'ClusterProxyOptions',
      streams: true,
      async serve(call) {
        const request = { ...call.request, path: innerPath(call.request.path) };
        if (call.info.name === '*') return toAll(call, request);
        return toMember(call, (await call.parent()) as Cluster, request);
      },
    },
    close: () => connections.close(),
  };
}

/** What follows `clusters/NAME/proxy`, as it was sent. */
function innerPath(path: string): string {
  const [, rest = ''] = /^(?:\/[^/]+){5}\/proxy(\/.*)?$/.exec(path) ?? [];
  return rest === '' ? '/' : rest;
}

/** Whoever acts for somebody else does so already. */
function asHimself(request: ApiRequest): ApiRequest {
  const kept = Object.entries(request.headers).filter(([name]) => !name.startsWith('impersonate-'));
  return { ...request, headers: Object.fromEntries(kept) };
}

function withoutUpgrade(request: ApiRequest): ApiRequest {
  const { upgrade: _, ...plain } = request;
  return plain;
}

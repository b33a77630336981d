// The API server: everything a request passes after authentication, over one storage.
import type { KubeObject } from '../api/index.ts';
import { errorMessage, randomSuffix, type Clock, type Logger, type Random } from '../base/index.ts';
import {
  ProtobufFrames,
  StatusError,
  forbidden,
  internalError,
  type AdmissionPlugin,
  type Annotate,
  type UserInfo,
} from '../machinery/index.ts';
import type { Storage } from '../storage/index.ts';
import { builtinAdmission } from './admission/builtin.ts';
import type { AuditTrail, Auditor } from './audit/auditor.ts';
import { Views, type Core } from './call.ts';
import type { ApiRequest, ApiResponse, Authorizer, RequestInfo } from './contract.ts';
import { dispatch } from './dispatch.ts';
import type { Limiter } from './flow-control/limiter.ts';
import { builtinResourceDefinitions, type BuiltinKinds } from './kinds/builtin.ts';
import { builtinKinds } from './kinds/index.ts';
import { createObjectAccess } from './object-access.ts';
import { ResourceRegistry } from './registry.ts';
import { parseRequestInfo } from './request-info.ts';
import { refusalAnswer } from './refusals.ts';
import { refusePath, respondRoot } from './root-paths.ts';
import type { ResourceDefinition } from './resource.ts';
import { createInProcessTransport, type InProcessTransport } from './transport.ts';

// As kube-apiserver's --min-request-timeout.
const MIN_WATCH_MS = 1_800_000;

/** Answers paths that are no resources: discovery, health, version, OpenAPI. Undefined: not mine. */
export type PathHandler = (
  request: ApiRequest,
  info: RequestInfo,
) => ApiResponse | Promise<ApiResponse> | undefined;

export interface ApiServerOptions {
  readonly storage: Storage<KubeObject>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Who may do what. Absent: everybody everything, as kube-apiserver's AlwaysAllow. */
  readonly authorizer?: Authorizer;
  /** Who a request acts for, when it asks to act for somebody else. Throws a StatusError to refuse. */
  readonly impersonate?: (request: ApiRequest) => UserInfo;
  /** Shares the server out among those who come from outside; absent: all are answered at once. */
  readonly limiter?: Limiter;
  /** Keeps the audit log; absent: there is none. */
  readonly audit?: Auditor;
  /** Our own rules; they run after Kubernetes' built-in ones. */
  readonly admission?: readonly AdmissionPlugin[];
  /** Built-in rules to leave out, by kube-apiserver's names, e.g. `ServiceAccount`. */
  readonly disabledAdmission?: readonly string[];
  /** Pods run elsewhere, as accounts that need not be here; default: they run here. */
  readonly podsAreTemplates?: boolean;
  /** Resources besides, or instead of, the built-in ones. */
  readonly extraResources?: readonly ResourceDefinition[];
  /** Behaviour of built-in kinds that only the caller can give, e.g. token requests. */
  readonly kinds?: BuiltinKinds;
  readonly pathHandlers?: readonly PathHandler[];
  readonly minWatchMs?: number;
}

export interface ApiServer {
  readonly registry: ResourceRegistry;
  /** Answers a request; resolves for every outcome, errors are answers too. */
  handle(request: ApiRequest): Promise<ApiResponse>;
  /** The server as this user, without sockets and encoding. */
  inProcess(user: UserInfo): InProcessTransport;
  /** Ends all watches. The storage stays open: it belongs to the caller. */
  close(): Promise<void>;
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { storage, clock, random, logger } = options;
  const registry = new ResourceRegistry();
  const objects = createObjectAccess(registry, storage);
  const kinds = builtinKinds({ storage, random }, options.kinds ?? {});
  registry.put(...builtinResourceDefinitions(kinds), ...(options.extraResources ?? []));
  const views = new Views();
  const closing = new AbortController();
  const builtin = builtinAdmission(
    {
      objects,
      suffix: () => randomSuffix(random),
      authorizer: options.authorizer,
      podsAreTemplates: options.podsAreTemplates ?? false,
    },
    options.disabledAdmission ?? [],
  );
  const core: Core = {
    storage,
    registry,
    clock,
    random,
    logger,
    admission: [...builtin.plugins, ...(options.admission ?? []), ...builtin.last],
    objects,
    authorize: (user, asked) => authorize(options.authorizer, user, asked, undefined),
    minWatchMs: options.minWatchMs ?? MIN_WATCH_MS,
    closing: closing.signal,
    frames: new ProtobufFrames(),
    viewOf: (served) => views.of(served),
  };

  const answer = async (
    given: ApiRequest,
    info: RequestInfo,
    trail: AuditTrail | undefined,
  ): Promise<ApiResponse> => {
    const user = options.impersonate?.(given) ?? given.user;
    if (user !== given.user) trail?.impersonated(user);
    const { annotate } = trail ?? {};
    const request =
      user === given.user && annotate === undefined
        ? given
        : { ...given, user, ...(annotate === undefined ? {} : { annotate }) };
    const carryOut = async (): Promise<ApiResponse> => {
      for (const asked of questionsOf(registry, info)) authorize(options.authorizer, user, asked, annotate);
      for (const handler of options.pathHandlers ?? []) {
        const response = handler(request, info);
        if (response !== undefined) return response;
      }
      if (!info.isResource) {
        const root = respondRoot(registry, request);
        if (root !== undefined) return root;
        throw refusePath(registry, request);
      }
      return dispatch(core, request, info);
    };
    const { limiter } = options;
    // What comes from inside the process is part of the server's own work.
    return limiter === undefined || request.origin === undefined
      ? carryOut()
      : limiter.run(request, user, info, carryOut);
  };

  const handle = async (request: ApiRequest): Promise<ApiResponse> => {
    let trail: AuditTrail | undefined;
    let response: ApiResponse;
    try {
      const { info } = parseRequestInfo(request.method, request.path, request.query);
      trail = options.audit?.begin(request, info);
      response = await answer(request, info, trail);
    } catch (error) {
      response = errorResponse(error, request, logger);
    }
    return trail?.answered(response) ?? response;
  };

  return {
    registry,
    handle,
    inProcess: (user) => createInProcessTransport(handle, user),
    async close() {
      closing.abort(new Error('the API server is closing'));
    },
  };
}

/** What is asked about a request: what it says, as a rule. */
function questionsOf(registry: ResourceRegistry, info: RequestInfo): readonly RequestInfo[] {
  if (info.subresource === '') return [info];
  const served = registry.find(info.group, info.version, info.resource);
  const verb = served?.definition.subresources[info.subresource]?.authorizedAs?.[info.verb];
  if (verb === undefined) return [info];
  const itself = { ...info, subresource: '' };
  return [...new Set(['get', verb])].map((one) => ({ ...itself, verb: one }));
}

function authorize(
  authorizer: Authorizer | undefined,
  user: UserInfo,
  info: RequestInfo,
  annotate: Annotate | undefined,
): void {
  if (authorizer === undefined) return;
  const verdict = authorizer.authorize(user, info);
  annotate?.('authorization.k8s.io/decision', verdict.allowed ? 'allow' : 'forbid');
  annotate?.('authorization.k8s.io/reason', verdict.reason);
  if (verdict.allowed) return;
  throw refusal(user, info, verdict.reason);
}

function refusal(user: UserInfo, info: RequestInfo, reason: string): StatusError {
  const why = reason === '' ? '' : `: ${reason}`;
  if (!info.isResource) {
    const message = `forbidden: User ${JSON.stringify(user.name)} cannot ${info.verb} path ${JSON.stringify(info.path)}${why}`;
    return new StatusError(403, 'Forbidden', message, {});
  }
  const { group, resource, subresource, namespace, name, verb } = info;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const what = `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${scope}${why}`;
  return forbidden({ group, resource }, name, what);
}

function errorResponse(error: unknown, request: ApiRequest, logger: Logger): ApiResponse {
  let failure: StatusError;
  if (error instanceof StatusError) {
    failure = error;
  } else {
    logger.error('request failed', { method: request.method, path: request.path, error });
    failure = internalError(errorMessage(error));
  }
  return refusalAnswer(failure);
}

// From a parsed path to the verb that answers it.
import { StatusError, badRequest, hasProtobuf, methodNotSupported, notFound } from '../machinery/index.ts';
import type { Core, ResourceCall } from './call.ts';
import type { ApiRequest, ApiResponse, RequestInfo } from './contract.ts';
import { negotiate, type Format } from './negotiation.ts';
import { methodNotAllowed, pathNotFound, refusalAnswer } from './refusals.ts';
import type { ServedResource } from './registry.ts';
import type { ResourceVerb, WriteContext } from './resource.ts';
import { create } from './verbs/create.ts';
import { deleteCollection } from './verbs/delete-collection.ts';
import { deleteOne } from './verbs/delete.ts';
import { get } from './verbs/get.ts';
import { list } from './verbs/list.ts';
import { observed } from './verbs/observed.ts';
import { patch } from './verbs/patch.ts';
import { serveSubresource } from './verbs/subresource.ts';
import { update } from './verbs/update.ts';
import { watch } from './verbs/watch.ts';

const verbs: Readonly<Record<ResourceVerb, (call: ResourceCall) => Promise<ApiResponse>>> = {
  create,
  delete: deleteOne,
  deletecollection: deleteCollection,
  get,
  list,
  patch,
  update,
  watch,
};

const FORMATS = ['json', 'yaml', 'protobuf'] as const;
const FORMATS_OF_CUSTOM = ['json', 'yaml'] as const;

const formats = new WeakMap<ServedResource, readonly Format[]>();

/** Kinds that are not built in have no protobuf form. */
function formatsOf(served: ServedResource): readonly Format[] {
  const known = formats.get(served);
  if (known !== undefined) return known;
  const { definition, apiVersion } = served;
  const builtin = definition.custom !== true && hasProtobuf({ apiVersion, kind: definition.kind });
  const found = builtin ? FORMATS : FORMATS_OF_CUSTOM;
  formats.set(served, found);
  return found;
}

export async function dispatch(core: Core, request: ApiRequest, info: RequestInfo): Promise<ApiResponse> {
  const served = core.registry.find(info.group, info.version, info.resource);
  if (served === undefined) throw pathNotFound();
  const { definition } = served;
  if (info.namespace !== '' && !definition.namespaced && definition.resource !== 'namespaces') {
    throw pathNotFound();
  }
  if (definition.serve !== undefined) {
    const context = reviewContext(core, request, info);
    return definition.serve({
      request,
      info,
      context,
      passOn: (to) => dispatch(core, request, { ...info, ...to }),
    });
  }
  const subresource = info.subresource === '' ? undefined : definition.subresources[info.subresource];
  const streams = subresource?.streams === true;
  // COMPAT: HEAD is no method of built-in resources.
  const custom = definition.custom === true;
  if (!streams && !custom && (request.method === 'HEAD' || request.method === 'OPTIONS')) {
    throw methodNotAllowed();
  }
  if (info.subresource !== '' && subresource === undefined) {
    throw custom ? notFound({ group: info.group, resource: info.resource }, info.name) : pathNotFound();
  }
  const pretty = request.query.has('pretty') && !['0', 'false'].includes(request.query.get('pretty')!);
  const call: ResourceCall = {
    core,
    request,
    info,
    served,
    view: core.viewOf(served),
    subresource,
    user: request.user,
    warnings: new Set(
      served.version.deprecationWarning === undefined ? [] : [served.version.deprecationWarning],
    ),
    representation: negotiate(streams ? undefined : request.headers['accept'], pretty, {
      formats: formatsOf(served),
      transforms: true,
      custom,
      streams: info.verb === 'list' || info.verb === 'watch',
    }),
  };
  try {
    return await answer(call);
  } catch (error) {
    if (error instanceof StatusError && call.warnings.size > 0) return refusalAnswer(error, call.warnings);
    throw error;
  }
}

function answer(call: ResourceCall): Promise<ApiResponse> {
  const { subresource, served, info } = call;
  const { definition } = served;
  if (subresource !== undefined) return serveSubresource(call, subresource);
  const verb = definition.custom === true ? customVerbOf(served, info) : verbOf(served, info);
  return definition.observe === undefined
    ? verbs[verb](call)
    : observed(call, definition.observe.bind(definition));
}

function reviewContext(core: Core, { user }: ApiRequest, info: RequestInfo): WriteContext {
  return {
    user,
    nowMs: core.clock.now(),
    dryRun: false,
    random: core.random,
    group: info.group,
    version: info.version,
    warn: () => undefined,
  };
}

/** Refuses what the resource does not offer, and methods that make no sense on the path. */
function verbOf({ definition }: ServedResource, info: RequestInfo): ResourceVerb {
  const verb = info.verb as ResourceVerb;
  if (!definition.verbs.includes(verb)) throw methodNotAllowed();
  const onCollection = info.name === '';
  const wantsName = verb === 'get' || verb === 'update' || verb === 'patch' || verb === 'delete';
  if (wantsName && onCollection) throw methodNotAllowed();
  if (verb === 'create' && !onCollection) throw methodNotAllowed();
  const needsNamespace =
    definition.namespaced && (wantsName || verb === 'create' || verb === 'deletecollection');
  if (needsNamespace && info.namespace === '') {
    throw verb === 'create' || verb === 'deletecollection' ? methodNotAllowed() : notFoundPath(info);
  }
  return verb;
}

/** COMPAT: custom resources are told apart by their verbs, not by routes, and refused otherwise. */
function customVerbOf({ definition }: ServedResource, info: RequestInfo): ResourceVerb {
  const verb = info.verb as ResourceVerb;
  const acrossNamespaces = verb === 'list' || verb === 'watch';
  if (definition.namespaced && info.namespace === '' && !acrossNamespaces) throw pathNotFound();
  if (!definition.verbs.includes(verb)) {
    throw methodNotSupported({ group: info.group, resource: info.resource }, '');
  }
  const wantsName = verb === 'get' || verb === 'update' || verb === 'patch' || verb === 'delete';
  if (wantsName && info.name === '') throw badRequest('name must be provided');
  if (verb === 'create' && info.name !== '') throw methodNotAllowed();
  return verb;
}

function notFoundPath(info: RequestInfo): StatusError {
  return info.name === ''
    ? pathNotFound()
    : notFound({ group: info.group, resource: info.resource }, info.name);
}

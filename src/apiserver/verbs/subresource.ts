// Requests to subresources: a part of the object written as a whole one, the object shown as another kind, or
// code of the subresource's own.
import { formatApiVersion, type JsonObject, type KubeObject } from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import { badRequest, invalid, methodNotSupported, type AdmissionPlugin } from '../../machinery/index.ts';
import { bytesOf, decodeObject, identify, nothingSent, parseJsonBody, reportProblems } from '../body.ts';
import { admissionAttributes, mustGet, writeContext, type ResourceCall } from '../call.ts';
import { mutateAdmission, validateAdmission } from '../admission-chain.ts';
import { connectOptions } from './connect-options.ts';
import type { ApiResponse } from '../contract.ts';
import { methodNotAllowed } from '../refusals.ts';
import { typedDecode } from '../kinds/typed-decode.ts';
import {
  parseDeleteOptions,
  parseWriteOptions,
  type FieldValidation,
  type WriteOptions,
} from '../options.ts';
import { present } from '../presentation.ts';
import type { Projection, Subresource, SubresourceCall } from '../resource.ts';
import { trackUpdate } from '../field-tracking.ts';
import { optionsObject } from './create.ts';
import { deleteObject, deletionAnswer } from './delete.ts';
import { get } from './get.ts';
import { patch } from './patch.ts';
import { applyProjection } from './subresource-projection.ts';
import { named, update } from './update.ts';
import { updateObject } from './write.ts';

export async function serveSubresource(call: ResourceCall, subresource: Subresource): Promise<ApiResponse> {
  const { verb } = call.info;
  const asksForMethods = subresource.streams === true && verb === 'options';
  if (!asksForMethods && !subresource.verbs.includes(verb)) {
    const { group, resource } = call.info;
    // COMPAT: custom resources are told apart by their verbs, not by routes.
    throw call.served.definition.custom === true
      ? methodNotSupported({ group, resource }, verb)
      : methodNotAllowed();
  }
  if (subresource.serve !== undefined) {
    if (subresource.connects !== undefined) await admitConnection(call, subresource.connects);
    return subresource.serve(subresourceCall(call));
  }
  if (verb === 'get') return get(call);
  if (subresource.projection !== undefined && verb === 'update') {
    return updateProjection(call, subresource.projection);
  }
  if (verb === 'update') return update(call);
  if (verb === 'patch') return patch(call);
  throw methodNotAllowed();
}

function subresourceCall(call: ResourceCall): SubresourceCall {
  const { name } = call.info;
  // Query parameters of a stream are for whoever is at its other end.
  const query = call.subresource?.streams === true ? new URLSearchParams() : call.request.query;
  const options = parseWriteOptions(query, 'CreateOptions');
  return {
    request: call.request,
    info: call.info,
    context: writeContext(call, options.dryRun),
    parent: async () => (await mustGet(call, name)).value,
    body(): JsonObject {
      const parsed = parseJsonBody(call, false);
      if (typeof parsed?.json !== 'object' || parsed.json === null || Array.isArray(parsed.json)) {
        throw badRequest('the body of the request is no object');
      }
      return parsed.json as JsonObject;
    },
    object: () => decodeOwnKind(call, options.fieldValidation),
    async admitCreate(given, prepare) {
      const { core } = call;
      const { dryRun } = options;
      const attributes = {
        name,
        dryRun,
        oldObject: undefined,
        options: optionsObject('CreateOptions', options),
      };
      const warn = (message: string): void => void call.warnings.add(message);
      const admitted = await mutateAdmission(
        core.admission,
        { ...admissionAttributes(call, 'CREATE', { ...attributes, object: given }), object: given },
        warn,
      );
      const object = prepare?.(admitted) ?? admitted;
      const checked = admissionAttributes(call, 'CREATE', { ...attributes, object });
      await validateAdmission(core.admission, checked, warn);
      return object;
    },
    // COMPAT: nobody owns what becomes of the parent here; the client has written another object.
    update: (change) =>
      changeParent(
        {
          ...unasked(call),
          subresource: { verbs: [], part: { prepareForUpdate: (next) => next, ignoredFields: [] } },
        },
        change,
        options,
      ),
    replace(change) {
      const whole: ResourceCall = { ...unasked(call), subresource: undefined };
      return changeParent(whole, (parent) => trackUpdate(whole, parent, change(parent), options), options);
    },
    async delete(deleteOptions) {
      const parent: ResourceCall = { ...unasked(call), subresource: undefined };
      const parsed = parseDeleteOptions(new URLSearchParams(), deleteOptions);
      return deletionAnswer(parent, await deleteObject(parent, name, parsed, deleteOptions), parsed);
    },
    present: (status, object) => present(call, status, object),
    refuseInvalid(kind, errors) {
      throw invalid({ group: call.subresource?.kind?.group ?? '', kind }, name, errors);
    },
    objects: call.core.objects,
  };
}

async function changeParent(
  call: ResourceCall,
  change: (parent: KubeObject) => KubeObject,
  options: WriteOptions,
): Promise<KubeObject> {
  const { object } = await updateObject(call, call.info.name, {
    build: change,
    options,
    optionsObject: optionsObject('UpdateOptions', options),
  });
  return object;
}

const decoders = new Map<string, ReturnType<typeof typedDecode>>();

/** The body as the kind of its own that a subresource takes. */
function decodeOwnKind(call: ResourceCall, validation: FieldValidation): KubeObject {
  const kind = call.subresource?.kind;
  assert(kind !== undefined, 'only subresources with a kind of their own take one');
  const parsed = parseJsonBody(call, validation !== 'Ignore', kind.kind);
  if (parsed === undefined) throw nothingSent(kind.kind);
  const key = `${formatApiVersion(kind)}/${kind.kind}`;
  let decode = decoders.get(key);
  if (decode === undefined) decoders.set(key, (decode = typedDecode(kind)));
  const problems = [...parsed.problems];
  const { apiVersion } = (parsed.json ?? {}) as { readonly apiVersion?: string };
  const older = call.subresource?.olderApiVersions?.includes(apiVersion ?? '') === true;
  const json = older ? { ...(parsed.json as JsonObject), apiVersion: formatApiVersion(kind) } : parsed.json;
  const object = decode(identify(json, kind, bytesOf(call.request)), { problems });
  reportProblems(call, validation, problems);
  const namespace = object.metadata?.namespace ?? '';
  if (namespace !== '' && namespace !== call.info.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return Object.freeze({ ...object, apiVersion: formatApiVersion(kind), kind: kind.kind });
}

const NOBODY: readonly AdmissionPlugin[] = [];

/** The call without anybody to be asked about what it does to the parent. */
function unasked(call: ResourceCall): ResourceCall {
  return { ...call, core: { ...call.core, admission: NOBODY } };
}

async function admitConnection(call: ResourceCall, kind: string): Promise<void> {
  const { core, request, info, served } = call;
  const object: KubeObject = connectOptions(served.apiVersion, kind, request.query, info.rest);
  const given = { name: info.name, dryRun: false, oldObject: undefined, options: {} };
  const warn = (message: string): void => void call.warnings.add(message);
  const attributes = {
    ...admissionAttributes(call, 'CONNECT', { ...given, object }),
    group: served.definition.group,
    version: served.version.name,
    kind,
    object,
  };
  const admitted = await mutateAdmission(core.admission, attributes, warn);
  await validateAdmission(core.admission, { ...attributes, object: admitted }, warn);
}

async function updateProjection(call: ResourceCall, projection: Projection): Promise<ApiResponse> {
  const options = parseWriteOptions(call.request.query, 'UpdateOptions');
  const shown = named(call, decodeObject(call, options.fieldValidation));
  const { object } = await updateObject(call, call.info.name, {
    build: (current) =>
      trackUpdate(call, current, applyProjection(call, projection, current, shown), options),
    expectedUid: shown.metadata.uid ?? '',
    options,
    optionsObject: optionsObject('UpdateOptions', options),
  });
  return present(call, 200, projection.read(object));
}

// Requests to subresources: a part of the object written as a whole one, the object shown as another kind, or
// code of the subresource's own.
import type { JsonObject } from '../../api/index.ts';
import { badRequest, invalid } from '../../machinery/index.ts';
import { decodeObject, parseJsonBody } from '../body.ts';
import { mustGet, writeContext, type ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { methodNotAllowed } from '../refusals.ts';
import { parseDeleteOptions, parseWriteOptions } from '../options.ts';
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
  if (!subresource.verbs.includes(verb)) throw methodNotAllowed();
  if (subresource.serve !== undefined) return subresource.serve(subresourceCall(call));
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
  const options = parseWriteOptions(call.request.query, 'CreateOptions');
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
    async update(change) {
      const { object } = await updateObject(
        {
          ...call,
          subresource: { verbs: [], part: { prepareForUpdate: (next) => next, ignoredFields: [] } },
        },
        name,
        {
          build: (current) => trackUpdate(call, current, change(current), options),
          options,
          optionsObject: optionsObject('UpdateOptions', options),
        },
      );
      return object;
    },
    async delete(deleteOptions) {
      const parent: ResourceCall = { ...call, subresource: undefined };
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

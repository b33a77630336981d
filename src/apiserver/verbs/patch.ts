// PATCH: builds the next object from the stored one and a patch, as often as others are faster.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import {
  StatusError,
  applyJsonPatch,
  applyMergePatch,
  badRequest,
  fieldError,
  goJson,
  invalid,
  unknownJsonPatchFields,
} from '../../machinery/index.ts';
import { identify, mediaTypeOf, parseJsonBody, reportProblems } from '../body.ts';
import { kindOf, type ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { trackUpdate } from '../field-tracking.ts';
import { parseWriteOptions, type WriteOptions } from '../options.ts';
import { present } from '../presentation.ts';
import { apply } from './apply.ts';
import { optionsObject } from './create.ts';
import { applyProjection } from './subresource-projection.ts';
import { strategicMerge } from './strategic-merge.ts';
import { named } from './update.ts';
import { updateObject } from './write.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

type ApplyPatch = (current: KubeObject) => JsonValue;

export async function patch(call: ResourceCall): Promise<ApiResponse> {
  const mediaType = mediaTypeOf(call.request.headers['content-type']);
  checkMediaType(call, mediaType);
  if (mediaType === APPLY) return apply(call);
  const options = parseWriteOptions(call.request.query, 'PatchOptions');
  const parsed = parsePatch(call);
  const problems = [...parsed.problems];
  if (mediaType === JSON_PATCH) problems.push(...unknownJsonPatchFields(parsed.json));
  const applyPatch = applierOf(call, mediaType, parsed.json);
  const projection = call.subresource?.projection;
  const { object } = await updateObject(call, call.info.name, {
    build(current) {
      const before = projection === undefined ? current : projection.read(current);
      const next = decodePatched(call, applyPatch(before), parsed.json, problems, options);
      const whole = projection === undefined ? next : applyProjection(call, projection, current, next);
      return trackUpdate(call, current, whole, options);
    },
    options,
    optionsObject: optionsObject('PatchOptions', options),
  });
  return present(call, 200, projection === undefined ? object : projection.read(object));
}

function checkMediaType(call: ResourceCall, mediaType: string): void {
  const custom = call.served.definition.custom === true;
  const accepted = custom ? [JSON_PATCH, MERGE_PATCH, APPLY] : [JSON_PATCH, MERGE_PATCH, STRATEGIC, APPLY];
  if (accepted.includes(mediaType)) return;
  if (mediaType === STRATEGIC) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
    throw new StatusError(415, 'UnsupportedMediaType', message);
  }
  throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

function parsePatch(call: ResourceCall): { readonly json: unknown; readonly problems: readonly string[] } {
  const parsed = parseJsonBody(call, true);
  if (parsed === undefined) throw badRequest('unexpected end of JSON input');
  return parsed;
}

function applierOf(call: ResourceCall, mediaType: string, patchBody: unknown): ApplyPatch {
  if (mediaType === JSON_PATCH)
    return (current) => applyJsonPatch(current as unknown as JsonValue, patchBody);
  if (mediaType === MERGE_PATCH) {
    return (current) => applyMergePatch(current as unknown as JsonValue, patchBody);
  }
  return (current) => strategicMerge(call, current, patchBody);
}

/** What the patch left, as an object of the kind with its defaults. */
function decodePatched(
  call: ResourceCall,
  patched: JsonValue,
  patchBody: unknown,
  patchProblems: readonly string[],
  options: WriteOptions,
): KubeObject {
  const { served, subresource } = call;
  const { projection } = subresource ?? {};
  const { definition, version } = served;
  const kind = projection?.kind ?? { group: definition.group, version: version.name, kind: definition.kind };
  const identified: JsonObject = identify(patched, kind);
  const problems = [...patchProblems];
  const object = decodeOrRefuse(
    call,
    () => (projection ?? version).decode(identified, { problems }),
    patchBody,
  );
  if (problems.length > 0 && options.fieldValidation === 'Strict') {
    const why = `strict decoding error: ${problems.join(', ')}`;
    throw invalid(kindOf(call), call.info.name, [fieldError.invalid('patch', goJson(patchBody), why)]);
  }
  reportProblems(call, options.fieldValidation, problems);
  return named(call, object);
}

/** COMPAT: a patch that leaves a value of the wrong type is no bad request but invalid. */
function decodeOrRefuse(call: ResourceCall, decode: () => KubeObject, patchBody: unknown): KubeObject {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 400) throw error;
    const why = error.message.replace(/^.* cannot be handled as a [^:]*: /, '');
    throw invalid(kindOf(call), call.info.name, [fieldError.invalid('patch', goJson(patchBody), why)]);
  }
}

// PATCH: builds the next object from the stored one and a patch, as often as others are faster.
import type { JsonValue, KubeObject } from '../../api/index.ts';
import {
  StatusError,
  applyJsonPatch,
  applyMergePatch,
  badRequest,
  fieldError,
  goJson,
  goValue,
  invalid,
  isJsonObject,
  unknownJsonPatchFields,
} from '../../machinery/index.ts';
import { identify, mediaTypeOf, parseJsonBody, reportProblems, type ParsedBody } from '../body.ts';
import type { ResourceCall } from '../call.ts';
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
  const parsed = parsePatch(call, mediaType, options);
  const problems = [...parsed.problems];
  if (mediaType === JSON_PATCH) problems.push(...unknownJsonPatchFields(parsed.json));
  const applyPatch = applierOf(call, mediaType, parsed.json);
  const projection = call.subresource?.projection;
  const { object } = await updateObject(call, call.info.name, {
    build(current) {
      const before = projection === undefined ? current : projection.read(current);
      const patched = applyPatch(before);
      const shown = (): string => (mediaType === STRATEGIC ? goValue(parsed.json) : goJson(patched));
      const body = mediaType === STRATEGIC ? ofItsKind(patched, before) : patched;
      const next = decodePatched(call, { body, shown, problems }, options);
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

/** COMPAT: only field validation says what it was that could not be decoded. */
function parsePatch(call: ResourceCall, mediaType: string, options: WriteOptions): ParsedBody {
  const strict = options.fieldValidation !== 'Ignore' && mediaType !== STRATEGIC;
  try {
    const parsed = parseJsonBody(call, true);
    if (parsed === undefined) throw badRequest('unexpected end of JSON input');
    if (strict) checkShape(mediaType, parsed.json);
    return parsed;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const why = error.message.replace(/^couldn't get version\/kind; json parse error: /, '');
    throw badRequest(strict ? `error decoding patch: ${why}` : why);
  }
}

function checkShape(mediaType: string, patchBody: unknown): void {
  if (patchBody === null) return;
  const fits = mediaType === JSON_PATCH ? Array.isArray(patchBody) : isJsonObject(patchBody);
  if (fits) return;
  const wanted = mediaType === JSON_PATCH ? '[]handlers.jsonPatchOp' : 'map[string]interface {}';
  throw badRequest(`json: cannot unmarshal ${jsonTypeOf(patchBody)} into Go value of type ${wanted}`);
}

function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** COMPAT: a strategic patch works on a typed object, whose type it cannot change. */
function ofItsKind(patched: JsonValue, { kind, apiVersion }: KubeObject): JsonValue {
  return isJsonObject(patched) ? { ...patched, kind, apiVersion } : patched;
}

function applierOf(call: ResourceCall, mediaType: string, patchBody: unknown): ApplyPatch {
  if (mediaType === JSON_PATCH)
    return (current) => applyJsonPatch(current as unknown as JsonValue, patchBody);
  if (mediaType === MERGE_PATCH) {
    return (current) => applyMergePatch(current as unknown as JsonValue, patchBody);
  }
  return (current) => strategicMerge(call, current, patchBody);
}

interface Patched {
  readonly body: JsonValue;
  /** How refusals show it. */
  readonly shown: () => string;
  /** What is wrong with the patch. */
  readonly problems: readonly string[];
}

/** What the patch left, as an object of the kind with its defaults. */
function decodePatched(call: ResourceCall, patched: Patched, options: WriteOptions): KubeObject {
  const { served, subresource } = call;
  const { projection } = subresource ?? {};
  const { definition, version } = served;
  const kind = projection?.kind ?? {
    group: definition.group,
    version: version.name,
    kind: definition.kind,
    custom: definition.custom === true,
  };
  const problems = [...patched.problems];
  const object = decodeOrRefuse(patched, () =>
    (projection ?? version).decode(identify(patched.body, kind), { problems }),
  );
  if (problems.length > 0 && options.fieldValidation === 'Strict') {
    throw refused(patched, `strict decoding error: ${problems.join(', ')}`);
  }
  reportProblems(call, options.fieldValidation, problems);
  return named(call, object);
}

/** COMPAT: a patch that leaves a value of the wrong type, or another type, is no bad request but invalid. */
function decodeOrRefuse(patched: Patched, decode: () => KubeObject): KubeObject {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 400) throw error;
    throw refused(patched, error.message.replace(/^.* cannot be handled as a [^:]*: /, ''));
  }
}

/** COMPAT: without the kind and the name. */
function refused({ shown }: Patched, why: string): StatusError {
  return invalid({ group: '', kind: '' }, '', [fieldError.invalid('patch', shown(), why)]);
}

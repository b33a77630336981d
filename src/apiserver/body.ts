// From the body of a request to an object of the resource's kind: media type, JSON, apiVersion and kind, schema.
import { formatApiVersion, parseApiVersion, type JsonObject, type KubeObject } from '../api/index.ts';
import { StatusError, badRequest, fieldError, invalid } from '../machinery/index.ts';
import type { ResourceCall } from './call.ts';
import { checkJsonText } from './json-text.ts';
import type { FieldValidation } from './options.ts';

const textDecoder = new TextDecoder('utf-8');

export interface ParsedBody {
  readonly json: unknown;
  /** `duplicate field "spec.replicas"`. */
  readonly problems: readonly string[];
  /** Of YAML: `line 4: key "a" already set in map`. */
  readonly repeated?: readonly string[];
}

/** What is wrong with a body as a text, as it is told of: repeated keys of YAML one by one, or as one error. */
export function textProblems({ problems, repeated = [] }: ParsedBody, validation: FieldValidation): string[] {
  if (repeated.length === 0) return [...problems];
  return validation === 'Strict' ? [repeatedKeysError(repeated), ...problems] : [...repeated, ...problems];
}

export function repeatedKeysError(repeated: readonly string[]): string {
  return `yaml: unmarshal errors:\n  ${repeated.join('\n  ')}`;
}

export function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new StatusError(415, 'UnsupportedMediaType', message);
}

/** The media types of whole objects, as messages list them. */
export const OBJECT_MEDIA_TYPES = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
] as const;

/** Parses the body as JSON; undefined when there is none. Throws a 400 StatusError. */
export function parseJsonBody(
  call: Pick<ResourceCall, 'request'>,
  lookForProblems: boolean,
): ParsedBody | undefined {
  const { body } = call.request;
  if (body === undefined) return undefined;
  if ('json' in body) return { json: body.json, problems: [] };
  if (body.bytes.length === 0) return undefined;
  if (body.decode !== undefined) {
    const json = body.decode();
    return { json, problems: [], ...(lookForProblems ? { repeated: body.repeated?.() ?? [] } : {}) };
  }
  const text = textDecoder.decode(body.bytes);
  const problems = checkJsonText(text, lookForProblems);
  try {
    return { json: JSON.parse(text) as unknown, problems };
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
}

/** Refuses or warns about what decoding found, as fieldValidation asks. */
export function reportProblems(
  call: ResourceCall,
  validation: FieldValidation,
  problems: readonly string[],
): void {
  if (problems.length === 0 || validation === 'Ignore') return;
  if (validation === 'Strict') {
    const { kind } = call.served.definition;
    const { version } = call.served;
    throw badRequest(
      `${kind} in version ${JSON.stringify(version.name)} cannot be handled as a ${kind}: strict decoding error: ${problems.join(', ')}`,
    );
  }
  for (const problem of problems) call.warnings.add(problem);
}

/** The object that a create or update brings, with its version's defaults. */
export function decodeObject(call: ResourceCall, validation: FieldValidation): KubeObject {
  const { request, served } = call;
  const mediaType = mediaTypeOf(request.headers['content-type']);
  // COMPAT: a body without Content-Type is taken for JSON.
  if (mediaType !== '' && !(OBJECT_MEDIA_TYPES as readonly string[]).includes(mediaType)) {
    throw unsupportedMediaType(OBJECT_MEDIA_TYPES);
  }
  const parsed = parseJsonBody(call, validation !== 'Ignore');
  if (parsed === undefined) throw badRequest('EOF');
  const identified = identify(
    parsed.json,
    call.subresource?.kind ?? {
      group: served.definition.group,
      version: served.version.name,
      kind: served.definition.kind,
      custom: served.definition.custom === true,
    },
  );
  const problems = textProblems(parsed, validation);
  const decoder = call.subresource?.projection ?? served.version;
  const object = decoder.decode(identified, { problems });
  reportProblems(call, validation, problems);
  return object;
}

interface Identity {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** A custom resource: its kind is decided by the body, so the body must say it. */
  readonly custom?: boolean;
}

function stringField(value: JsonObject, field: 'apiVersion' | 'kind'): string {
  const given = value[field] ?? '';
  if (typeof given === 'string') return given;
  throw badRequest(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${typeof given} into Go struct field .${field} of type string`,
  );
}

/** Checks that the value is an object of that kind, and puts kind and apiVersion in front of its fields. */
export function identify(value: unknown, expected: Identity): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? 'array' : typeof value;
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const given = value as JsonObject;
  const apiVersion = stringField(given, 'apiVersion');
  const kind = stringField(given, 'kind');
  const wanted = formatApiVersion(expected);
  if (expected.custom === true) {
    if (kind === '') throw badRequest("Object 'Kind' is missing in the body of the request");
    if (apiVersion === '') throw badRequest("Object 'apiVersion' is missing in the body of the request");
  }
  if (apiVersion !== '' && apiVersion !== wanted) {
    const sameGroup = parseApiVersion(apiVersion).group === expected.group;
    if (expected.custom === true || sameGroup || kind === '' || kind === expected.kind) {
      throw badRequest(
        `the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`,
      );
    }
  }
  if (kind !== '' && kind !== expected.kind)
    refuseKind(given, kind, apiVersion === '' ? wanted : apiVersion, expected);
  const { apiVersion: _apiVersion, kind: _kind, ...rest } = given;
  return { kind: expected.kind, apiVersion: wanted, ...rest };
}

function refuseKind(given: JsonObject, kind: string, apiVersion: string, expected: Identity): never {
  if (expected.custom === true) {
    const { name = '' } = (given['metadata'] ?? {}) as { name?: string };
    const why = `must be ${expected.kind}`;
    throw invalid({ group: expected.group, kind }, name, [fieldError.invalid('kind', kind, why)]);
  }
  throw badRequest(`${parseKindOf(apiVersion, kind)} does not match the expected kind ${expected.kind}`);
}

function parseKindOf(apiVersion: string, kind: string): string {
  const { group, version } = parseApiVersion(apiVersion);
  return `${group}/${version}, Kind=${kind}`;
}

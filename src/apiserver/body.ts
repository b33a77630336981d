// From the body of a request to an object of the resource's kind: media type, JSON, apiVersion and kind, schema.
import { formatApiVersion, parseApiVersion, type JsonObject, type KubeObject } from '../api/index.ts';
import { StatusError, badRequest, fieldError, goJsonError, invalid } from '../machinery/index.ts';
import type { ResourceCall } from './call.ts';
import type { ApiRequest } from './contract.ts';
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

/**
 * COMPAT: a text that is no object of any kind. Where one was expected, the message says of which kind it should have
 * been, and how the text begins.
 */
function unrecognized(why: string, kind: string | undefined, bytes: Uint8Array | undefined): StatusError {
  const message = `couldn't get version/kind; json parse error: ${why}`;
  if (kind === undefined || bytes === undefined) return badRequest(message);
  return badRequest(
    `the object provided is unrecognized (must be of type ${kind}): ${message} (${summaryOf(bytes)})`,
  );
}

// LIMIT: how much of a body messages show.
const SUMMARY_BYTES = 30;

function summaryOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>';
  const first = Buffer.from(bytes.subarray(0, SUMMARY_BYTES));
  const text = first[0] === '{'.charCodeAt(0) ? textDecoder.decode(first) : first.toString('hex');
  return bytes.length > SUMMARY_BYTES ? `${text} ...` : text;
}

const NOTHING = new Uint8Array();

/** What a create or update without a body is answered. */
export function nothingSent(kind: string): StatusError {
  return unrecognized(goJsonError(NOTHING) ?? '', kind, NOTHING);
}

/** Parses the body as JSON; undefined when there is none. Throws a 400 StatusError. */
export function parseJsonBody(
  call: Pick<ResourceCall, 'request'>,
  lookForProblems: boolean,
  kind?: string,
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
    throw unrecognized(goJsonError(body.bytes) ?? (error as Error).message, kind, body.bytes);
  }
}

export function notStrict(
  { kind, version }: { readonly kind: string; readonly version: string },
  problems: readonly string[],
): StatusError {
  return badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${problems.join(', ')}`,
  );
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
    throw notStrict({ kind, version: call.served.version.name }, problems);
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
  const expected = call.subresource?.kind ?? {
    group: served.definition.group,
    version: served.version.name,
    kind: served.definition.kind,
    custom: served.definition.custom === true,
  };
  const parsed = parseJsonBody(call, validation !== 'Ignore', expected.kind);
  if (parsed === undefined) throw nothingSent(expected.kind);
  const identified = identify(parsed.json, expected, bytesOf(request));
  const problems = textProblems(parsed, validation);
  const decoder = call.subresource?.projection ?? served.version;
  const object = decoder.decode(identified, { problems });
  reportProblems(call, validation, problems);
  return object;
}

export function bytesOf({ body }: Pick<ApiRequest, 'body'>): Uint8Array | undefined {
  return body !== undefined && 'bytes' in body ? body.bytes : undefined;
}

interface Identity {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** A custom resource: its kind is decided by the body, so the body must say it. */
  readonly custom?: boolean;
}

/** What Go calls a JSON value. */
function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/**
 * Checks that the value is an object of that kind, and puts kind and apiVersion in front of its fields.
 * @param bytes of which the value was read, for messages
 */
export function identify(value: unknown, expected: Identity, bytes?: Uint8Array): JsonObject {
  const refuse = (found: unknown, where: string): never => {
    const why = `json: cannot unmarshal ${goTypeOf(found)} into Go ${where}`;
    throw unrecognized(why, expected.kind, bytes);
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(
      value,
      'value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }',
    );
  }
  const given = value as JsonObject;
  const stringField = (field: 'apiVersion' | 'kind'): string => {
    const found = given[field] ?? '';
    return typeof found === 'string' ? found : refuse(found, `struct field .${field} of type string`);
  };
  const apiVersion = stringField('apiVersion');
  const kind = stringField('kind');
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

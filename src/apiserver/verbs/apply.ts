// Server-side apply: a configuration merged into an object by who owns what.
import type { JsonObject, KubeObject, ObjectMeta } from '../../api/index.ts';
import { deepFreeze, formatApiVersion, parseApiVersion } from '../../api/index.ts';
import { StatusError, badRequest, conflict, isJsonObject, serverSideApply } from '../../machinery/index.ts';
import { parseJsonBody, repeatedKeysError } from '../body.ts';
import { resourceOf, type ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { fieldManagement } from '../field-tracking.ts';
import { parseWriteOptions, type WriteOptions } from '../options.ts';
import { present } from '../presentation.ts';
import { optionsObject } from './create.ts';
import { applyProjection } from './subresource-projection.ts';
import { named } from './update.ts';
import { updateObject } from './write.ts';

export async function apply(call: ResourceCall): Promise<ApiResponse> {
  const options = parseWriteOptions(call.request.query, 'PatchOptions', true);
  const applied = parseConfiguration(call, options);
  const projection = call.subresource?.projection;
  const { object, created } = await updateObject(call, call.info.name, {
    build: (current) => appliedTo(call, current, applied, options),
    ...(call.subresource === undefined ? { buildNew: () => appliedToNothing(call, applied, options) } : {}),
    options,
    optionsObject: optionsObject('PatchOptions', options),
  });
  return present(call, created ? 201 : 200, projection === undefined ? object : projection.read(object));
}

interface Applied {
  /** The body, as it was sent. */
  readonly configuration: KubeObject;
  readonly metadata: Partial<ObjectMeta>;
  /** Keys that the body gives twice. */
  readonly repeated: readonly string[];
}

function parseConfiguration(call: ResourceCall, options: WriteOptions): Applied {
  const { json, repeated } = parsedYaml(call, options.fieldValidation !== 'Ignore');
  const given: JsonObject = json ?? {};
  const { definition, apiVersion } = call.served;
  const projection = call.subresource?.projection;
  const expected = projection?.kind ?? {
    group: definition.group,
    version: call.served.version.name,
    kind: definition.kind,
  };
  const [statedVersion = '', statedKind = ''] = [given['apiVersion'], given['kind']].map((one) =>
    typeof one === 'string' ? one : '',
  );
  // COMPAT: here, unlike in other bodies, both must be there.
  if (statedVersion !== formatApiVersion(expected) || statedKind !== expected.kind) {
    throw badRequest(`invalid object type: ${shownType(statedVersion, statedKind)}`);
  }
  const metadata = isJsonObject(given['metadata']) ? given['metadata'] : {};
  const configuration = {
    ...given,
    apiVersion: projection === undefined ? apiVersion : statedVersion,
    kind: statedKind,
  } as unknown as KubeObject;
  return { configuration, metadata, repeated };
}

/** COMPAT: an apiVersion that is none hides the kind, too. */
function shownType(apiVersion: string, kind: string): string {
  if (apiVersion.split('/').length > 2) return '/, Kind=';
  const { group, version } = parseApiVersion(apiVersion);
  return `${group}/${version}, Kind=${kind}`;
}

interface ParsedYaml {
  readonly json: JsonObject | null;
  readonly repeated: readonly string[];
}

function parsedYaml(call: ResourceCall, lookForProblems: boolean): ParsedYaml {
  let parsed;
  try {
    parsed = parseJsonBody(call, lookForProblems);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw badRequest(`error decoding YAML: ${error.message}`);
  }
  const { json = null, repeated = [] } = parsed ?? {};
  if (typeof json === 'object' && !Array.isArray(json)) return { json: json as JsonObject | null, repeated };
  const kind = Array.isArray(json) ? 'array' : typeof json === 'boolean' ? 'bool' : typeof json;
  const why = `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
}

function reportRepeated(call: ResourceCall, options: WriteOptions, repeated: readonly string[]): void {
  if (repeated.length === 0) return;
  if (options.fieldValidation === 'Strict') {
    const why = `error converting YAML to JSON: ${repeatedKeysError(repeated)}`;
    throw badRequest(`error strict decoding YAML: ${why}`);
  }
  for (const one of repeated) call.warnings.add(one);
}

function merged(
  call: ResourceCall,
  live: KubeObject | undefined,
  applied: KubeObject,
  options: WriteOptions,
): KubeObject {
  return serverSideApply(
    {
      live,
      applied,
      manager: options.fieldManager,
      force: options.force === true,
      now: call.core.clock.now(),
    },
    fieldManagement(call.served, call.info.subresource, call.subresource),
  );
}

/** What apply left, with the defaults of the kind. COMPAT: values that the kind cannot hold are a 500. */
function decoded(call: ResourceCall, object: KubeObject, { configuration, metadata }: Applied): KubeObject {
  const problems: string[] = [];
  try {
    return call.served.version.decode(object as unknown as JsonObject, { problems });
  } catch (error) {
    if (!(error instanceof StatusError) || call.served.definition.custom === true) throw error;
    const type = shownType(configuration.apiVersion, configuration.kind);
    const called = `${metadata.namespace ?? ''}/${metadata.name ?? ''}; ${type}`;
    const reason = error.message.replace(/^.* cannot be handled as a [^:]*: /, '');
    const why = `unable to convert unstructured object to ${type}: ${reason}`;
    throw new StatusError(500, '', `failed to convert new object (${called}) to proper version: ${why}`);
  }
}

function appliedTo(
  call: ResourceCall,
  current: KubeObject,
  applied: Applied,
  options: WriteOptions,
): KubeObject {
  const { configuration, repeated } = applied;
  const projection = call.subresource?.projection;
  const whole = projection === undefined ? configuration : unprojected(call, current, configuration);
  const result = merged(call, current, whole, options);
  reportRepeated(call, options, repeated);
  return result === current ? current : named(call, decoded(call, result, applied));
}

/** A configuration of a projected kind (scale), as a configuration of the object itself. */
function unprojected(call: ResourceCall, current: KubeObject, configuration: KubeObject): KubeObject {
  const projection = call.subresource!.projection!;
  const report = { problems: [] };
  const shown = projection.decode(configuration as unknown as JsonObject, report);
  const written = applyProjection(call, projection, current, shown);
  const { replicas } = (written['spec'] ?? {}) as { replicas?: number };
  return deepFreeze({
    kind: call.served.definition.kind,
    apiVersion: call.served.apiVersion,
    metadata: configuration.metadata ?? {},
    spec: { replicas },
  });
}

function appliedToNothing(call: ResourceCall, applied: Applied, options: WriteOptions): KubeObject {
  if (!call.served.definition.verbs.includes('create')) {
    throw new StatusError(405, 'MethodNotAllowed', 'create is not supported on this resource', {});
  }
  const object = merged(call, undefined, applied.configuration, options);
  reportRepeated(call, options, applied.repeated);
  const { uid, resourceVersion: _, ...metadata } = object.metadata ?? {};
  if (uid !== undefined && uid !== '') {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resourceOf(call), call.info.name, why);
  }
  return named(call, decoded(call, { ...object, metadata }, applied));
}

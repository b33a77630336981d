// Server-side apply: a configuration merged into an object by who owns what.
import type { JsonObject, KubeObject } from '../../api/index.ts';
import { deepFreeze, formatApiVersion, parseApiVersion } from '../../api/index.ts';
import { StatusError, badRequest, conflict, serverSideApply } from '../../machinery/index.ts';
import { identify, parseJsonBody, reportProblems } from '../body.ts';
import { resourceOf, type ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { fieldManagement } from '../field-tracking.ts';
import { parseWriteOptions, type WriteOptions } from '../options.ts';
import { present } from '../presentation.ts';
import { optionsObject } from './create.ts';
import { applyProjection } from './subresource-projection.ts';
import { updateObject } from './write.ts';

export async function apply(call: ResourceCall): Promise<ApiResponse> {
  const options = parseWriteOptions(call.request.query, 'PatchOptions', true);
  const configuration = parseConfiguration(call, options);
  const projection = call.subresource?.projection;
  const { object, created } = await updateObject(call, call.info.name, {
    build: (current) => appliedTo(call, current, configuration, options),
    ...(call.subresource === undefined
      ? { buildNew: () => appliedToNothing(call, configuration, options) }
      : {}),
    expectedUid: configuration.metadata.uid ?? '',
    options,
    optionsObject: optionsObject('PatchOptions', options),
  });
  return present(call, created ? 201 : 200, projection === undefined ? object : projection.read(object));
}

/** The body, as it was sent but for its place: name and namespace must be those of the path. */
function parseConfiguration(call: ResourceCall, options: WriteOptions): KubeObject {
  const parsed = parseJsonBody(call, options.fieldValidation !== 'Ignore');
  if (parsed === undefined) throw badRequest('error decoding patch: EOF');
  const { json } = parsed;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badRequest(
      'error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}',
    );
  }
  const given = json as JsonObject;
  const { definition, apiVersion } = call.served;
  const kind = call.subresource?.projection?.kind ?? {
    group: definition.group,
    version: call.served.version.name,
    kind: definition.kind,
  };
  const [statedVersion, statedKind] = [given['apiVersion'], given['kind']].map((one) =>
    typeof one === 'string' ? one : '',
  );
  // COMPAT: here, unlike in other bodies, both must be there.
  if (statedVersion !== formatApiVersion(kind) || statedKind !== kind.kind) {
    const { group, version } = parseApiVersion(statedVersion ?? '');
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${statedKind}`);
  }
  const identified = identify(given, kind) as unknown as KubeObject;
  reportProblems(call, options.fieldValidation, parsed.problems);
  const { info } = call;
  const metadata = identified.metadata ?? {};
  if (metadata.name !== undefined && metadata.name !== '' && metadata.name !== info.name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`,
    );
  }
  const namespace = definition.namespaced ? info.namespace : '';
  if ((metadata.namespace ?? '') !== '' && namespace !== '' && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return {
    ...identified,
    apiVersion: call.subresource?.projection === undefined ? apiVersion : identified.apiVersion,
    metadata: { ...metadata, name: info.name, ...(namespace === '' ? {} : { namespace }) },
  };
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

/** What apply left, with the defaults of the kind. */
function decoded(call: ResourceCall, object: KubeObject): KubeObject {
  const problems: string[] = [];
  return call.served.version.decode(object as unknown as JsonObject, { problems });
}

function appliedTo(
  call: ResourceCall,
  current: KubeObject,
  configuration: KubeObject,
  options: WriteOptions,
): KubeObject {
  const projection = call.subresource?.projection;
  const applied = projection === undefined ? configuration : unprojected(call, current, configuration);
  const result = merged(call, current, applied, options);
  return result === current ? current : decoded(call, result);
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
    metadata: configuration.metadata,
    spec: { replicas },
  });
}

function appliedToNothing(call: ResourceCall, configuration: KubeObject, options: WriteOptions): KubeObject {
  const { uid, resourceVersion: _, ...metadata } = configuration.metadata;
  if (uid !== undefined && uid !== '') {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resourceOf(call), call.info.name, why);
  }
  if (call.served.definition.verbs.includes('create')) {
    return decoded(call, merged(call, undefined, { ...configuration, metadata }, options));
  }
  throw new StatusError(405, 'MethodNotAllowed', 'create is not supported on this resource', {});
}

// PUT: replaces an object, or the part of it that a subresource stands for.
import { badRequest } from '../../machinery/index.ts';
import { decodeObject } from '../body.ts';
import type { ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { trackUpdate } from '../field-tracking.ts';
import { parseWriteOptions } from '../options.ts';
import { present } from '../presentation.ts';
import { nameOwnersOnce } from './admit.ts';
import { optionsObject } from './create.ts';
import { placeInNamespace, updateObject } from './write.ts';
import type { KubeObject } from '../../api/index.ts';

export async function update(call: ResourceCall): Promise<ApiResponse> {
  const { name } = call.info;
  const options = parseWriteOptions(call.request.query, 'UpdateOptions');
  const sent = placeInNamespace(call, named(call, decodeObject(call, options.fieldValidation)));
  const given = nameOwnersOnce(call, sent, 'as sent');
  const createsOnUpdate =
    call.subresource === undefined && call.served.definition.strategy.createsOnUpdate === true;
  const { object, created } = await updateObject(call, name, {
    build: (current) => trackUpdate(call, current, given, options),
    ...(createsOnUpdate ? { buildNew: () => trackUpdate(call, undefined, given, options) } : {}),
    expectedUid: given.metadata.uid ?? '',
    options,
    optionsObject: optionsObject('UpdateOptions', options),
  });
  return present(call, created ? 201 : 200, object);
}

/** Refuses a body that names another object than the path does. */
export function named(call: ResourceCall, object: KubeObject): KubeObject {
  const given = object.metadata.name ?? '';
  const { name } = call.info;
  if (given === name) return object;
  if (given === '') {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

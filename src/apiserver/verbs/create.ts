// POST to a collection.
import type { ApiResponse } from '../contract.ts';
import { decodeObject } from '../body.ts';
import type { ResourceCall } from '../call.ts';
import { parseWriteOptions, type WriteOptions } from '../options.ts';
import { present } from '../presentation.ts';
import type { JsonObject } from '../../api/index.ts';
import { trackUpdate } from '../field-tracking.ts';
import { nameOwnersOnce } from './admit.ts';
import { createObject, placeInNamespace } from './write.ts';

/** The options as admission sees them. */
export function optionsObject(
  kind: string,
  { dryRun, fieldManager, fieldValidation, force }: WriteOptions,
): JsonObject {
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(fieldManager === '' ? {} : { fieldManager }),
    ...(fieldValidation === 'Warn' ? {} : { fieldValidation }),
    ...(force === undefined ? {} : { force }),
  };
}

export async function create(call: ResourceCall): Promise<ApiResponse> {
  const options = parseWriteOptions(call.request.query, 'CreateOptions');
  const sent = placeInNamespace(call, decodeObject(call, options.fieldValidation));
  const given = nameOwnersOnce(call, sent, 'as sent');
  const object = trackUpdate(call, undefined, given, options);
  const stored = await createObject(call, object, options, optionsObject('CreateOptions', options));
  return present(call, 201, stored);
}

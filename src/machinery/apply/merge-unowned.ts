// A configuration laid over an object as server-side apply lays it, but by nobody in particular: no field comes to be
// owned. What policies that change objects do.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import { isJsonList, isJsonObject } from '../json-draft.ts';
import { endpointOf, type FieldManagement } from './endpoint.ts';
import { childType, type FieldType } from './field-type.ts';
import { typeErrors } from './field-walks.ts';
import { mergeConfiguration } from './merge.ts';

/** Why a configuration cannot be laid over an object. */
export class UnownedMergeError extends Error {
  override name = 'UnownedMergeError';
}

/**
 * Throws an UnownedMergeError. COMPAT: what is owned as a whole cannot be set this way, since a policy that sets one
 * of its fields would take away the others.
 */
export function mergeUnowned(live: KubeObject, config: JsonObject, management: FieldManagement): JsonObject {
  const { type } = endpointOf(management);
  const errors = typeErrors(config, type);
  if (errors.length > 0) {
    const why = errors.length === 1 ? errors[0]! : `errors:\n${errors.map((one) => `  ${one}`).join('\n')}`;
    throw new UnownedMergeError(`failed to convert patch object to typed object: ${why}`);
  }
  const atomic = atomicPaths(config, type, '');
  if (atomic.length > 0) {
    throw new UnownedMergeError(
      `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`,
    );
  }
  return (mergeConfiguration(live as unknown as JsonValue, config, type) ?? {}) as JsonObject;
}

function atomicPaths(value: JsonValue, type: FieldType | undefined, path: string): readonly string[] {
  if (type === undefined) return [];
  if (isJsonObject(value) && type.map !== undefined) {
    const { map } = type;
    const own = map.atomic ? [path] : [];
    return [
      ...own,
      ...Object.entries(value).flatMap(([key, child]) =>
        atomicPaths(child as JsonValue, childType(map, key), `${path}.${key}`),
      ),
    ];
  }
  if (isJsonList(value) && type.list !== undefined) {
    const { list } = type;
    const own = list.atomic ? [path] : [];
    return [...own, ...value.flatMap((item, index) => atomicPaths(item, list.items, `${path}[${index}]`))];
  }
  return [];
}

// Strategic merge patches of built-in kinds: by the merge keys and strategies of their types.
import { builtinSchema, resolveRef, type JsonValue, type KubeObject } from '../../api/index.ts';
import { applyStrategicMergePatch } from '../../machinery/index.ts';
import type { ResourceCall } from '../call.ts';

export function strategicMerge(call: ResourceCall, current: KubeObject, patch: unknown): JsonValue {
  const { version } = call.served;
  const { projection } = call.subresource ?? {};
  const schema = projection === undefined ? version.schema : builtinSchema(projection.definition)!;
  const resolve = version.resolveRef ?? resolveRef;
  return applyStrategicMergePatch(current as unknown as JsonValue, patch, schema, resolve);
}

// Strategic merge patches of built-in kinds.
import type { JsonValue, KubeObject } from '../../api/index.ts';
import { StatusError } from '../../machinery/index.ts';
import type { ResourceCall } from '../call.ts';

export function strategicMerge(_call: ResourceCall, _current: KubeObject, _patch: unknown): JsonValue {
  throw new StatusError(501, 'NotImplemented', 'strategic merge patches are not served yet');
}

// Objects written as another kind (scale): what the other kind says, taken over into the object itself.
import type { KubeObject } from '../../api/index.ts';
import { MODIFIED, conflict, invalid } from '../../machinery/index.ts';
import { resourceOf, type ResourceCall } from '../call.ts';
import type { Projection } from '../resource.ts';

/** Takes what a write of the projected kind says over into the object. */
export function applyProjection(
  call: ResourceCall,
  projection: Projection,
  current: KubeObject,
  shown: KubeObject,
): KubeObject {
  const { metadata } = shown;
  const { group } = projection.kind;
  const { name } = call.info;
  const version = metadata.resourceVersion ?? '';
  if (version !== '' && version !== current.metadata.resourceVersion) {
    throw conflict(resourceOf(call), name, MODIFIED);
  }
  const errors = projection.validate(shown);
  if (errors.length > 0) throw invalid({ group, kind: projection.kind.kind }, name, errors);
  return projection.write(current, shown);
}

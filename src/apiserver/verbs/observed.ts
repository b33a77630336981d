// GET of objects that nobody stores: they are looked at anew for each request, and have no revision.
import { StatusError } from '../../machinery/index.ts';
import type { ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { parseListQuery } from '../options.ts';
import { present, presentList } from '../presentation.ts';
import type { ResourceDefinition } from '../resource.ts';
import { selectionOf } from '../selection.ts';

export async function observed(
  call: ResourceCall,
  observe: NonNullable<ResourceDefinition['observe']>,
): Promise<ApiResponse> {
  const { info, request, served } = call;
  if (info.verb === 'list') {
    const { labelSelector, fieldSelector } = parseListQuery(request.query, false);
    const selection = selectionOf(served.definition, labelSelector, fieldSelector);
    const objects = (await observe()).filter((object) => selection.matches(object));
    return presentList(call, objects, { revision: undefined, continueToken: '', remaining: undefined });
  }
  const object = (await observe()).find(({ metadata }) => metadata.name === info.name);
  // COMPAT: no 404, and no reason.
  if (object === undefined) throw new StatusError(500, '', `Component not found: ${info.name}`);
  return present(call, 200, object);
}

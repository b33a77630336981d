// DELETE of a collection: deletes each object that a list with the same selectors would show.
import { StatusError } from '../../machinery/index.ts';
import type { KubeObject } from '../../api/index.ts';
import type { ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { parseDeleteOptions, parseListQuery } from '../options.ts';
import { presentList } from '../presentation.ts';
import { deleteBody, deleteObject } from './delete.ts';
import { listPage } from './list.ts';

export async function deleteCollection(call: ResourceCall): Promise<ApiResponse> {
  const body = deleteBody(call);
  const options = parseDeleteOptions(call.request.query, body);
  const page = await listPage(call, parseListQuery(call.request.query, false));
  const deleted: KubeObject[] = [];
  for (const object of page.objects) {
    const { name = '', namespace = '' } = object.metadata;
    const one: ResourceCall = { ...call, info: { ...call.info, name, namespace } };
    try {
      const result = await deleteObject(one, name, options, body ?? {});
      deleted.push(result.object);
    } catch (error) {
      // Somebody else was faster; it is gone, which is what was asked for.
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
    }
  }
  return presentList(call, deleted, page);
}

// GET of one object.
import { badRequest } from '../../machinery/index.ts';
import { mustGet, type ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { queryBoolean } from '../options.ts';
import { present } from '../presentation.ts';
import { exactRevision, refuseTooLarge } from '../resource-version.ts';

export async function get(call: ResourceCall): Promise<ApiResponse> {
  const { query } = call.request;
  if (queryBoolean(query, 'export') === true) {
    throw badRequest('the export parameter, deprecated since v1.14, is no longer supported');
  }
  const asked = exactRevision(query.get('resourceVersion') ?? '');
  if (asked > 0) refuseTooLarge(asked, await call.core.storage.currentRevision());
  const entry = await mustGet(call, call.info.name);
  const object = await call.view.fromStorage(entry.value);
  const { projection } = call.subresource ?? {};
  return present(call, 200, projection === undefined ? object : projection.read(object));
}

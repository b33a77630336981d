// GET of one object.
import { badRequest } from '../../machinery/index.ts';
import { mustGet, type ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { present } from '../presentation.ts';
import { parseResourceVersion, refuseTooLarge } from '../resource-version.ts';

export async function get(call: ResourceCall): Promise<ApiResponse> {
  const entry = await mustGet(call, call.info.name);
  const asked = call.request.query.get('resourceVersion') ?? '';
  if (asked !== '') {
    const revision = parseResourceVersion(asked);
    if (revision === undefined) throw badRequest(`invalid resource version ${JSON.stringify(asked)}`);
    if (revision > entry.revision) refuseTooLarge(revision, await call.core.storage.currentRevision());
  }
  const object = await call.view.fromStorage(entry.value);
  const { projection } = call.subresource ?? {};
  return present(call, 200, projection === undefined ? object : projection.read(object));
}

// Server-side apply.
import { StatusError } from '../../machinery/index.ts';
import type { ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';

export async function apply(_call: ResourceCall): Promise<ApiResponse> {
  throw new StatusError(501, 'NotImplemented', 'server-side apply is not served yet');
}

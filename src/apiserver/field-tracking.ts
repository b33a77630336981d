// Who owns which field of an object: metadata.managedFields, kept by every write.
import type { KubeObject } from '../api/index.ts';
import type { ResourceCall } from './call.ts';
import type { WriteOptions } from './options.ts';

// LIMIT: as kube-apiserver cuts a User-Agent that stands in for a field manager.
const MAX_MANAGER_LENGTH = 128;

/** The name under which this request owns what it sets. */
export function fieldManagerOf(call: ResourceCall, options: WriteOptions): string {
  if (options.fieldManager !== '') return options.fieldManager;
  const agent = call.request.headers['user-agent'] ?? '';
  return agent
    .split('/', 1)[0]!
    .replaceAll(/[^\x20-\x7e]/g, '')
    .slice(0, MAX_MANAGER_LENGTH);
}

export function trackUpdate(
  _call: ResourceCall,
  _current: KubeObject | undefined,
  next: KubeObject,
  _options: WriteOptions,
): KubeObject {
  return next;
}

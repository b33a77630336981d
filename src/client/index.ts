export { createClient } from './client.ts';
export type {
  ApplyOptions,
  CallOptions,
  Client,
  ClientSettings,
  CreateOptions,
  DeleteOptions,
  GetOptions,
  JsonPatchOperation,
  ListOptions,
  Patch,
  Selection,
  WatchOptions,
  WriteOptions,
} from './client.ts';
export {
  ConnectionError,
  isAlreadyExists,
  isConflict,
  isExpired,
  isNamespaceTerminating,
  isNotFound,
  retryAfterMs,
  statusErrorFrom,
} from './errors.ts';
export type { ConnectionFailure } from './errors.ts';
export { formatKey, keyOf, objectPath, parseKey, resource, resourcePath } from './resource.ts';
export type { ObjectKey, Resource } from './resource.ts';
export type { Transport, TransportRequest, TransportResponse } from './transport.ts';

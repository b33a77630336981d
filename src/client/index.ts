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
export { createRestMapper } from './discovery.ts';
export type { ApiResource, RestMapper, RestMapperSettings } from './discovery.ts';
export {
  ConnectionError,
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isNamespaceTerminating,
  isNotFound,
  retryAfterMs,
  statusErrorFrom,
} from './errors.ts';
export type { ConnectionFailure } from './errors.ts';
export { findHelm } from './helm/program.ts';
export type { FindHelmOptions, LocalHelm } from './helm/program.ts';
export { openTunnel } from './https/dial.ts';
export { toConnectionError } from './https/failure.ts';
export { EventLines } from './https/event-lines.ts';
export { createFileFetcher } from './https/fetch-file.ts';
export type { FileAnswer, FileFetcher, FileRequest } from './https/fetch-file.ts';
export { createHttpsTransport } from './https/transport.ts';
export type { CredentialSource, Credentials, HttpsTransportSettings } from './https/transport.ts';
export type { Impersonation } from './https/wire-text.ts';
export { kinds } from './kinds.ts';
export { inClusterSettings, loadKubeconfig } from './kubeconfig/kubeconfig.ts';
export { loadRotatingKubeconfig } from './kubeconfig/rotating.ts';
export type { ConnectionSettings, KubeconfigOptions } from './kubeconfig/kubeconfig.ts';
export { formatKey, keyOf, objectPath, parseKey, resource, resourcePath } from './resource.ts';
export type { ObjectKey, Resource } from './resource.ts';
export type { Transport, TransportRequest, TransportResponse } from './transport.ts';
// Where YAML is read and written, something is mostly sent or fetched beside it.
export { formatYaml, parseYaml, parseYamlDocuments } from '../machinery/index.ts';

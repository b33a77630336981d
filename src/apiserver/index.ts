export type { ApiRequest, ApiResponse, Authenticator, Authorizer, RequestInfo, Verdict } from './contract.ts';
export { objectCodec } from './object-codec.ts';
export { ResourceRegistry, type ServedResource } from './registry.ts';
export {
  ALL_VERBS,
  storageRootOf,
  type ColumnDefinition,
  type DecodeReport,
  type Printer,
  type Projection,
  type Reservation,
  type ResourceDefinition,
  type ResourceVerb,
  type ResourceVersion,
  type Strategy,
  type Subresource,
  type SubresourceCall,
  type WriteContext,
} from './resource.ts';
export { createApiServer, type ApiServer, type ApiServerOptions, type PathHandler } from './server.ts';
export type { InProcessRequest, InProcessTransport } from './transport.ts';

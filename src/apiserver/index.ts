export { readAuditPolicy } from './audit/policy.ts';
export { readWhole } from './answers.ts';
export { methodNotAllowed, plainText } from './refusals.ts';
export { chooseContainer, mustHaveNode, readLogOptions, type PodLogOptions } from './kinds/pod-streams.ts';
export { SERVICE_RANGE } from './kinds/service-allocation.ts';
export { portForward, type PortStreams } from './streaming/port-forward.ts';
export { remoteCommand } from './streaming/remote-command.ts';
export { UpstreamError, forward, type Forwarding } from './proxy/forward.ts';
export { UpstreamConnections, type Upstream } from './proxy/upstream.ts';
export { parseRequestInfo } from './request-info.ts';
export { aggregatedKind, type AggregatedKindOptions } from './aggregated-kind.ts';
export type {
  ApiRequest,
  ApiResponse,
  Authenticator,
  Authorizer,
  RequestInfo,
  Verdict,
  WriteBytes,
} from './contract.ts';
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

export { ALL_ENDPOINTS, type HealthCheck, type HealthEndpoint } from './listen/health.ts';
export { versionInfo, type VersionInfo } from './listen/info.ts';
export type { UpgradedConnection } from './listen/exchange.ts';
export type { TlsMaterial } from './listen/listener.ts';
export {
  createMetricsRegistry,
  type Counter,
  type Gauge,
  type Histogram,
  type LabelValues,
  type MetricsRegistry,
} from './metrics.ts';
export { objectFeed, type FeedHandler, type ObjectFeed } from './object-feed.ts';
export {
  clientCertificate,
  fileVault,
  memoryVault,
  openCertificates,
  type CertificateOptions,
  type ClusterCertificates,
  type Vault,
} from './security/certificate-store.ts';
export {
  readSigningRequest,
  signSigningRequest,
  type KeyPair,
  type SigningRequest,
} from './security/certificates.ts';
export {
  SIGNING_ALGORITHMS,
  readAuthenticationConfiguration,
  type AuthenticationConfiguration,
} from './security/jwt/configuration.ts';
export { readTokenFile } from './security/token-file.ts';
export { kubeconfigFor, kubeconfigYaml, type KubeconfigContext } from './security/kubeconfig.ts';
export type { TokenClaims, TokenSigner } from './security/token-signer.ts';
export type { ServiceAccountTokens } from './security/service-account-tokens.ts';
export type { Security } from './security/security.ts';
export { formatAge } from '../machinery/index.ts';
export { WebhookClient, type WebhookClientConfig, type WebhookClientOptions } from './webhooks/client.ts';
export { startApiServer, type AccessOptions, type RunningServer, type StartOptions } from './start.ts';

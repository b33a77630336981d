export { fenceLeases, fencedPods, runFencingAgent } from './fencing/agent.ts';
export type { ApiServerAddress } from './bootstrap.ts';
export type { AutoApproval, CertificateSigner, RequestedSubject } from './certificate-signing.ts';
export type { FeedHandler, ObjectFeed } from './object-feed.ts';
export { startHousekeeping, type Housekeeping, type HousekeepingOptions } from './start.ts';
export type { SecretTokens } from './token-secrets.ts';

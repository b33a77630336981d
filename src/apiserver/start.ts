// A complete API server: the verbs over one storage, access control, and a TLS port. The hub and every simulated
// member are started by this.
import { errorMessage, every, type Clock, type Logger, type Random } from '../base/index.ts';
import type { KubeObject } from '../api/index.ts';
import type { UserInfo } from '../machinery/index.ts';
import type { Storage } from '../storage/index.ts';
import { Aggregator } from './aggregation/aggregator.ts';
import { publishAuthenticationConfig } from './aggregation/authentication-config.ts';
import { customResourceSupport, type CustomResourceSupport } from './crd/index.ts';
import { Discovery } from './discovery/serve.ts';
import { OpenApiDocuments } from './openapi/index.ts';
import { createAuditor, type Auditor } from './audit/auditor.ts';
import { openAuditLog, type AuditLogOptions } from './audit/log-file.ts';
import type { AuditPolicy } from './audit/policy.ts';
import { reportDangling } from './flow-control/dangling.ts';
import { openLimiter, type Limiter, type LimiterOptions } from './flow-control/limiter.ts';
import { storeSuggested } from './flow-control/suggested.ts';
import { ALL_ENDPOINTS, type HealthCheck } from './listen/health.ts';
import { createInfoEndpoints, type VersionInfo } from './listen/info.ts';
import { startListener, type Listener, type ListenerOptions, type TlsMaterial } from './listen/listener.ts';
import { measureRequests, type Handle } from './listen/request-metrics.ts';
import type { MetricsRegistry } from './metrics.ts';
import type { Subresource } from './resource.ts';
import { createObjectAccess } from './object-access.ts';
import { objectFeed, type ObjectFeed } from './object-feed.ts';
import type { ClusterCertificates } from './security/certificate-store.ts';
import { securityKinds, tokenSubresource } from './security/kinds.ts';
import {
  openSecurity,
  type AuthenticationOptions,
  type Security,
  type SecurityOptions,
} from './security/security.ts';
import { createApiServer, type ApiServer, type ApiServerOptions, type PathHandler } from './server.ts';
import { measureStorage } from './storage-metrics.ts';
import { registeredAdmission, type RegisteredAdmission } from './webhooks/index.ts';

const RENEWAL_PERIOD_MS = 24 * 3_600_000;

export interface StartOptions extends Pick<
  ApiServerOptions,
  | 'admission'
  | 'disabledAdmission'
  | 'extraResources'
  | 'kinds'
  | 'minWatchMs'
  | 'pathHandlers'
  | 'podsAreTemplates'
> {
  readonly storage: Storage<KubeObject>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly certificates: ClusterCertificates;
  /** Asked once a day for certificates that are still good for long (openCertificates renews them in time). */
  readonly reopenCertificates?: () => Promise<ClusterCertificates>;
  readonly host?: string;
  /** 0: any free one. Absent: none at all, the server is for callers in this process. */
  readonly port?: number;
  readonly version: VersionInfo;
  readonly metrics?: MetricsRegistry;
  readonly healthChecks?: readonly HealthCheck[];
  readonly tokenSigner?: NonNullable<SecurityOptions['tokenSigner']>;
  readonly access?: AccessOptions;
  /** What custom resources have besides what their definitions say, by `group/plural`. */
  readonly customSubresources?: Readonly<Record<string, Readonly<Record<string, Subresource>>>>;
  /** Stands between the port and the server; in-process callers do not pass it. */
  readonly around?: (handle: Handle) => Handle;
  /** Sees every new connection before its TLS handshake, and may end it. */
  readonly onConnection?: ListenerOptions['onConnection'];
  readonly connectionLimits?: ListenerOptions['limits'];
}

/** What an operator decides about who may use the server, and how much. */
export interface AccessOptions {
  readonly authentication?: AuthenticationOptions;
  /** PEM of further authorities that may sign client certificates. */
  readonly clientAuthorities?: string;
  readonly audit?: { readonly policy: AuditPolicy; readonly log: AuditLogOptions };
  /** Absent: whoever comes is answered at once. */
  readonly limits?: LimiterOptions;
}

export interface RunningServer {
  readonly server: ApiServer;
  readonly security: Security;
  /** All objects and their changes, whatever their kind. */
  readonly feed: ObjectFeed;
  /** 0: it has none. */
  readonly port: number;
  /** False: as if the server had stopped, for everyone who comes by the port. */
  setListening(listening: boolean): Promise<void>;
  /** Takes renewed certificates into use. */
  renewCertificates(certificates: ClusterCertificates): void;
  /** Ends watches and requests. The storage stays open: it belongs to the caller. */
  close(): Promise<void>;
}

/** Throws an OperatingError when the port cannot be had. */
export async function startApiServer(options: StartOptions): Promise<RunningServer> {
  const { clock, random, logger, certificates, metrics } = options;
  // In the order in which they are closed.
  const parts: { close(): unknown }[] = [];
  try {
    const audit = await openAudit(options, parts);
    const limiter = await openLimits(options, parts);
    const security = await openSecurity({
      ...options,
      ...options.access?.authentication,
      serviceAccountKey: certificates.serviceAccountKey,
    });
    const registered = registeredAdmission({ ...options, authorizer: security.authorizer });
    parts.unshift(registered, security);
    const customResources = customResourceSupport({
      convertByWebhook: registered.convertByWebhook,
      ...(options.customSubresources === undefined ? {} : { subresources: options.customSubresources }),
    });
    const server = createApiServer(
      serverOptions(options, { audit, limiter }, security, customResources, registered, (request, info) => {
        const remote = aggregator.respond(request);
        if (remote !== undefined) return remote;
        if (info.isResource) return undefined;
        return request.path.startsWith('/openapi/') ? documents.respond(request) : discovery.respond(request);
      }),
    );
    parts.unshift(server);
    if (metrics !== undefined) measureStorage(metrics, server.registry, options.storage);
    const aggregator = new Aggregator({
      ...options,
      metrics,
      registry: server.registry,
      objects: createObjectAccess(server.registry, options.storage),
      transport: server.inProcess(SYSTEM),
      certificate: certificates.frontProxy.client,
    });
    parts.unshift(aggregator);
    const discovery = new Discovery(server.registry, aggregator);
    const documents = new OpenApiDocuments(server.registry, options.version.gitVersion, clock, aggregator);
    const definitions = customResources.start({
      storage: options.storage,
      registry: server.registry,
      clock,
      logger,
      transport: server.inProcess(SYSTEM),
    });
    parts.unshift(definitions);
    await definitions.ready;
    await registered.start(server.registry);
    if (limiter !== undefined) {
      const transport = server.inProcess(SYSTEM);
      await storeSuggested(transport);
      parts.unshift(await reportDangling({ ...options, transport }));
    }
    await aggregator.start();
    parts.unshift(announcement(options, server));
    const answer: Handle = (request) => server.handle(request);
    const measured = metrics === undefined ? answer : measureRequests(answer, metrics, clock);
    const handle = options.around?.(measured) ?? measured;
    const listener = await listen(options, {
      tls: tlsMaterial(certificates, options),
      authenticator: security.authenticator,
      ...(audit === undefined ? {} : { onRefused: (...refused) => audit.refused(...refused) }),
      handle,
      clock,
      random,
      logger,
      ...(options.onConnection === undefined ? {} : { onConnection: options.onConnection }),
      ...(options.connectionLimits === undefined ? {} : { limits: options.connectionLimits }),
    });
    parts.unshift(listener, renewal(options, listener));
    return runningServer(options, server, security, listener, parts);
  } catch (error) {
    for (const part of parts) await part.close();
    throw error;
  }
}

// Deletes the instances of custom resource definitions that are going, and stores what every server has.
const SYSTEM: UserInfo = {
  name: 'system:apiserver',
  groups: ['system:masters', 'system:authenticated'],
};

/** The log is closed last, after everything that puts into it. */
async function openAudit(
  { access, clock, random, logger, metrics }: StartOptions,
  parts: { close(): unknown }[],
): Promise<Auditor | undefined> {
  if (access?.audit === undefined) return undefined;
  const { policy, log: logOptions } = access.audit;
  const log = await openAuditLog(logOptions, {
    clock,
    logger,
    ...(metrics === undefined ? {} : { metrics }),
  });
  parts.push(log);
  return createAuditor({ policy, sink: log, clock, random });
}

async function openLimits(
  options: StartOptions,
  parts: { close(): unknown }[],
): Promise<Limiter | undefined> {
  const { limits } = options.access ?? {};
  if (limits === undefined) return undefined;
  const limiter = await openLimiter(limits, options);
  parts.unshift(limiter);
  return limiter;
}

function serverOptions(
  options: StartOptions,
  { audit, limiter }: { readonly audit: Auditor | undefined; readonly limiter: Limiter | undefined },
  security: Security,
  customResources: CustomResourceSupport,
  registered: RegisteredAdmission,
  describe: PathHandler,
): ApiServerOptions {
  const { metrics, storage, healthChecks = [] } = options;
  const info = createInfoEndpoints({
    version: options.version,
    signer: security.tokens.signer,
    ...(metrics === undefined ? {} : { metrics }),
    healthChecks: [storageCheck(storage), ...healthChecks],
  });
  return {
    ...options,
    authorizer: security.authorizer,
    ...(audit === undefined ? {} : { audit }),
    ...(limiter === undefined ? {} : { limiter }),
    impersonate: (request) => security.actingUser(request),
    admission: [...security.admission, ...(options.admission ?? []), ...registered.admission],
    kinds: {
      ...customResources.kinds,
      ...securityKinds(security),
      '/serviceaccounts': { subresources: { token: tokenSubresource(security) } },
      ...options.kinds,
    },
    pathHandlers: [info, describe, ...(options.pathHandlers ?? [])],
  };
}

/** COMPAT: under the name that probes for kube-apiserver ask for, whatever the store is. */
function storageCheck(storage: Storage<KubeObject>): HealthCheck {
  return {
    name: 'etcd',
    endpoints: ALL_ENDPOINTS,
    async check() {
      await storage.currentRevision();
    },
  };
}

function runningServer(
  options: StartOptions,
  server: ApiServer,
  security: Security,
  listener: Listener,
  parts: readonly { close(): unknown }[],
): RunningServer {
  return {
    server,
    security,
    feed: objectFeed(options),
    port: listener.port,
    setListening: (listening) => listener.setListening(listening),
    renewCertificates: (certificates) => listener.renewCertificate(tlsMaterial(certificates, options)),
    async close() {
      for (const part of parts) await part.close();
    },
  };
}

/** The port of the server, if it is to have one. */
async function listen(
  { host = '127.0.0.1', port }: StartOptions,
  settings: Omit<ListenerOptions, 'host' | 'port'>,
): Promise<Listener> {
  if (port !== undefined) return startListener({ ...settings, host, port });
  return {
    host,
    port: 0,
    setListening: () => Promise.resolve(),
    renewCertificate: () => undefined,
    close: () => Promise.resolve(),
  };
}

function renewal(options: StartOptions, listener: Listener): { close(): void } {
  const { reopenCertificates, clock, logger } = options;
  if (reopenCertificates === undefined) return { close: () => undefined };
  const cancel = every(clock, RENEWAL_PERIOD_MS, () => {
    reopenCertificates().then(
      (certificates) => listener.renewCertificate(tlsMaterial(certificates, options)),
      (error: unknown) => logger.error('certificates cannot be renewed', { error: errorMessage(error) }),
    );
  });
  return { close: cancel };
}

/** Tells other API servers whom to believe; goes on beside the start. */
function announcement(
  { certificates, access = {}, clock, logger }: StartOptions,
  server: ApiServer,
): { close(): Promise<void> } {
  const stopping = new AbortController();
  const transport = server.inProcess(SYSTEM);
  const { signal } = stopping;
  const done = publishAuthenticationConfig({
    transport,
    certificates,
    clientAuthorities: access.clientAuthorities ?? '',
    clock,
    logger,
    signal,
  });
  return {
    async close() {
      stopping.abort(new Error('the server is shutting down'));
      await done;
    },
  };
}

function tlsMaterial({ server, authority }: ClusterCertificates, { access = {} }: StartOptions): TlsMaterial {
  const { clientAuthorities = '', authentication } = access;
  const proxies = authentication?.frontProxy?.certificateAuthority ?? '';
  const clientCa = [authority.certificate, clientAuthorities, proxies].filter((pem) => pem !== '').join('\n');
  return { key: server.key, certificate: server.certificate, clientCa };
}

// Starts the controllers that turn an API server into a cluster, and makes what every cluster has from the start.
import type { Clock, Logger, Random } from '../base/index.ts';
import { errorMessage } from '../base/index.ts';
import { createClient, createRestMapper, type Transport } from '../client/index.ts';
import { createInformerSet, type RuntimeMetrics } from '../runtime/index.ts';
import { bootstrap, type ApiServerAddress } from './bootstrap.ts';
import { runBootstrapSigner } from './bootstrap-signer.ts';
import { runBootstrapTokenCleaner } from './bootstrap-tokens.ts';
import { runCertificateSigning, type AutoApproval, type CertificateSigner } from './certificate-signing.ts';
import { runClusterRoleAggregation } from './cluster-role-aggregation.ts';
import { runEventExpiry } from './event-expiry.ts';
import { runGarbageCollector } from './garbage-collector/index.ts';
import { runNamespaceLifecycle } from './namespace-lifecycle.ts';
import type { ObjectFeed } from './object-feed.ts';
import { runResourceQuota } from './resource-quota/index.ts';
import { runRootCaPublisher } from './root-ca.ts';
import { runServiceAccounts } from './service-accounts.ts';
import type { HousekeepingSettings } from './settings.ts';
import { runStorageProtection } from './storage-protection.ts';
import { runTokenSecrets, type SecretTokens } from './token-secrets.ts';

export interface HousekeepingOptions {
  /** To the API server, as a member of system:masters. */
  readonly transport: Transport;
  readonly feed: ObjectFeed;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics?: RuntimeMetrics;
  /** PEM; published to pods and in token secrets. */
  readonly certificateAuthority: string;
  readonly tokens: SecretTokens;
  /** Absent: certificate signing requests are left to somebody else. */
  readonly signer?: CertificateSigner;
  /** Requests approved without anybody looking, besides those of kubelets. */
  readonly certificateApprovals?: readonly AutoApproval[];
  /** For the `kubernetes` Service; absent: there is none. */
  readonly apiServer?: ApiServerAddress;
  /**
   * Whether each namespace gets a `default` service account and the `kube-root-ca.crt` config map. A hub runs no pods
   * and does without; default true.
   */
  readonly podIdentities?: boolean;
  /**
   * Whether the status of resource quotas is kept. COMPAT: a hub's quotas are only templates, whose status is what the
   * members report; default false.
   */
  readonly resourceQuotas?: boolean;
  /** Whether claims and volumes are freed when they are deleted, because no volume controller runs; default false. */
  readonly storageTemplates?: boolean;
}

export interface Housekeeping {
  /** Resolves when system namespaces, roles and the like are there. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { transport, clock, random, logger, metrics, certificateAuthority, tokens, signer } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const client = createClient(transport, { fieldManager: 'housekeeping' });
  const measured = metrics === undefined ? {} : { metrics };
  const informers = createInformerSet({ client, clock, random, logger, ...measured });
  const settings: HousekeepingSettings = {
    client,
    mapper: createRestMapper(transport, { clock }),
    informers,
    feed: options.feed,
    clock,
    logger,
    signal,
    ...measured,
  };

  const ready = bootstrap({ client, clock, logger, apiServer: options.apiServer, signal });
  // Whoever does not wait for it learns of a failure from the log.
  ready.catch((error: unknown) => {
    if (!signal.aborted) logger.error('the first objects are missing', { error: errorMessage(error) });
  });

  const controllers: Promise<void>[] = [
    runNamespaceLifecycle(settings),
    runGarbageCollector(settings),
    runTokenSecrets({ ...settings, certificateAuthority, tokens }),
    runClusterRoleAggregation(settings),
    runEventExpiry(settings),
    runBootstrapTokenCleaner(settings),
    runBootstrapSigner(settings),
  ];
  if (options.podIdentities !== false) {
    controllers.push(runServiceAccounts(settings), runRootCaPublisher({ ...settings, certificateAuthority }));
  }
  if (options.storageTemplates === true) controllers.push(runStorageProtection(settings));
  if (options.resourceQuotas === true) controllers.push(runResourceQuota(settings));
  if (signer !== undefined) {
    const { certificateApprovals: approvals = [] } = options;
    controllers.push(runCertificateSigning({ ...settings, signer, approvals }));
  }

  return {
    ready,
    async close() {
      closing.abort(new Error('housekeeping is shutting down'));
      await Promise.allSettled(controllers);
      await informers.close();
    },
  };
}

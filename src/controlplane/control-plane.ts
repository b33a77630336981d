// The control plane: API server, housekeeping and controllers, put together over the seams they are given. The hub runs
// it on files, sockets and the system's clock, a simulation in a world of its own; what runs is the same.
// INVARIANT: whatever is not handed in here (time, chance, storage, the way to members) takes no part in what it does.
import { admissionRules, asPlugin } from '../admission/index.ts';
import {
  createMetricsRegistry,
  readSigningRequest,
  signSigningRequest,
  startApiServer,
  versionInfo,
  type RunningServer,
  type StartOptions,
} from '../apiserver/index.ts';
import { createClient, kinds, type Client, type Transport } from '../client/index.ts';
import type { AnyPackage } from '../packaging/index.ts';
import {
  controllerEnabled,
  customizationResource,
  hubControllers,
  interpretationResource,
  secretEndpoints,
  secretResource,
  type ControllerSettings,
  type OpenEstimator,
  type OpenMember,
} from '../controllers/index.ts';
import { startHousekeeping } from '../housekeeping/index.ts';
import { AGENT_APPROVAL_CONTROLLER, agentApproval } from './agent-approval.ts';
import { createClusterProxy } from './cluster-proxy/cluster-proxy.ts';
import { clusterResource } from './cluster-resource.ts';
import { startControllers } from './controller-process.ts';
import { ensureFirstObjects } from './first-objects.ts';
import { createQuotaLedger } from './quota-ledger.ts';
import { dispatchMetrics, schedulingMetrics, showGates } from './registry-metrics.ts';
import { suspensionSubresources, type MayResume } from './suspension-resource.ts';
import { createUndoLedger } from './undo-ledger.ts';

export interface ControlPlaneOptions extends Pick<
  StartOptions,
  | 'storage'
  | 'clock'
  | 'random'
  | 'logger'
  | 'certificates'
  | 'reopenCertificates'
  | 'host'
  | 'port'
  | 'tokenSigner'
  | 'pathHandlers'
  | 'access'
> {
  readonly settings: ControllerSettings;
  /** `--allow-no-execute-taint-policy`. */
  readonly allowNoExecuteTaintPolicy: boolean;
  /** `--accept-legacy-spellings`. */
  readonly acceptLegacySpellings: boolean;
  /** `--disable-admission-plugins`. */
  readonly disabledAdmission: readonly string[];
  /** How members are reached. */
  readonly openMember: OpenMember;
  /** How estimators beside members are reached; undefined: not at all. */
  readonly openEstimator?: OpenEstimator;
  /** Milliseconds since any time, for metrics of what takes less than one; default: the clock. */
  readonly elapsedMs?: () => number;
  /** Where others find the API server that listens on this port. */
  readonly publicUrl: (port: number) => string;
}

export interface ControlPlane {
  readonly port: number;
  /** As an administrator, inside the process. */
  readonly hubClient: Client;
  /** Starts the controllers; they run until the control plane is closed. */
  startControllers(): void;
  /** The storage stays open: it belongs to the caller. */
  close(): Promise<void>;
}

const ADMINISTRATOR = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] };
/** What the API server says it is. */
const KUBERNETES_VERSION = 'v1.36.2';

/** Serves when it resolves; controllers start separately, so that members can be there first. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { logger, settings, clock, random, certificates } = options;
  const started = Promise.withResolvers<Client>();
  const self = Promise.withResolvers<RunningServer>();
  const may: MayResume = async (user, question) => {
    const { authorizer } = (await self.promise).security;
    const asked = { ...question, isResource: true, subresource: '', path: '' };
    return authorizer.check(user, asked).allowed;
  };
  const suspension = suspensionSubresources(may);
  const rules = admissionRules({
    gates: settings.gates,
    random,
    now: () => clock.now(),
    may,
    allowNoExecuteTaintPolicy: options.allowNoExecuteTaintPolicy,
    acceptLegacySpellings: options.acceptLegacySpellings,
    defaultTolerations:
      settings.failoverMode === 'automatic'
        ? {
            notReadySeconds: settings.defaultNotReadyTolerationSeconds,
            unreachableSeconds: settings.defaultUnreachableTolerationSeconds,
          }
        : undefined,
    quotas: createQuotaLedger(started.promise),
    undo: settings.undoWindowMs === 0 ? undefined : createUndoLedger(started.promise, logger),
    packages: async () => {
      const client = await started.promise;
      const lists = await Promise.all([
        client.listAll(kinds.packages),
        client.listAll(kinds.clusterPackages),
      ]);
      return lists.flatMap(({ items }): readonly AnyPackage[] => items);
    },
    customizations: async () => (await (await started.promise).listAll(customizationResource)).items,
    interpretations: async () => (await (await started.promise).listAll(interpretationResource)).items,
  });
  const proxy = createClusterProxy({
    clock,
    handleHere: async (request) => (await self.promise).server.handle(request),
  });
  const metrics = createMetricsRegistry();
  showGates(metrics, settings.gates);
  const server: RunningServer = await startApiServer({
    ...options,
    logger: logger.with({ server: 'hub' }),
    version: versionInfo(KUBERNETES_VERSION, 'navarch'),
    metrics,
    admission: rules.map(asPlugin),
    // COMPAT: as karmada-apiserver, which leaves the plugin out, and nobody makes accounts on a hub; where an account is there, a
    // Pod gets what it gets in any cluster.
    podsAreTemplates: true,
    extraResources: [
      clusterResource(settings.gates, { proxy: proxy.subresource, suspension: suspension.ofClusters }),
    ],
    customSubresources: suspension.custom,
  });
  self.resolve(server);
  const transport: Transport = server.server.inProcess(ADMINISTRATOR);
  const hubClient = createClient(transport, { fieldManager: 'karmada' });
  started.resolve(hubClient);
  const housekeeping = startHousekeeping({
    transport,
    feed: server.feed,
    clock,
    random,
    logger,
    certificateAuthority: certificates.authority.certificate,
    tokens: server.security.tokens,
    signer: {
      read: readSigningRequest,
      sign: (pem, wanted) => signSigningRequest(certificates.authority, pem, wanted),
    },
    certificateApprovals: controllerEnabled(AGENT_APPROVAL_CONTROLLER, settings.controllers)
      ? [agentApproval]
      : [],
    podIdentities: false,
    storageTemplates: true,
  });
  await housekeeping.ready;
  await ensureFirstObjects(hubClient, clock, {
    server: options.publicUrl(server.port),
    certificateAuthority: certificates.authority.certificate,
  });
  let controllers: { close(): Promise<void> } | undefined;
  return {
    port: server.port,
    hubClient,
    startControllers() {
      const elapsedMs = options.elapsedMs ?? (() => clock.now());
      controllers ??= startControllers({
        ...options,
        charge: { role: 'hub' },
        scheduling: schedulingMetrics(metrics, elapsedMs),
        dispatch: dispatchMetrics(metrics, elapsedMs),
        controllers: hubControllers,
        hubClient,
        endpoints: (informers) => secretEndpoints(informers.informer(secretResource)),
        component: 'karmada-controller-manager',
        observe: (name, help, read, labels) => metrics.observed(name, help, read, labels),
      });
    },
    async close() {
      await controllers?.close();
      await housekeeping.close();
      proxy.close();
      await server.close();
    },
  };
}

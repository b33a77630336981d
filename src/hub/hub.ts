// The hub in this process: store, API server, housekeeping and controllers, started in this order and stopped in the
// reverse one.
import path from 'node:path';
import type { CustomResourceDefinition, KubeObject } from '../api/index.ts';
import { hubCrds } from '../api/index.ts';
import { admissionRules, asPlugin } from '../admission/index.ts';
import {
  createMetricsRegistry,
  fileVault,
  objectCodec,
  openCertificates,
  readSigningRequest,
  signSigningRequest,
  startApiServer,
  versionInfo,
  type ClusterCertificates,
  type RunningServer,
} from '../apiserver/index.ts';
import { formatTime, sleep, systemClock, systemRandom, type Logger } from '../base/index.ts';
import {
  createClient,
  createRestMapper,
  isAlreadyExists,
  kinds,
  type Client,
  type Transport,
} from '../client/index.ts';
import {
  MemberConnections,
  customizationResource,
  followCustomizations,
  runControllers,
  secretEndpoints,
  secretResource,
  type ControllerContext,
  type ControllerSettings,
  type OpenMember,
} from '../controllers/index.ts';
import { startHousekeeping } from '../housekeeping/index.ts';
import { Customizations, createInterpreter, nativeLayer } from '../interpreter/index.ts';
import { createEventRecorder, createInformerSet, silentMetrics } from '../runtime/index.ts';
import { openFileStorage, type Storage, type StorageWorker } from '../storage/index.ts';
import { clusterResource } from './cluster-resource.ts';
import { createQuotaLedger } from './quota-ledger.ts';
import { KUBERNETES_VERSION } from './version.ts';

export interface HubOptions {
  readonly dataDirectory: string;
  readonly bindAddress: string;
  readonly port: number;
  readonly settings: ControllerSettings;
  /** `--allow-no-execute-taint-policy`. */
  readonly allowNoExecuteTaintPolicy: boolean;
  /** `--disable-admission-plugins`. */
  readonly disabledAdmission: readonly string[];
  readonly worker: StorageWorker;
  readonly logger: Logger;
  /** How members are reached. */
  readonly openMember: OpenMember;
  /** Answers paths beside the Kubernetes API, e.g. to command simulated members. */
  readonly pathHandlers?: NonNullable<Parameters<typeof startApiServer>[0]['pathHandlers']>;
}

export interface Hub {
  readonly url: string;
  readonly certificates: ClusterCertificates;
  /** As an administrator, inside the process. */
  readonly hubClient: Client;
  /** Starts the controllers; they run until the hub is closed. */
  startControllers(): void;
  close(): Promise<void>;
}

const ADMINISTRATOR = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] };
const NAMESPACES = ['karmada-system', 'karmada-cluster'];

/** Serves when it resolves; controllers start separately, so that members can be there first. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const { dataDirectory, logger, settings } = options;
  const clock = systemClock;
  const random = systemRandom;
  const reopenCertificates = (): Promise<ClusterCertificates> =>
    openCertificates({
      vault: fileVault(path.join(dataDirectory, 'pki'), random),
      now: clock.now(),
      clusterName: 'karmada',
      hosts: [options.bindAddress],
    });
  const certificates = await reopenCertificates();
  const storage: Storage<KubeObject> = await openFileStorage({
    directory: path.join(dataDirectory, 'store'),
    codec: objectCodec,
    worker: options.worker,
  });
  const started = Promise.withResolvers<Client>();
  const rules = admissionRules({
    gates: settings.gates,
    random,
    allowNoExecuteTaintPolicy: options.allowNoExecuteTaintPolicy,
    quotas: createQuotaLedger(started.promise),
    customizations: async () => (await (await started.promise).listAll(customizationResource)).items,
  });
  let server: RunningServer;
  try {
    server = await startApiServer({
      storage,
      clock,
      random,
      logger: logger.with({ server: 'hub' }),
      certificates,
      reopenCertificates,
      host: options.bindAddress,
      port: options.port,
      version: versionInfo(KUBERNETES_VERSION, 'navarch'),
      metrics: createMetricsRegistry(),
      admission: rules.map(asPlugin),
      disabledAdmission: options.disabledAdmission,
      extraResources: [clusterResource(settings.gates)],
      ...(options.pathHandlers === undefined ? {} : { pathHandlers: options.pathHandlers }),
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
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
    podIdentities: false,
  });
  await housekeeping.ready;
  await prepare(hubClient);
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const parts: { close(): Promise<void> }[] = [];
  return {
    url: `https://${options.bindAddress}:${server.port}`,
    certificates,
    hubClient,
    startControllers() {
      const customizations = new Customizations({ now: () => clock.now() });
      const context = controllerContext(options, hubClient, customizations, stop.signal, parts);
      const start = async (): Promise<void> => {
        // What objects mean must be known before anything is decided about them.
        await followCustomizations(context.informers, customizations);
        await runControllers(context);
      };
      running.push(
        start().catch((error: unknown) => {
          if (!stop.signal.aborted) logger.error('A controller cannot run', { error });
        }),
      );
    },
    async close() {
      stop.abort(new Error('the hub is stopping'));
      await Promise.all(running);
      for (const part of parts.reverse()) await part.close();
      await housekeeping.close();
      await server.close();
      await storage.close();
    },
  };
}

/** Resolves when the definition is served. It takes a few turns of the event loop, seldom more. */
async function untilServed(hubClient: Client, name: string): Promise<void> {
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, 100)) {
    const crd = (await hubClient.get(kinds.customResourceDefinitions, { name })) as CustomResourceDefinition;
    if (crd.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'))
      return;
    await sleep(systemClock, delayMs);
  }
}

/** What every hub holds: Karmada's kinds and its own namespaces. Done already after a first start. */
async function prepare(hubClient: Client): Promise<void> {
  const create = async (call: Promise<unknown>): Promise<void> => {
    try {
      await call;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  };
  await Promise.all([
    ...hubCrds().map((crd) =>
      create(hubClient.create(kinds.customResourceDefinitions, crd as unknown as KubeObject)),
    ),
    ...NAMESPACES.map((name) =>
      create(
        hubClient.create(kinds.namespaces, {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name, labels: { 'karmada.io/system': 'true' } },
        }),
      ),
    ),
  ]);
  await Promise.all(hubCrds().map(({ metadata }) => untilServed(hubClient, metadata.name ?? '')));
}

function controllerContext(
  { logger, settings, openMember }: HubOptions,
  hubClient: Client,
  customizations: Customizations,
  signal: AbortSignal,
  parts: { close(): Promise<void> }[],
): ControllerContext {
  const clock = systemClock;
  const random = systemRandom;
  const informers = createInformerSet({ client: hubClient, clock, random, logger });
  const secrets = informers.informer(secretResource);
  const members = new MemberConnections({
    open: openMember,
    endpoints: secretEndpoints(secrets),
    clock,
    random,
    logger,
  });
  const recorder = createEventRecorder({
    client: hubClient,
    clock,
    component: 'karmada-controller-manager',
    logger,
  });
  parts.push(informers, { close: () => recorder.close() }, members);
  return {
    charge: { role: 'hub' },
    hubClient,
    informers,
    mapper: createRestMapper(hubClient.transport, { clock }),
    interpreter: createInterpreter([customizations.layer, nativeLayer(() => formatTime(clock.now()))]),
    members,
    recorder,
    settings,
    clock,
    random,
    logger,
    metrics: silentMetrics,
    signal,
  };
}

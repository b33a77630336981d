// The control plane: API server, housekeeping and controllers, put together over the seams they are given. The hub runs
// it on files, sockets and the system's clock, a simulation in a world of its own; what runs is the same.
// INVARIANT: whatever is not handed in here (time, chance, storage, the way to members) takes no part in what it does.
import type { CustomResourceDefinition, KubeObject } from '../api/index.ts';
import { hubCrds } from '../api/index.ts';
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
import { formatTime, sleep, type Clock } from '../base/index.ts';
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
import { clusterResource } from './cluster-resource.ts';
import { createQuotaLedger } from './quota-ledger.ts';

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
const NAMESPACES = ['karmada-system', 'karmada-cluster'];
/** What the API server says it is. */
const KUBERNETES_VERSION = 'v1.36.2';

/** Serves when it resolves; controllers start separately, so that members can be there first. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { logger, settings, clock, random, certificates } = options;
  const started = Promise.withResolvers<Client>();
  const rules = admissionRules({
    gates: settings.gates,
    random,
    allowNoExecuteTaintPolicy: options.allowNoExecuteTaintPolicy,
    acceptLegacySpellings: options.acceptLegacySpellings,
    quotas: createQuotaLedger(started.promise),
    customizations: async () => (await (await started.promise).listAll(customizationResource)).items,
  });
  const server: RunningServer = await startApiServer({
    ...options,
    logger: logger.with({ server: 'hub' }),
    version: versionInfo(KUBERNETES_VERSION, 'navarch'),
    metrics: createMetricsRegistry(),
    admission: rules.map(asPlugin),
    extraResources: [clusterResource(settings.gates)],
  });
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
  await prepare(hubClient, clock);
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const parts: { close(): Promise<void> }[] = [];
  return {
    port: server.port,
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
    },
  };
}

/** Resolves when the definition is served. It takes a few turns of the event loop, seldom more. */
async function untilServed(hubClient: Client, name: string, clock: Clock): Promise<void> {
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, 100)) {
    const crd = (await hubClient.get(kinds.customResourceDefinitions, { name })) as CustomResourceDefinition;
    if (crd.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'))
      return;
    await sleep(clock, delayMs);
  }
}

/** What every hub holds: Karmada's kinds and its own namespaces. Done already after a first start. */
async function prepare(hubClient: Client, clock: Clock): Promise<void> {
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
  await Promise.all(hubCrds().map(({ metadata }) => untilServed(hubClient, metadata.name ?? '', clock)));
}

function controllerContext(
  { logger, settings, openMember, clock, random }: ControlPlaneOptions,
  hubClient: Client,
  customizations: Customizations,
  signal: AbortSignal,
  parts: { close(): Promise<void> }[],
): ControllerContext {
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

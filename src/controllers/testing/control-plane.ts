// A control plane for tests of single controllers: a real API server on memory storage with our kinds and rules, and
// only those controllers that a test starts. Nothing else acts there, so what a test sees its controllers have done.
import assert from 'node:assert/strict';
import { admissionRules, asPlugin } from '../../admission/index.ts';
import {
  clusterKind,
  crdOf,
  hubCrds,
  type CustomResourceDefinition,
  type KubeObject,
} from '../../api/index.ts';
import {
  createMetricsRegistry,
  memoryVault,
  objectCodec,
  openCertificates,
  startApiServer,
  versionInfo,
} from '../../apiserver/index.ts';
import {
  defaultFeatureGates,
  silentLogger,
  sleep,
  systemClock,
  systemRandom,
  type FeatureGates,
} from '../../base/index.ts';
import { createClient, createRestMapper, isNotFound, kinds, type Client } from '../../client/index.ts';
import { createInterpreter, nativeLayer, type Interpreter } from '../../interpreter/index.ts';
import { createEventRecorder, createInformerSet, silentMetrics } from '../../runtime/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import type { Controller, ControllerContext } from '../context.ts';
import { silentDispatchMetrics, type DispatchMetrics } from '../dispatch-metrics.ts';
import { quotaResource } from '../federated-resource-quota/index.ts';
import { InterpretationChanges } from '../interpretation-changes.ts';
import { customizationResource, interpretationResource } from '../interpreter-customizations.ts';
import type { OpenEstimator } from '../estimators.ts';
import {
  MemberConnections,
  secretEndpoints,
  secretResource,
  type OpenMember,
} from '../member-connections.ts';
import { silentSchedulingMetrics } from '../scheduling-metrics.ts';
import { defaultControllerSettings, type ControllerSettings } from '../settings.ts';

export interface ControlPlane extends AsyncDisposable {
  readonly client: Client;
  run(...controllers: readonly Controller[]): void;
  /** Waits for a condition; fails when it does not come about. */
  until(what: string, condition: () => Promise<boolean>): Promise<void>;
}

const UNTIL_TRIES = 1_000;
const ADMINISTRATOR = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] };

/** With a namespace `shop`. */
export async function startControlPlane(
  gates: Partial<FeatureGates> = {},
  interpreter: Interpreter = createInterpreter([nativeLayer(() => '2026-01-01T00:00:00Z')]),
  openMember: OpenMember = () => assert.fail('this test has no members'),
  more: {
    readonly settings?: Partial<ControllerSettings>;
    readonly openEstimator?: OpenEstimator;
    readonly dispatch?: DispatchMetrics;
  } = {},
): Promise<ControlPlane> {
  const clock = systemClock;
  const random = systemRandom;
  const logger = silentLogger;
  const settings = {
    ...defaultControllerSettings,
    ...more.settings,
    gates: { ...defaultFeatureGates, ...gates },
  };
  const storage = createMemoryStorage<KubeObject>(objectCodec);
  const started = Promise.withResolvers<Client>();
  const rules = admissionRules({
    gates: settings.gates,
    random,
    allowNoExecuteTaintPolicy: false,
    acceptLegacySpellings: true,
    now: () => clock.now(),
    may: () => Promise.resolve(true),
    quotas: {
      list: async (namespace) => (await (await started.promise).listAll(quotaResource, { namespace })).items,
      writeStatus: async (quota, dryRun) =>
        void (await (await started.promise).updateStatus(quotaResource, quota, { dryRun })),
    },
    packages: () => Promise.resolve([]),
    customizations: async () => (await (await started.promise).listAll(customizationResource)).items,
    interpretations: async () => (await (await started.promise).listAll(interpretationResource)).items,
  });
  const server = await startApiServer({
    storage,
    clock,
    random,
    logger,
    certificates: await openCertificates({ vault: memoryVault(), now: clock.now(), clusterName: 'test' }),
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('v1.36.2', 'test'),
    metrics: createMetricsRegistry(),
    admission: rules.map(asPlugin),
  });
  const client = createClient(server.server.inProcess(ADMINISTRATOR));
  started.resolve(client);
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const informers = createInformerSet({ client, clock, random, logger });
  const recorder = createEventRecorder({ client, clock, component: 'test', logger });
  const context: ControllerContext = {
    charge: { role: 'hub' },
    hubClient: client,
    informers,
    mapper: createRestMapper(client.transport, { clock }),
    interpreter,
    interpretationChanges: new InterpretationChanges(),
    members: new MemberConnections({
      open: openMember,
      endpoints: secretEndpoints(informers.informer(secretResource)),
      clock,
      random,
      logger,
    }),
    recorder,
    settings,
    clock,
    random,
    logger,
    metrics: silentMetrics,
    scheduling: silentSchedulingMetrics,
    dispatch: more.dispatch ?? silentDispatchMetrics,
    openEstimator: more.openEstimator ?? (() => assert.fail('this test has no estimators')),
    signal: stop.signal,
  };
  const until: ControlPlane['until'] = async (what, condition) => {
    for (let tries = 0; tries < UNTIL_TRIES; tries++) {
      if (await condition()) return;
      await sleep(clock, 5);
    }
    assert.fail(`never came about: ${what}`);
  };
  await prepare(client, until);
  return {
    client,
    until,
    run: (...controllers) => void running.push(...controllers.map((controller) => controller.run(context))),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await Promise.all(running);
      await recorder.close();
      await context.members.close();
      await informers.close();
      await server.close();
      await storage.close();
    },
  };
}

async function prepare(client: Client, until: ControlPlane['until']): Promise<void> {
  await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  for (const crd of hubCrds()) await client.create(kinds.customResourceDefinitions, crd);
  await until('our kinds are served', async () => {
    const { items } = await client.listAll(kinds.customResourceDefinitions);
    return (items as unknown as CustomResourceDefinition[]).every(({ status }) =>
      status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True'),
    );
  });
}

/** Serves Clusters, which a hub has from elsewhere than from a CRD. */
export async function serveClusters(plane: ControlPlane): Promise<void> {
  const { client } = plane;
  await client.create(kinds.customResourceDefinitions, crdOf(clusterKind));
  await plane.until('clusters are served', async () => {
    try {
      await client.list(kinds.clusters);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  });
}

// The controllers of one process with all that they share: caches, interpreter, events, connections to members. The hub
// runs them for its push members, an agent for its own.
import type { Service } from '../api/index.ts';
import { WebhookClient } from '../apiserver/index.ts';
import { errorMessage, formatTime, type Clock, type Logger, type Random } from '../base/index.ts';
import {
  createRestMapper,
  isForbidden,
  isNotFound,
  kinds,
  type Client,
  type Resource,
} from '../client/index.ts';
import {
  InterpretationChanges,
  MemberConnections,
  followInterpretation,
  interpretationResource,
  runControllers,
  silentDispatchMetrics,
  silentSchedulingMetrics,
  type Charge,
  type Controller,
  type ControllerContext,
  type ControllerSettings,
  type MemberEndpoints,
  type OpenEstimator,
  type OpenMember,
  type DispatchMetrics,
  type SchedulingMetrics,
} from '../controllers/index.ts';
import {
  Customizations,
  Interpretations,
  InterpreterHooks,
  createInterpreter,
  nativeLayer,
  thirdPartyLayer,
  webhookLayer,
} from '../interpreter/index.ts';
import {
  PRIORITY_CHANGE,
  createEventRecorder,
  createInformerSet,
  silentMetrics,
  type InformerSet,
  type ObserveGauge,
} from '../runtime/index.ts';

export interface ControllerProcessOptions {
  readonly charge: Charge;
  readonly controllers: readonly Controller[];
  readonly hubClient: Client;
  readonly settings: ControllerSettings;
  /** Where the ways to members are known from. */
  readonly endpoints: (informers: InformerSet) => MemberEndpoints;
  readonly openMember: OpenMember;
  /** Undefined: this process reaches no estimators beside members. */
  readonly openEstimator?: OpenEstimator | undefined;
  readonly scheduling?: SchedulingMetrics;
  readonly dispatch?: DispatchMetrics;
  readonly observe?: ObserveGauge;
  /** Whom events name as their source. */
  readonly component: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

// LIMIT: how long members, and then the API of the hub, are waited for when the process ends.
const CUT_OFF_MS = 5_000;
const GIVE_UP_MS = 10_000;

function noEstimators(cluster: string): never {
  throw new Error(`this process cannot reach the estimator of ${cluster}`);
}

/** COMPAT: whether the rights of this agent are upstream's, or the hub is: such an agent acts without ResourceInterpretations. */
async function areRefused(hubClient: Client, logger: Logger, signal: AbortSignal): Promise<boolean> {
  try {
    await hubClient.list(interpretationResource, { limit: 1, signal });
    return false;
  } catch (error) {
    // Anything else is for the informer, which tries again.
    if (!isForbidden(error) && !isNotFound(error)) return false;
    logger.warn('Going on without ResourceInterpretations; let the agent get, list and watch them', {
      error: errorMessage(error),
    });
    return true;
  }
}

/** Runs them until it is closed. */
export function startControllers(options: ControllerProcessOptions): { close(): Promise<void> } {
  const { charge, hubClient, settings, clock, random, logger } = options;
  const stop = new AbortController();
  const customizations = new Customizations({ now: () => clock.now() });
  const now = (): string => formatTime(clock.now());
  const changes = new InterpretationChanges();
  const hooks = new InterpreterHooks();
  const interpretations = new Interpretations(now);
  const webhooks = new WebhookClient({
    clock,
    findService: (namespace, name) =>
      hubClient.find(kinds.services as Resource<Service>, { namespace, name }),
    unknownService: 'dns',
  });
  const informers = createInformerSet({
    client: hubClient,
    clock,
    random,
    logger,
    ...(settings.gates.ControllerPriorityQueue ? {} : { initialPriority: PRIORITY_CHANGE }),
  });
  const members = new MemberConnections({
    open: options.openMember,
    endpoints: options.endpoints(informers),
    clock,
    random,
    logger,
  });
  const recorder = createEventRecorder({ client: hubClient, clock, component: options.component, logger });
  const context: ControllerContext = {
    charge,
    hubClient,
    informers,
    mapper: createRestMapper(hubClient.transport, { clock }),
    interpreter: createInterpreter([
      customizations.layer,
      webhookLayer(
        hooks,
        ({ clientConfig, timeoutMs }, question) => webhooks.call(clientConfig, question, timeoutMs),
        random,
      ),
      interpretations.layer,
      thirdPartyLayer(now),
      nativeLayer(now, { priorityClasses: settings.gates.ResourceQuotaEstimate }),
    ]),
    interpretationChanges: changes,
    members,
    openEstimator: options.openEstimator ?? noEstimators,
    recorder,
    settings,
    clock,
    random,
    logger,
    metrics: silentMetrics,
    scheduling: options.scheduling ?? silentSchedulingMetrics,
    dispatch: options.dispatch ?? silentDispatchMetrics,
    observe: options.observe,
    signal: stop.signal,
  };
  const run = async (): Promise<void> => {
    // What objects mean must be known before anything is decided about them.
    const refused = charge.role === 'agent' ? areRefused(hubClient, logger, stop.signal) : undefined;
    await followInterpretation(informers, { customizations, hooks, interpretations }, changes, refused);
    await runControllers(context, options.controllers);
  };
  const running = run().catch((error: unknown) => {
    if (!stop.signal.aborted) logger.error('A controller cannot run', { error });
  });
  return {
    async close() {
      stop.abort(new Error('the process is stopping'));
      // What is under way may end by itself. What waits for a member that is silent, or for a hub, ends with the way there.
      const cutOff = clock.after(CUT_OFF_MS, () => void members.close());
      const giveUp = clock.after(GIVE_UP_MS, () => void informers.close());
      await running;
      cutOff();
      giveUp();
      await webhooks.close();
      await members.close();
      await recorder.close();
      await informers.close();
    },
  };
}

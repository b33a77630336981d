// The accurate estimators of all members, as the scheduler and the descheduler ask them. A member this process reaches
// is estimated right here, from the nodes and pods that are followed anyway; another one, or one whose Service says
// so, is asked by gRPC.
// Reads: Clusters, Services, nodes and pods of members. Writes: the condition EstimatorAvailable of Clusters.
// INVARIANT: members are asked side by side under one deadline; one that fails, hangs or is not there costs its own
// answer and nobody else's. After a failure it is left alone for a while, so that it does not cost every decision its
// deadline.
import type { Cluster, Service } from '../api/index.ts';
import { errorMessage, formatTime, untilAborted } from '../base/index.ts';
import { isConflict, isNotFound, kinds, type Resource } from '../client/index.ts';
import {
  createMemberEstimator,
  estimatorAddresses,
  type EstimatorConnection,
  type ServiceName,
} from '../estimator/index.ts';
import { formatDuration } from '../machinery/index.ts';
import type { Informer } from '../runtime/index.ts';
import type { AccurateEstimator, EstimateCall, EstimatorAnswers } from '../scheduling/index.ts';
import type { ControllerContext } from './context.ts';
import type { MemberConnection } from './member-connections.ts';

/** Opens a line to the estimator of a cluster at `host:port`. */
export type OpenEstimator = (cluster: string, address: string) => EstimatorConnection;

/** What one estimator is asked. */
export type Question = (estimator: AccurateEstimator, cluster: string, call: EstimateCall) => Promise<number>;

export const SCHEDULER_ESTIMATOR = 'scheduler-estimator';
const AVAILABLE_CONDITION = 'EstimatorAvailable';

// LIMIT: how long an estimator that failed is left alone, doubling from the first time to the last.
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 60_000;
// LIMIT: how often a condition that met somebody else's write is written anew.
const CONDITION_TRIES = 5;

/** Where answers come from; the same objects as long as it stays the same place. */
type Place = { readonly member: MemberConnection } | { readonly service: Service | undefined };

interface Line {
  readonly place: Place;
  readonly estimators: readonly (AccurateEstimator & { close(): void })[];
  /** Which of them answered last. */
  preferred: number;
  failures: number;
  /** Not asked before. */
  pauseEndsMs: number;
  lastError: string;
}

const pools = new WeakMap<ControllerContext, Estimators>();

export class Estimators {
  private readonly context: ControllerContext;
  private readonly clusters: Informer<Cluster>;
  private readonly services: Informer<Service>;
  private readonly lines = new Map<string, Line>();

  private constructor(context: ControllerContext) {
    this.context = context;
    const { informers, settings, signal } = context;
    this.clusters = informers.informer(kinds.clusters);
    this.services = informers.informer(kinds.services as Resource<Service>, {
      namespace: settings.schedulerEstimatorServiceNamespace,
    });
    this.clusters.subscribe({ deleted: ({ metadata }) => this.hangUp(metadata.name ?? '') });
    signal.addEventListener('abort', () => {
      for (const cluster of this.lines.keys()) this.hangUp(cluster);
    });
  }

  /** Those that the controllers of a context share. */
  static of(context: ControllerContext): Estimators {
    let pool = pools.get(context);
    if (pool === undefined) pools.set(context, (pool = new Estimators(context)));
    return pool;
  }

  /** The answers of all clusters that gave one in time. A cluster without an estimator has neither answer nor error. */
  async ask(clusters: readonly string[], object: string, question: Question): Promise<EstimatorAnswers> {
    const { clock, settings, signal } = this.context;
    const { schedulerEstimatorTimeoutMs: timeoutMs } = settings;
    const late = new AbortController();
    const cancel = clock.after(timeoutMs, () =>
      late.abort(new Error(`no answer within ${formatDuration(timeoutMs)}`)),
    );
    const call = { object, signal: AbortSignal.any([signal, late.signal]) };
    const answers = new Map<string, number>();
    const errors = new Map<string, string>();
    try {
      await untilAborted(this.services.synced, call.signal);
      await Promise.all(
        clusters.map(async (cluster) => {
          try {
            const answer = await this.askOne(cluster, question, call);
            if (answer !== undefined) answers.set(cluster, answer);
          } catch (error) {
            errors.set(cluster, errorMessage(error));
          }
        }),
      );
    } catch (error) {
      for (const cluster of clusters) errors.set(cluster, errorMessage(error));
    } finally {
      cancel();
    }
    return { estimator: SCHEDULER_ESTIMATOR, answers, errors };
  }

  private async askOne(name: string, question: Question, call: EstimateCall): Promise<number | undefined> {
    const cluster = this.clusters.store.get(name);
    if (cluster === undefined) throw new Error('the cluster is gone');
    let line: Line | undefined;
    try {
      line = this.lineTo(name, cluster);
    } catch (error) {
      this.report(cluster, errorMessage(error));
      throw error;
    }
    if (line === undefined) return undefined;
    const askedMs = this.context.clock.now();
    if (askedMs < line.pauseEndsMs)
      throw new Error(`${line.lastError}; asked again in ${formatDuration(line.pauseEndsMs - askedMs)}`);
    try {
      const answer = await askInTurn(line, name, question, call);
      line.failures = 0;
      this.report(cluster, undefined);
      return answer;
    } catch (error) {
      if (!this.context.signal.aborted) this.failed(cluster, line, askedMs, errorMessage(error));
      throw error;
    }
  }

  /** Undefined: the flags say that this cluster has none. */
  private lineTo(name: string, cluster: Cluster): Line | undefined {
    const { settings, members } = this.context;
    const { namespace, name: serviceName, port } = this.serviceOf(name);
    const pull = cluster.spec.syncMode === 'Pull';
    if (pull && settings.disableSchedulerEstimatorInPullMode) return undefined;
    const service = this.services.store.get({ namespace, name: serviceName });
    const place: Place = service !== undefined || pull ? { service } : { member: members.connect(cluster) };
    const known = this.lines.get(name);
    if (known !== undefined && isSame(known.place, place)) return known;
    this.hangUp(name);
    const line: Line = {
      place,
      estimators: this.open(name, place, { namespace, name: serviceName, port }),
      preferred: 0,
      failures: 0,
      pauseEndsMs: 0,
      lastError: '',
    };
    this.lines.set(name, line);
    return line;
  }

  private serviceOf(cluster: string): ServiceName {
    const { settings } = this.context;
    return {
      namespace: settings.schedulerEstimatorServiceNamespace,
      name: `${settings.schedulerEstimatorServicePrefix}-${cluster}`,
      port: settings.schedulerEstimatorPort,
    };
  }

  private open(cluster: string, place: Place, service: ServiceName): Line['estimators'] {
    const { settings, clock, openEstimator } = this.context;
    if ('member' in place) {
      const { memberClient: client, informers } = place.member;
      return [createMemberEstimator({ client, informers, gates: settings.gates, clock })];
    }
    return estimatorAddresses(service, place.service).map((address) => openEstimator(cluster, address));
  }

  private hangUp(cluster: string): void {
    for (const estimator of this.lines.get(cluster)?.estimators ?? []) estimator.close();
    this.lines.delete(cluster);
  }

  private failed(cluster: Cluster, line: Line, askedMs: number, why: string): void {
    // Of many that were asking at once only the first counts.
    if (askedMs < line.pauseEndsMs) return;
    line.failures++;
    line.lastError = why;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (line.failures - 1), LAST_PAUSE_MS);
    line.pauseEndsMs = this.context.clock.now() + pauseMs;
    this.report(cluster, why);
  }

  /** Says on the Cluster that its estimator fails, and when it answers again. */
  private report(cluster: Cluster, why: string | undefined): void {
    const before = conditionOf(cluster)?.status;
    const wanted = why === undefined ? 'True' : 'False';
    if (before === wanted || (before === undefined && wanted === 'True')) return;
    const { name = '' } = cluster.metadata;
    if (why !== undefined) this.context.logger.warn('An estimator fails', { cluster: name, error: why });
    void this.writeCondition(name, why).catch((error: unknown) => {
      if (!this.context.signal.aborted && !isNotFound(error))
        this.context.logger.warn('The state of an estimator cannot be written', { cluster: name, error });
    });
  }

  private async writeCondition(name: string, why: string | undefined): Promise<void> {
    const { hubClient, clock, signal } = this.context;
    for (let tries = 1; ; tries++) {
      const cluster = await hubClient.get(kinds.clusters, { name }, { signal });
      const status = why === undefined ? 'True' : 'False';
      if (conditionOf(cluster)?.status === status) return;
      const condition = {
        type: AVAILABLE_CONDITION,
        status,
        reason: why === undefined ? 'Answering' : 'NotAnswering',
        message: why ?? 'the estimator answers',
        lastTransitionTime: formatTime(clock.now()),
      } as const;
      const others = (cluster.status?.conditions ?? []).filter(({ type }) => type !== AVAILABLE_CONDITION);
      try {
        const conditions = [...others, condition];
        await hubClient.updateStatus(kinds.clusters, {
          ...cluster,
          status: { ...cluster.status, conditions },
        });
        return;
      } catch (error) {
        if (!isConflict(error) || tries >= CONDITION_TRIES) throw error;
      }
    }
  }
}

function conditionOf({ status }: Cluster): { readonly status: string } | undefined {
  return status?.conditions?.find(({ type }) => type === AVAILABLE_CONDITION);
}

function isSame(a: Place, b: Place): boolean {
  if ('member' in a) return 'member' in b && a.member === b.member;
  return 'service' in b && a.service === b.service;
}

/** The address that answered last, then the others: which of them is right shows only by asking. */
async function askInTurn(
  line: Line,
  cluster: string,
  question: Question,
  call: EstimateCall,
): Promise<number> {
  const { estimators } = line;
  for (let tried = 1; ; tried++) {
    const estimator = estimators[line.preferred];
    if (estimator === undefined) throw new Error('there is no estimator');
    try {
      return await untilAborted(question(estimator, cluster, call), call.signal);
    } catch (error) {
      line.preferred = (line.preferred + 1) % estimators.length;
      if (call.signal.aborted || tried >= estimators.length) throw error;
    }
  }
}

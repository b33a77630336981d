// cluster-status-controller: probes every member in this process's charge and writes what it finds into the Cluster's status.
// Reads: Cluster, its Secret, the member's health, version, discovery, nodes and pods. Writes: Cluster status.
// INVARIANT: one member's silence costs one of these reconciles, never another member's.
import {
  COMPLETE_API_ENABLEMENTS_CONDITION,
  type Cluster,
  type Condition,
  type Node,
  type Pod,
} from '../../api/index.ts';
import { errorMessage, formatTime, untilAborted } from '../../base/index.ts';
import { kinds, type ApiResource, type Resource } from '../../client/index.ts';
import {
  SUSPECT_CONDITION,
  believe,
  judgeSuspicion,
  readyFromProbe,
  type Failures,
  type ProbeMemory,
  type ProbeResult,
} from '../../failover/index.ts';
import { StatusError, deepEqual, hasFinalizer } from '../../machinery/index.ts';
import { CLUSTER_FINALIZER } from '../../api/index.ts';
import { done, informerSource, requeueAfter, runController, type Outcome } from '../../runtime/index.ts';
import { isInCharge } from '../charge.ts';
import type { Controller, ControllerContext } from '../context.ts';
import type { MemberConnection } from '../member-connections.ts';
import { nodeSummary, resourceSummary } from './summary.ts';

type Status = NonNullable<Cluster['status']>;
type ApiEnablements = NonNullable<Status['apiEnablements']>;

// LIMIT: members probed at once; each holds a socket and a timer at most.
const CONCURRENT_PROBES = 256;

export const clusterStatusController: Controller = {
  name: 'clusterStatus',
  async run(context) {
    const { informers, settings, clock, logger, metrics, signal, charge } = context;
    const clusters = informers.informer(kinds.clusters);
    const memories = new Map<string, ProbeMemory>();
    const failures = new Map<string, Failures>();
    await runController({
      name: 'cluster-status-controller',
      sources: [
        informerSource(clusters, {
          changed: (before, after) =>
            before.metadata.generation !== after.metadata.generation ||
            !hasFinalizer(before, CLUSTER_FINALIZER),
        }),
      ],
      concurrency: CONCURRENT_PROBES,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (name, { signal: reconcileSignal }) => {
        const cluster = clusters.store.get(name);
        if (cluster === undefined) {
          memories.delete(name);
          failures.delete(name);
          return done;
        }
        // One that is on its way out is asked on: its removal waits for a member that answers.
        if (!isInCharge(charge, cluster) || (charge.role === 'hub' && cluster.spec.secretRef === undefined))
          return done;
        // The cluster-controller comes first, so that nothing is scheduled to a cluster without a place for its Works.
        if (!hasFinalizer(cluster, CLUSTER_FINALIZER)) return done;
        return withinProbeTime(context, reconcileSignal, async (inTime) => {
          const startedMs = clock.now();
          const { connection, result } = await probe(context, cluster, inTime);
          const ready = readyFromProbe(result);
          const current = conditionOf(cluster, 'Ready');
          const before = memories.get(name);
          const verdict = believe(before, current, ready, clock.now(), {
            failureMs: settings.clusterFailureThresholdMs,
            successMs: settings.clusterSuccessThresholdMs,
          });
          memories.set(name, verdict.memory);
          // Periods begin with probes, not behind them: one that hangs does not put off the next.
          const again = (): Outcome =>
            requeueAfter(
              Math.max(0, startedMs + settings.clusterStatusUpdateFrequencyMs - clock.now()),
              'status is collected periodically',
            );
          const suspicion = judgeSuspicion(
            failures.get(name) ?? [],
            before?.status === 'True' && verdict.memory.status !== 'True',
            conditionOf(cluster, SUSPECT_CONDITION),
            clock.now(),
            { failures: settings.clusterSuspectFailures, windowMs: settings.clusterSuspectWindowMs },
          );
          failures.set(name, suspicion.failures);
          if (!verdict.believed && suspicion.condition === undefined) return again();
          const collected =
            verdict.believed && result.kind === 'healthy' && connection !== undefined
              ? await collectInTime(context, cluster, connection, inTime)
              : undefined;
          const found = [
            ...(verdict.believed ? [{ type: 'Ready', ...ready }] : []),
            ...(suspicion.condition === undefined ? [] : [suspicion.condition]),
          ];
          await writeStatus(
            context,
            cluster,
            decideStatus(cluster, found, collected, formatTime(clock.now())),
          );
          return again();
        });
      },
    });
  },
};

function conditionOf({ status }: Cluster, wanted: string): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === wanted);
}

/** A member that does not answer is given up on after the probe's time, whatever it was asked. */
async function withinProbeTime(
  { clock, settings: { clusterProbeTimeoutMs } }: ControllerContext,
  signal: AbortSignal,
  look: (inTime: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  const late = new AbortController();
  const cancel = clock.after(clusterProbeTimeoutMs, () =>
    late.abort(new DOMException(`no answer within ${clusterProbeTimeoutMs} ms`, 'TimeoutError')),
  );
  try {
    return await look(AbortSignal.any([signal, late.signal]));
  } finally {
    cancel();
  }
}

async function probe(
  { members }: ControllerContext,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<{ readonly connection: MemberConnection | undefined; readonly result: ProbeResult }> {
  let connection: MemberConnection;
  try {
    connection = members.connect(cluster);
  } catch (error) {
    return { connection: undefined, result: { kind: 'unusable', why: errorMessage(error) } };
  }
  try {
    return { connection, result: await askHealth(connection, '/readyz', signal) };
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404)
      return { connection, result: { kind: 'offline', why: errorMessage(error) } };
  }
  try {
    return { connection, result: await askHealth(connection, '/healthz', signal) };
  } catch (error) {
    return { connection, result: { kind: 'offline', why: errorMessage(error) } };
  }
}

async function askHealth(
  { memberClient }: MemberConnection,
  path: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const answer = await memberClient.transport.send({ method: 'GET', path, signal });
  if (answer.status >= 400)
    throw new StatusError(answer.status, '', `${path} answers with status ${answer.status}`);
  return answer.status === 200 ? { kind: 'healthy' } : { kind: 'unhealthy' };
}

/** What a healthy member says of itself. */
export interface Collected {
  readonly kubernetesVersion: string;
  /** Undefined: discovery failed altogether. */
  readonly apiEnablements: ApiEnablements;
  readonly summaries: Pick<Status, 'nodeSummary' | 'resourceSummary'>;
}

/**
 * Undefined: the member was healthy and then did not answer in time. What was known of it stays, and what it was asked goes
 * on, so that a slow one answers some period. Rejects where nothing is known yet: it is not ready before it says what it serves.
 */
async function collectInTime(
  context: ControllerContext,
  cluster: Cluster,
  connection: MemberConnection,
  signal: AbortSignal,
): Promise<Collected | undefined> {
  try {
    return await untilAborted(collect(context, cluster, connection, signal), signal);
  } catch (error) {
    if (!signal.aborted || cluster.status?.apiEnablements === undefined) throw error;
    return undefined;
  }
}

async function collect(
  { settings }: ControllerContext,
  cluster: Cluster,
  connection: MemberConnection,
  signal: AbortSignal,
): Promise<Collected> {
  const { memberClient, mapper, informers } = connection;
  const version = (await memberClient.request({ method: 'GET', path: '/version', signal })) as {
    readonly gitVersion?: string;
  };
  await mapper.refresh();
  const apiEnablements = enablementsFrom(await mapper.resources());
  if (!settings.enableClusterResourceModeling)
    return { kubernetesVersion: version.gitVersion ?? '', apiEnablements, summaries: {} };
  const nodes = informers.informer(kinds.nodes as Resource<Node>);
  const pods = informers.informer(kinds.pods as Resource<Pod>);
  await Promise.all([nodes.synced, pods.synced]);
  const models = settings.gates.CustomizedClusterResourceModeling ? cluster.spec.resourceModels : undefined;
  return {
    kubernetesVersion: version.gitVersion ?? '',
    apiEnablements,
    summaries: {
      nodeSummary: nodeSummary(nodes.store.list()),
      resourceSummary: resourceSummary(nodes.store.list(), pods.store.list(), models),
    },
  };
}

/** Asked for with every status of every member, and mostly of the same list. */
const enablements = new WeakMap<readonly ApiResource[], ApiEnablements>();

/** Groups sorted by groupVersion, resources by name; every served version counts, not only the preferred one. */
export function enablementsFrom(resources: readonly ApiResource[]): ApiEnablements {
  const known = enablements.get(resources);
  if (known !== undefined) return known;
  const byVersion = new Map<string, { name: string; kind: string }[]>();
  for (const { group, version, resource, kind } of resources) {
    const groupVersion = group === '' ? version : `${group}/${version}`;
    const list = byVersion.get(groupVersion) ?? [];
    list.push({ name: resource, kind });
    byVersion.set(groupVersion, list);
  }
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const found = [...byVersion]
    .sort(([a], [b]) => compare(a, b))
    .map(([groupVersion, list]) => ({
      groupVersion,
      resources: list.sort((a, b) => compare(a.name, b.name)),
    }));
  enablements.set(resources, found);
  return found;
}

/** The status to write. Without `collected` only the conditions found change; what was known stays. Pure. */
export function decideStatus(
  cluster: Cluster,
  found: readonly Omit<Condition, 'lastTransitionTime'>[],
  collected: Collected | undefined,
  now: string,
): Status {
  const before = cluster.status ?? {};
  const conditions = [...found];
  if (collected === undefined)
    return { ...before, conditions: withConditions(before.conditions ?? [], conditions, now) };
  const complete = collected.apiEnablements.length > 0;
  conditions.push({
    type: COMPLETE_API_ENABLEMENTS_CONDITION,
    status: complete ? 'True' : 'False',
    reason: complete ? 'Complete' : 'Empty',
    message: complete
      ? 'collected complete list of API enablements'
      : 'collected empty list of API enablements',
  });
  return {
    ...before,
    kubernetesVersion: collected.kubernetesVersion,
    apiEnablements: collected.apiEnablements,
    ...collected.summaries,
    conditions: withConditions(before.conditions ?? [], conditions, now),
  };
}

/** Conditions of others stay; the time of transition moves only when the status does. */
function withConditions(
  before: readonly Condition[],
  wanted: readonly Omit<Condition, 'lastTransitionTime'>[],
  now: string,
): readonly Condition[] {
  const others = before.filter(({ type }) => !wanted.some((one) => one.type === type));
  const ours = wanted.map((one): Condition => {
    const old = before.find(({ type }) => type === one.type);
    return {
      ...one,
      lastTransitionTime: old !== undefined && old.status === one.status ? old.lastTransitionTime : now,
    };
  });
  return [...others, ...ours];
}

async function writeStatus(
  { hubClient }: ControllerContext,
  cluster: Cluster,
  status: Status,
): Promise<void> {
  if (deepEqual(cluster.status, status)) return;
  await hubClient.updateStatus(kinds.clusters, { ...cluster, status });
}

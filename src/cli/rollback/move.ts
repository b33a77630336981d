// Takes workloads back to their former clusters, one after the other, and looks at their health as they go. The old copies go as
// an eviction takes them, so that nothing is lost when this command is killed: the hub goes on by itself.
// INVARIANT: a workload that does not become healthy where it was goes where it is, and the others are left alone.
import { OperatingError, formatTime, sleep, systemClock } from '../../base/index.ts';
import { isConflict, kinds, type Client, type Resource } from '../../client/index.ts';
import { executionNamespace } from '../../api/index.ts';
import { leavingByRollback, turnsOf, wayBack } from '../../failover/index.ts';
import { workName, type Binding } from '../../propagation/index.ts';
import { print } from '../command.ts';
import type { MovePlan } from './move-plan.ts';

const POLL_MS = 200;
// LIMIT: how often a write that met the control plane's is made anew.
const TRIES = 10;

type Placement = Pick<Binding['spec'], 'clusters' | 'gracefulEvictionTasks'>;

export async function moveBack(client: Client, plan: MovePlan, timeoutMs: number): Promise<void> {
  const { title, restored, binding } = plan;
  const deadlineMs = systemClock.now() + timeoutMs;
  if (plan.former === undefined) {
    // An earlier run, or the hub after it, has done the rest; what is left is to look at it.
    const unhealthy = await untilHealthy(client, plan, restored.map(({ name }) => name), deadlineMs); // prettier-ignore
    if (unhealthy.length > 0) throw notHealthy(title, unhealthy, 'the hub keeps the old copy until it is');
    await untilLeft(client, plan, leavingByRollback(binding.spec), deadlineMs);
    return;
  }
  const { back, left } = turnsOf(binding.spec, restored);
  const before = binding.spec;
  await write(client, binding, (current) => {
    if (namesOf(current.spec) !== namesOf(before))
      throw new OperatingError('PLAN_OUTDATED', `${title} was moved meanwhile`, 'run rollback again');
    return wayBack(current.spec, restored, formatTime(systemClock.now()));
  });
  print(`${title}: sent to ${restored.map(({ name }) => name).join(', ')}`);
  const unhealthy = await untilHealthy(client, plan, back, deadlineMs);
  if (unhealthy.length > 0) {
    await write(client, binding, () => ({
      clusters: before.clusters ?? [],
      gracefulEvictionTasks: before.gracefulEvictionTasks ?? [],
    }));
    throw notHealthy(title, unhealthy, 'it stays where it was');
  }
  await untilLeft(client, plan, left, deadlineMs);
}

function notHealthy(title: string, clusters: readonly string[], then: string): OperatingError {
  return new OperatingError(
    'NOT_HEALTHY_THERE',
    `${title} did not become healthy in ${clusters.join(', ')} in time; ${then}`,
    'look with "navarch why" at what is wrong there, or give it longer with --timeout',
  );
}

async function untilLeft(
  client: Client,
  plan: MovePlan,
  clusters: readonly string[],
  deadlineMs: number,
): Promise<void> {
  for (const name of clusters) {
    if (await untilGone(client, plan, name, deadlineMs)) print(`${plan.title}: has left ${name}`);
    else
      print(
        `${plan.title}: its copy in ${name} is still there; it goes when the hub has seen all copies healthy`,
      );
  }
}

function resourceOf({ kind }: Binding): Resource<Binding> {
  return kind === 'ResourceBinding' ? kinds.resourceBindings : kinds.clusterResourceBindings;
}

function keyFor({ metadata }: Binding): { readonly namespace: string | undefined; readonly name: string } {
  return { namespace: metadata.namespace, name: metadata.name ?? '' };
}

function namesOf({ clusters = [] }: Placement): string {
  return clusters.map(({ name }) => name).sort().join(' '); // prettier-ignore
}

/** Over the version that was looked at, and anew when the control plane wrote in between. */
async function write(
  client: Client,
  binding: Binding,
  change: (current: Binding) => Placement,
): Promise<void> {
  const resource = resourceOf(binding);
  for (let tries = 1; ; tries++) {
    const current = await client.get(resource, keyFor(binding));
    const { uid, resourceVersion } = current.metadata;
    const spec = Object.fromEntries(
      Object.entries(change(current)).map(([field, list]) => [
        field,
        (list ?? []).length === 0 ? null : list,
      ]),
    );
    try {
      await client.patch(resource, keyFor(binding), {
        type: 'merge',
        body: { metadata: { uid, resourceVersion }, spec },
      });
      return;
    } catch (error) {
      if (!isConflict(error) || tries >= TRIES) throw error;
    }
  }
}

/** Resolves with the clusters where it is not healthy when time is over. */
async function untilHealthy(
  client: Client,
  { title, binding }: MovePlan,
  clusters: readonly string[],
  deadlineMs: number,
): Promise<readonly string[]> {
  const waiting = new Set(clusters);
  for (;;) {
    const { status } = await client.get(resourceOf(binding), keyFor(binding));
    for (const name of waiting) {
      const item = status?.aggregatedStatus?.find(({ clusterName }) => clusterName === name);
      if (item?.applied !== true || item.health !== 'Healthy') continue;
      waiting.delete(name);
      print(`${title}: healthy in ${name}`);
    }
    if (waiting.size === 0 || systemClock.now() > deadlineMs) return [...waiting];
    await sleep(systemClock, POLL_MS);
  }
}

/** Whether the Work has gone in time. */
async function untilGone(
  client: Client,
  { reference }: MovePlan,
  cluster: string,
  deadlineMs: number,
): Promise<boolean> {
  const { kind, namespace = '', name } = reference;
  const key = { namespace: executionNamespace(cluster), name: workName(kind, namespace, name) };
  for (;;) {
    if ((await client.find(kinds.works, key)) === undefined) return true;
    if (systemClock.now() > deadlineMs) return false;
    await sleep(systemClock, POLL_MS);
  }
}

// Whether a workload can go back to clusters that it ran in before, and would stay there: asked of the scheduler's own
// functions, cluster by cluster.
import type { TargetCluster } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { turnsOf, wayBack } from '../failover/index.ts';
import { isWorkload } from '../fleet/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import type { Binding } from '../propagation/index.ts';
import {
  decideTrigger,
  maxReplicas,
  reasonText,
  remedyText,
  schedule,
  type Rejection,
  type Verdict,
} from '../scheduling/index.ts';
import { scheduleInput } from './settle.ts';
import type { WorldView } from './world.ts';

/** Why it cannot go back. */
export interface WayBackObstacle {
  /** The former cluster that is not fit; undefined: it is not one of them. */
  readonly cluster: string | undefined;
  readonly why: string;
  /** What would take it away. */
  readonly next: string;
}

/** @param carriesState whether a StatePreservationRule means it */
export function wayBackObstacles(
  view: WorldView,
  binding: Binding,
  restored: readonly TargetCluster[],
  carriesState: boolean,
): readonly WayBackObstacle[] {
  const general = generalObstacle(binding, carriesState);
  if (general !== undefined) return [general];
  const { back } = turnsOf(binding.spec, restored);
  const found = back.flatMap((name) => clusterObstacles(view, binding, name, restored));
  if (found.length > 0) return found;
  const moved = movedAgain(view, binding, restored);
  return moved === undefined ? [] : [moved];
}

function generalObstacle({ spec }: Binding, carriesState: boolean): WayBackObstacle | undefined {
  if (spec.suspension?.scheduling === true || spec.suspension?.dispatching === true)
    return { cluster: undefined, why: 'it is suspended', next: 'resume it first' };
  if (carriesState || spec.failover?.cluster?.statePreservation !== undefined)
    return {
      cluster: undefined,
      why: 'it carries state along, which only a failover collects from the copy that goes',
      next: 'taint the cluster that it is in with NoExecute, and it fails over with its state',
    };
  return undefined;
}

function clusterObstacles(
  view: WorldView,
  binding: Binding,
  name: string,
  restored: readonly TargetCluster[],
): readonly WayBackObstacle[] {
  const cluster = view.world.clusters.find(({ metadata }) => metadata.name === name);
  const told = (why: string, next: string): readonly WayBackObstacle[] => [{ cluster: name, why, next }];
  if (cluster === undefined) return told('is no longer a member', 'join it again');
  if (isBeingDeleted(cluster)) return told('is being removed', 'join it again when it is gone');
  const ready = cluster.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True')
    return told(
      ready === undefined
        ? 'has never reported'
        : `is not ready: ${ready.message === '' ? ready.reason : ready.message}`,
      'see "navarch doctor"',
    );
  const rejections = rejectionsOf(view, binding, name);
  if (rejections.length > 0)
    return rejections.map((one) => ({
      cluster: name,
      why: `is ruled out: ${reasonText(one)}`,
      next: remedyText(one),
    }));
  return roomObstacle(view, binding, name, restored);
}

/** What keeps the cluster out in every term of the placement; nothing: in some term it fits. */
function rejectionsOf(view: WorldView, binding: Binding, name: string): readonly Rejection[] {
  const tasks = (binding.spec.gracefulEvictionTasks ?? []).filter(({ fromCluster }) => fromCluster !== name);
  const asked = { ...binding, spec: { ...binding.spec, gracefulEvictionTasks: tasks } } as Binding;
  const input = { ...scheduleInput(view, view, asked, 'Fresh'), explain: true };
  const index = view.fleet.clusters.findIndex((one) => one.name === name);
  const verdicts = schedule(input)
    .attempts.map(({ verdicts: all }): Verdict | undefined => all[index])
    .filter((one) => one !== undefined);
  if (verdicts.some(({ outcome }) => outcome === 'fits')) return [];
  const last = verdicts.findLast((one) => one.outcome === 'rejected');
  return last?.outcome === 'rejected' ? last.rejections : [];
}

function roomObstacle(
  view: WorldView,
  { spec }: Binding,
  name: string,
  restored: readonly TargetCluster[],
): readonly WayBackObstacle[] {
  const wanted = restored.find((one) => one.name === name)?.replicas ?? 0;
  const seen = view.fleet.byName(name);
  if (!isWorkload(spec) || wanted === 0 || seen === undefined) return [];
  const models = view.world.settings.gates.CustomizedClusterResourceModeling;
  const room = maxReplicas(seen, spec.replicaRequirements, { models, assumed: [] });
  if (room >= wanted) return [];
  return [
    {
      cluster: name,
      why: `has room for ${room} of ${wanted} replicas`,
      next: 'make room there, or scale down first',
    },
  ];
}

/** Whether the scheduler would take it elsewhere, while the old copies go or when they are gone. */
function movedAgain(
  view: WorldView,
  binding: Binding,
  restored: readonly TargetCluster[],
): WayBackObstacle | undefined {
  const change = wayBack(binding.spec, restored, formatTime(view.world.nowMs));
  for (const gracefulEvictionTasks of [change.gracefulEvictionTasks, []]) {
    const generation = (binding.metadata.generation ?? 0) + 1;
    const back = {
      ...binding,
      metadata: { ...binding.metadata, generation },
      spec: { ...binding.spec, clusters: restored, gracefulEvictionTasks },
    } as Binding;
    const trigger = decideTrigger(back, view.fleet, view.world.settings.gates);
    if (!trigger.due) continue;
    const result = schedule(scheduleInput(view, view, back, trigger.mode));
    const names = result.ok ? result.clusters.map(({ name }) => name).sort() : [];
    if (names.join() === restored.map(({ name }) => name).sort().join()) continue; // prettier-ignore
    return {
      cluster: undefined,
      why: result.ok
        ? `its policy would send it to ${names.join(', ')} again (${trigger.why})`
        : `the scheduler would not place it: ${result.failure.message}`,
      next: 'edit the placement of its policy; "navarch plan" shows what that would do',
    };
  }
  return undefined;
}

// The story of a world as an operator would tell it: what happened to clusters, where things were placed and taken from,
// what was refused and why, and when copies were healthy.
import type { Cluster, Condition, KubeObject } from '../api/index.ts';
import { CLUSTERS, isHealthy, isManaged, nameOf, templateName, type Binding } from './objects.ts';
import type { MirroredChange } from './mirror.ts';
import type { World } from './world.ts';

export interface Happening {
  readonly atMs: number;
  /** The cluster or template that it is about. */
  readonly subject: string;
  readonly what: string;
}

/** LIMIT: what is told of one world. */
const HAPPENINGS_MAX = 20_000;

export class Chronicle {
  readonly happenings: Happening[] = [];
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
    world.observe({
      hubChanged: (change) => this.hubChanged(change),
      memberChanged: (member, change) => this.memberChanged(member, change),
    });
  }

  tell(subject: string, what: string): void {
    if (this.happenings.length < HAPPENINGS_MAX)
      this.happenings.push({ atMs: this.world.clock.now(), subject, what });
  }

  private hubChanged({ resource, before, after }: MirroredChange): void {
    if (resource === CLUSTERS) this.clusterChanged(before as unknown as Cluster, after as unknown as Cluster);
    if (resource.startsWith('work.karmada.io/') && resource.endsWith('bindings'))
      this.bindingChanged(before as unknown as Binding, after as unknown as Binding);
  }

  private clusterChanged(before: Cluster | undefined, after: Cluster | undefined): void {
    const name = (after ?? before)?.metadata.name ?? '';
    const subject = `cluster ${name}`;
    if (after === undefined) return this.tell(subject, 'is gone');
    if (after.metadata.deletionTimestamp !== undefined && before?.metadata.deletionTimestamp === undefined)
      this.tell(subject, 'is leaving');
    const readiness = (cluster: Cluster | undefined): string => {
      const ready = cluster?.status?.conditions?.find(({ type }) => type === 'Ready');
      return ready === undefined
        ? 'has not reported'
        : `is ${READINESS[ready.status]} (${ready.reason ?? ''})`;
    };
    if (readiness(before) !== readiness(after)) this.tell(subject, readiness(after));
    const taints = (cluster: Cluster | undefined): Set<string> =>
      new Set((cluster?.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`));
    const [had, has] = [taints(before), taints(after)];
    for (const taint of has) if (!had.has(taint)) this.tell(subject, `gets the taint ${taint}`);
    for (const taint of had) if (!has.has(taint)) this.tell(subject, `loses the taint ${taint}`);
  }

  private bindingChanged(before: Binding | undefined, after: Binding | undefined): void {
    const binding = after ?? before;
    if (binding === undefined) return;
    const subject = templateName(binding);
    if (after === undefined) return this.tell(subject, 'is gone');
    this.evictionsChanged(subject, before, after);
    const targets = (one: Binding | undefined): string => targetsText(one);
    if (targets(before) !== targets(after))
      this.tell(subject, `placed on ${targets(after)} (before: ${targets(before)})`);
    for (const condition of (after.status?.conditions ?? []) as readonly Condition[]) {
      const was = before?.status?.conditions?.find(({ type }) => type === condition.type);
      const same = was?.status === condition.status && was.message === condition.message;
      if (same || !isTold(condition)) continue;
      this.tell(
        subject,
        `${condition.type}=${condition.status} ${condition.reason ?? ''}: ${condition.message ?? ''}`,
      );
    }
  }

  private evictionsChanged(subject: string, before: Binding | undefined, after: Binding): void {
    const tasks = (binding: Binding | undefined): Map<string, string> =>
      new Map(
        (binding?.spec.gracefulEvictionTasks ?? []).map(({ fromCluster, reason, purgeMode = '' }) => [
          fromCluster,
          `${reason}${purgeMode === '' ? '' : `, ${purgeMode}`}`,
        ]),
      );
    const [had, has] = [tasks(before), tasks(after)];
    for (const [from, why] of has) if (!had.has(from)) this.tell(subject, `is evicted from ${from} (${why})`);
    for (const from of had.keys())
      if (!has.has(from)) this.tell(subject, `the eviction from ${from} is over`);
  }

  private memberChanged(member: string, { before, after }: MirroredChange): void {
    const object = after ?? before;
    if (object === undefined || !isManaged(object) || isDerived(object)) return;
    const subject = nameOf(object);
    if (after === undefined) return this.tell(subject, `the copy in ${member} is gone`);
    if (before === undefined) this.tell(subject, `a copy appears in ${member}`);
    const [was, is] = [before !== undefined && isHealthy(before), isHealthy(after)];
    if (was !== is && HAS_HEALTH.has(object.kind))
      this.tell(subject, `the copy in ${member} is ${is ? 'healthy' : 'not healthy'}`);
  }
}

const READINESS: Readonly<Record<string, string>> = {
  True: 'ready',
  False: 'not ready',
  Unknown: 'out of touch',
};
const HAS_HEALTH: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job']);

/** What the member's own controllers made of a copy. */
function isDerived({ metadata }: KubeObject): boolean {
  return (metadata.ownerReferences ?? []).length > 0;
}

/** Conditions that come and go with every change tell nothing by themselves. */
function isTold({ type, status }: Condition): boolean {
  return (type === 'Scheduled' && status !== 'True') || (type !== 'Scheduled' && type !== 'FullyApplied');
}

function targetsText(binding: Binding | undefined): string {
  const clusters = binding?.spec.clusters ?? [];
  if (clusters.length === 0) return 'nothing';
  return clusters
    .map(({ name, replicas }) => (replicas === undefined ? name : `${name}: ${replicas}`))
    .join(', ');
}

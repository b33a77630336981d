// Assigns pods to nodes: takes waiting pods by priority, places each by what is free, and binds it.
// Reads Pods, Nodes, Namespaces, PersistentVolumeClaims. Writes Bindings and the PodScheduled condition.
// INVARIANT: between the decision and its binding the pod counts as placed, so that no room is given away twice.
import type { Binding, PodCondition } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { isConflict, isNotFound, keyOf, resource } from '../../client/index.ts';
import { deepEqual } from '../../machinery/index.ts';
import {
  PRIORITY_CHANGE,
  WorkQueue,
  done,
  requeueAfter,
  retry,
  runController,
  type Outcome,
  type Source,
} from '../../runtime/index.ts';
import type { Pod } from '../kinds.ts';
import type { LoopContext } from '../loop.ts';
import { isTerminal, isTerminating, podCondition } from '../pods.ts';
import { pods as podResource } from '../resources.ts';
import { FleetState } from './fleet-state.ts';
import { choosePreemption, type Preemption } from './preemption.ts';
import { placePod } from './schedule.ts';

const NAME = 'default-scheduler';
// LIMIT: bindings under way at once.
const CONCURRENCY = 64;
// COMPAT: how long a pod that fits nowhere waits when nothing happens that could help it.
const UNSCHEDULABLE_RETRY_MS = 300_000;
const bindings = resource<Binding>({ group: '', version: 'v1', resource: 'pods', namespaced: true });

export function runScheduler(context: LoopContext): Promise<void> {
  return new Scheduler(context).run();
}

class Scheduler {
  private readonly context: LoopContext;
  private readonly fleet: FleetState;
  private readonly queue: WorkQueue;
  /** Keys of pods that fit nowhere, until something changes. */
  private readonly unschedulable = new Set<string>();
  private turn = 0;

  constructor(context: LoopContext) {
    this.context = context;
    const { namespaces } = context.caches;
    this.fleet = new FleetState((name) => namespaces.store.get(name)?.metadata.labels ?? {});
    this.queue = new WorkQueue({ name: NAME, clock: context.clock });
  }

  run(): Promise<void> {
    const { clock, logger, signal, caches } = this.context;
    return runController({
      name: NAME,
      sources: [this.nodeSource(), this.podSource(), this.claimSource()],
      queue: this.queue,
      clock,
      logger,
      signal,
      concurrency: CONCURRENCY,
      reconcile: (key, { signal: callSignal }) => {
        const pod = caches.pods.store.get(key);
        return pod === undefined ? Promise.resolve(done) : this.schedule(key, pod, callSignal);
      },
    });
  }

  private nodeSource(): Source {
    const { nodes } = this.context.caches;
    return {
      synced: nodes.synced,
      start: () =>
        nodes.subscribe({
          added: (node) => {
            this.fleet.setNode(node);
            this.retryUnschedulable();
          },
          updated: (old, node) => {
            this.fleet.setNode(node);
            const same =
              deepEqual(old.spec, node.spec) &&
              deepEqual(old.metadata.labels, node.metadata.labels) &&
              deepEqual(old.status?.allocatable, node.status?.allocatable);
            if (!same) this.retryUnschedulable();
          },
          deleted: (node) => this.fleet.removeNode(node.metadata.name),
        }),
    };
  }

  private podSource(): Source {
    const { pods } = this.context.caches;
    const seen = (pod: Pod): void => {
      if (this.fleet.setPod(pod)) this.retryUnschedulable();
      const key = keyOf(pod);
      if (isWaiting(pod)) this.queue.add(key, { priority: PRIORITY_CHANGE + (pod.spec.priority ?? 0) });
      else this.unschedulable.delete(key);
    };
    return {
      synced: pods.synced,
      start: () =>
        pods.subscribe({
          added: seen,
          updated: (old, pod) => {
            // Its own refused attempt must not bring a pod back.
            const waits = isWaiting(old) && isWaiting(pod);
            if (waits && old.spec === pod.spec && deepEqual(old.metadata.labels, pod.metadata.labels)) return;
            seen(pod);
          },
          deleted: (pod) => {
            this.unschedulable.delete(keyOf(pod));
            if (this.fleet.removePod(pod.metadata.uid)) this.retryUnschedulable();
          },
        }),
    };
  }

  private claimSource(): Source {
    const { persistentVolumeClaims: claims } = this.context.caches;
    const wake = (): void => this.retryUnschedulable();
    return { synced: claims.synced, start: () => claims.subscribe({ added: wake, updated: wake }) };
  }

  private retryUnschedulable(): void {
    for (const key of this.unschedulable) {
      const pod = this.context.caches.pods.store.get(key);
      this.queue.add(key, { priority: PRIORITY_CHANGE + (pod?.spec.priority ?? 0) });
    }
    this.unschedulable.clear();
  }

  private async schedule(key: string, pod: Pod, signal: AbortSignal): Promise<Outcome> {
    if (!isWaiting(pod)) return done;
    const refusal = this.missingClaim(pod);
    if (refusal !== undefined) return this.refuse(key, pod, refusal, signal);
    const placement = placePod(pod, this.fleet, this.turn++);
    if (placement.kind === 'unschedulable') {
      const preemption = choosePreemption(pod, this.fleet);
      const outcome = await this.refuse(key, pod, placement.message, signal, preemption?.nodeName);
      if (preemption !== undefined) await this.preempt(pod, preemption, signal);
      return outcome;
    }
    this.fleet.assume(pod, placement.nodeName);
    try {
      await this.bind(pod, placement.nodeName, signal);
    } catch (error) {
      this.fleet.removePod(pod.metadata.uid);
      const current = this.context.caches.pods.store.get(key);
      if (current !== undefined) this.fleet.setPod(current);
      // Somebody else was faster, or the pod has gone; its event says so.
      if (isConflict(error) || isNotFound(error)) return done;
      return retry(error);
    }
    const message = `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${placement.nodeName}`;
    this.context.recorder.withComponent(NAME).event(pod, 'Normal', 'Scheduled', message);
    return done;
  }

  private async bind(pod: Pod, nodeName: string, signal: AbortSignal): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const binding: Binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid },
      target: { kind: 'Node', name: nodeName },
    };
    await this.context.client.create(bindings, binding, { name, subresource: 'binding', signal });
  }

  /** Why the pod has to wait for its volumes. */
  private missingClaim(pod: Pod): string | undefined {
    const { persistentVolumeClaims, storageClasses } = this.context.caches;
    for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
      if (persistentVolumeClaim === undefined) continue;
      const { claimName } = persistentVolumeClaim;
      const claim = persistentVolumeClaims.store.get(`${pod.metadata.namespace}/${claimName}`);
      if (claim === undefined) return `persistentvolumeclaim "${claimName}" not found`;
      if (claim.status?.phase === 'Bound') continue;
      const className = claim.spec.storageClassName ?? '';
      const late = storageClasses.store.get(className)?.volumeBindingMode === 'WaitForFirstConsumer';
      const why = late ? 'unbound' : 'unbound immediate';
      return `0/${this.fleet.nodes.length} nodes are available: pod has ${why} PersistentVolumeClaims.`;
    }
    return undefined;
  }

  /** Asks the victims to go; their end brings the pod back into the queue. */
  private async preempt(pod: Pod, { nodeName, victims }: Preemption, signal: AbortSignal): Promise<void> {
    const { client, recorder, clock } = this.context;
    for (const victim of victims) {
      if (isTerminating(victim)) continue;
      const { name, namespace, uid } = victim.metadata;
      const message = `Preempted by pod ${pod.metadata.uid} on node ${nodeName}`;
      const condition: PodCondition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${NAME}: preempting to accommodate a higher priority pod`,
        lastTransitionTime: formatTime(clock.now()),
      };
      try {
        const body = { status: { conditions: [condition] } };
        await client.patch(
          podResource,
          { name, namespace },
          { type: 'strategic', body },
          { subresource: 'status', signal },
        );
        await client.delete(podResource, { name, namespace }, { preconditions: { uid }, signal });
        recorder.withComponent(NAME).event(victim, 'Normal', 'Preempted', message);
      } catch (error) {
        // It has gone by itself.
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    }
  }

  private async refuse(
    key: string,
    pod: Pod,
    message: string,
    signal: AbortSignal,
    nominatedNodeName?: string,
  ): Promise<Outcome> {
    this.unschedulable.add(key);
    const { client, recorder, clock } = this.context;
    const before = podCondition(pod, 'PodScheduled');
    const nominated = nominatedNodeName ?? pod.status?.nominatedNodeName;
    const told = before?.status === 'False' && before.message === message;
    if (!told || nominated !== pod.status?.nominatedNodeName) {
      if (!told) recorder.withComponent(NAME).event(pod, 'Warning', 'FailedScheduling', message);
      const condition: PodCondition = {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message,
        lastTransitionTime:
          before?.status === 'False' && before.lastTransitionTime !== undefined
            ? before.lastTransitionTime
            : formatTime(clock.now()),
        ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
      };
      const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
      const status = {
        ...pod.status,
        conditions: [...others, condition],
        ...(nominated === undefined ? {} : { nominatedNodeName: nominated }),
      };
      try {
        await client.updateStatus(podResource, { ...pod, status }, { signal });
      } catch (error) {
        if (isNotFound(error)) return done;
        throw error;
      }
    }
    return requeueAfter(UNSCHEDULABLE_RETRY_MS, 'unschedulable');
  }
}

/** Waits for this scheduler to place it. */
function isWaiting(pod: Pod): boolean {
  const { nodeName, schedulerName = NAME, schedulingGates = [] } = pod.spec;
  return (
    (nodeName === undefined || nodeName === '') &&
    schedulerName === NAME &&
    schedulingGates.length === 0 &&
    !isTerminating(pod) &&
    !isTerminal(pod)
  );
}

// The kubelets of all nodes of a simulated cluster, as one controller: brings each assigned pod to its next status
// when the time has come, and ends pods that are to be deleted.
// Reads Pods, Nodes. Writes pod status; deletes pods that have stopped.
// INVARIANT: a pod costs one entry in the queue while something is due, and nothing while it just runs.
import { isConflict, isNotFound, keyOf } from '../../client/index.ts';
import {
  done,
  informerSource,
  requeueAfter,
  runController,
  type EventRecorder,
  type Outcome,
} from '../../runtime/index.ts';
import type { Node, Pod } from '../kinds.ts';
import type { LoopContext } from '../loop.ts';
import { isDown } from '../nodes/node-health.ts';
import { isTerminating } from '../pods.ts';
import { pods as podResource } from '../resources.ts';
import { PodAddresses, hostAddressOf } from './addresses.ts';
import { behaviourOf, type Behaviour, type KubeletSettings, type PodFault } from './behaviour.ts';
import { decidePod, stoppedStatus, type PodInput } from './lifecycle.ts';
import { pathOf } from './notes.ts';
import { stageBeganMs, stageName, stageOf } from './pod-stage.ts';

const NAME = 'kubelet';
// LIMIT: status writes under way at once.
const CONCURRENCY = 64;

export interface KubeletOptions {
  readonly settings: KubeletSettings;
  /** A number in [0, 1) for the jitter of each pod. */
  readonly chance: () => number;
  faultOf(pod: Pod): PodFault | undefined;
}

export interface Kubelet {
  run(): Promise<void>;
  /** Ends the containers of a running pod once; they start again as its restart policy says. */
  kill(pod: Pod, exitCode: number): void;
  /** Looks at all pods again, because faults have changed. */
  refresh(): void;
}

/** What is remembered about a pod beyond its status. */
interface Track {
  readonly chance: number;
  stage: string;
  sinceMs: number;
  /** Of the last status written; what the cache shows before it is out of date. */
  storedVersion: number;
  stoppingSinceMs?: number;
  killedWith?: number;
}

export function createKubelet(context: LoopContext, options: KubeletOptions): Kubelet {
  return new SimulatedKubelet(context, options);
}

class SimulatedKubelet implements Kubelet {
  private readonly context: LoopContext;
  private readonly options: KubeletOptions;
  private readonly recorder: EventRecorder;
  private readonly tracks = new Map<string, Track>();
  private readonly addresses = new PodAddresses();
  private enqueue: (key: string) => void = () => undefined;

  constructor(context: LoopContext, options: KubeletOptions) {
    this.context = context;
    this.options = options;
    this.recorder = context.recorder.withComponent(NAME);
  }

  run(): Promise<void> {
    const { clock, logger, signal, caches } = this.context;
    const { pods, nodes } = caches;
    const forget = pods.subscribe({
      added: (pod) => this.addresses.observe(pod),
      deleted: (pod) => {
        this.tracks.delete(pod.metadata.uid);
        this.addresses.release(pod);
      },
    });
    signal.addEventListener('abort', forget, { once: true });
    return runController({
      name: NAME,
      sources: [
        informerSource(pods, { filter: (pod) => (pod.spec.nodeName ?? '') !== '' }),
        informerSource(nodes, {
          changed: (old, node) => isDown(old) !== isDown(node),
          map: ({ metadata }) => caches.podsOnNode(metadata.name).map(keyOf),
        }),
        {
          synced: Promise.resolve(),
          start: (enqueue) => {
            this.enqueue = enqueue;
            return () => undefined;
          },
        },
      ],
      clock,
      logger,
      signal,
      concurrency: CONCURRENCY,
      reconcile: (key, { signal: callSignal }) => this.reconcile(key, callSignal),
    });
  }

  kill(pod: Pod, exitCode: number): void {
    if (stageOf(pod).kind !== 'running') return;
    this.trackOf(pod).killedWith = exitCode;
    this.enqueue(keyOf(pod));
  }

  refresh(): void {
    for (const key of this.context.caches.pods.store.keys()) this.enqueue(key);
  }

  private async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const { caches } = this.context;
    const pod = caches.pods.store.get(key);
    if (pod === undefined) return done;
    const node = caches.nodes.store.get(pod.spec.nodeName ?? '');
    // Nothing happens on a machine that is off; its return brings the pods back here.
    if (node === undefined || isDown(node)) return done;
    try {
      return isTerminating(pod) ? await this.stop(pod, node, signal) : await this.advance(pod, node, signal);
    } catch (error) {
      // The pod has changed or gone meanwhile; its event brings it back.
      if (isNotFound(error) || isConflict(error)) return done;
      throw error;
    }
  }

  private trackOf(pod: Pod): Track {
    const { uid } = pod.metadata;
    const stage = stageOf(pod);
    const name = stageName(stage);
    const nowMs = this.context.clock.now();
    let track = this.tracks.get(uid);
    if (track === undefined) {
      track = {
        chance: this.options.chance(),
        stage: name,
        sinceMs: stageBeganMs(pod, stage, nowMs),
        storedVersion: 0,
      };
      this.tracks.set(uid, track);
    } else if (track.stage !== name) {
      track.stage = name;
      track.sinceMs = nowMs;
    }
    return track;
  }

  private isOutdated({ metadata }: Pod): boolean {
    const known = this.tracks.get(metadata.uid);
    return known !== undefined && Number(metadata.resourceVersion) < known.storedVersion;
  }

  private behaviour(pod: Pod, track: Track): Behaviour {
    return behaviourOf(pod, this.options.settings, this.options.faultOf(pod), track.chance);
  }

  private inputFor(pod: Pod, node: Node, track: Track): PodInput {
    return {
      pod,
      behaviour: this.behaviour(pod, track),
      settings: this.options.settings,
      sinceMs: track.sinceMs,
      ...(track.killedWith === undefined ? {} : { killedWith: track.killedWith }),
      addresses: { hostIP: hostAddressOf(node), podIP: this.addresses.addressOf(pod, node) },
      nowMs: this.context.clock.now(),
    };
  }

  private async advance(pod: Pod, node: Node, signal: AbortSignal): Promise<Outcome> {
    if (this.isOutdated(pod)) return done;
    const track = this.trackOf(pod);
    const input = this.inputFor(pod, node, track);
    const { status, wakeAtMs, notes } = decidePod(input);
    if (status !== undefined) {
      const stored = await this.context.client.updateStatus(podResource, { ...pod, status }, { signal });
      delete track.killedWith;
      track.storedVersion = Number(stored.metadata.resourceVersion);
      const name = stageName(stageOf(stored));
      if (name !== track.stage) {
        track.stage = name;
        track.sinceMs = input.nowMs;
      }
      for (const { type, reason, message, fieldPath } of notes) {
        this.recorder.event(pod, type, reason, message, fieldPath);
      }
    }
    return wakeAtMs === undefined ? done : requeueAfter(wakeAtMs - this.context.clock.now(), 'next stage');
  }

  private async stop(pod: Pod, node: Node, signal: AbortSignal): Promise<Outcome> {
    const { client, clock } = this.context;
    const track = this.trackOf(pod);
    const input = this.inputFor(pod, node, track);
    if (track.stoppingSinceMs === undefined) {
      track.stoppingSinceMs = input.nowMs;
      if (stageOf(pod).kind === 'running') {
        for (const { name } of pod.spec.containers) {
          this.recorder.event(pod, 'Normal', 'Killing', `Stopping container ${name}`, pathOf(name));
        }
      }
    }
    const leftMs = track.stoppingSinceMs + input.behaviour.stopDelayMs - clock.now();
    if (leftMs > 0) return requeueAfter(leftMs, 'stopping');
    // Who holds the pod with a finalizer wants to know how it ended.
    const status = (pod.metadata.finalizers?.length ?? 0) > 0 ? stoppedStatus(input) : undefined;
    if (status !== undefined) await client.updateStatus(podResource, { ...pod, status }, { signal });
    if (pod.metadata.deletionGracePeriodSeconds === 0) return done;
    const { name, namespace, uid } = pod.metadata;
    await client.delete(
      podResource,
      { name, namespace },
      { gracePeriodSeconds: 0, preconditions: { uid }, signal },
    );
    return done;
  }
}

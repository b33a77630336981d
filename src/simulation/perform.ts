// Carries out steps in a world: faults at once, what users do through the hub's API, in their order, tried again while
// nobody answers.
import type { Cluster, KubeObject, Taint } from '../api/index.ts';
import { OperatingError, errorMessage, sleep } from '../base/index.ts';
import {
  ConnectionError,
  createRestMapper,
  isConflict,
  isNotFound,
  kinds,
  type Client,
  type Resource,
} from '../client/index.ts';
import { GOOD_LINK } from './link.ts';
import { findNamed } from './objects.ts';
import { durationOf, type Step } from './step.ts';
import type { World, WorldMember } from './world.ts';

const USER_RETRY_MS = 1_000;
/** LIMIT: a user gives up on a hub that does not answer for this long. */
const USER_TRIES_MAX = 1_200;
const FILE = 'the step';

export interface PerformOptions {
  /** Random steps may ask for what is not there any more. */
  readonly forgiving: boolean;
}

/** One after the other, as one person at a terminal. */
export class Performer {
  private readonly world: World;
  private readonly options: PerformOptions;
  private readonly userClient: Client;
  private queue: Promise<void> = Promise.resolve();
  private underWay = 0;
  private readonly errors: string[] = [];

  constructor(world: World, options: PerformOptions) {
    this.world = world;
    this.options = options;
    this.userClient = world.hub.client('user');
  }

  /** Whether everything asked for has been answered. */
  get isIdle(): boolean {
    return this.underWay === 0;
  }

  /** What users were refused since the last call. */
  takeErrors(): readonly string[] {
    return this.errors.splice(0);
  }

  /** Begins a step; everything but `expect`. */
  perform(step: Step): void {
    if (this.fault(step)) return;
    const act = this.userAction(step);
    if (act === undefined) return;
    this.underWay++;
    const run = async (): Promise<void> => {
      try {
        await this.retried(act);
      } catch (error) {
        if (!this.options.forgiving) this.errors.push(errorMessage(error));
      } finally {
        this.underWay--;
      }
    };
    this.queue = this.queue.then(run);
  }

  private fault(step: Step): boolean {
    const { world } = this;
    for (const name of step.cut ?? []) world.member(name).link.set({ state: 'cut' });
    for (const name of step.silence ?? []) world.member(name).link.set({ state: 'silent' });
    for (const name of step.stopServer ?? [])
      this.inBackground(world.member(name).member.faults.stopApiServer());
    for (const name of step.stopAgent ?? []) world.member(name).agent?.kill();
    if (step.heal !== undefined) {
      const all = [...world.members.values()];
      for (const member of step.heal.length === 0 ? all : step.heal.map((name) => world.member(name)))
        this.heal(member);
    }
    if (step.flaky !== undefined) {
      const { clusters, loss = '0', latency } = step.flaky;
      const latencyMs = latency === undefined ? GOOD_LINK.latencyMs : durationOf(latency, FILE);
      for (const name of clusters) world.member(name).link.set({ lossShare: Number(loss), latencyMs });
    }
    if (step.failPods !== undefined) {
      const { cluster, ...selection } = step.failPods;
      world.member(cluster).member.faults.crashPods(selection, { exitCode: 1, keep: true });
    }
    if (step.slowStart !== undefined)
      world.member(step.slowStart.cluster).member.faults.slowStart(step.slowStart.factor);
    for (const [change, down] of [
      [step.nodeDown, true],
      [step.nodeUp, false],
    ] as const) {
      if (change === undefined) continue;
      const node = `${change.cluster}-node-${change.node}`;
      const { faults } = world.member(change.cluster).member;
      this.inBackground(down ? faults.nodeDown(node) : faults.nodeUp(node));
    }
    if (step.killHub !== undefined) this.killHub(durationOf(step.killHub.downFor, FILE));
    if (step.jumpClock !== undefined) {
      const byMs = durationOf(step.jumpClock.by, FILE);
      if (step.jumpClock.of === 'hub') world.hub.jump(byMs);
      else {
        const { clock, agent } = world.member(step.jumpClock.of);
        clock.jump(byMs);
        agent?.jump(byMs);
      }
    }
    return this.userAction(step) === undefined;
  }

  private heal({ link, agent, member }: WorldMember): void {
    link.set(GOOD_LINK);
    agent?.start();
    this.inBackground(member.faults.clear());
  }

  private killHub(downForMs: number): void {
    const { world } = this;
    if (!world.hub.isRunning) return;
    world.hub.kill();
    world.clock.after(downForMs, () => {
      if (!world.hub.isRunning) this.inBackground(world.hub.start());
    });
  }

  /** Faults of members are API calls inside of them; they fail when their server is down already. */
  private inBackground(task: Promise<unknown>): void {
    task.catch((error: unknown) => {
      if (!this.options.forgiving) this.errors.push(errorMessage(error));
    });
  }

  private userAction(step: Step): (() => Promise<unknown>) | undefined {
    const { apply, scale, patch, taint, untaint, label, unjoin, memberDeletes } = step;
    if (apply !== undefined) return () => this.apply(apply as KubeObject);
    if (scale !== undefined) return () => this.merge(scale.object, { spec: { replicas: scale.replicas } });
    if (patch !== undefined) return () => this.merge(patch.object, patch.merge);
    if (step.delete !== undefined)
      return () => this.remove(this.userClient, this.world.hubMirror, step.delete ?? '');
    if (unjoin !== undefined) return () => this.userClient.delete(kinds.clusters, { name: unjoin });
    if (memberDeletes !== undefined) {
      const { client, mirror } = this.world.member(memberDeletes.cluster);
      return () => this.remove(client, mirror, memberDeletes.object);
    }
    if (taint !== undefined) {
      const { cluster, key, effect, value } = taint;
      return () =>
        this.changeTaints(cluster, (taints) => [
          ...taints.filter((one) => one.key !== key || one.effect !== effect),
          { key, effect, ...(value === undefined ? {} : { value }) },
        ]);
    }
    if (untaint !== undefined)
      return () =>
        this.changeTaints(untaint.cluster, (taints) => taints.filter(({ key }) => key !== untaint.key));
    if (label !== undefined) {
      const labels = Object.fromEntries(
        Object.entries(label.labels).map(([key, value]) => [key, value === '' ? null : value]),
      );
      return () =>
        this.userClient.patch(
          kinds.clusters,
          { name: label.cluster },
          { type: 'merge', body: { metadata: { labels } } },
        );
    }
    return undefined;
  }

  private async apply(object: KubeObject): Promise<void> {
    const resource = await this.resourceOf(this.userClient, object);
    await this.userClient.apply(resource, object, { force: true });
  }

  private async merge(reference: string, body: unknown): Promise<void> {
    const object = findNamed(this.world.hubMirror, reference);
    if (object === undefined) throw missing(reference);
    const { namespace, name = '' } = object.metadata;
    const resource = await this.resourceOf(this.userClient, object);
    await this.userClient.patch(resource, keyOf(namespace, name), { type: 'merge', body });
  }

  private async remove(client: Client, mirror: World['hubMirror'], reference: string): Promise<void> {
    const object = findNamed(mirror, reference);
    if (object === undefined) throw missing(reference);
    const { namespace, name = '' } = object.metadata;
    const resource = await this.resourceOf(client, object);
    await client.delete(resource, keyOf(namespace, name), { propagationPolicy: 'Background' });
  }

  private async changeTaints(
    name: string,
    change: (taints: readonly Taint[]) => readonly Taint[],
  ): Promise<void> {
    const cluster: Cluster = await this.userClient.get(kinds.clusters, { name });
    const taints = change(cluster.spec.taints ?? []);
    await this.userClient.update(kinds.clusters, { ...cluster, spec: { ...cluster.spec, taints } });
  }

  private async resourceOf(client: Client, object: KubeObject): Promise<Resource> {
    const mapper = createRestMapper(client.transport, { clock: this.world.clock });
    const resource = await mapper.resourceForObject(object);
    if (resource === undefined) throw missing(`${object.apiVersion} ${object.kind}`);
    return resource;
  }

  private async retried(act: () => Promise<unknown>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await act();
        return;
      } catch (error) {
        const again = error instanceof ConnectionError || isConflict(error);
        if (!again || tries >= USER_TRIES_MAX) {
          if (isNotFound(error) && this.options.forgiving) return;
          throw error;
        }
        await sleep(this.world.clock, USER_RETRY_MS);
      }
    }
  }
}

function keyOf(
  namespace: string | undefined,
  name: string,
): { readonly namespace?: string; readonly name: string } {
  return namespace === undefined ? { name } : { namespace, name };
}

function missing(what: string): OperatingError {
  return new OperatingError('NOT_THERE', `there is no ${what}`, 'correct the name');
}

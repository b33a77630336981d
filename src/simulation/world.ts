// A whole fleet in one process under one seed: the production hub on a simulated disk, simulated members behind simulated
// networks, and one clock for all of them. What happens in it is a function of the seed and of what is done to it.
import type { Cluster, KubeObject, Namespace, Secret } from '../api/index.ts';
import { assert, errorMessage, formatTime, silentLogger, type Logger } from '../base/index.ts';
import { createClient, isAlreadyExists, kinds, type Client, type Resource } from '../client/index.ts';
import { defaultControllerSettings, type ControllerSettings } from '../controllers/index.ts';
import { startMember, type Member, type NodePool } from '../members/index.ts';
import type { Storage } from '../storage/index.ts';
import { AgentProcess } from './agent-process.ts';
import { Disk, type StoredObject } from './disk.ts';
import { HubProcess, SIMULATED_CERTIFICATES } from './hub-process.ts';
import { Link, type LinkObserver } from './link.ts';
import { Mirror, type MirroredChange } from './mirror.ts';
import { seededRandom, type SeededRandom } from './seeded-random.ts';
import { simulatedSigner } from './simulated-signer.ts';
import { ProcessClock, VirtualClock } from './virtual-clock.ts';

export interface MemberSpec {
  readonly name: string;
  readonly nodes: readonly NodePool[];
  readonly region?: string;
  readonly zones?: readonly string[];
  readonly provider?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: Cluster['spec']['taints'];
  /** The hub cannot reach it; an agent beside it calls the hub. */
  readonly pull?: boolean;
}

export interface WorldOptions {
  readonly seed: string;
  readonly fleet: readonly MemberSpec[];
  readonly settings?: Partial<ControllerSettings>;
  readonly startMs?: number;
  readonly logger?: Logger;
  /** Called before anything starts: for who has to see all of it. */
  readonly prepare?: (world: World) => void;
}

export interface WorldMember {
  readonly name: string;
  readonly spec: MemberSpec;
  /** Between the hub and the member; of a pull member, between its agent and the hub. */
  readonly link: Link;
  /** Of a pull member. */
  readonly agent: AgentProcess | undefined;
  readonly member: Member;
  readonly clock: ProcessClock;
  /** What the member really holds. */
  readonly mirror: Mirror;
  /** As an administrator beside the member, behind no network. */
  readonly client: Client;
}

/** What can be watched while a world runs. */
export interface Observer {
  hubChanged?(change: MirroredChange): void;
  memberChanged?(member: string, change: MirroredChange): void;
  /** The hub's requests that change something in a member. */
  arriving?: (member: string, ...of: Parameters<LinkObserver['arriving']>) => void;
  acted?: (member: string, ...of: Parameters<LinkObserver['acted']>) => void;
  /** After each thing that happened, when all that follows without time passing has run. */
  stepped?(): void;
}

/** What an agent writes on the hub is seen there. */
const UNOBSERVED: LinkObserver = { arriving: () => undefined, acted: () => undefined };
const START_MS = Date.UTC(2026, 0, 5, 8);
export const CLUSTER_NAMESPACE = 'karmada-cluster';
/** LIMIT: of virtual time, for a world to get ready. */
const READY_WAIT_MS = 300_000;
/** LIMIT: of virtual time, for what is asked of the hub's API to be answered. */
const ANSWER_WAIT_MS = 120_000;

export class World {
  readonly seed: string;
  readonly random: SeededRandom;
  readonly clock: VirtualClock;
  readonly hub: HubProcess;
  readonly disk: Disk;
  /** What the hub really holds; while it is down, what it last showed. */
  readonly hubMirror: Mirror;
  readonly members = new Map<string, WorldMember>();
  readonly settings: ControllerSettings;
  private readonly logger: Logger;
  private readonly observers: Observer[] = [];
  private readonly overlays: ((storage: Storage<KubeObject>) => Storage<KubeObject>)[] = [];
  private readonly failures: string[] = [];
  private readonly closing = new AbortController();

  private constructor(options: WorldOptions) {
    const { seed, startMs = START_MS, logger = silentLogger } = options;
    this.seed = seed;
    this.logger = logger;
    this.random = seededRandom(seed);
    this.clock = new VirtualClock(startMs);
    this.settings = { ...defaultControllerSettings, ...options.settings };
    this.disk = new Disk(this.random.stream('disk'));
    this.hubMirror = new Mirror((change) => {
      for (const observer of this.observers) observer.hubChanged?.(change);
    });
    this.hub = new HubProcess({
      clock: this.clock,
      random: this.random.stream('hub'),
      disk: this.disk,
      settings: this.settings,
      logger,
      openMember: (endpoint) => (member) => this.memberAt(member.server).link.transportFor(endpoint),
      opened: (storage) => {
        this.supervise('the hub', this.hubMirror.follow(storage));
        return this.overlays.reduce((below, over) => over(below), storage);
      },
    });
  }

  /** Resolves when the hub runs, all members have joined, and the hub finds them ready. */
  static async build(options: WorldOptions): Promise<World> {
    const world = new World(options);
    options.prepare?.(world);
    await world.settle(
      'members and hub start',
      Promise.all([world.hub.start(), ...options.fleet.map((spec) => world.startMember(spec))]),
    );
    await world.settle('members join', Promise.all(options.fleet.map((spec) => world.join(spec))));
    for (const { agent } of world.members.values()) agent?.start();
    const ready = await world.until(
      () => options.fleet.every(({ name }) => world.isReady(name)),
      READY_WAIT_MS,
    );
    assert(ready, 'the members of a new world get ready');
    return world;
  }

  /**
   * A world on a hub that was elsewhere before: `disk` holds what it held. Members start empty and are filled by `fill`
   * before the hub starts, so that it finds there what it left.
   */
  static async restore(
    options: WorldOptions & {
      readonly objects: readonly StoredObject[];
      readonly fill: (world: World) => Promise<void>;
    },
  ): Promise<World> {
    const world = new World(options);
    options.prepare?.(world);
    world.disk.fill(options.objects);
    await world.settle('members start', Promise.all(options.fleet.map((spec) => world.startMember(spec))));
    await options.fill(world);
    await world.settle('the hub starts', world.hub.start());
    return world;
  }

  observe(observer: Observer): void {
    this.observers.push(observer);
  }

  /** Stands between the hub's processes that start from now on and their disk. */
  overStorage(over: (storage: Storage<KubeObject>) => Storage<KubeObject>): void {
    this.overlays.push(over);
  }

  member(name: string): WorldMember {
    const member = this.members.get(name);
    assert(member !== undefined, `there is a member ${name}`);
    return member;
  }

  /** Lets time pass. */
  async run(durationMs: number): Promise<void> {
    await this.clock.run(durationMs, () => this.stepped());
  }

  /** Lets time pass until a condition holds; false: it did not within `limitMs`. */
  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return this.clock.runUntil(this.clock.now() + limitMs, condition, () => this.stepped());
  }

  /** Lets time pass until a call has been answered. */
  async settle<T>(what: string, call: Promise<T>, limitMs = ANSWER_WAIT_MS): Promise<T> {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    call.then(
      (value) => (outcome = { value }),
      (error: unknown) => (outcome = { error }),
    );
    await this.until(() => outcome !== undefined, limitMs);
    if (outcome === undefined) throw new Error(`not within ${limitMs / 1000} s of the world's time: ${what}`);
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Whether the hub holds the member to be ready and lets work go there. */
  isReady(name: string): boolean {
    const cluster = this.hubMirror.get('cluster.karmada.io/clusters', '', name) as Cluster | undefined;
    const ready = cluster?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    return ready === 'True' && !(cluster?.spec.taints ?? []).some(({ key }) => key.endsWith('/not-ready'));
  }

  /** Lets go of everything: a process that runs a thousand worlds must not keep them. */
  async close(): Promise<void> {
    this.closing.abort(new Error('the world is closing'));
    this.hub.kill();
    for (const { member, agent, clock, mirror } of this.members.values()) {
      agent?.kill();
      clock.stop();
      mirror.stop();
      member.close().catch(() => undefined);
    }
    this.hubMirror.stop();
    await this.clock.run(0);
  }

  private stepped(): void {
    const failure = this.failures.shift();
    if (failure !== undefined) throw new Error(failure);
    for (const observer of this.observers) observer.stepped?.();
  }

  private async startMember(spec: MemberSpec): Promise<void> {
    const { name } = spec;
    const random = this.random.stream(`member/${name}`);
    const clock = new ProcessClock(this.clock);
    // Writes take time here too: without it, controllers that undo each other's work would do so for ever in one instant.
    const storage = new Disk(random.stream('disk')).open(clock, this.closing.signal);
    const mirror = new Mirror((change) => {
      for (const observer of this.observers) observer.memberChanged?.(name, change);
    });
    const member = await startMember({
      name,
      storage,
      clock,
      random,
      logger: this.logger,
      port: 'none',
      certificates: SIMULATED_CERTIFICATES,
      tokenSigner: simulatedSigner(),
      nodes: spec.nodes,
    });
    this.supervise(name, mirror.follow(storage));
    const observer: LinkObserver = {
      arriving: (request) => {
        for (const one of this.observers) one.arriving?.(name, request);
      },
      acted: (request, response) => {
        for (const one of this.observers) one.acted?.(name, request, response);
      },
    };
    const pull = spec.pull === true;
    const link = new Link({
      target: pull ? this.hub.transport : member.transport,
      clock: this.clock,
      random: random.stream('link'),
      observer: pull ? UNOBSERVED : observer,
    });
    const agent = pull
      ? new AgentProcess({
          cluster: name,
          clock: this.clock,
          random: random.stream('agent'),
          link,
          member: member.transport,
          observer,
          settings: this.settings,
          logger: this.logger,
        })
      : undefined;
    const client = createClient(member.inside);
    this.members.set(name, { name, spec, link, agent, member, clock, mirror, client });
    await member.ready;
  }

  /** What `navarch join`, or an agent that registers, leaves on the hub. */
  private async join(spec: MemberSpec): Promise<void> {
    const { name } = spec;
    const client = this.hub.client('join');
    const namespace = await this.member(name).client.get(kinds.namespaces, { name: 'kube-system' });
    await existing(client.create(kinds.namespaces, namespaceObject(CLUSTER_NAMESPACE)));
    if (spec.pull === true) {
      await client.create(kinds.clusters, clusterObject(spec, namespace.metadata.uid ?? ''));
      return;
    }
    for (const secret of [name, `${name}-impersonator`]) {
      const data = { token: base64('simulated'), caBundle: base64('simulated') };
      await client.create(kinds.secrets as Resource<Secret>, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: secret, namespace: CLUSTER_NAMESPACE },
        type: 'Opaque',
        data,
      });
    }
    await client.create(kinds.clusters, clusterObject(spec, namespace.metadata.uid ?? ''));
  }

  private memberAt(url: string): WorldMember {
    const found = [...this.members.values()].find(({ name }) => url === urlOf(name));
    assert(found !== undefined, `a member is reached at ${url}`);
    return found;
  }

  /** What goes wrong beside the calls of a world's user ends the world. */
  private supervise(what: string, task: Promise<void>): void {
    task.catch((error: unknown) =>
      this.failures.push(`${formatTime(this.clock.now())} ${what}: ${errorMessage(error)}`),
    );
  }
}

/** Where a member of a simulated world is reached. */
export function urlOf(name: string): string {
  return `https://${name}.simulation`;
}

function namespaceObject(name: string): Namespace {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function clusterObject(spec: MemberSpec, id: string): Cluster {
  const { name, region, zones, provider, labels, taints, pull } = spec;
  return {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, ...(labels === undefined ? {} : { labels }) },
    spec: {
      id,
      ...(pull === true
        ? { syncMode: 'Pull' }
        : {
            syncMode: 'Push',
            apiEndpoint: urlOf(name),
            secretRef: { namespace: CLUSTER_NAMESPACE, name },
            impersonatorSecretRef: { namespace: CLUSTER_NAMESPACE, name: `${name}-impersonator` },
          }),
      ...(region === undefined ? {} : { region }),
      ...(zones === undefined ? {} : { zones }),
      ...(provider === undefined ? {} : { provider }),
      ...(taints === undefined ? {} : { taints }),
    },
  };
}

async function existing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

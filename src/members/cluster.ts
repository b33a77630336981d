// What runs behind the API server of a simulated member: nodes, scheduler, kubelets and controllers, on one set of
// informers.
import type { KubeObject, PriorityClass } from '../api/index.ts';
import { OperatingError, formatTime, type Clock, type Logger, type Random } from '../base/index.ts';
import { createClient, isAlreadyExists, type Client, type Transport } from '../client/index.ts';
import { runFencingAgent } from '../housekeeping/index.ts';
import { createEventRecorder, createInformerSet, type Informer, type InformerSet } from '../runtime/index.ts';
import { openCaches, type Caches } from './caches.ts';
import { budgetedRecorder } from './events.ts';
import { FaultBoard } from './faults/faults.ts';
import type { NetworkGate } from './faults/network-gate.ts';
import type { Node, Pod, StorageClass } from './kinds.ts';
import { defaultKubeletSettings, type KubeletSettings } from './kubelet/behaviour.ts';
import { createKubelet, type Kubelet } from './kubelet/kubelet.ts';
import type { LoopContext } from './loop.ts';
import { DOWN_ANNOTATION, isDown } from './nodes/node-health.ts';
import { runNetworkLoops } from './network/loops.ts';
import { defaultNodeSettings, runNodeLoops, type NodeSettings } from './nodes/node-loops.ts';
import { DEFAULT_POOL, nodesOf, type NodePool } from './nodes/node-pool.ts';
import { runRefusals } from './not-simulated.ts';
import { nodes as nodeResource, priorityClasses, storageClasses } from './resources.ts';
import { runScheduler } from './scheduler/scheduler.ts';
import { runVolumeLoops } from './volumes/loops.ts';
import { PROVISIONER } from './volumes/volume-binding.ts';
import { runWorkloadLoops } from './workloads/loops.ts';

export interface ClusterOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: three nodes of 4 CPUs, 16Gi and 110 pods. Nodes that exist already stay as they are. */
  readonly nodes?: NodePool | readonly NodePool[];
  /** `none`: the API server and its housekeeping only. Default `workloads`. */
  readonly simulate?: 'workloads' | 'none';
  readonly kubelet?: Partial<KubeletSettings>;
  readonly nodeHealth?: Partial<NodeSettings>;
  /** The first three parts of the addresses of load balancers; default `172.30.0`. */
  readonly loadBalancerPrefix?: string;
}

/** The API server, as the parts of the cluster see it. */
export interface ClusterServer {
  readonly transport: Transport;
  readonly gate: NetworkGate;
  setListening(listening: boolean): Promise<void>;
}

export interface ClassCaches {
  readonly priorityClasses: Informer<PriorityClass>;
  readonly storageClasses: Informer<StorageClass>;
}

const STANDARD_CLASS = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: PROVISIONER,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'Immediate',
};
// LIMIT: nodes registered at once.
const REGISTER_BATCH = 64;

export class Cluster {
  readonly classes: ClassCaches;
  readonly faults: FaultBoard;
  private readonly options: ClusterOptions;
  private readonly transport: Transport;
  private readonly client: Client;
  private readonly informers: InformerSet;
  private readonly stop = new AbortController();
  private readonly tasks: Promise<void>[] = [];
  /** Only with workloads. */
  private readonly caches: Caches | undefined;
  private kubelet: Kubelet | undefined;

  constructor(options: ClusterOptions, server: ClusterServer) {
    const { transport, gate } = server;
    const { clock, random, logger } = options;
    this.options = options;
    this.transport = transport;
    this.client = createClient(transport, { fieldManager: 'kube-controller-manager' });
    this.informers = createInformerSet({ client: this.client, clock, random, logger });
    this.classes = {
      priorityClasses: this.informers.informer(priorityClasses),
      storageClasses: this.informers.informer(storageClasses),
    };
    if (options.simulate !== 'none') this.caches = openCaches(this.informers);
    this.faults = new FaultBoard({
      gate,
      pods: () => this.caches?.pods.store.values() ?? [],
      kill: (pod, exitCode) => this.kubelet?.kill(pod, exitCode),
      refreshPods: () => this.kubelet?.refresh(),
      downNodes: () =>
        (this.caches?.nodes.store.list() ?? []).filter(isDown).map(({ metadata }) => metadata.name),
      setNodeDown: (name, down) => this.setNodeDown(name, down),
      async setServerDown(down) {
        gate.setServerDown(down);
        await server.setListening(!down);
      },
    });
  }

  nodes(): Iterable<Node> {
    return this.caches?.nodes.store.values() ?? [];
  }

  pods(): Iterable<Pod> {
    return this.caches?.pods.store.values() ?? [];
  }

  /** @param serverReady resolves when the API server has what every cluster starts with */
  start(serverReady: Promise<void>): Promise<void> {
    const ready = this.begin(serverReady);
    // Whoever does not ask is not to be struck by it.
    ready.catch(() => undefined);
    return ready;
  }

  private async begin(serverReady: Promise<void>): Promise<void> {
    await serverReady;
    const { caches } = this;
    if (caches === undefined) return;
    await this.ensure(storageClasses, STANDARD_CLASS);
    await this.registerNodes(caches);
    this.run(caches);
    await this.informers.synced();
  }

  private run(caches: Caches): void {
    const { clock, random, logger, loadBalancerPrefix = '172.30.0' } = this.options;
    const { signal } = this.stop;
    const pipeline = createEventRecorder({ client: this.client, clock, component: 'kubelet', logger });
    signal.addEventListener('abort', () => this.tasks.push(pipeline.close()), { once: true });
    const recorder = budgetedRecorder(pipeline, clock);
    const context: LoopContext = { client: this.client, caches, recorder, clock, logger, signal };
    // Who wrote what stays visible in managedFields.
    const as = (fieldManager: string): LoopContext => ({
      ...context,
      client: createClient(this.transport, { fieldManager }),
    });
    this.kubelet = createKubelet(as('kubelet'), {
      settings: { ...defaultKubeletSettings, ...this.options.kubelet },
      chance: () => random.fraction(),
      faultOf: (pod) => this.faults.faultOf(pod),
    });
    this.tasks.push(
      runWorkloadLoops(context),
      runFencingAgent({
        ...context,
        client: createClient(this.transport, { fieldManager: 'navarch-fencing-agent' }),
        pods: caches.pods,
        leases: caches.fenceLeases,
      }),
      runNetworkLoops(context, loadBalancerPrefix),
      runVolumeLoops(context),
      runRefusals(context, this.informers),
      runNodeLoops(context, { ...defaultNodeSettings, ...this.options.nodeHealth }),
      runScheduler(as('kube-scheduler')),
      this.kubelet.run(),
    );
  }

  private async registerNodes({ nodes }: Caches): Promise<void> {
    const { name, clock } = this.options;
    const given = this.options.nodes ?? DEFAULT_POOL;
    const pools = Array.isArray(given) ? (given as readonly NodePool[]) : [given as NodePool];
    const wanted = nodesOf(name, pools, clock.now());
    await nodes.synced;
    const missing = wanted.filter(({ metadata }) => !nodes.store.has(metadata.name));
    for (let i = 0; i < missing.length; i += REGISTER_BATCH) {
      await Promise.all(missing.slice(i, i + REGISTER_BATCH).map((node) => this.ensure(nodeResource, node)));
    }
  }

  private async ensure(resource: Parameters<Client['create']>[0], object: KubeObject): Promise<void> {
    try {
      await this.client.create(resource, object, { signal: this.stop.signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  private async setNodeDown(name: string, down: boolean): Promise<void> {
    if (this.caches?.nodes.store.has(name) !== true) {
      throw new OperatingError(
        'NODE_UNKNOWN',
        `member ${this.options.name} has no node ${name}`,
        'see `kubectl get nodes` for their names',
      );
    }
    const annotations = { [DOWN_ANNOTATION]: down ? formatTime(this.options.clock.now()) : null };
    const patch = { type: 'merge', body: { metadata: { annotations } } } as const;
    await this.client.patch(nodeResource, { name }, patch);
  }

  async close(): Promise<void> {
    this.stop.abort(new Error('the member is closing'));
    await this.informers.close();
    await Promise.allSettled(this.tasks);
  }
}

// A simulated member cluster: an API server of its own with storage, port, authority and kubeconfig, and everything
// behind it that makes it behave like a cluster. With `simulate: 'none'` only what a bare API server needs.
import type { KubeObject, PriorityClass } from '../api/index.ts';
import {
  fileVault,
  kubeconfigYaml,
  memoryVault,
  openCertificates,
  startApiServer,
  versionInfo,
  type KubeconfigContext,
  type RunningServer,
} from '../apiserver/index.ts';
import { OperatingError, formatTime, type Clock, type Logger, type Random } from '../base/index.ts';
import { createClient, isAlreadyExists, type Client, type Transport } from '../client/index.ts';
import { startHousekeeping, type Housekeeping } from '../housekeeping/index.ts';
import type { UserInfo } from '../machinery/index.ts';
import { createEventRecorder, createInformerSet, type Informer, type InformerSet } from '../runtime/index.ts';
import type { Storage } from '../storage/index.ts';
import { memberAdmission } from './admission.ts';
import { openCaches, type Caches } from './caches.ts';
import { runControllers } from './controllers.ts';
import { FaultRequests, type FaultAnswer } from './faults/fault-requests.ts';
import { FaultBoard, type Faults } from './faults/faults.ts';
import { NetworkGate } from './faults/network-gate.ts';
import { defaultKubeletSettings, type KubeletSettings } from './kubelet/behaviour.ts';
import { createKubelet, type Kubelet } from './kubelet/kubelet.ts';
import type { LoopContext } from './loop.ts';
import { DOWN_ANNOTATION } from './nodes/node-health.ts';
import { defaultNodeSettings, runNodeLoops, type NodeSettings } from './nodes/node-loops.ts';
import { DEFAULT_POOL, nodesOf, type NodePool } from './nodes/node-pool.ts';
import {
  namespaces as namespaceResource,
  nodes as nodeResource,
  priorityClasses,
  storageClasses,
} from './resources.ts';
import type { StorageClass } from './kinds.ts';
import { runScheduler } from './scheduler/scheduler.ts';
import { PROVISIONER } from './volumes/volume-binding.ts';

export interface MemberOptions {
  readonly name: string;
  /** Stays open when the member closes: it belongs to the caller. */
  readonly storage: Storage<KubeObject>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Default: three nodes of 4 CPUs, 16Gi and 110 pods. Nodes that exist already stay as they are. */
  readonly nodes?: NodePool | readonly NodePool[];
  /** `none`: the API server and its housekeeping only. Default `workloads`. */
  readonly simulate?: 'workloads' | 'none';
  /** Where authority and certificates are kept; default: in memory, new ones at every start. */
  readonly certificatesDirectory?: string;
  readonly kubelet?: Partial<KubeletSettings>;
  readonly nodeHealth?: Partial<NodeSettings>;
  /** The first three parts of the addresses of load balancers; default `172.30.0`. */
  readonly loadBalancerPrefix?: string;
  /** Of Kubernetes, for `/version`; default 1.36.0. */
  readonly version?: string;
}

export interface Member {
  readonly name: string;
  /** As an administrator, from outside: faults of the network are felt here. */
  readonly transport: Transport;
  /** `https://host:port`. */
  readonly url: string;
  readonly port: number;
  /** YAML; an administrator's, with one context called as the member. */
  readonly kubeconfig: string;
  /** What that file holds, to be joined with others in one file. */
  readonly kubeconfigContext: KubeconfigContext;
  readonly faults: Faults;
  /** Faults as JSON; never rejects. */
  handleFault(request: unknown): Promise<FaultAnswer>;
  /** Resolves when nodes are registered and everything runs. Rejects when that failed, or when closed before. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

const ADMINISTRATOR: UserInfo = {
  name: 'kubernetes-admin',
  groups: ['system:masters', 'system:authenticated'],
};
const CONTROLLERS: UserInfo = {
  name: 'system:kube-controller-manager',
  groups: ['system:masters', 'system:authenticated'],
};
const KUBERNETES_VERSION = '1.36.0';
const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/** Resolves when the API server listens; `ready` tells when the rest is there too. */
export async function startMember(options: MemberOptions): Promise<Member> {
  const { name, storage, clock, random, host = '127.0.0.1', port = 0 } = options;
  const logger = options.logger.with({ member: name });
  const { certificatesDirectory: directory } = options;
  const vault = directory === undefined ? memoryVault() : fileVault(directory, random);
  const certificates = await openCertificates({ vault, now: clock.now(), clusterName: name, hosts: [host] });
  const gate = new NetworkGate(clock, random);
  // The rules read caches that can only be opened over the server they belong to.
  const classes: Partial<ClassCaches> = {};
  const running = await startApiServer({
    storage,
    clock,
    random,
    logger,
    certificates,
    host,
    port,
    version: versionInfo(options.version ?? KUBERNETES_VERSION, 'navarch-member'),
    admission: memberAdmission({
      priorityClasses: () => classes.priorityClasses?.store.values() ?? [],
      storageClasses: () => classes.storageClasses?.store.list() ?? [],
    }),
    around: (handle) => gate.around(handle),
    onConnection: (socket) => gate.onConnection(socket),
  });
  const housekeeping = startHousekeeping({
    transport: gate.inside(running.server.inProcess(CONTROLLERS)),
    feed: running.feed,
    clock,
    random,
    logger,
    certificateAuthority: certificates.authority.certificate,
    tokens: running.security.tokens,
  });
  const cluster = new Cluster({ ...options, logger }, running, gate, housekeeping);
  Object.assign(classes, cluster.classes);
  const url = `https://${host}:${running.port}`;
  const requests = new FaultRequests(cluster.faults, clock, logger);
  const kubeconfigContext: KubeconfigContext = {
    contextName: name,
    server: url,
    certificateAuthority: certificates.authority.certificate,
    credentials: certificates.admin,
  };
  return {
    name,
    transport: gate.outside(running.server.inProcess(ADMINISTRATOR)),
    url,
    port: running.port,
    kubeconfig: kubeconfigYaml([kubeconfigContext]),
    kubeconfigContext,
    faults: cluster.faults,
    handleFault: (request) => requests.handle(request),
    ready: cluster.start(),
    async close() {
      requests.close();
      await cluster.close();
      await running.close();
    },
  };
}

interface ClassCaches {
  readonly priorityClasses: Informer<PriorityClass>;
  readonly storageClasses: Informer<StorageClass>;
}

/** What runs behind the API server. */
class Cluster {
  readonly classes: ClassCaches;
  readonly faults: FaultBoard;
  private readonly options: MemberOptions;
  private readonly client: Client;
  private readonly informers: InformerSet;
  private readonly housekeeping: Housekeeping;
  private readonly stop = new AbortController();
  private readonly tasks: Promise<void>[] = [];
  /** Only with workloads. */
  private readonly caches: Caches | undefined;
  private kubelet: Kubelet | undefined;

  constructor(options: MemberOptions, running: RunningServer, gate: NetworkGate, housekeeping: Housekeeping) {
    this.housekeeping = housekeeping;
    const { clock, random, logger } = options;
    this.options = options;
    const transport = gate.inside(running.server.inProcess(CONTROLLERS));
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
      setNodeDown: (name, down) => this.setNodeDown(name, down),
      setServerDown: async (down) => {
        gate.setServerDown(down);
        await running.setListening(!down);
      },
    });
  }

  start(): Promise<void> {
    const ready = this.begin();
    // Whoever does not ask is not to be struck by it.
    ready.catch(() => undefined);
    return ready;
  }

  private async begin(): Promise<void> {
    await this.housekeeping.ready;
    await this.bootstrap();
    const { caches } = this;
    if (caches === undefined) return;
    const { clock, random, logger } = this.options;
    const recorder = createEventRecorder({ client: this.client, clock, component: 'kubelet', logger });
    this.stop.signal.addEventListener('abort', () => this.tasks.push(recorder.close()), { once: true });
    const context: LoopContext = {
      client: this.client,
      caches,
      recorder,
      clock,
      logger,
      signal: this.stop.signal,
    };
    this.kubelet = createKubelet(context, {
      settings: { ...defaultKubeletSettings, ...this.options.kubelet },
      chance: () => random.fraction(),
      faultOf: (pod) => this.faults.faultOf(pod),
    });
    await this.registerNodes(caches);
    this.tasks.push(
      runControllers(context, { loadBalancerPrefix: this.options.loadBalancerPrefix ?? '172.30.0' }),
      runNodeLoops(context, { ...defaultNodeSettings, ...this.options.nodeHealth }),
      runScheduler(context),
      this.kubelet.run(),
    );
    await this.informers.synced();
  }

  /** What every cluster has from the start. */
  private async bootstrap(): Promise<void> {
    await Promise.all(
      NAMESPACES.map((name) =>
        this.ensure(namespaceResource, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
      ),
    );
    if (this.options.simulate === 'none') return;
    await this.ensure(storageClasses, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: {
        name: 'standard',
        annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      },
      provisioner: PROVISIONER,
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'Immediate',
    });
  }

  private async registerNodes({ nodes }: Caches): Promise<void> {
    const { name, clock } = this.options;
    const given = this.options.nodes ?? DEFAULT_POOL;
    const pools = Array.isArray(given) ? (given as readonly NodePool[]) : [given as NodePool];
    const wanted = nodesOf(name, pools, clock.now());
    await nodes.synced;
    const missing = wanted.filter(({ metadata }) => !nodes.store.has(metadata.name));
    for (let i = 0; i < missing.length; i += 64) {
      await Promise.all(missing.slice(i, i + 64).map((node) => this.ensure(nodeResource, node)));
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
    await this.housekeeping.close();
    await this.informers.close();
    await Promise.allSettled(this.tasks);
  }
}

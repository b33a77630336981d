// A simulated member cluster: an API server of its own with storage, port, authority and kubeconfig, and everything
// behind it that makes it behave like a cluster. With `simulate: 'none'` only what a bare API server needs.
import type { KubeObject } from '../api/index.ts';
import {
  SERVICE_RANGE,
  createMetricsRegistry,
  fileVault,
  kubeconfigYaml,
  memoryVault,
  openCertificates,
  readSigningRequest,
  signSigningRequest,
  startApiServer,
  versionInfo,
  type ClusterCertificates,
  type KubeconfigContext,
  type MetricsRegistry,
  type RunningServer,
  type TokenSigner,
} from '../apiserver/index.ts';
import type { Transport } from '../client/index.ts';
import { startHousekeeping, type Housekeeping } from '../housekeeping/index.ts';
import type { UserInfo } from '../machinery/index.ts';
import type { Storage } from '../storage/index.ts';
import { memberAdmission } from './admission.ts';
import { podConnections } from './containers/pod-connections.ts';
import { nodeProxy, podProxy, serviceProxy } from './containers/proxies.ts';
import { metricsResources, type MetricsSources } from './pod-metrics.ts';
import { Cluster, type ClassCaches, type ClusterOptions } from './cluster.ts';
import { FaultRequests, type FaultAnswer } from './faults/fault-requests.ts';
import type { Faults } from './faults/faults.ts';
import { NetworkGate } from './faults/network-gate.ts';

export interface MemberOptions extends ClusterOptions {
  /** Stays open when the member closes: it belongs to the caller. */
  readonly storage: Storage<KubeObject>;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default: any free one; `none`: only callers in this process can reach it. */
  readonly port?: number | 'none';
  /** Default: made at the first start, see certificatesDirectory. */
  readonly certificates?: ClusterCertificates;
  readonly tokenSigner?: TokenSigner;
  /** Where authority and certificates are kept; default: in memory, new ones at every start. */
  readonly certificatesDirectory?: string;
  /** Of Kubernetes, for `/version`; default 1.36.0. */
  readonly version?: string;
}

export interface Member {
  readonly name: string;
  /** As an administrator, from outside: faults of the network are felt here. */
  readonly transport: Transport;
  /** As an administrator on the member's own machine: no network is in between. */
  readonly inside: Transport;
  /** `https://host:port`. */
  readonly url: string;
  readonly port: number;
  /** YAML; an administrator's, with one context called as the member. */
  readonly kubeconfig: string;
  /** What that file holds, to be joined with others in one file. */
  readonly kubeconfigContext: KubeconfigContext;
  readonly faults: Faults;
  /** What its API server shows under /metrics; others in this process may add to it. */
  readonly metrics: MetricsRegistry;
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
// The first address of the default service range.
const KUBERNETES_SERVICE_IP = '10.96.0.1';

/** Resolves when the API server listens; `ready` tells when the rest is there too. */
export async function startMember(options: MemberOptions): Promise<Member> {
  const { name, storage, clock, random, host = '127.0.0.1', port = 0 } = options;
  const logger = options.logger.with({ member: name });
  const { certificatesDirectory: directory } = options;
  const vault = directory === undefined ? memoryVault() : fileVault(directory, random);
  const certificates =
    options.certificates ??
    (await openCertificates({ vault, now: clock.now(), clusterName: name, hosts: [host] }));
  const gate = new NetworkGate(clock, random);
  // The rules read caches that can only be opened over the server they belong to.
  const classes: Partial<ClassCaches> = {};
  let usage: MetricsSources = { nodes: () => [], pods: () => [] };
  const metrics = createMetricsRegistry();
  const running = await startApiServer({
    storage,
    clock,
    random,
    logger,
    certificates,
    host,
    ...(port === 'none' ? {} : { port }),
    ...(options.tokenSigner === undefined ? {} : { tokenSigner: options.tokenSigner }),
    version: versionInfo(options.version ?? KUBERNETES_VERSION, 'navarch-member'),
    metrics,
    admission: memberAdmission({
      priorityClasses: () => classes.priorityClasses?.store.values() ?? [],
      storageClasses: () => classes.storageClasses?.store.list() ?? [],
    }),
    kinds: {
      '/pods': { subresources: { ...podConnections(clock), proxy: podProxy } },
      '/services': { subresources: { proxy: serviceProxy } },
      '/nodes': { subresources: { proxy: nodeProxy } },
    },
    extraResources: metricsResources({
      nodes: () => usage.nodes(),
      pods: () => usage.pods(),
    }),
    around: (handle) => gate.around(handle),
    onConnection: (socket) => gate.onConnection(socket),
  });
  const inside = gate.inside(running.server.inProcess(CONTROLLERS));
  const settings = { ...options, logger, host };
  const housekeeping = keepHouse(running, certificates, inside, settings);
  const cluster = new Cluster(settings, {
    transport: inside,
    gate,
    setListening: (listening) => running.setListening(listening),
  });
  Object.assign(classes, cluster.classes);
  usage = cluster;
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
    inside: gate.inside(running.server.inProcess(ADMINISTRATOR)),
    url,
    port: running.port,
    kubeconfig: kubeconfigYaml([kubeconfigContext]),
    kubeconfigContext,
    faults: cluster.faults,
    metrics,
    handleFault: (request) => requests.handle(request),
    ready: cluster.start(housekeeping.ready),
    async close() {
      requests.close();
      await Promise.all([cluster.close(), housekeeping.close()]);
      gate.close();
      await running.close();
    },
  };
}

function keepHouse(
  running: RunningServer,
  { authority }: ClusterCertificates,
  transport: Transport,
  { clock, random, logger, host, simulate }: ClusterOptions & { readonly host: string },
): Housekeeping {
  return startHousekeeping({
    transport,
    feed: running.feed,
    clock,
    random,
    logger,
    certificateAuthority: authority.certificate,
    tokens: running.security.tokens,
    signer: {
      read: readSigningRequest,
      sign: (pem, settings) => signSigningRequest(authority, pem, settings),
    },
    resourceQuotas: simulate !== 'none',
    // Where nothing listens there is nothing to point the Service at.
    ...(running.port === 0
      ? {}
      : {
          apiServer: {
            host,
            port: running.port,
            serviceIp: KUBERNETES_SERVICE_IP,
            serviceRange: SERVICE_RANGE,
          },
        }),
  });
}

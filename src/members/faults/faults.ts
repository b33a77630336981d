// Faults on demand for one member: the network, the API server, nodes and pods. What the CLI and tests turn on and off.
import type { Pod } from '../kinds.ts';
import { OperatingError } from '../../base/index.ts';
import { parseLabelSelector, type Selector } from '../../machinery/index.ts';
import type { PodFault } from '../kubelet/behaviour.ts';
import type { Latency, NetworkGate, NetworkState } from './network-gate.ts';

export interface PodSelection {
  /** Default: all namespaces. */
  readonly namespace?: string;
  /** As for `kubectl --selector`; default: all pods. */
  readonly selector?: string;
}

export type FaultKind = 'network' | 'latency' | 'api-server' | 'node' | 'pods';

/** A fault that is on. */
export interface ActiveFault {
  readonly id: string;
  readonly kind: FaultKind;
  readonly description: string;
}

export interface Faults {
  /** `drop` resets connections, `hang` answers nothing. Watches end, or fall silent. */
  cutNetwork(mode?: 'drop' | 'hang'): void;
  healNetwork(): void;
  /** Every request and every watch event takes longer. 0 ends it. */
  delay(latencyMs: number, jitterMs?: number): void;
  /** Nobody can connect, the member's own controllers included; its pods go on running. */
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  /** The machine is off: its kubelet falls silent, its pods stop changing. */
  nodeDown(name: string): Promise<void>;
  nodeUp(name: string): Promise<void>;
  /**
   * Ends the containers of running pods now. With `keep` also those of later pods and restarts, until cleared.
   * Returns the id of the fault, or undefined when it was over at once.
   */
  crashPods(
    pods: PodSelection,
    options?: { readonly exitCode?: number; readonly keep?: boolean },
  ): string | undefined;
  /** Images of these pods cannot be pulled, until cleared. */
  failImages(pods: PodSelection): string;
  /** Pods take `factor` times as long to start and become ready, until cleared. */
  slowStart(factor: number, pods?: PodSelection): string;
  list(): readonly ActiveFault[];
  /** Ends the fault of this id, or all. */
  clear(id?: string): Promise<void>;
}

interface PodRule {
  readonly id: string;
  readonly namespace: string | undefined;
  readonly selector: Selector;
  readonly fault: PodFault;
  readonly description: string;
}

/** What the faults act on. A member without workloads has no kubelet and no nodes. */
export interface FaultTargets {
  readonly gate: NetworkGate;
  pods(): Iterable<Pod>;
  kill(pod: Pod, exitCode: number): void;
  refreshPods(): void;
  downNodes(): readonly string[];
  setNodeDown(name: string, down: boolean): Promise<void>;
  setServerDown(down: boolean): Promise<void>;
}

const NODE_ID = 'node/';

export class FaultBoard implements Faults {
  private readonly targets: FaultTargets;
  private network: NetworkState = { kind: 'up' };
  private latency: Latency | undefined;
  private serverDown = false;
  private rules: readonly PodRule[] = [];
  private lastId = 0;

  constructor(targets: FaultTargets) {
    this.targets = targets;
  }

  /** What the faults mean for one pod. */
  faultOf(pod: Pod): PodFault | undefined {
    if (this.rules.length === 0) return undefined;
    let fault: PodFault | undefined;
    for (const rule of this.rules) if (concerns(rule, pod)) fault = { ...fault, ...rule.fault };
    return fault;
  }

  cutNetwork(mode: 'drop' | 'hang' = 'hang'): void {
    this.network = { kind: mode };
    this.targets.gate.setNetwork(this.network);
  }

  healNetwork(): void {
    this.network = { kind: 'up' };
    this.targets.gate.setNetwork(this.network);
  }

  delay(latencyMs: number, jitterMs = 0): void {
    requireThat(
      latencyMs >= 0 && jitterMs >= 0 && jitterMs <= latencyMs,
      'a latency is not negative, and jitter at most as large',
    );
    this.latency = latencyMs === 0 ? undefined : { latencyMs, jitterMs };
    this.targets.gate.setLatency(this.latency);
  }

  async stopApiServer(): Promise<void> {
    this.serverDown = true;
    await this.targets.setServerDown(true);
  }

  async startApiServer(): Promise<void> {
    await this.targets.setServerDown(false);
    this.serverDown = false;
  }

  nodeDown(name: string): Promise<void> {
    return this.targets.setNodeDown(name, true);
  }

  nodeUp(name: string): Promise<void> {
    return this.targets.setNodeDown(name, false);
  }

  crashPods(
    pods: PodSelection,
    { exitCode = 137, keep = false }: { readonly exitCode?: number; readonly keep?: boolean } = {},
  ): string | undefined {
    requireThat(Number.isInteger(exitCode) && exitCode >= 0 && exitCode <= 255, 'an exit code is 0 to 255');
    const rule = this.ruleFor(pods, { crashExitCode: exitCode }, `containers end with code ${exitCode}`);
    for (const pod of this.targets.pods()) if (concerns(rule, pod)) this.targets.kill(pod, exitCode);
    return keep ? this.add(rule) : undefined;
  }

  failImages(pods: PodSelection): string {
    return this.add(this.ruleFor(pods, { failImage: true }, 'images cannot be pulled'));
  }

  slowStart(factor: number, pods: PodSelection = {}): string {
    requireThat(Number.isFinite(factor) && factor >= 0, 'a factor is not negative');
    return this.add(this.ruleFor(pods, { slowdown: factor }, `starting takes ${factor} times as long`));
  }

  private ruleFor({ namespace, selector = '' }: PodSelection, fault: PodFault, what: string): PodRule {
    const where = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
    const which = selector === '' ? '' : ` with ${selector}`;
    return {
      id: `pods-${++this.lastId}`,
      namespace,
      selector: parseLabelSelector(selector),
      fault,
      description: `${what}: pods of ${where}${which}`,
    };
  }

  private add(rule: PodRule): string {
    this.rules = [...this.rules, rule];
    this.targets.refreshPods();
    return rule.id;
  }

  list(): readonly ActiveFault[] {
    const faults: ActiveFault[] = [];
    if (this.network.kind !== 'up') {
      const description = this.network.kind === 'drop' ? 'connections are reset' : 'nothing is answered';
      faults.push({ id: 'network', kind: 'network', description });
    }
    if (this.latency !== undefined) {
      const { latencyMs, jitterMs } = this.latency;
      const description = `requests take ${latencyMs} ms longer${jitterMs === 0 ? '' : `, give or take ${jitterMs} ms`}`;
      faults.push({ id: 'latency', kind: 'latency', description });
    }
    if (this.serverDown) {
      faults.push({ id: 'api-server', kind: 'api-server', description: 'the API server is down' });
    }
    for (const name of this.targets.downNodes()) {
      faults.push({ id: NODE_ID + name, kind: 'node', description: `node ${name} is down` });
    }
    const podFaults = this.rules.map(({ id, description }) => ({ id, kind: 'pods' as const, description }));
    return [...faults, ...podFaults];
  }

  async clear(id?: string): Promise<void> {
    if (id === undefined || id === 'network') this.healNetwork();
    if (id === undefined || id === 'latency') this.delay(0);
    if (id === undefined || id === 'api-server') await this.startApiServer();
    for (const name of this.targets.downNodes()) {
      if (id === undefined || id === NODE_ID + name) await this.nodeUp(name);
    }
    const kept = id === undefined ? [] : this.rules.filter((rule) => rule.id !== id);
    if (kept.length === this.rules.length) return;
    this.rules = kept;
    this.targets.refreshPods();
  }
}

function concerns({ namespace, selector }: PodRule, pod: Pod): boolean {
  return (
    (namespace === undefined || namespace === pod.metadata.namespace) &&
    selector.matches(pod.metadata.labels ?? {})
  );
}

function requireThat(condition: boolean, what: string): void {
  if (!condition) throw new OperatingError('FAULT_INVALID', what, 'correct the request');
}

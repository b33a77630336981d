// The agent of a pull member as a process beside it, which can die and be started again. It reaches the member without a
// network between, and the hub through the link; both ways end with it.
import type { Logger } from '../base/index.ts';
import { ConnectionError, type Transport } from '../client/index.ts';
import type { ControllerSettings } from '../controllers/index.ts';
import { startAgent } from '../controlplane/index.ts';
import type { Link, LinkObserver } from './link.ts';
import type { SeededRandom } from './seeded-random.ts';
import { ProcessClock, type VirtualClock } from './virtual-clock.ts';

export interface AgentProcessOptions {
  readonly cluster: string;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** To the hub. */
  readonly link: Link;
  readonly member: Transport;
  /** Sees what the agent changes in the member. */
  readonly observer: LinkObserver;
  readonly settings: ControllerSettings;
  readonly logger: Logger;
}

interface Running {
  readonly clock: ProcessClock;
  readonly death: AbortController;
  readonly agent: { close(): Promise<void> };
}

export class AgentProcess {
  private readonly options: AgentProcessOptions;
  private running: Running | undefined;
  private starts = 0;
  private offsetMs = 0;

  constructor(options: AgentProcessOptions) {
    this.options = options;
  }

  /** Harmless when it runs. */
  start(): void {
    if (this.running !== undefined) return;
    const { cluster, random, link, settings, logger } = this.options;
    const clock = new ProcessClock(this.options.clock, this.offsetMs);
    const death = new AbortController();
    const agent = startAgent({
      cluster,
      hubTransport: link.transportFor({ clock, dead: death.signal }),
      openMember: () => this.memberTransport(death.signal),
      settings,
      clock,
      random: random.stream(`start-${++this.starts}`),
      logger,
    });
    this.running = { clock, death, agent };
  }

  /** As `kill -9`. */
  kill(): void {
    const { running } = this;
    if (running === undefined) return;
    this.running = undefined;
    running.clock.stop();
    running.death.abort(new ConnectionError('reset', 'the agent was killed'));
    running.agent.close().catch(() => undefined);
  }

  /** Its clock is that of its machine. */
  jump(byMs: number): void {
    this.offsetMs += byMs;
    this.running?.clock.jump(byMs);
  }

  private memberTransport(dead: AbortSignal): Transport {
    const { member, observer } = this.options;
    return {
      async send(request) {
        dead.throwIfAborted();
        const writes = request.method !== 'GET';
        if (writes) observer.arriving(request);
        const response = await member.send(request);
        if (writes) observer.acted(request, response);
        dead.throwIfAborted();
        return response;
      },
      watch: (request, onEvent) => {
        const signal = request.signal === undefined ? dead : AbortSignal.any([dead, request.signal]);
        return member.watch({ ...request, signal }, onEvent);
      },
      close: () => Promise.resolve(),
    };
  }
}

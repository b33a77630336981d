// The hub of a simulated world: the production control plane as a process that can die at any moment and be started
// again on the same disk. What a dead process still had in mind has no effect: its clock stands still, its disk takes no
// more, its requests go nowhere.
import type { KubeObject } from '../api/index.ts';
import type { ClusterCertificates } from '../apiserver/index.ts';
import { type Clock, type Logger } from '../base/index.ts';
import { ConnectionError, createClient, type Client, type Transport } from '../client/index.ts';
import type { ControllerSettings, OpenMember } from '../controllers/index.ts';
import { startControlPlane, type ControlPlane } from '../controlplane/index.ts';
import type { Storage } from '../storage/index.ts';
import type { Disk } from './disk.ts';
import type { Endpoint } from './link.ts';
import type { SeededRandom } from './seeded-random.ts';
import { simulatedSigner } from './simulated-signer.ts';
import { ProcessClock, type VirtualClock } from './virtual-clock.ts';

export interface HubProcessOptions {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly disk: Disk;
  readonly settings: ControllerSettings;
  readonly logger: Logger;
  /** Opens the way to a member for this process. */
  openMember(endpoint: Endpoint): OpenMember;
  /** Sees each store that a process opens, before anything is done with it. Returns the one to use. */
  opened(storage: Storage<KubeObject>): Storage<KubeObject>;
}

/** Nobody connects from outside, so nothing is signed that would have to hold. */
export const SIMULATED_CERTIFICATES: ClusterCertificates = {
  authority: { certificate: 'simulated authority', key: '' },
  server: { certificate: '', key: '' },
  admin: { certificate: '', key: '' },
  serviceAccountKey: '',
  frontProxy: { authority: { certificate: '', key: '' }, client: { certificate: '', key: '' } },
};

interface Running {
  readonly clock: ProcessClock;
  readonly death: AbortController;
  plane: ControlPlane | undefined;
}

export class HubProcess {
  private readonly options: HubProcessOptions;
  private running: Running | undefined;
  private starts = 0;
  private offsetMs = 0;

  constructor(options: HubProcessOptions) {
    this.options = options;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Rejects when the process cannot start; never settles when it dies meanwhile. */
  async start(): Promise<void> {
    const { options } = this;
    const clock = new ProcessClock(options.clock, this.offsetMs);
    const death = new AbortController();
    const running: Running = { clock, death, plane: undefined };
    this.running = running;
    const random = options.random.stream(`start-${++this.starts}`);
    const storage = options.opened(options.disk.open(clock, death.signal));
    const plane = await startControlPlane({
      storage,
      clock,
      random,
      logger: options.logger,
      settings: options.settings,
      certificates: SIMULATED_CERTIFICATES,
      tokenSigner: simulatedSigner(),
      allowNoExecuteTaintPolicy: true,
      acceptLegacySpellings: false,
      publicUrl: () => 'https://hub.simulation',
      disabledAdmission: ['ServiceAccount', 'StorageObjectInUseProtection'],
      openMember: options.openMember({ clock, dead: death.signal }),
    });
    if (this.running !== running) return;
    running.plane = plane;
    plane.startControllers();
  }

  /** As `kill -9`. */
  kill(): void {
    const { running } = this;
    if (running === undefined) return;
    this.running = undefined;
    running.clock.stop();
    running.death.abort(new ConnectionError('reset', 'the hub was killed'));
    // Nothing of this reaches anything any more; it only lets go of memory.
    running.plane?.close().catch(() => undefined);
  }

  /** Moves the hands of the hub's clock, for good. */
  jump(byMs: number): void {
    this.offsetMs += byMs;
    this.running?.clock.jump(byMs);
  }

  /** What the hub's clock shows. */
  get clock(): Clock {
    return this.running?.clock ?? this.options.clock;
  }

  /** Of who is not part of it: it works while the hub runs, and reaches the next process after a restart. */
  readonly transport: Transport = {
    send: (request) => this.serving((hub) => hub.send(request)),
    watch: (request, onEvent) => this.serving((hub) => hub.watch(request, onEvent)),
    close: () => Promise.resolve(),
  };

  /** A user's. */
  client(fieldManager: string): Client {
    return createClient(this.transport, { fieldManager });
  }

  /** Calls the process that runs, and hears it die. */
  private async serving<T>(call: (transport: Transport) => Promise<T>): Promise<T> {
    const { running } = this;
    const transport = running?.plane?.hubClient.transport;
    if (running === undefined || transport === undefined)
      throw new ConnectionError('refused', 'the hub does not run');
    const { signal } = running.death;
    return new Promise((resolve, reject) => {
      const onDeath = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onDeath, { once: true });
      call(transport)
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', onDeath));
    });
  }
}

// One leader at a time among processes, by a Lease. Clocks of different machines are never compared: a candidate takes
// over only when it has itself seen the Lease unchanged for a whole lease duration.
// INVARIANT: a leader's signal aborts before another candidate may take over, as long as both clocks run at the same
// speed: it gives up `renewDeadlineMs` after the last renewal it sent, others wait `leaseDurationMs` from when they saw it.
import { formatMicroTime, assert, errorMessage, silentLogger, sleep } from '../base/index.ts';
import type { Cancel, Clock, Logger, Random } from '../base/index.ts';
import type { KubeObject } from '../api/index.ts';
import { resource, type Client, type ObjectKey } from '../client/index.ts';
import { StatusError } from '../machinery/index.ts';
import { silentMetrics, type RuntimeMetrics } from './metrics.ts';

export interface LeaderElectionSettings {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly metrics?: RuntimeMetrics;
  /** The Lease; its namespace must exist. */
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Unique among candidates, e.g. `<host>_<uuid>`. */
  readonly identity: string;
  /** How long others wait after the last renewal; default 15,000. */
  readonly leaseDurationMs?: number;
  /** How long the leader tries to renew before it gives up; default 10,000. */
  readonly renewDeadlineMs?: number;
  /** Default 2,000. */
  readonly retryPeriodMs?: number;
  /** Ends the candidacy. */
  readonly signal: AbortSignal;
  /** Does the leader's work until its signal aborts. It is led again when leadership comes back. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  /** Told whenever another identity is seen to lead. */
  readonly onLeader?: (identity: string) => void;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

const leases = resource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  namespaced: true,
});

/**
 * Takes part until `signal` aborts; then, after `lead` has ended, gives the Lease back so that the next candidate need
 * not wait. Rejects when `lead` rejects while leading.
 */
export async function runLeaderElection(settings: LeaderElectionSettings): Promise<void> {
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2000 } = settings;
  assert(leaseDurationMs > renewDeadlineMs, 'leader election: the lease must outlast the renew deadline');
  assert(renewDeadlineMs > retryPeriodMs * 1.2, 'leader election: the renew deadline must outlast a retry');
  assert(settings.identity !== '', 'leader election: the identity must not be empty');
  const candidate = new Candidate(settings, { leaseDurationMs, renewDeadlineMs, retryPeriodMs });
  while (!settings.signal.aborted) {
    if (!(await candidate.acquire())) return;
    await candidate.lead();
  }
}

interface Periods {
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

class Candidate {
  private readonly settings: LeaderElectionSettings;
  private readonly periods: Periods;
  private readonly logger: Logger;
  private readonly metrics: RuntimeMetrics;
  private readonly key: ObjectKey;
  private observed: Lease | undefined;
  /** Whether the observed state has been seen unchanged for a whole lease duration. */
  private expired = false;
  private cancelExpiry: Cancel = () => undefined;
  /** Set from the sending of the last renewal that succeeded; what it calls ends the term. */
  private cancelDeadline: Cancel = () => undefined;
  private loseTerm: () => void = () => undefined;

  constructor(settings: LeaderElectionSettings, periods: Periods) {
    this.settings = settings;
    this.periods = periods;
    this.key = settings.lease;
    this.logger = (settings.logger ?? silentLogger).with({ lease: settings.lease.name });
    this.metrics = settings.metrics ?? silentMetrics;
  }

  /** Resolves true as the leader, false when the candidacy ends. */
  async acquire(): Promise<boolean> {
    const { signal, clock, random } = this.settings;
    this.metrics.leading(this.settings.lease.name, false);
    while (!signal.aborted) {
      if (await this.tryAcquireOrRenew(signal)) return true;
      const waitMs = this.periods.retryPeriodMs * (1 + 0.2 * random.fraction());
      await sleep(clock, waitMs, signal).catch(() => undefined);
    }
    this.cancelExpiry();
    return false;
  }

  /** Leads until leadership is lost or the candidacy ends. */
  async lead(): Promise<void> {
    const { signal, lead, lease, identity, clock } = this.settings;
    this.logger.info('Leading', { identity });
    this.metrics.leading(lease.name, true);
    const term = new AbortController();
    const endTerm = (): void => term.abort(signal.reason);
    signal.addEventListener('abort', endTerm, { once: true });
    if (signal.aborted) endTerm();
    let lost = false;
    // Renewing goes on until the work has really ended: winding down is still leading.
    const working = new AbortController();
    this.loseTerm = () => {
      lost = true;
      this.logger.error('Leadership is lost', { holder: this.holder });
      working.abort(new Error('leadership is lost'));
      term.abort(new Error('leadership is lost'));
    };
    const renewing = this.renew(working.signal);
    try {
      await lead(term.signal);
    } finally {
      this.loseTerm = () => undefined;
      this.cancelDeadline();
      working.abort(new Error('the leader has ended its work'));
      signal.removeEventListener('abort', endTerm);
      this.metrics.leading(lease.name, false);
      await renewing;
      if (!lost) await this.release();
    }
    if (!signal.aborted) await sleep(clock, this.periods.retryPeriodMs, signal).catch(() => undefined);
  }

  private async renew(working: AbortSignal): Promise<void> {
    while (!working.aborted) {
      await sleep(this.settings.clock, this.periods.retryPeriodMs, working).catch(() => undefined);
      if (working.aborted) return;
      const renewed = await this.tryAcquireOrRenew(working);
      if (!renewed && this.holder !== this.settings.identity) this.loseTerm();
    }
  }

  private get holder(): string {
    return this.observed?.spec?.holderIdentity ?? '';
  }

  private observe(lease: Lease): void {
    const { clock, onLeader, identity } = this.settings;
    const before = this.holder;
    if (this.observed?.metadata.resourceVersion !== lease.metadata.resourceVersion) {
      this.observed = lease;
      this.expired = false;
      this.cancelExpiry();
      const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
      // A timer and not the time of day: that may be set while we wait.
      this.cancelExpiry = clock.after(Math.max(durationMs, this.periods.leaseDurationMs), () => {
        this.expired = true;
      });
    }
    if (this.holder !== before && this.holder !== '' && this.holder !== identity) {
      this.logger.info('Another candidate leads', { holder: this.holder });
      onLeader?.(this.holder);
    }
  }

  private spec(nowMs: number): LeaseSpec {
    const last = this.observed?.spec;
    const mine = this.holder === this.settings.identity;
    const now = formatMicroTime(nowMs);
    const transitions = last?.leaseTransitions ?? 0;
    return {
      holderIdentity: this.settings.identity,
      leaseDurationSeconds: Math.ceil(this.periods.leaseDurationMs / 1000),
      acquireTime: mine ? (last?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: last === undefined || mine ? transitions : transitions + 1,
    };
  }

  private async tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, identity } = this.settings;
    try {
      if (this.observed !== undefined && this.holder === identity) {
        // The holder writes over what it wrote last, without reading: half the load, and a conflict tells the truth.
        try {
          return await this.write(signal);
        } catch (error) {
          // Whatever the server dislikes about it (a conflict, a lease that is gone), reading tells where we stand.
          if (!(error instanceof StatusError)) throw error;
        }
      }
      const found = await client.find(leases, this.key, { signal });
      if (found === undefined) this.observed = undefined;
      else this.observe(found);
      return found !== undefined && !this.mayTake() ? false : await this.write(signal);
    } catch (error) {
      if (!signal.aborted) this.logger.warn('Cannot take or renew the lease', { error: errorMessage(error) });
      return false;
    }
  }

  /** Resolves true when the lease is ours, and was so in time. */
  private async write(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.settings;
    let inTime = true;
    // Counted from before the request: others count from when they see its effect.
    const cancelDeadline = clock.after(this.periods.renewDeadlineMs, () => {
      inTime = false;
      this.loseTerm();
    });
    try {
      this.observe(await this.writeLease(this.spec(clock.now()), signal));
    } catch (error) {
      cancelDeadline();
      throw error;
    }
    if (!inTime) return false;
    this.cancelDeadline();
    this.cancelDeadline = cancelDeadline;
    return true;
  }

  private writeLease(spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    const { client } = this.settings;
    const { namespace, name } = this.settings.lease;
    if (this.observed !== undefined) return client.update(leases, { ...this.observed, spec }, { signal });
    const apiVersion = 'coordination.k8s.io/v1';
    return client.create(
      leases,
      { apiVersion, kind: 'Lease', metadata: { namespace, name }, spec },
      { signal },
    );
  }

  private mayTake(): boolean {
    return this.holder === '' || this.holder === this.settings.identity || this.expired;
  }

  private async release(): Promise<void> {
    if (this.observed === undefined || this.holder !== this.settings.identity) return;
    const { client, clock } = this.settings;
    const now = formatMicroTime(clock.now());
    const spec: LeaseSpec = {
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: this.observed.spec?.leaseTransitions ?? 0,
    };
    const limit = new AbortController();
    const cancel = clock.after(this.periods.retryPeriodMs, () => limit.abort(new Error('took too long')));
    try {
      this.observe(await client.update(leases, { ...this.observed, spec }, { signal: limit.signal }));
    } catch (error) {
      this.logger.warn('Cannot give the lease back', { error: errorMessage(error) });
    } finally {
      cancel();
    }
  }
}

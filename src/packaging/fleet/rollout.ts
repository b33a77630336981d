// How a change of a FleetPackage gets to its clusters: wave by wave, each of which has to be healthy before the next begins.
// One call looks at what clusters report and takes every step that is due now; what it remembers is all in the status, so
// that a restart at any moment changes nothing.
// INVARIANT: a cluster is told to have another revision only while the roll-out is Progressing, or to go back by Rollback.
import type {
  Cluster,
  RolloutClusterState,
  FleetPackageStatus,
  PackageRevision,
  RolloutStep,
} from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { parseDuration, parseTime } from '../../machinery/index.ts';
import { isOver, reported } from './rollout-report.ts';
import { isRolloutSuspended } from './rollout-suspension.ts';
import { chooseWave, isReady } from './wave.ts';
import {
  fleetTargets,
  revisionOf,
  wantedIn,
  type AnyFleetPackage,
  type FleetPackageSpec,
} from './revision.ts';

/** What a cluster says of the package. */
export interface ObservedInCluster {
  /** The mark that it was sent with. */
  readonly mark: string | undefined;
  /** Whether its operator has seen what it was sent. */
  readonly current: boolean;
  readonly ready: boolean;
  readonly suspended: boolean;
  /** By somebody there, and not by what the hub sent. */
  readonly locallySuspended: boolean;
  readonly version: string | undefined;
  readonly message: string;
}

export interface RolloutInput {
  readonly fleetPackage: AnyFleetPackage;
  readonly clusters: readonly Cluster[];
  readonly observed: ReadonlyMap<string, ObservedInCluster>;
  /** Whether the package on the hub is suspended, so that all of them are. */
  readonly packageSuspended: boolean;
  readonly nowMs: number;
}

export interface RolloutEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface RolloutDecision {
  readonly status: FleetPackageStatus;
  readonly events: readonly RolloutEvent[];
  /** When time alone makes a difference next; undefined: it does not. */
  readonly nextMs: number | undefined;
}

const DEFAULT_DEADLINE = '15m';

/** The waves as they are taken: those of the spec, then one for the rest. */
export function rolloutSteps({ rollout }: FleetPackageSpec): readonly RolloutStep[] {
  const steps = rollout?.steps ?? [];
  return steps.at(-1)?.clusters === undefined && steps.length > 0 ? steps : [...steps, {}];
}

export function decideRollout(input: RolloutInput): RolloutDecision {
  return new Rollout(input).decide();
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type State = Mutable<RolloutClusterState>;

class Rollout {
  private readonly input: RolloutInput;
  private readonly spec: FleetPackageSpec;
  private readonly target: PackageRevision;
  private readonly steps: readonly RolloutStep[];
  private readonly before: FleetPackageStatus;
  private readonly status: Mutable<FleetPackageStatus>;
  private readonly targets: readonly Cluster[];
  private readonly states: State[];
  private readonly revisions: Map<string, PackageRevision>;
  private readonly events: RolloutEvent[] = [];
  private readonly now: string;
  private readonly deadlineMs: number;

  constructor(input: RolloutInput) {
    this.input = input;
    const { spec, status = {} } = input.fleetPackage;
    this.spec = spec;
    this.before = status;
    this.status = { ...status };
    this.target = revisionOf(spec.template);
    this.steps = rolloutSteps(spec);
    this.now = formatTime(input.nowMs);
    this.deadlineMs = parseDuration(spec.rollout?.progressDeadline ?? DEFAULT_DEADLINE);
    const known = new Map((status.clusters ?? []).map((one) => [one.name, one]));
    this.targets = fleetTargets(spec, input.clusters, (name) => known.get(name)?.revision !== undefined);
    this.states = this.targets.map(({ metadata: { name = '' } }) => ({
      ...(known.get(name) ?? { name, phase: 'Pending', time: this.now }),
    }));
    this.revisions = new Map((status.revisions ?? []).map((one) => [one.name, one]));
    this.revisions.set(this.target.name, this.target);
  }

  decide(): RolloutDecision {
    if (this.status.revision !== this.target.name) this.begin();
    this.placeNewcomers();
    this.observe();
    this.goOnWhenTold();
    if (this.isHeld()) this.hold();
    else {
      if (this.status.phase === 'Suspended') this.release();
      this.advance();
    }
    return this.finish();
  }

  // ---- beginning

  private begin(): void {
    const first = this.status.revision === undefined;
    Object.assign(this.status, { revision: this.target.name, attempt: 0 });
    this.restart();
    for (const state of this.states) if (state.revision !== this.target.name) this.move(state, 'Pending');
    this.event('Normal', 'RolloutStarted', `${first ? 'installing' : 'rolling out'} ${this.target.version}`);
  }

  /** From the first wave on; clusters that are done stay so. */
  private restart(): void {
    Object.assign(this.status, { phase: 'Progressing', step: 1, selected: false, stepTime: this.now });
    delete this.status.pauseUntil;
    delete this.status.awaits;
  }

  /** A cluster that joins gets what was rolled out last; the wave for what is new comes for it as for others. */
  private placeNewcomers(): void {
    const { stableRevision } = this.status;
    if (stableRevision === undefined) return;
    for (const state of this.states) {
      if (state.revision !== undefined) continue;
      state.revision = stableRevision;
      this.move(state, stableRevision === this.target.name ? 'Updating' : 'Pending');
    }
  }

  // ---- what clusters say

  private observe(): void {
    this.targets.forEach((cluster, index) => {
      const state = this.states[index];
      if (state === undefined) return;
      const seen = this.input.observed.get(state.name);
      if (seen?.version === undefined) delete state.version;
      else state.version = seen.version;
      if (state.revision !== this.target.name) return;
      const wanted = wantedIn(cluster, this.spec, this.target);
      const arrived = seen !== undefined && seen.mark === wanted.mark && seen.current;
      if (arrived && seen.ready && seen.version === wanted.packageInfo.version) this.move(state, 'Healthy');
      else if (state.phase !== 'Failed' && state.phase !== 'Skipped')
        this.unhealthy(state, isReady(cluster), arrived ? seen : undefined);
    });
  }

  private unhealthy(state: State, clusterReady: boolean, seen: ObservedInCluster | undefined): void {
    if (state.phase !== 'Updating') this.move(state, 'Updating');
    if (!clusterReady) this.say(state, 'ClusterNotReady', 'the cluster is not ready');
    else if (seen === undefined) this.say(state, 'NotReported', 'the cluster has not reported this revision');
    else if (seen.suspended) this.say(state, 'Suspended', 'the package is suspended there');
    else this.say(state, 'NotReady', seen.message === '' ? 'the package is not ready' : seen.message);
  }

  // ---- being held

  private isHeld(): boolean {
    return this.input.packageSuspended || isRolloutSuspended(this.input.fleetPackage, this.input.nowMs);
  }

  private hold(): void {
    if (this.status.phase === 'Completed' || this.status.phase === 'Suspended' || isOver(this.status.phase))
      return;
    this.status.phase = 'Suspended';
    this.event('Normal', 'RolloutSuspended', this.heldBecause());
  }

  private heldBecause(): string {
    if (this.input.packageSuspended) return 'the package is suspended';
    const { reason = '', until } = this.spec.suspension ?? {};
    return `it is suspended${reason === '' ? '' : `: ${reason}`}${until === undefined ? '' : `, until ${until}`}`;
  }

  /** Time that stood still is not held against clusters. */
  private release(): void {
    this.status.phase = 'Progressing';
    this.status.stepTime = this.now;
    delete this.status.pauseUntil;
    for (const state of this.states) if (state.phase === 'Updating') state.time = this.now;
    this.event('Normal', 'RolloutResumed', `going on with wave ${this.status.step ?? 1}`);
  }

  private goOnWhenTold(): void {
    const { awaits, phase } = this.status;
    const said = this.input.fleetPackage.metadata.annotations?.['navarch.io/rollout-continue'];
    if (awaits === undefined || said !== awaits) return;
    delete this.status.awaits;
    if (phase === 'Paused') return this.nextStep();
    this.status.attempt = (this.status.attempt ?? 0) + 1;
    if (phase === 'RolledBack') this.restart();
    for (const state of this.states)
      if (state.phase === 'Failed')
        this.move(state, state.revision === this.target.name ? 'Updating' : 'Pending');
    Object.assign(this.status, { phase: 'Progressing', stepTime: this.now });
    this.event('Normal', 'RolloutContinued', `an operator said to go on with wave ${this.status.step ?? 1}`);
  }

  // ---- the waves

  private advance(): void {
    this.failLate();
    // LIMIT: every turn ends a wave or a pause, so there are no more turns than twice the waves.
    for (let turn = 0; turn <= 2 * this.steps.length; turn++) {
      if (this.status.phase === 'Paused' && !this.pauseIsOver()) return;
      if (this.status.phase !== 'Progressing') return;
      if (this.hasFailed()) return this.fail();
      if (this.status.selected !== true) this.select();
      if (this.states.some(({ phase }) => phase === 'Updating')) return;
      this.endStep();
    }
  }

  private pauseIsOver(): boolean {
    const untilMs = parseTime(this.status.pauseUntil ?? '');
    if (untilMs === undefined || this.input.nowMs < untilMs) return false;
    this.nextStep();
    return true;
  }

  private nextStep(): void {
    Object.assign(this.status, {
      phase: 'Progressing',
      step: (this.status.step ?? 0) + 1,
      selected: false,
      stepTime: this.now,
    });
    delete this.status.pauseUntil;
  }

  private failLate(): void {
    if (this.status.phase !== 'Progressing') return;
    for (const state of this.states) {
      if (state.phase !== 'Updating' || this.leftMs(state) > 0) continue;
      const { reason = 'NotReady', message = 'it is not healthy' } = state;
      if (reason === 'Suspended') {
        this.move(state, 'Skipped');
        this.say(state, reason, message);
        continue;
      }
      this.move(state, 'Failed');
      this.say(state, reason === 'NotReady' ? 'ProgressDeadlineExceeded' : reason, message);
      this.event('Warning', 'ClusterFailed', `${state.name} is not healthy in time: ${message}`);
    }
  }

  private leftMs({ time }: RolloutClusterState): number {
    return (parseTime(time) ?? this.input.nowMs) + this.deadlineMs - this.input.nowMs;
  }

  private hasFailed(): boolean {
    return (
      this.spec.rollout?.onFailure !== 'Continue' && this.failures() >= (this.spec.rollout?.maxFailures ?? 1)
    );
  }

  private failures(): number {
    return this.states.filter(({ phase }) => phase === 'Failed').length;
  }

  private select(): void {
    this.status.selected = true;
    const { chosen, skipped } = chooseWave({
      step: this.step(),
      spec: this.spec,
      target: this.target,
      clusters: this.targets.flatMap((cluster, index) => {
        const state = this.states[index];
        return state === undefined ? [] : [{ cluster, state }];
      }),
      isSuspendedThere: (name) => this.input.observed.get(name)?.locallySuspended === true,
    });
    for (const state of this.states) {
      const reason = skipped.get(state.name);
      if (reason !== undefined) {
        this.move(state, 'Skipped');
        this.say(state, ...reason);
      } else if (chosen.has(state.name)) {
        state.revision = this.target.name;
        this.move(state, 'Updating');
      }
    }
    const wave = `wave ${this.status.step ?? 1} of ${this.steps.length}`;
    if (chosen.size > 0) this.event('Normal', 'WaveStarted', `${wave}: ${[...chosen].join(', ')}`);
  }

  private step(): RolloutStep {
    return this.steps[(this.status.step ?? 1) - 1] ?? {};
  }

  private endStep(): void {
    const step = this.status.step ?? 1;
    const left = this.states.some(
      ({ revision, phase }) => revision !== this.target.name && phase !== 'Skipped' && phase !== 'Failed',
    );
    if (step >= this.steps.length || !left) return this.complete();
    const { pause } = this.step();
    if (pause === undefined) return this.nextStep();
    this.status.phase = 'Paused';
    if (pause === 'Manual') this.status.awaits = this.token();
    else this.status.pauseUntil = formatTime(this.input.nowMs + parseDuration(pause));
    this.event('Normal', 'RolloutPaused', `after wave ${step} of ${this.steps.length}`);
  }

  private token(): string {
    return `${this.target.name}-${this.status.step ?? 1}-${this.status.attempt ?? 0}`;
  }

  private complete(): void {
    this.status.phase = 'Completed';
    this.status.stableRevision = this.target.name;
    // They are told now, and follow when they can.
    for (const state of this.states) if (state.phase === 'Skipped') state.revision = this.target.name;
    const skipped = this.states.filter(({ phase }) => phase === 'Skipped').map(({ name }) => name);
    this.event(
      'Normal',
      'RolloutCompleted',
      `${this.target.version} is rolled out${skipped.length === 0 ? '' : `; to follow: ${skipped.join(', ')}`}`,
    );
  }

  private fail(): void {
    const failed = this.states.filter(({ phase }) => phase === 'Failed').map(({ name }) => name);
    this.status.awaits = this.token();
    if (this.spec.rollout?.onFailure !== 'Rollback') {
      this.status.phase = 'Halted';
      return this.event(
        'Warning',
        'RolloutHalted',
        `wave ${this.status.step ?? 1}: ${failed.join(', ')} failed, and the package is suspended there`,
      );
    }
    this.status.phase = 'RolledBack';
    const { stableRevision } = this.status;
    for (const state of this.states) {
      if (state.revision !== this.target.name) continue;
      if (stableRevision === undefined) delete state.revision;
      else state.revision = stableRevision;
      if (state.phase !== 'Failed') this.move(state, 'Pending');
    }
    this.event(
      'Warning',
      'RolloutRolledBack',
      `${failed.join(', ')} failed; all clusters get what they had before`,
    );
  }

  // ---- what is told

  private move(state: State, phase: RolloutClusterState['phase']): void {
    if (state.phase === phase) return;
    state.phase = phase;
    state.time = this.now;
    delete state.reason;
    delete state.message;
  }

  private say(state: State, reason: string, message: string): void {
    state.reason = reason;
    state.message = message;
  }

  private event(type: RolloutEvent['type'], reason: string, message: string): void {
    this.events.push({ type, reason, message });
  }

  private finish(): RolloutDecision {
    const { states, input } = this;
    const { revision, stableRevision } = this.status;
    const used = new Set([revision, stableRevision, ...states.map((one) => one.revision)]);
    const status = reported({
      status: {
        ...this.status,
        revisions: [...this.revisions.values()].filter(({ name }) => used.has(name)),
        clusters: states,
      },
      before: this.before,
      steps: this.steps.length,
      version: this.target.version,
      heldBecause: this.heldBecause(),
      generation: input.fleetPackage.metadata.generation ?? 0,
      now: this.now,
    });
    return { status, events: this.events, nextMs: this.nextMs() };
  }

  private nextMs(): number | undefined {
    const { nowMs } = this.input;
    const { phase, pauseUntil } = this.status;
    const times = [
      ...(phase === 'Progressing'
        ? this.states.filter((one) => one.phase === 'Updating').map((one) => nowMs + this.leftMs(one))
        : []),
      ...(phase === 'Paused' ? [parseTime(pauseUntil ?? '')] : []),
      ...(phase === 'Suspended' ? [parseTime(this.spec.suspension?.until ?? '')] : []),
    ].filter((one) => one !== undefined && one > nowMs) as readonly number[];
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

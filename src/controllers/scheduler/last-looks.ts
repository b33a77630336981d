// What was looked at last, and over which fleet. A decision that is written comes back as a change of its binding, and most
// bindings are looked at again whatever changed: over the same fleet that would only come to the same again.
import { BoundedMap } from '../../runtime/index.ts';
import type { Binding } from '../../propagation/index.ts';
import type { Trigger } from '../../scheduling/index.ts';
import type { ControllerSettings } from '../settings.ts';

// LIMIT: bindings whose last look is remembered; others are looked at once more.
const REMEMBERED = 20_000;

interface Look {
  readonly uid: string | undefined;
  /** Of the binding with the targets that were decided. */
  readonly generation: number | undefined;
  readonly fleet: number;
}

export class LastLooks {
  /** Which fleet it is, as a number that is never used for another. */
  fleetOfNow = 0;
  private readonly looks = new BoundedMap<string, Look>(REMEMBERED);
  /** Decisions depend on nothing but binding and fleet. */
  private readonly enabled: boolean;

  constructor({ enableSchedulerEstimator, gates }: ControllerSettings) {
    this.enabled =
      !enableSchedulerEstimator && !gates.SchedulingOvercommitProtection && !gates.WorkloadAffinity;
  }

  fleetChanged(): void {
    this.fleetOfNow++;
  }

  /** @param stored the binding as it is with what was decided over `fleet` */
  note(key: string, { metadata }: Binding, fleet: number): void {
    if (this.enabled) this.looks.set(key, { uid: metadata.uid, generation: metadata.generation, fleet });
  }

  /** Whether a look now is at the result of the last one, with nothing changed. */
  wouldRepeat(key: string, { metadata }: Binding, trigger: Trigger): boolean {
    if (trigger.why !== 'always looked at again') return false;
    const last = this.looks.get(key);
    return (
      last !== undefined &&
      last.fleet === this.fleetOfNow &&
      last.generation === metadata.generation &&
      last.uid === metadata.uid
    );
  }
}

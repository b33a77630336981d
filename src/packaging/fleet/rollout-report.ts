// What the status of a FleetPackage says of its roll-out, in words and as a condition.
import type { FleetPackageStatus } from '../../api/index.ts';

export interface RolloutReport {
  readonly status: FleetPackageStatus;
  /** What was said before. */
  readonly before: FleetPackageStatus;
  readonly steps: number;
  /** What is rolled out. */
  readonly version: string;
  /** Why it stands still, when it does. */
  readonly heldBecause: string;
  readonly generation: number;
  /** RFC 3339. */
  readonly now: string;
}

/** The status with `updated`, `failures`, `message` and the condition Ready. */
export function reported(report: RolloutReport): FleetPackageStatus {
  const { clusters = [] } = report.status;
  const healthy = clusters.filter(({ phase }) => phase === 'Healthy').length;
  const message = messageOf(report, healthy);
  return {
    ...report.status,
    observedGeneration: report.generation,
    steps: report.steps,
    failures: clusters.filter(({ phase }) => phase === 'Failed').length,
    updated: `${healthy}/${clusters.length}`,
    message,
    conditions: [readyCondition(report, healthy, message)],
  };
}

/** It stopped, and does not go on by itself. */
export function isOver(phase: FleetPackageStatus['phase']): boolean {
  return phase === 'Halted' || phase === 'RolledBack';
}

function messageOf({ status, steps, version, heldBecause }: RolloutReport, healthy: number): string {
  const { phase, step = 1, pauseUntil, clusters = [] } = status;
  const wave = `wave ${step} of ${steps}`;
  const failed = clusters.filter((one) => one.phase === 'Failed').map(({ name }) => name);
  switch (phase) {
    case 'Suspended':
      return `${wave} stands still: ${heldBecause}`;
    case 'Paused':
      return pauseUntil === undefined
        ? `${wave} is done; waits for an operator`
        : `${wave} is done; goes on at ${pauseUntil}`;
    case 'Halted':
      return `${wave}: ${failed.join(', ')} failed`;
    case 'RolledBack':
      return `${failed.join(', ')} failed with ${version}; all clusters get what they had before`;
    case 'Completed':
      return `${healthy} of ${clusters.length} clusters are healthy at ${version}`;
    default:
      return `${wave} is under way`;
  }
}

function readyCondition(
  { status, before, generation, now }: RolloutReport,
  healthy: number,
  message: string,
): NonNullable<FleetPackageStatus['conditions']>[number] {
  const { phase = 'Progressing', clusters = [] } = status;
  const done = phase === 'Completed' && healthy === clusters.length;
  const value = isOver(phase) ? 'False' : done ? 'True' : 'Unknown';
  const known = before.conditions?.find(({ type }) => type === 'Ready');
  return {
    type: 'Ready',
    status: value,
    reason: phase,
    message,
    lastTransitionTime: known?.status === value ? known.lastTransitionTime : now,
    observedGeneration: generation,
  };
}

// Where a pod is in its life, read from its stored status alone, so that a restarted cluster goes on where it was.
import type { Container } from '../../api/index.ts';
import type { Pod } from '../kinds.ts';

export interface Stage {
  readonly kind:
    | 'assigned'
    | 'creating'
    | 'initializing'
    | 'running'
    | 'backing-off'
    | 'image-failed'
    | 'finished';
  readonly ready: boolean;
  readonly restarts: number;
  /** Init containers that have been started. */
  readonly begun: number;
}

export function isSidecar(container: Container | undefined): boolean {
  return container?.restartPolicy === 'Always';
}

export function stageOf(pod: Pod): Stage {
  const { status } = pod;
  const statuses = status?.containerStatuses ?? [];
  const begun = (status?.initContainerStatuses ?? []).filter(
    ({ state }) => state?.waiting === undefined,
  ).length;
  const first = statuses[0];
  const common = {
    ready: statuses.length > 0 && statuses.every(({ ready }) => ready),
    restarts: first?.restartCount ?? 0,
    begun,
  };
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return { kind: 'finished', ...common };
  if (status?.startTime === undefined || first === undefined) return { kind: 'assigned', ...common };
  if (first.state?.running !== undefined) return { kind: 'running', ...common };
  const waiting = first.state?.waiting?.reason;
  if (waiting === 'CrashLoopBackOff') return { kind: 'backing-off', ...common };
  if (waiting === 'ErrImagePull' || waiting === 'ImagePullBackOff')
    return { kind: 'image-failed', ...common };
  return { kind: begun > 0 ? 'initializing' : 'creating', ...common };
}

/** Changes when the pod enters another stage or repeats one, and only then. */
export function stageName({ kind, restarts, begun }: Stage): string {
  return `${kind}/${restarts}/${begun}`;
}

/** When the stage began, from the whole seconds that the status holds. */
export function stageBeganMs(pod: Pod, stage: Stage, nowMs: number): number {
  const { status } = pod;
  const first = status?.containerStatuses?.[0];
  const latestInit = status?.initContainerStatuses?.[stage.begun - 1];
  const written =
    stage.kind === 'running'
      ? first?.state?.running?.startedAt
      : stage.kind === 'backing-off'
        ? first?.lastState?.terminated?.finishedAt
        : stage.kind === 'initializing'
          ? latestInit?.state?.running?.startedAt
          : status?.startTime;
  return written === undefined ? nowMs : Date.parse(written);
}

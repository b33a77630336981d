// The life of a simulated pod on its node: from assigned over creating, init containers, running and ready to finished,
// with crashes, restarts and images that cannot be pulled. Pure: the next status and the time to look again follow
// from the pod as it is stored, how it is to behave, and the time.
//
// All containers of a pod start and end together; init containers run one after the other and succeed.
// INVARIANT: a pod that has finished never changes again, and restart counts never fall.
import type { Container, ContainerState, ContainerStatus, PodStatus } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import type { Pod } from '../kinds.ts';
import type { Behaviour, KubeletSettings } from './behaviour.ts';
import { canonicalImage, containerIdOf, containerStatus } from './container-status.ts';
import { pathOf, pullBacksOff, pullFailed, startNotes, type PodNote } from './notes.ts';
import { isSidecar, stageOf, type Stage } from './pod-stage.ts';
import { composeStatus, type StatusInput } from './pod-status.ts';

export interface PodInput extends StatusInput {
  readonly behaviour: Behaviour;
  readonly settings: Pick<KubeletSettings, 'backOffBaseMs' | 'backOffMaxMs'>;
  /** When the stage that the stored status shows began. */
  readonly sinceMs: number;
  /** Set: the running containers end now, with this code. */
  readonly killedWith?: number;
}

export interface PodStep {
  /** Undefined: the stored status is right. */
  readonly status?: PodStatus;
  /** When to look again by time alone. */
  readonly wakeAtMs?: number;
  readonly notes: readonly PodNote[];
}

export function decidePod(input: PodInput): PodStep {
  const { pod, behaviour, sinceMs, nowMs } = input;
  const stage = stageOf(pod);
  const deadline = deadlineMs(pod);
  if (stage.kind === 'finished') return { notes: [] };
  if (deadline !== undefined && deadline <= nowMs) return expire(input);
  switch (stage.kind) {
    case 'assigned':
      return accept(input);
    case 'creating':
      return until(input, sinceMs + behaviour.startDelayMs, () =>
        behaviour.failImage ? failImage(input) : start(input, stage),
      );
    case 'image-failed':
      return behaviour.failImage ? imageStillFails(input) : start(input, stage);
    case 'initializing':
      return until(input, sinceMs + behaviour.initRunMs, () => initNext(input, stage));
    case 'running':
      return decideRunning(input, stage);
    case 'backing-off':
      return until(input, sinceMs + backOffMs(input, stage.restarts), () => run(input, stage.restarts + 1));
  }
}

function deadlineMs(pod: Pod): number | undefined {
  const seconds = pod.spec.activeDeadlineSeconds;
  const { startTime } = pod.status ?? {};
  return seconds === undefined || startTime === undefined
    ? undefined
    : Date.parse(startTime) + seconds * 1000;
}

/** Waits, or goes on when the time has come. */
function until({ pod, nowMs }: PodInput, atMs: number, next: () => PodStep): PodStep {
  if (atMs <= nowMs) return next();
  const deadline = deadlineMs(pod);
  return { wakeAtMs: deadline === undefined ? atMs : Math.min(atMs, deadline), notes: [] };
}

function backOffMs({ settings }: PodInput, restarts: number): number {
  // The first restart is free; the wait doubles from the second on.
  if (restarts === 0) return 0;
  return Math.min(settings.backOffBaseMs * 2 ** Math.min(restarts - 1, 30), settings.backOffMaxMs);
}

/** The kubelet has taken the pod on and sets it up. */
function accept(input: PodInput): PodStep {
  const { pod, behaviour, nowMs } = input;
  const inits = pod.spec.initContainers ?? [];
  // A start without delay has nothing in between that anyone could see.
  if (behaviour.startDelayMs <= 0 && !behaviour.failImage) return start(input, stageOf(pod));
  const reason = inits.length === 0 ? 'ContainerCreating' : 'PodInitializing';
  return {
    status: composeStatus(input, {
      phase: 'Pending',
      inits: inits.map((container) => waiting(pod, container, 'PodInitializing')),
      mains: pod.spec.containers.map((container) => waiting(pod, container, reason)),
      sandbox: false,
    }),
    wakeAtMs: nowMs + behaviour.startDelayMs,
    notes: [],
  };
}

function waiting(pod: Pod, container: Container, reason: string, message?: string): ContainerStatus {
  const state: ContainerState = { waiting: { reason, ...(message === undefined ? {} : { message }) } };
  return containerStatus({ podUid: pod.metadata.uid, container, state, ready: false, restartCount: 0 });
}

function start(input: PodInput, stage: Stage): PodStep {
  const inits = input.pod.spec.initContainers ?? [];
  return inits.length === 0 ? run(input, stage.restarts) : initNext(input, { ...stage, begun: 0 });
}

/** Ends the init container that runs, if any, and starts the next; after the last the main ones start. */
function initNext(input: PodInput, stage: Stage): PodStep {
  const { pod, behaviour, nowMs } = input;
  const inits = pod.spec.initContainers ?? [];
  const before = pod.status?.initContainerStatuses ?? [];
  const { begun } = stage;
  const next = inits[begun];
  if (next === undefined) return run(input, stage.restarts);
  const statuses = inits.map((container, index) => {
    if (index === begun) return running(input, container, 0, isSidecar(container));
    return index < begun
      ? settled(input, container, before[index]!)
      : waiting(pod, container, 'PodInitializing');
  });
  return {
    status: composeStatus(input, {
      phase: 'Pending',
      inits: statuses,
      mains: pod.spec.containers.map((container) => waiting(pod, container, 'PodInitializing')),
      sandbox: true,
    }),
    wakeAtMs: nowMs + behaviour.initRunMs,
    notes: startNotes([next], 'initContainers'),
  };
}

function running(
  { pod, nowMs }: PodInput,
  container: Container,
  restartCount: number,
  ready: boolean,
  lastState?: ContainerState,
): ContainerStatus {
  const state = { running: { startedAt: formatTime(nowMs) } };
  return containerStatus({
    podUid: pod.metadata.uid,
    container,
    state,
    ready,
    restartCount,
    ...(lastState === undefined ? {} : { lastState }),
  });
}

function terminatedState(
  input: PodInput,
  name: string,
  status: ContainerStatus,
  exitCode: number,
): ContainerState {
  const { pod, nowMs } = input;
  const now = formatTime(nowMs);
  return {
    terminated: {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt: status.state?.running?.startedAt ?? now,
      finishedAt: now,
      containerID: containerIdOf(pod.metadata.uid, name, status.restartCount),
    },
  };
}

function ended(
  input: PodInput,
  container: Container,
  status: ContainerStatus,
  exitCode: number,
): ContainerStatus {
  return containerStatus({
    podUid: input.pod.metadata.uid,
    container,
    state: terminatedState(input, container.name, status, exitCode),
    ready: false,
    restartCount: status.restartCount,
    ...(status.lastState === undefined ? {} : { lastState: status.lastState }),
  });
}

/** An init container that had its time: finished and, as a kubelet says of these, ready. Sidecars go on. */
function settled(input: PodInput, container: Container, status: ContainerStatus): ContainerStatus {
  if (status.state?.running === undefined || isSidecar(container)) return status;
  return { ...ended(input, container, status, 0), ready: true };
}

/** Starts the main containers, for the first time or again. */
function run(input: PodInput, restarts: number): PodStep {
  const { pod, behaviour, nowMs } = input;
  const before = pod.status?.containerStatuses ?? [];
  const ready = behaviour.readyDelayMs <= 0 && !behaviour.neverReady;
  const initsBefore = pod.status?.initContainerStatuses ?? [];
  const inits = (pod.spec.initContainers ?? []).map((container, index) =>
    settled(input, container, initsBefore[index]!),
  );
  const mains = pod.spec.containers.map((container, index) => {
    const last = before[index]?.state?.running === undefined ? before[index]?.lastState : undefined;
    return running(input, container, restarts, ready, last?.terminated === undefined ? undefined : last);
  });
  return {
    status: composeStatus(input, { phase: 'Running', inits, mains, sandbox: true }),
    ...wakeWhileRunning(input, nowMs, ready),
    notes: startNotes(pod.spec.containers, 'containers'),
  };
}

function wakeWhileRunning(
  input: PodInput,
  startedMs: number,
  ready: boolean,
): { readonly wakeAtMs?: number } {
  const { behaviour, pod } = input;
  const times = [deadlineMs(pod)];
  if (!ready && !behaviour.neverReady) times.push(startedMs + behaviour.readyDelayMs);
  if (behaviour.runForMs !== undefined) times.push(startedMs + behaviour.runForMs);
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? {} : { wakeAtMs: Math.min(...known) };
}

function decideRunning(input: PodInput, stage: Stage): PodStep {
  const { pod, behaviour, sinceMs, killedWith, nowMs } = input;
  if (killedWith !== undefined) return exit(input, stage, killedWith);
  if (behaviour.runForMs !== undefined && sinceMs + behaviour.runForMs <= nowMs) {
    return exit(input, stage, behaviour.exitCode);
  }
  const ready = !behaviour.neverReady && (stage.ready || sinceMs + behaviour.readyDelayMs <= nowMs);
  const mains = (pod.status?.containerStatuses ?? []).map((status) =>
    status.ready === ready ? status : { ...status, ready },
  );
  const inits = pod.status?.initContainerStatuses ?? [];
  const next = composeStatus(input, { phase: 'Running', inits, mains, sandbox: true });
  const wake = wakeWhileRunning(input, sinceMs, ready);
  return { ...(sameStatus(pod.status, next) ? {} : { status: next }), ...wake, notes: [] };
}

/** Only what may differ between two readings of a running pod. */
function sameStatus(stored: PodStatus | undefined, next: PodStatus): boolean {
  return (
    stored?.phase === next.phase &&
    stored?.podIP === next.podIP &&
    stored?.observedGeneration === next.observedGeneration &&
    (stored?.containerStatuses ?? []).every((status, i) => status === next.containerStatuses?.[i]) &&
    (stored?.conditions ?? []).length === (next.conditions ?? []).length &&
    (stored?.conditions ?? []).every((condition) =>
      next.conditions?.some((one) => one.type === condition.type && one.status === condition.status),
    )
  );
}

/** The containers have ended: the pod is finished, or they start again, at once or after a wait. */
function exit(input: PodInput, stage: Stage, exitCode: number): PodStep {
  const { pod, nowMs } = input;
  const policy = pod.spec.restartPolicy ?? 'Always';
  const before = pod.status?.containerStatuses ?? [];
  if (policy === 'Never' || (policy === 'OnFailure' && exitCode === 0)) return finish(input, exitCode);
  const crashed = pod.spec.containers.map((container, index) => ({
    container,
    last: terminatedState(input, container.name, before[index]!, exitCode),
  }));
  const wait = backOffMs(input, stage.restarts);
  if (wait === 0) {
    const restarted = {
      ...input,
      pod: {
        ...pod,
        status: {
          ...pod.status,
          containerStatuses: before.map((status, index) => ({
            ...status,
            state: {},
            lastState: crashed[index]!.last,
          })),
        },
      },
    };
    return run(restarted, stage.restarts + 1);
  }
  const mains = crashed.map(({ container, last }) => {
    const message = `back-off ${wait / 1000}s restarting failed container=${container.name} pod=${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
    return containerStatus({
      podUid: pod.metadata.uid,
      container,
      state: { waiting: { reason: 'CrashLoopBackOff', message } },
      lastState: last,
      ready: false,
      restartCount: stage.restarts,
    });
  });
  const inits = pod.status?.initContainerStatuses ?? [];
  return {
    status: composeStatus(input, { phase: 'Running', inits, mains, sandbox: true }),
    wakeAtMs: nowMs + wait,
    notes: mains.map(({ name }): PodNote => ({
      type: 'Warning',
      reason: 'BackOff',
      message: `Back-off restarting failed container ${name} in pod ${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`,
      fieldPath: pathOf(name),
    })),
  };
}

function finish(input: PodInput, exitCode: number, why: { reason?: string; message?: string } = {}): PodStep {
  const { pod } = input;
  const before = pod.status?.containerStatuses ?? [];
  const mains = pod.spec.containers.map((container, index) =>
    ended(input, container, before[index] ?? waiting(pod, container, 'ContainerCreating'), exitCode),
  );
  const phase = exitCode === 0 && why.reason === undefined ? 'Succeeded' : 'Failed';
  const inits = (pod.status?.initContainerStatuses ?? []).map((status, index) =>
    status.state?.running === undefined ? status : ended(input, pod.spec.initContainers![index]!, status, 0),
  );
  const status = composeStatus(input, { phase, inits, mains, sandbox: false });
  return { status: { ...status, ...why }, notes: [] };
}

function expire(input: PodInput): PodStep {
  const message = 'Pod was active on the node longer than the specified deadline';
  const step = finish(input, 137, { reason: 'DeadlineExceeded', message });
  return { ...step, notes: [{ type: 'Normal', reason: 'DeadlineExceeded', message }] };
}

/** The status of a pod whose containers were stopped because it is being deleted. */
export function stoppedStatus(input: PodInput): PodStatus | undefined {
  return stageOf(input.pod).kind === 'finished' ? undefined : finish(input, 137).status;
}

function failImage(input: PodInput): PodStep {
  const { pod, nowMs } = input;
  const failed = pod.spec.containers.map((container) =>
    waiting(pod, container, 'ErrImagePull', pullError(container)),
  );
  const inits = pod.status?.initContainerStatuses ?? [];
  const notes = pod.spec.containers.flatMap((container) => pullFailed(container, pullError(container)));
  return {
    status: composeStatus(input, { phase: 'Pending', inits, mains: failed, sandbox: true }),
    wakeAtMs: nowMs + 1000,
    notes,
  };
}

function pullError({ image = '' }: Container): string {
  const name = canonicalImage(image);
  return `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${name}: not found`;
}

/** After the first failure the kubelet backs off; nothing more is written until the image can be pulled. */
function imageStillFails(input: PodInput): PodStep {
  const { pod, settings, nowMs } = input;
  const wakeAtMs = nowMs + settings.backOffBaseMs;
  if (pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ImagePullBackOff') {
    return { wakeAtMs, notes: [] };
  }
  const mains = pod.spec.containers.map((container) =>
    waiting(pod, container, 'ImagePullBackOff', `Back-off pulling image "${container.image ?? ''}"`),
  );
  const inits = pod.status?.initContainerStatuses ?? [];
  return {
    status: composeStatus(input, { phase: 'Pending', inits, mains, sandbox: true }),
    wakeAtMs,
    notes: pod.spec.containers.flatMap(pullBacksOff),
  };
}

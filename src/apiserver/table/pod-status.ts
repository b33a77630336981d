// The one word that `kubectl get pods` shows for all that goes on in a pod.
import type { Container, ContainerState, ContainerStatus, Pod } from '../../api/index.ts';
import { formatAge } from '../../machinery/index.ts';

export interface PodSummary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

const isSidecar = (container: Container | undefined): boolean => container?.restartPolicy === 'Always';

/** Undefined: not ended, or nothing to say. */
function terminatedReason(state: ContainerState | undefined): string | undefined {
  const terminated = state?.terminated;
  if (terminated === undefined) return undefined;
  if ((terminated.reason ?? '') !== '') return terminated.reason;
  return (terminated.signal ?? 0) === 0 ? `ExitCode:${terminated.exitCode}` : `Signal:${terminated.signal}`;
}

interface Count {
  restarts: number;
  lastRestart: string;
  ready: number;
}

function countRestarts(count: Count, status: ContainerStatus): void {
  count.restarts += status.restartCount;
  const finished = status.lastState?.terminated?.finishedAt ?? '';
  if (finished > count.lastRestart) count.lastRestart = finished;
}

/** What still goes on before the containers proper; undefined: nothing. */
function initStatus(pod: Pod, all: Count, sidecars: Count): string | undefined {
  const specs = pod.spec?.initContainers ?? [];
  const byName = new Map(specs.map((container) => [container.name, container]));
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    countRestarts(all, status);
    const sidecar = isSidecar(byName.get(status.name));
    if (sidecar) countRestarts(sidecars, status);
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecar && status.started === true) {
      if (status.ready) all.ready++;
      continue;
    }
    const reason = terminatedReason(status.state);
    if (reason !== undefined) return `Init:${reason}`;
    const why = waiting?.reason ?? '';
    return why !== '' && why !== 'PodInitializing' ? `Init:${why}` : `Init:${index}/${specs.length}`;
  }
  return undefined;
}

function hasCondition(pod: Pod, type: string): boolean {
  return (pod.status?.conditions ?? []).some((one) => one.type === type && one.status === 'True');
}

function containerStatus(pod: Pod, start: string, count: Count): string {
  let reason = start;
  let running = false;
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    countRestarts(count, status);
    const waiting = status.state?.waiting?.reason ?? '';
    const ended = terminatedReason(status.state);
    if (waiting !== '') reason = waiting;
    else if (ended !== undefined) reason = ended;
    else if (status.ready && status.state?.running !== undefined) {
      running = true;
      count.ready++;
    }
  }
  if (reason !== 'Completed' || !running) return reason;
  return hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
}

export function summarizePod(pod: Pod, nowMs: number): PodSummary {
  const { spec, status, metadata } = pod;
  let word = (status?.reason ?? '') === '' ? (status?.phase ?? '') : status!.reason!;
  const gated = (status?.conditions ?? []).some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  if (gated) word = 'SchedulingGated';
  const count: Count = { restarts: 0, lastRestart: '', ready: 0 };
  const sidecars: Count = { restarts: 0, lastRestart: '', ready: 0 };
  const initializing = initStatus(pod, count, sidecars);
  if (initializing !== undefined) word = initializing;
  if (initializing === undefined || hasCondition(pod, 'Initialized')) {
    count.restarts = sidecars.restarts;
    count.lastRestart = sidecars.lastRestart;
    word = containerStatus(pod, word, count);
  }
  if (metadata.deletionTimestamp !== undefined) {
    if (status?.reason === 'NodeLost') word = 'Unknown';
    else if (status?.phase !== 'Succeeded' && status?.phase !== 'Failed') word = 'Terminating';
  }
  const total = (spec?.containers ?? []).length + (spec?.initContainers ?? []).filter(isSidecar).length;
  const ago =
    count.lastRestart === '' || count.restarts === 0 ? '' : ` (${formatAge(count.lastRestart, nowMs)} ago)`;
  return { ready: `${count.ready}/${total}`, status: word, restarts: `${count.restarts}${ago}` };
}

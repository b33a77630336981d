// What a simulated container writes: that it started, what its command says if we can run that, a sign of life now and
// then, and how it ended. All of it follows from the pod's status and the time, so that nothing has to be kept: a log
// reads the same tomorrow.
import type { Container, ContainerStatus } from '../../api/index.ts';

export interface LogLine {
  readonly atMs: number;
  readonly text: string;
}

/** One run of a container. */
export interface Instance {
  readonly container: string;
  readonly image: string;
  readonly startedMs: number;
  /** Undefined: it runs. */
  readonly ended: { readonly atMs: number; readonly exitCode: number } | undefined;
  /** What its command says at once. */
  readonly said: readonly string[];
}

export const BEAT_MS = 10_000;
/** LIMIT: of lines that can still be read, as a kubelet rotates logs. */
const LINES_MAX = 10_000;

export type InstanceOrReason =
  | { readonly kind: 'instance'; readonly instance: Omit<Instance, 'said'> }
  | { readonly kind: 'refused'; readonly message: string };

/** The run of a container that its status speaks of. COMPAT: refusals are the kubelet's. */
export function instanceOf(
  pod: string,
  container: Pick<Container, 'name' | 'image'>,
  status: ContainerStatus | undefined,
  previous: boolean,
): InstanceOrReason {
  const { name, image = '' } = container;
  const called = `container ${JSON.stringify(name)} in pod ${JSON.stringify(pod)}`;
  const state = previous ? status?.lastState : status?.state;
  const terminated = state?.terminated ?? (previous ? undefined : endedBeforeWaiting(status));
  if (terminated !== undefined) {
    const ended = { atMs: timeOf(terminated.finishedAt), exitCode: terminated.exitCode };
    return instance({ container: name, image, startedMs: timeOf(terminated.startedAt), ended });
  }
  if (previous) return { kind: 'refused', message: `previous terminated ${called} not found` };
  if (state?.running !== undefined) {
    const startedMs = timeOf(state.running.startedAt);
    return instance({ container: name, image, startedMs, ended: undefined });
  }
  const reason = state?.waiting?.reason ?? 'ContainerCreating';
  return { kind: 'refused', message: `${called} is waiting to start: ${reason}` };
}

/** A container that backs off shows the log of the run that failed. */
function endedBeforeWaiting(
  status: ContainerStatus | undefined,
): NonNullable<ContainerStatus['state']>['terminated'] {
  return status?.state?.waiting === undefined ? undefined : status.lastState?.terminated;
}

function instance(one: Omit<Instance, 'said'>): InstanceOrReason {
  return { kind: 'instance', instance: one };
}

function timeOf(text: string | undefined): number {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** The lines written up to `untilMs`, that moment included. */
export function linesOf(
  { container, image, startedMs, ended, said }: Instance,
  untilMs: number,
): readonly LogLine[] {
  if (untilMs < startedMs) return [];
  const lastMs = Math.min(untilMs, ended?.atMs ?? untilMs);
  const lines: LogLine[] = [
    { atMs: startedMs, text: `${container}: simulated container of image ${image} has started` },
    ...said.map((text) => ({ atMs: startedMs, text })),
  ];
  const beats = Math.floor((lastMs - startedMs) / BEAT_MS);
  for (let beat = Math.max(1, beats - LINES_MAX); beat <= beats; beat++) {
    const atMs = startedMs + beat * BEAT_MS;
    if (ended === undefined || atMs < ended.atMs) {
      lines.push({ atMs, text: `${container}: has been running for ${(beat * BEAT_MS) / 1000} s` });
    }
  }
  if (ended !== undefined && ended.atMs <= untilMs) {
    lines.push({ atMs: ended.atMs, text: `${container}: has exited with code ${ended.exitCode}` });
  }
  return lines.slice(-LINES_MAX);
}

/** When the next line comes; undefined: never. */
export function nextLineMs({ startedMs, ended }: Instance, afterMs: number): number | undefined {
  if (ended !== undefined && ended.atMs <= afterMs) return undefined;
  const beat = startedMs + (Math.floor((afterMs - startedMs) / BEAT_MS) + 1) * BEAT_MS;
  return ended === undefined ? beat : Math.min(beat, ended.atMs);
}

export interface LogSelection {
  readonly tailLines: number | undefined;
  readonly sinceMs: number | undefined;
  readonly timestamps: boolean;
}

export function selected(
  lines: readonly LogLine[],
  { tailLines, sinceMs }: LogSelection,
): readonly LogLine[] {
  const since = sinceMs === undefined ? lines : lines.filter(({ atMs }) => atMs >= sinceMs);
  if (tailLines === undefined) return since;
  return tailLines === 0 ? [] : since.slice(-tailLines);
}

export function shown({ atMs, text }: LogLine, timestamps: boolean): string {
  return timestamps ? `${new Date(atMs).toISOString().replace('Z', '000000Z')} ${text}\n` : `${text}\n`;
}

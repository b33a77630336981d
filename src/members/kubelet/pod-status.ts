// A pod's status as a kubelet writes it: phase, conditions, addresses and the statuses of its containers.
import type { ContainerStatus, PodCondition, PodStatus } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import type { Pod } from '../kinds.ts';
import { podCondition } from '../pods.ts';
import { containerStatus } from './container-status.ts';
import { isSidecar } from './pod-stage.ts';

export interface StatusInput {
  readonly pod: Pod;
  readonly addresses: { readonly hostIP: string; readonly podIP: string };
  readonly nowMs: number;
}

export interface Composition {
  readonly phase: NonNullable<PodStatus['phase']>;
  readonly inits: readonly ContainerStatus[];
  readonly mains: readonly ContainerStatus[];
  /** Whether the pod has its network. */
  readonly sandbox: boolean;
}

/** The pod's whole status; what is not the kubelet's stays as it is. */
export function composeStatus(input: StatusInput, { phase, inits, mains, sandbox }: Composition): PodStatus {
  const { pod, addresses, nowMs } = input;
  const {
    podIP: _1,
    podIPs: _2,
    initContainerStatuses: _3,
    reason: _4,
    message: _5,
    ...before
  } = pod.status ?? {};
  const finished = phase === 'Succeeded' || phase === 'Failed';
  const hasIp = sandbox || (pod.status?.podIP !== undefined && finished);
  const generation = pod.metadata.generation;
  return {
    ...before,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: conditionsOf(input, { phase, inits, mains, sandbox }),
    hostIP: addresses.hostIP,
    hostIPs: [{ ip: addresses.hostIP }],
    ...(hasIp ? { podIP: addresses.podIP, podIPs: [{ ip: addresses.podIP }] } : {}),
    startTime: pod.status?.startTime ?? formatTime(nowMs),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    containerStatuses: mains,
    ...(phase === 'Running' ? debuggers(input) : {}),
  };
}

/** Containers that somebody has added to look into the pod: each runs from when it is first seen. */
function debuggers({ pod, nowMs }: StatusInput): Pick<PodStatus, 'ephemeralContainerStatuses'> {
  const added = pod.spec.ephemeralContainers ?? [];
  if (added.length === 0) return {};
  const known = new Map(pod.status?.ephemeralContainerStatuses?.map((status) => [status.name, status]));
  return {
    ephemeralContainerStatuses: added.map(
      (container) =>
        known.get(container.name) ??
        containerStatus({
          podUid: pod.metadata.uid,
          container,
          state: { running: { startedAt: formatTime(nowMs) } },
          ready: false,
          restartCount: 0,
        }),
    ),
  };
}

type Verdict = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

function conditionsOf(input: StatusInput, { phase, inits, mains, sandbox }: Composition): PodCondition[] {
  const { pod } = input;
  const finished = phase === 'Succeeded' || phase === 'Failed';
  const completed = phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed';
  const pending = inits.filter(
    ({ state }) => state?.terminated?.exitCode !== 0 && state?.running === undefined,
  );
  const incomplete = [
    ...pending,
    ...inits.filter(
      ({ name, state }) =>
        state?.running !== undefined &&
        !isSidecar(pod.spec.initContainers?.find((container) => container.name === name)),
    ),
  ];
  const unready = mains.filter(({ ready }) => !ready);
  const namesOf = (statuses: readonly ContainerStatus[]): string =>
    statuses.map(({ name }) => name).join(' ');
  const containersReady: Omit<Verdict, 'type'> = finished
    ? { status: 'False', reason: completed }
    : unready.length === 0
      ? { status: 'True' }
      : {
          status: 'False',
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${namesOf(unready)}]`,
        };
  const gate = (pod.spec.readinessGates ?? []).find(
    ({ conditionType }) => podCondition(pod, conditionType)?.status !== 'True',
  );
  const ready: Omit<Verdict, 'type'> =
    containersReady.status === 'True' && gate !== undefined
      ? {
          status: 'False',
          reason: 'ReadinessGatesNotReady',
          message: `corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`,
        }
      : containersReady;
  const verdicts: Verdict[] = [
    { type: 'PodReadyToStartContainers', status: sandbox ? 'True' : 'False' },
    incomplete.length === 0 || finished
      ? { type: 'Initialized', status: 'True', ...(phase === 'Succeeded' ? { reason: completed } : {}) }
      : {
          type: 'Initialized',
          status: 'False',
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${namesOf(incomplete)}]`,
        },
    { type: 'Ready', ...ready },
    { type: 'ContainersReady', ...containersReady },
  ];
  return mergeConditions(input, verdicts);
}

/** Keeps what is not ours, and the time of what has not changed. */
function mergeConditions({ pod, nowMs }: StatusInput, verdicts: readonly Verdict[]): PodCondition[] {
  const stored = pod.status?.conditions ?? [];
  const own = new Set(verdicts.map(({ type }) => type));
  const generation = pod.metadata.generation;
  const now = formatTime(nowMs);
  const conditions = verdicts.map((verdict): PodCondition => {
    const before = stored.find(({ type }) => type === verdict.type);
    const lastTransitionTime = before?.status === verdict.status ? (before.lastTransitionTime ?? now) : now;
    return {
      ...verdict,
      lastTransitionTime,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
  return [...conditions, ...stored.filter(({ type }) => !own.has(type))];
}

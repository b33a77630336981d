// What becomes of a fenced pod: it starts only while its lease is good, and is stopped when it is not.
import { FENCE_GATE, type KubeObject } from '../../api/index.ts';
import { isBeingDeleted } from '../../machinery/index.ts';

export interface FencedPod extends KubeObject {
  readonly spec?: { readonly schedulingGates?: readonly { readonly name: string }[] };
  readonly status?: { readonly phase?: string };
}

/** What is known of the lease now. */
export interface LeaseState {
  readonly mayStart: boolean;
  readonly mayRun: boolean;
}

/** stop: at once. nothing: what has not begun waits behind its gate. */
export function decideFencedPod(pod: FencedPod, lease: LeaseState | undefined): 'open' | 'stop' | 'nothing' {
  if (isBeingDeleted(pod) || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
    return 'nothing';
  if (isGated(pod)) return lease?.mayStart === true ? 'open' : 'nothing';
  return lease?.mayRun === true ? 'nothing' : 'stop';
}

function isGated({ spec }: FencedPod): boolean {
  return spec?.schedulingGates?.some(({ name }) => name === FENCE_GATE) === true;
}

/** The pod without our gate. */
export function opened(pod: FencedPod): FencedPod {
  const { schedulingGates = [], ...spec } = pod.spec ?? {};
  const rest = schedulingGates.filter(({ name }) => name !== FENCE_GATE);
  return { ...pod, spec: { ...spec, ...(rest.length === 0 ? {} : { schedulingGates: rest }) } };
}

// Conditions of the group's objects: both Ready and Failed carry the same reason and message, and a time that moves only when
// the status does.
import type { Condition } from '../api/index.ts';
import { formatTime } from '../base/index.ts';

export type Wanted = Omit<Condition, 'lastTransitionTime'>;

/** With the wanted conditions put in their places, and others left alone. The same list when nothing changes. */
export function withConditions(
  before: readonly Condition[] | undefined,
  wanted: readonly Wanted[],
  nowMs: number,
): readonly Condition[] {
  let conditions = before ?? [];
  for (const one of wanted) {
    const known = conditions.find(({ type }) => type === one.type);
    if (
      known !== undefined &&
      known.status === one.status &&
      known.reason === one.reason &&
      known.message === one.message &&
      known.observedGeneration === one.observedGeneration
    )
      continue;
    const since = known?.status === one.status ? known.lastTransitionTime : formatTime(nowMs);
    const next: Condition = { ...one, lastTransitionTime: since };
    conditions =
      known === undefined
        ? [...conditions, next]
        : conditions.map((other) => (other === known ? next : other));
  }
  return conditions;
}

// LIMIT: what the schema of conditions takes, with room to spare.
const MESSAGE_MAX = 16_000;

function bounded(message: string): string {
  return message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX)} ...`;
}

/** Ready and Failed of one verdict. */
export function readyConditions(
  {
    state,
    reason,
    message,
  }: { readonly state: 'Ready' | 'Failed' | 'Unknown'; readonly reason: string; readonly message: string },
  generation: number | undefined,
): readonly Wanted[] {
  const rest = {
    reason,
    message: bounded(message),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  const ready = state === 'Ready' ? 'True' : state === 'Failed' ? 'False' : 'Unknown';
  const failed = state === 'Ready' ? 'False' : state === 'Failed' ? 'True' : 'Unknown';
  return [
    { type: 'Ready', status: ready, ...rest },
    { type: 'Failed', status: failed, ...rest },
  ];
}

/** Whether a condition says something else than before: worth an event. */
export function isNews(before: readonly Condition[] | undefined, wanted: Wanted | undefined): boolean {
  if (wanted === undefined) return false;
  const known = before?.find(({ type }) => type === wanted.type);
  return (
    known?.status !== wanted.status || known.reason !== wanted.reason || known.message !== wanted.message
  );
}

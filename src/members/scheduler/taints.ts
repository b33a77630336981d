// Taints of nodes against tolerations of pods. Shared by the scheduler, the DaemonSet controller and eviction.
import type { Taint, Toleration } from '../../api/index.ts';

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = '', operator = 'Equal', value = '', effect } = toleration;
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  switch (operator) {
    case 'Exists':
      return true;
    case 'Equal':
      return key !== '' && value === (taint.value ?? '');
    case 'Gt':
    case 'Lt': {
      const asked = Number(value);
      const held = Number(taint.value ?? '');
      if (!Number.isInteger(asked) || !Number.isInteger(held) || taint.value === undefined) return false;
      return operator === 'Gt' ? held > asked : held < asked;
    }
  }
}

export function isTolerated(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return tolerations?.some((toleration) => tolerates(toleration, taint)) === true;
}

/** The first taint with one of `effects` that nothing tolerates. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly Taint['effect'][],
): Taint | undefined {
  return taints?.find((taint) => effects.includes(taint.effect) && !isTolerated(tolerations, taint));
}

/**
 * How long a pod may stay on a node with these NoExecute taints, from when each was added: undefined for ever, 0 not
 * at all, else milliseconds since the epoch at which it has to go.
 */
export function evictionTimeMs(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  nowMs: number,
): number | undefined {
  let deadline: number | undefined;
  for (const taint of taints ?? []) {
    if (taint.effect !== 'NoExecute') continue;
    const used = (tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    if (used.length === 0) return 0;
    const addedMs = taint.timeAdded === undefined ? nowMs : Date.parse(taint.timeAdded);
    for (const { tolerationSeconds } of used) {
      if (tolerationSeconds === undefined) continue;
      const end = addedMs + Math.max(tolerationSeconds, 0) * 1000;
      if (deadline === undefined || end < deadline) deadline = end;
    }
  }
  return deadline;
}

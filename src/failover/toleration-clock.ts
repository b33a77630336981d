// How long a binding may stay in a cluster with NoExecute taints (clusters-and-failover.md §7.2).
// INVARIANT: a taint that has no timeAdded never starts a clock.
import { APPLIED_PLACEMENT_ANNOTATION, type Placement, type Taint } from '../api/index.ts';
import { tolerates } from '../fleet/index.ts';
import { parseTime } from '../machinery/index.ts';
import type { Binding } from './binding.ts';

type Tolerations = NonNullable<Placement['clusterTolerations']>;

/** The tolerations a binding was scheduled with; undefined when it was not, or not readably. */
export function appliedTolerations({ metadata }: Binding): Tolerations | undefined {
  const text = metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const placement = JSON.parse(text) as Placement | null;
    return placement === null ? undefined : (placement.clusterTolerations ?? []);
  } catch {
    return undefined;
  }
}

export type Stay =
  | { readonly kind: 'ends' }
  | { readonly kind: 'for-now'; readonly forMs: number }
  | { readonly kind: 'for-ever' };

export function noExecuteTaints(taints: readonly Taint[] | undefined): readonly Taint[] {
  return (taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}

/** @param taints those with effect NoExecute */
export function stayOf(taints: readonly Taint[], tolerations: Tolerations, nowMs: number): Stay {
  if (taints.length === 0) return { kind: 'for-ever' };
  const used = new Set<Tolerations[number]>();
  for (const taint of taints) {
    const first = tolerations.find((toleration) => tolerates(toleration, taint));
    if (first === undefined) return { kind: 'ends' };
    used.add(first);
  }
  // COMPAT: a toleration that is used at all counts for every taint it matches, not only for the one it was used for.
  const ends = [...used].flatMap((toleration) => endsOf(toleration, taints));
  if (ends.length === 0) return { kind: 'for-ever' };
  const earliestMs = Math.min(...ends);
  return earliestMs <= nowMs ? { kind: 'ends' } : { kind: 'for-now', forMs: earliestMs - nowMs };
}

function endsOf(toleration: Tolerations[number], taints: readonly Taint[]): readonly number[] {
  const { tolerationSeconds } = toleration;
  if (tolerationSeconds === undefined) return [];
  return taints.flatMap((taint) => {
    const addedMs = parseTime(taint.timeAdded ?? '');
    return addedMs === undefined || !tolerates(toleration, taint) ? [] : [addedMs + tolerationSeconds * 1000];
  });
}

// What becomes of one object of a member when its Work ends.
// INVARIANT: what must run at most once is never left running where it was while it may start elsewhere.
// INVARIANT: what is protected from deletion is deleted by no path on which its template stays.
import {
  DELETION_PROTECTED_ALWAYS,
  DELETION_PROTECTED_LABEL,
  RESOURCE_BINDING_ID_LABEL,
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  REMOVAL_CAUSE_ANNOTATION,
  type KubeObject,
  type Work,
} from '../../api/index.ts';
import { isAtMostOnce } from '../fence.ts';
import { carriedRules, type DeletionRules, type Removal, type RemovalCause } from './rules.ts';

interface RemovalDecision {
  /** Leave: it stays as it is, marks included, for the Work that comes next. */
  readonly how: Removal | 'Leave';
  readonly cause: RemovalCause;
  /** Whether it says that it was left, and where it is from. */
  readonly marks: boolean;
}

function isProtected({ metadata }: Pick<KubeObject, 'metadata'>): boolean {
  const { labels } = metadata;
  if (labels === undefined || !Object.hasOwn(labels, DELETION_PROTECTED_LABEL)) return false;
  return labels[DELETION_PROTECTED_LABEL] === DELETION_PROTECTED_ALWAYS;
}

/** @param leaving whether the cluster itself is on its way out */
export function decideRemoval(work: Work, manifest: KubeObject, leaving: boolean): RemovalDecision {
  const rules = carriedRules(work);
  const cause = causeOf(work, leaving);
  const preserve = work.spec.preserveResourcesOnDeletion === true;
  return {
    how: decideEnd(rules, preserve, manifest, cause, isBound(work)),
    cause,
    marks: rules?.marks === true,
  };
}

/**
 * The same without a Work.
 * @param preserve what the propagation policy says
 * @param bound whether a binding will write its Work anew
 */
export function decideEnd(
  rules: DeletionRules | undefined,
  preserve: boolean,
  manifest: KubeObject,
  cause: RemovalCause,
  bound: boolean,
): RemovalDecision['how'] {
  const asked = rules?.removal[cause] ?? (preserve ? 'Preserve' : 'Delete');
  if (isAtMostOnce(manifest)) {
    const elsewhere = cause === 'Move' || cause === 'Unjoin';
    return asked === 'DeleteImmediately' || (asked === 'Preserve' && elsewhere) ? 'Delete' : asked;
  }
  if (asked === 'Preserve' || !isProtected(manifest)) return asked;
  if (cause === 'Unjoin') return 'Preserve';
  if (cause === 'Binding' || cause === 'Work') return bound ? 'Leave' : 'Preserve';
  return asked;
}

function causeOf({ metadata }: Work, leaving: boolean): RemovalCause {
  const recorded = metadata.annotations?.[REMOVAL_CAUSE_ANNOTATION];
  // A cluster that leaves is left by everything, and some of it hears of that first.
  if (leaving && (recorded === undefined || recorded === 'Move')) return 'Unjoin';
  switch (recorded) {
    case 'Template':
    case 'Policy':
    case 'Binding':
    case 'Move':
    case 'Unjoin':
      return recorded;
    default:
      return 'Work';
  }
}

/** Whether a binding will write it anew. */
function isBound({ metadata }: Work): boolean {
  const { labels } = metadata;
  return (
    labels?.[RESOURCE_BINDING_ID_LABEL] !== undefined ||
    labels?.[CLUSTER_RESOURCE_BINDING_ID_LABEL] !== undefined
  );
}

/** Whether whoever removes the Work has to be told why it is removed. */
export function needsCause(work: Work): boolean {
  const manifests = (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  return carriedRules(work) !== undefined || manifests.some((one) => isAtMostOnce(one) || isProtected(one));
}

/**
 * Why a binding that goes takes its Works along.
 * @param template as it is now; undefined: gone
 * @param recorded what who deleted the binding noted on it
 */
export function causeOfBindingEnd(
  template: KubeObject | undefined,
  uid: string | undefined,
  recorded: string | undefined,
): RemovalCause {
  const gone =
    template === undefined ||
    template.metadata.deletionTimestamp !== undefined ||
    (uid !== undefined && template.metadata.uid !== uid);
  if (gone) return 'Template';
  return recorded === 'Policy' ? 'Policy' : 'Binding';
}

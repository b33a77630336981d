// Works that an override left behind: one that gives the object another name in a cluster makes another Work, and the
// object of the old name has to go. Upstream leaves it there for good.
// INVARIANT: the old object goes only when the new one is in the member.
import { APPLIED_CONDITION, type Work } from '../api/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';

export interface Superseded {
  readonly remove: readonly Work[];
  /** Whether some have to wait for what takes their place. */
  readonly waits: boolean;
}

const keyOf = ({ metadata }: Work): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

function isApplied({ status }: Work): boolean {
  return status?.conditions?.some((one) => one.type === APPLIED_CONDITION && one.status === 'True') === true;
}

/**
 * @param works all of a binding
 * @param wanted those that it calls for, as `namespace/name`; other clusters do not count
 */
export function supersededWorks(works: readonly Work[], wanted: ReadonlySet<string>): Superseded {
  const clusters = new Set([...wanted].map((key) => key.slice(0, key.indexOf('/'))));
  const old = works.filter(
    (work) =>
      clusters.has(work.metadata.namespace ?? '') && !wanted.has(keyOf(work)) && !isBeingDeleted(work),
  );
  if (old.length === 0) return { remove: [], waits: false };
  const arrived = new Set(
    works
      .filter((work) => wanted.has(keyOf(work)) && isApplied(work))
      .map(({ metadata }) => metadata.namespace),
  );
  const remove = old.filter(({ metadata }) => arrived.has(metadata.namespace));
  return { remove, waits: remove.length < old.length };
}

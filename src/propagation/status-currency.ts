// As of when the status of a binding is. What a member said last is shown until it says something else; when it cannot be
// heard any more, that has to be said, or a status of yesterday is taken for one of now.
import {
  CLUSTER_READY_CONDITION,
  STATUS_CURRENT_CONDITION,
  type Cluster,
  type Condition,
} from '../api/index.ts';
import { existingClusters } from './binding-status.ts';
import type { Binding } from './kinds.ts';

export interface Silent {
  readonly cluster: string;
  /** RFC 3339; empty: nobody knows. */
  readonly since: string;
}

/** Since when a cluster cannot be heard; undefined: it can. */
export function silence(cluster: Cluster): Silent | undefined {
  const ready = cluster.status?.conditions?.find(({ type }) => type === CLUSTER_READY_CONDITION);
  if (ready === undefined || ready.status === 'True') return undefined;
  return { cluster: cluster.metadata.name ?? '', since: ready.lastTransitionTime };
}

/** LIMIT: clusters that a message names. */
const NAMED_MAX = 5;

/** Undefined: nothing has to be said. */
export function currencyCondition(
  binding: Binding,
  find: (cluster: string) => Cluster | undefined,
): Omit<Condition, 'lastTransitionTime'> | undefined {
  const type = STATUS_CURRENT_CONDITION;
  const silent = [...existingClusters(binding.spec)].sort().flatMap((name) => {
    const cluster = find(name);
    const found = cluster === undefined ? undefined : silence(cluster);
    return found === undefined ? [] : [found];
  });
  if (silent.length === 0) {
    if (binding.status?.conditions?.some((one) => one.type === type) !== true) return undefined;
    return { type, status: 'True', reason: 'AllHeard', message: 'Every member tells what it has.' };
  }
  const shown = silent
    .slice(0, NAMED_MAX)
    .map(({ cluster, since }) => (since === '' ? cluster : `${cluster} since ${since}`));
  if (silent.length > NAMED_MAX) shown.push(`${silent.length - NAMED_MAX} more`);
  const message = `Not heard of: ${shown.join(', ')}. What is shown of ${silent.length === 1 ? 'it' : 'them'} is from before.`;
  return { type, status: 'False', reason: 'MemberSilent', message };
}

// Why a selector of a policy means nothing whatever objects there are: a kind that is not served, or not in that version,
// or never propagated. Upstream says nothing, and the policy waits for ever.
import { formatApiVersion, parseApiVersion, type ResourceSelector } from '../api/index.ts';
import { closest } from '../machinery/index.ts';
import type { Eligibility } from './eligibility.ts';

/** A kind as discovery tells of it; one for each version. */
export interface ServedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly preferred: boolean;
}

const OF_TEMPLATES = ['delete', 'list', 'watch'];

/**
 * One clause without a full stop; undefined: there may be objects that it means.
 * @param namespace that of the policy; undefined for a cluster policy
 */
export function selectorFault(
  selector: ResourceSelector,
  namespace: string | undefined,
  served: readonly ServedKind[],
  eligibility: Eligibility,
): string | undefined {
  const { apiVersion, kind } = selector;
  const { group, version } = parseApiVersion(apiVersion);
  const found = served.find((one) => one.group === group && one.version === version && one.kind === kind);
  if (found === undefined) return unknownKind(selector, served);
  if (eligibility.skipsKind(found)) return `objects of ${apiVersion} ${kind} are not propagated`;
  if (!found.preferred) {
    const preferred = served.find((one) => one.group === group && one.kind === kind && one.preferred);
    if (preferred !== undefined)
      return `objects count in the version that their group prefers, which is ${formatApiVersion(preferred)} and not ${apiVersion}`;
  }
  if (!OF_TEMPLATES.every((verb) => found.verbs.includes(verb)))
    return `${kind} is no kind of object that can be listed, watched and deleted`;
  if (namespace !== undefined && !found.namespaced)
    return `${kind} has no namespace, so only a ClusterPropagationPolicy can select it`;
  const wanted = namespace ?? selector.namespace ?? '';
  if (wanted !== '' && eligibility.refusal(found, wanted, '') !== undefined)
    return `what is in namespace ${wanted} is not propagated`;
  return undefined;
}

function unknownKind({ apiVersion, kind }: ResourceSelector, served: readonly ServedKind[]): string {
  const says = `the control plane serves no ${apiVersion} ${kind}`;
  const preferred = served.filter(
    (one) => one.preferred && OF_TEMPLATES.every((verb) => one.verbs.includes(verb)),
  );
  const meant =
    preferred.find((one) => one.kind === kind) ??
    preferred.find((one) => one.kind === closest(kind, preferred.map((other) => other.kind))); // prettier-ignore
  return meant === undefined ? says : `${says}; close is ${formatApiVersion(meant)} ${meant.kind}`;
}

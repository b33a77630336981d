// Spellings of older releases: the purge modes `Immediately` and `Graciously` of releases up to 1.18. The schema knows
// only the new ones. With the flag `--accept-legacy-spellings` policies that still use the old ones are taken and
// stored in the new spelling; without it they are refused, as upstream does now (case adm-pp-more), with a warning
// that says what to write.
import type { PropagationPolicy } from '../api/index.ts';

type Spec = PropagationPolicy['spec'];
type Failover = NonNullable<Spec['failover']>;
type PurgeMode = NonNullable<NonNullable<Failover['application']>['purgeMode']>;

const NEW_SPELLINGS: ReadonlyMap<string, PurgeMode> = new Map([
  ['Immediately', 'Directly'],
  ['Graciously', 'Gracefully'],
]);

const PLACES = ['application', 'cluster'] as const;

/** The spec in today's spelling, when `accept`; `warn` is told of every old one either way. */
export function withTodaysSpelling(spec: Spec, accept: boolean, warn: (message: string) => void): Spec {
  let { failover } = spec;
  for (const place of PLACES) {
    const part: unknown = failover?.[place];
    if (typeof part !== 'object' || part === null) continue;
    const { purgeMode } = part as { readonly purgeMode?: unknown };
    const today = typeof purgeMode === 'string' ? NEW_SPELLINGS.get(purgeMode) : undefined;
    if (today === undefined) continue;
    const remedy = accept
      ? 'stored as that'
      : 'write that, or start the control plane with --accept-legacy-spellings';
    warn(`spec.failover.${place}.purgeMode: "${purgeMode as string}" is called "${today}" now; ${remedy}`);
    if (accept) failover = { ...failover, [place]: { ...part, purgeMode: today } };
  }
  return failover === spec.failover || failover === undefined ? spec : { ...spec, failover };
}

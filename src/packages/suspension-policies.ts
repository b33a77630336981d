// PackageSuspension and ClusterPackageSuspension: says whether they suspend now, how many packages, and when that changes. What
// they do to packages is found where packages are looked at, and not here.
// Reads policies, packages, Namespaces; writes the status of policies.
import type { ClusterPackageSuspension, PackageSuspension } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isNotFound, type Resource } from '../client/index.ts';
import { deepEqual, isBeingDeleted } from '../machinery/index.ts';
import { isMeantBySuspension, policyState, type AnyPackage, type AnySuspension } from '../packaging/index.ts';
import { done, informerSource, requeueAfter, runController, type Informer } from '../runtime/index.ts';
import { withConditions } from './conditions.ts';
import { allPackages, type PackageContext } from './context.ts';
import { clusterPackageSuspensions, packageSuspensions } from './resources.ts';

// LIMIT: a change that is further away is waited for in steps.
const WAIT_MAX_MS = 3_600_000;
/** Packages come in bursts. */
const SETTLE_MS = 500;

export async function runSuspensionPolicyControllers(context: PackageContext): Promise<void> {
  const { packageSuspensions: namespaced, clusterPackageSuspensions: wide } = context.caches;
  await Promise.all([
    run(
      context,
      'package-suspension-controller',
      packageSuspensions as Resource<AnySuspension>,
      namespaced as Informer<AnySuspension>,
    ),
    run(
      context,
      'cluster-package-suspension-controller',
      clusterPackageSuspensions as Resource<AnySuspension>,
      wide as Informer<AnySuspension>,
    ),
  ]);
}

async function run(
  context: PackageContext,
  name: string,
  resource: Resource<AnySuspension>,
  policies: Informer<AnySuspension>,
): Promise<void> {
  const { caches, client, clock, logger, signal } = context;
  const everyone = {
    map: (): readonly string[] => [...policies.store.keys()],
    delayMs: { added: SETTLE_MS, updated: SETTLE_MS },
  };
  const matters = (old: AnyPackage, now: AnyPackage): boolean =>
    old.metadata.labels !== now.metadata.labels ||
    old.metadata.annotations !== now.metadata.annotations ||
    old.spec !== now.spec;
  await runController({
    name,
    sources: [
      informerSource(policies, {
        changed: (old, now) => old.metadata.generation !== now.metadata.generation,
      }),
      informerSource(caches.packages as Informer<AnyPackage>, { ...everyone, changed: matters }),
      informerSource(caches.clusterPackages as Informer<AnyPackage>, { ...everyone, changed: matters }),
    ],
    clock,
    logger,
    signal,
    concurrency: 1,
    reconcile: async (key, { signal: ends }) => {
      const policy = policies.store.get(key);
      if (policy === undefined || isBeingDeleted(policy)) return done;
      const nowMs = clock.now();
      const { status, nextMs } = statusOf(context, policy, nowMs);
      if (!deepEqual(policy.status, status))
        try {
          await client.updateStatus(resource, { ...policy, status }, { signal: ends });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      return nextMs === undefined
        ? done
        : requeueAfter(Math.min(Math.max(nextMs - nowMs, 0), WAIT_MAX_MS), 'a window opens or closes');
    },
  });
}

type Status = NonNullable<(PackageSuspension | ClusterPackageSuspension)['status']>;

function statusOf(
  { caches }: PackageContext,
  policy: AnySuspension,
  nowMs: number,
): { readonly status: Status; readonly nextMs: number | undefined } {
  const { blocked, over, changeMs } = policyState(policy, nowMs);
  const matched = allPackages(caches).filter((one) =>
    isMeantBySuspension(policy, one, caches.namespaces.store.get(one.metadata.namespace ?? '')),
  ).length;
  const windows = (policy.spec?.windows ?? []).length > 0;
  const condition = {
    type: 'Active',
    status: blocked ? ('True' as const) : ('False' as const),
    reason: over ? 'Expired' : !windows ? 'Always' : blocked ? 'WindowBlocks' : 'WindowAllows',
    message: over
      ? 'Its time is over; it can be deleted.'
      : blocked
        ? `It suspends ${matched} packages${changeMs === undefined ? '' : ` until ${formatTime(changeMs)}`}.`
        : 'It suspends nothing now.',
  };
  return {
    nextMs: changeMs,
    status: {
      ...(policy.metadata.generation === undefined ? {} : { observedGeneration: policy.metadata.generation }),
      active: blocked,
      matched,
      ...(changeMs === undefined ? {} : { nextTransition: formatTime(changeMs) }),
      conditions: withConditions(policy.status?.conditions, [condition], nowMs),
    },
  };
}

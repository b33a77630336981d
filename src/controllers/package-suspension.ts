// package-suspension controller: puts packages of the hub in order whose suspension is over. Members know that by themselves;
// the template would go on saying it.
// Reads packages, the Namespace of the package manager; writes the suspension of packages.
import { PACKAGES_NAMESPACE, type KubeObject } from '../api/index.ts';
import { isNotFound, kinds, type Resource } from '../client/index.ts';
import { isBeingDeleted, parseTime } from '../machinery/index.ts';
import {
  PACKAGE_LABELS,
  SUSPENDED_LABELS,
  driftedClusters,
  isSuspendedBySpec,
  suspendedPackageSeconds,
  suspendedPackages,
  withoutPackageSuspension,
  type AnyPackage,
} from '../packaging/index.ts';
import { done, informerSource, requeueAfter, runController } from '../runtime/index.ts';
import type { Controller, ControllerContext } from './context.ts';

/** On the Namespace of the package manager: specs are kept in a repository, and would come back with the next sync. */
export const GITOPS_ANNOTATION = 'packages.glasskube.dev/gitops-mode-enabled';

export const packageSuspensionController: Controller = {
  name: 'packageSuspension',
  async run(context) {
    observe(context);
    await Promise.all([
      runFor(context, 'package-suspension-controller', kinds.packages),
      runFor(context, 'cluster-package-suspension-controller', kinds.clusterPackages),
    ]);
  },
};

/** How long it lasts; zero or less: it is over; undefined: it has no end, or there is none. Pure. */
export function suspendedForMs({ spec, metadata }: AnyPackage, nowMs: number): number | undefined {
  if (!isSuspendedBySpec(spec) || isBeingDeleted({ metadata })) return undefined;
  const untilMs = parseTime(spec.suspension?.until ?? '');
  return untilMs === undefined ? undefined : untilMs - nowMs;
}

function observe({ informers, observe: gauge, clock }: ControllerContext): void {
  const namespaced = informers.informer(kinds.packages);
  const wide = informers.informer(kinds.clusterPackages);
  const all = (): readonly AnyPackage[] => [...namespaced.store.values(), ...wide.store.values()];
  gauge?.(
    'glasskube_package_suspended',
    'Packages that are suspended.',
    () => suspendedPackages(all()),
    SUSPENDED_LABELS,
  );
  gauge?.(
    'glasskube_package_suspended_seconds',
    'For how long they have been.',
    () => suspendedPackageSeconds(all(), clock.now()),
    SUSPENDED_LABELS,
  );
  gauge?.(
    'glasskube_package_drifted_clusters',
    'Clusters in which a suspended package is not as it was applied.',
    () => driftedClusters(all()),
    PACKAGE_LABELS,
  );
}

async function runFor<T extends AnyPackage>(
  context: ControllerContext,
  name: string,
  resource: Resource<T>,
): Promise<void> {
  const { informers, hubClient, clock, logger, metrics, signal } = context;
  const packages = informers.informer(resource);
  const namespaces = informers.informer<KubeObject>(kinds.namespaces);
  await namespaces.synced;
  await runController({
    name,
    sources: [
      informerSource(packages, {
        filter: (one) => suspendedForMs(one, clock.now()) !== undefined,
        changed: (before, after) => before.metadata.generation !== after.metadata.generation,
      }),
    ],
    concurrency: 1,
    clock,
    logger,
    metrics,
    signal,
    reconcile: async (key, { signal: ends }) => {
      const one = packages.store.get(key);
      const leftMs = one === undefined ? undefined : suspendedForMs(one, clock.now());
      if (one === undefined || leftMs === undefined) return done;
      if (leftMs > 0) return requeueAfter(leftMs, 'it is suspended until then');
      // What is kept in a repository would come back with the next sync.
      const { annotations } = namespaces.store.get(PACKAGES_NAMESPACE)?.metadata ?? {};
      if (annotations?.[GITOPS_ANNOTATION] === 'true') return done;
      try {
        await hubClient.update(resource, withoutPackageSuspension(one), { signal: ends });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return done;
    },
  });
}

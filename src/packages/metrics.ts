// What scrapers are told of the packages of one cluster, read from the caches when they ask. Names are the hub's for the same
// things.
import type { Clock } from '../base/index.ts';
import {
  PACKAGE_LABELS,
  SUSPENDED_LABELS,
  driftedObjects,
  readyPackages,
  suspendedPackageSeconds,
  suspendedPackages,
} from '../packaging/index.ts';
import type { ObserveGauge } from '../runtime/index.ts';
import { allPackages, type PackageCaches } from './context.ts';

export function showPackages(observe: ObserveGauge, caches: PackageCaches, clock: Clock): void {
  const all = (): ReturnType<typeof allPackages> => allPackages(caches);
  observe(
    'glasskube_package_ready',
    'Whether a package is ready.',
    () => readyPackages(all()),
    PACKAGE_LABELS,
  );
  observe(
    'glasskube_package_suspended',
    'Packages that are suspended.',
    () => suspendedPackages(all()),
    SUSPENDED_LABELS,
  );
  observe(
    'glasskube_package_suspended_seconds',
    'For how long they have been.',
    () => suspendedPackageSeconds(all(), clock.now()),
    SUSPENDED_LABELS,
  );
  observe(
    'glasskube_package_drifted_objects',
    'Objects of suspended packages that are not as they were applied; at most 100 of each package.',
    () => driftedObjects(all()),
    PACKAGE_LABELS,
  );
}

// Whether a package is suspended at this moment, from what the caches show.
import { effectiveSuspension, type AnyPackage, type EffectiveSuspension } from '../packaging/index.ts';
import { parentsOf, type PackageContext } from './context.ts';

export function suspensionOf({ caches, clock }: PackageContext, one: AnyPackage): EffectiveSuspension {
  const namespaceOf = ({ metadata }: AnyPackage): ReturnType<typeof caches.namespaces.store.get> =>
    caches.namespaces.store.get(metadata.namespace ?? '');
  return effectiveSuspension({
    package: one,
    nowMs: clock.now(),
    namespace: namespaceOf(one),
    namespaceOf,
    policies: [
      ...caches.packageSuspensions.store.values(),
      ...caches.clusterPackageSuspensions.store.values(),
    ],
    // Shared dependencies are nobody's part.
    parentsOf: (component) => (component.kind === 'Package' ? parentsOf(caches, component) : []),
  });
}

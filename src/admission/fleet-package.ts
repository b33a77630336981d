// FleetPackage and ClusterFleetPackage: what would stop a roll-out later is refused when it is written.
import type { ClusterFleetPackage, FleetPackage } from '../api/index.ts';
import { fieldError, validateLabelSelector, type FieldError } from '../machinery/index.ts';
import { validateAffinity } from './placement-validation.ts';

export function validateFleetPackage({
  kind,
  metadata,
  spec,
}: FleetPackage | ClusterFleetPackage): readonly FieldError[] {
  const { template, placement, overrides = [], rollout } = spec;
  const errors: FieldError[] = [];
  if (kind === 'ClusterFleetPackage' && metadata.name !== template.packageInfo.name)
    errors.push(
      fieldError.invalid(
        'metadata.name',
        metadata.name ?? '',
        `what is installed once in a cluster is called like its package, "${template.packageInfo.name}"`,
      ),
    );
  const affinities = [
    ['spec.placement.clusterAffinity', placement?.clusterAffinity] as const,
    ...overrides.map(
      (one, index) => [`spec.overrides[${index}].clusterAffinity`, one.clusterAffinity] as const,
    ),
  ];
  for (const [path, affinity] of affinities) {
    if (affinity === undefined) continue;
    // What does not parse would match no cluster, and uninstall the package everywhere.
    errors.push(
      ...validateAffinity(affinity, path),
      ...validateLabelSelector(affinity.labelSelector, `${path}.labelSelector`),
    );
  }
  rollout?.steps?.forEach(({ clusters }, index) =>
    errors.push(
      ...validateLabelSelector(
        clusters?.labelSelector,
        `spec.rollout.steps[${index}].clusters.labelSelector`,
      ),
    ),
  );
  return errors;
}

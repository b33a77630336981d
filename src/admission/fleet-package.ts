// FleetPackage and ClusterFleetPackage: what would stop a roll-out later is refused when it is written, and who suspends
// packages by it must be allowed to.
import type { ClusterFleetPackage, FleetPackage, PackageSpec } from '../api/index.ts';
import { fieldError, validateLabelSelector, type FieldError } from '../machinery/index.ts';
import {
  verbsForPackage,
  verbsForRollout,
  type AnyPackage,
  type SuspensionVerb,
} from '../packaging/index.ts';
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

/** What somebody must be allowed to do with the package for this change: the control plane carries it out for them. */
export function verbsForFleetPackage(
  next: FleetPackage | ClusterFleetPackage,
  old: FleetPackage | ClusterFleetPackage | undefined,
): readonly SuspensionVerb[] {
  const verbs = new Set<SuspensionVerb>();
  const compare = (now: PackageSpec, before: PackageSpec | undefined): void => {
    const spec = (one: PackageSpec): AnyPackage => ({ metadata: {}, spec: one }) as AnyPackage;
    for (const verb of verbsForPackage(spec(now), before === undefined ? undefined : spec(before)))
      verbs.add(verb);
  };
  compare(next.spec.template, old?.spec.template);
  for (const verb of verbsForRollout(next, old)) verbs.add(verb);
  const [now, before] = [suspendedBy(next), suspendedBy(old)];
  if ([...now].some((one) => !before.has(one))) verbs.add('suspend');
  if ([...before].some((one) => !now.has(one))) verbs.add('resume');
  return [...verbs].sort();
}

/** The clusters that overrides suspend it in, as they are selected. */
function suspendedBy(one: FleetPackage | ClusterFleetPackage | undefined): ReadonlySet<string> {
  const overrides = one?.spec.overrides ?? [];
  return new Set(
    overrides
      .filter(({ suspend }) => suspend === true)
      .map(({ clusterAffinity }) => JSON.stringify(clusterAffinity)),
  );
}

// The objects by which a FleetPackage acts: the package itself, as a template, the policy that sends it to the clusters whose
// wave has come, and the override policy that says what each of them has. All of it is written anew from the status, so that
// nothing depends on the order in which others see these objects: the package holds what was rolled out last, and every
// cluster that is sent it has a rule of its own.
import {
  PACKAGES_API_VERSION,
  PACKAGE_REVISION_ANNOTATION,
  type Cluster,
  type RolloutClusterState,
  type JsonObject,
  type KubeObject,
  type Overriders,
  type PackageRevision,
} from '../../api/index.ts';
import { controllerReference } from '../../machinery/index.ts';
import { hashOf, wantedIn, type AnyFleetPackage } from './revision.ts';

export interface FleetObjects {
  readonly override: KubeObject;
  readonly package: KubeObject;
  readonly policy: KubeObject;
}

/** On what is made here: a hash of it as it was made, so that it is only written when it changes. */
export const RENDERED_ANNOTATION = 'navarch.io/fleet-package-rendered';

const HALTED = '-halted';

/** The mark of the spec that a cluster was sent, when the roll-out suspended it. */
export function haltedMark(mark: string): string {
  return `${mark}${HALTED}`;
}

/** @param clusters those that it may be sent to, at least all in its status */
export function fleetObjects(fleetPackage: AnyFleetPackage, clusters: readonly Cluster[]): FleetObjects {
  const sent = placed(fleetPackage, clusters);
  const override = overridePolicy(fleetPackage, sent);
  return {
    override: marked(fleetPackage, override),
    package: marked(fleetPackage, packageOf(fleetPackage)),
    policy: marked(fleetPackage, policyOf(fleetPackage, sent)),
  };
}

/** Names of the policies that are made. */
export function fleetPolicyName({ metadata: { name = '' } }: AnyFleetPackage): string {
  return `fleetpackage-${name}`;
}

export function packageKindOf({ kind }: AnyFleetPackage): 'Package' | 'ClusterPackage' {
  return kind === 'FleetPackage' ? 'Package' : 'ClusterPackage';
}

interface Placed {
  readonly name: string;
  readonly overriders: Overriders;
}

function marked(fleetPackage: AnyFleetPackage, object: KubeObject): KubeObject {
  const annotations = { ...object.metadata.annotations, [RENDERED_ANNOTATION]: hashOf(object) };
  const ownerReferences = [controllerReference(fleetPackage)];
  return { ...object, metadata: { ...object.metadata, annotations, ownerReferences } };
}

function revisionNamed({ status }: AnyFleetPackage, name: string | undefined): PackageRevision | undefined {
  return status?.revisions?.find((one) => one.name === name);
}

function metadataOf({ metadata: { namespace } }: AnyFleetPackage, name: string): KubeObject['metadata'] {
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

function placed(fleetPackage: AnyFleetPackage, clusters: readonly Cluster[]): readonly Placed[] {
  const byName = new Map(clusters.map((one) => [one.metadata.name ?? '', one]));
  return (fleetPackage.status?.clusters ?? []).flatMap((state) => {
    const cluster = byName.get(state.name);
    const revision = revisionNamed(fleetPackage, state.revision);
    if (cluster === undefined || revision === undefined) return [];
    return [{ name: state.name, overriders: overridersFor(fleetPackage, state, cluster, revision) }];
  });
}

function overridersFor(
  { spec, status }: AnyFleetPackage,
  state: RolloutClusterState,
  cluster: Cluster,
  revision: PackageRevision,
): Overriders {
  const { mark, packageInfo, values, suspend } = wantedIn(cluster, spec, revision);
  const halted =
    status?.phase === 'Halted' && state.phase === 'Failed' && spec.rollout?.onFailure !== 'Continue';
  const suspended = halted ? true : suspend;
  return {
    annotationsOverrider: [
      { operator: 'add', value: { [PACKAGE_REVISION_ANNOTATION]: halted ? haltedMark(mark) : mark } },
    ],
    plaintext: [
      { path: '/spec/packageInfo', operator: 'replace', value: packageInfo },
      { path: '/spec/values', operator: 'add', value: values },
      // Both names of the switch, which must not differ.
      ...(suspended === undefined
        ? []
        : (['suspend', 'suspended'] as const).map((name) => ({
            path: `/spec/${name}`,
            operator: 'add' as const,
            value: suspended,
          }))),
      ...(halted
        ? [
            {
              path: '/spec/suspension',
              operator: 'add' as const,
              value: {
                reason: `the roll-out of ${packageInfo.version} failed here: ${state.message ?? ''}`.slice(
                  0,
                  1024,
                ),
              },
            },
          ]
        : []),
    ],
  };
}

function packageOf(fleetPackage: AnyFleetPackage): KubeObject {
  const { spec, status, metadata } = fleetPackage;
  const { packageInfo, values: _values, ...rest } = spec.template;
  const revision = revisionNamed(fleetPackage, status?.stableRevision ?? status?.revision);
  const { version = packageInfo.version, repositoryName, values } = revision ?? {};
  return {
    apiVersion: PACKAGES_API_VERSION,
    kind: packageKindOf(fleetPackage),
    metadata: metadataOf(fleetPackage, metadata.name ?? ''),
    spec: {
      ...rest,
      packageInfo: {
        name: packageInfo.name,
        version,
        ...(repositoryName === undefined ? {} : { repositoryName }),
      },
      ...(values === undefined ? {} : { values }),
    },
  };
}

function selectorOf(fleetPackage: AnyFleetPackage): JsonObject {
  const { name = '', namespace } = fleetPackage.metadata;
  return {
    apiVersion: PACKAGES_API_VERSION,
    kind: packageKindOf(fleetPackage),
    name,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function policyKind({ kind }: AnyFleetPackage, suffix: 'PropagationPolicy' | 'OverridePolicy'): string {
  return kind === 'FleetPackage' ? suffix : `Cluster${suffix}`;
}

function policyOf(fleetPackage: AnyFleetPackage, sent: readonly Placed[]): KubeObject {
  const clusterNames = sent.map(({ name }) => name);
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: policyKind(fleetPackage, 'PropagationPolicy'),
    metadata: metadataOf(fleetPackage, fleetPolicyName(fleetPackage)),
    spec: {
      resourceSelectors: [selectorOf(fleetPackage)],
      propagateDeps: true,
      conflictResolution: fleetPackage.spec.conflictResolution ?? 'Abort',
      placement: {
        // An empty list would mean all clusters.
        clusterAffinity:
          clusterNames.length === 0
            ? { labelSelector: { matchLabels: { 'navarch.io/fleet-package': 'in-no-cluster' } } }
            : { clusterNames },
        // Which taints keep it away has been decided already.
        clusterTolerations: [{ operator: 'Exists' }],
      },
    },
  };
}

/** Clusters that are sent the same share a rule. */
function overridePolicy(fleetPackage: AnyFleetPackage, sent: readonly Placed[]): KubeObject {
  const rules = Map.groupBy(sent, ({ overriders }) => JSON.stringify(overriders));
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: policyKind(fleetPackage, 'OverridePolicy'),
    metadata: metadataOf(fleetPackage, fleetPolicyName(fleetPackage)),
    spec: {
      resourceSelectors: [selectorOf(fleetPackage)],
      overrideRules: [...rules.values()].map((group) => ({
        targetCluster: { clusterNames: group.map(({ name }) => name) },
        overriders: group[0]?.overriders ?? {},
      })),
    },
  };
}

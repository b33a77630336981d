// FleetPackage and ClusterFleetPackage: one package on many clusters, whose changes reach them in waves. The control plane makes
// the Package or ClusterPackage of the same name, and the policies that send it, and says here how far each cluster is.
import { CONDITION_MAP, condition } from '../karmada/condition.ts';
import { clusterAffinity, labelSelector, toleration } from '../karmada/selectors.ts';
import type { KindDefinition, PrinterColumn } from '../kind.ts';
import { packageSpec, valueConfiguration } from '../packages/package.ts';
import { s, type Infer, type Typed } from '../schema.ts';

/** On a FleetPackage: the word to go on, which names what its status awaits. */
export const ROLLOUT_CONTINUE_ANNOTATION = 'navarch.io/rollout-continue';

/** On the packages of members: which revision of the FleetPackage they were sent. */
export const PACKAGE_REVISION_ANNOTATION = 'navarch.io/package-revision';

const values = s.map('How it is configured.', valueConfiguration);

const override = s.object('What differs in some clusters; of several that fit, later ones win.', {
  required: { clusterAffinity: s.describe('Which clusters.', clusterAffinity) },
  optional: {
    version: s.string('Their version.'),
    repositoryName: s.string('Their repository, such as a mirror.'),
    values: s.map('Values that are added or replaced.', valueConfiguration),
    suspend: s.boolean('Whether the package is suspended there.'),
  },
});
export type FleetPackageOverride = Infer<typeof override>;

const step = s.object('A wave. It ends when every cluster in it is healthy or has failed.', {
  optional: {
    clusters: s.object(
      'Which clusters, of those that have not been updated; absent: all of them.',
      {
        optional: {
          names: s.list('These.', s.string('A cluster.')),
          labelSelector: s.describe('Those with these labels.', labelSelector),
          percentage: s.int32(
            'As many, in the order of their names, as it takes for this share of all clusters to be updated.',
            { minimum: 1, maximum: 100 },
          ),
        },
      },
      { minProperties: 1, maxProperties: 1 },
    ),
    pause: s.string('What comes after it: a duration such as `10m`, or `Manual` to wait for an operator.', {
      pattern: '^(Manual|([0-9]+(\\.[0-9]+)?(ms|s|m|h))+)$',
    }),
  },
});
export type RolloutStep = Infer<typeof step>;

const spec = s.object('Which package, where, and how changes get there.', {
  required: { template: s.describe('The package as all clusters have it, but for overrides.', packageSpec) },
  optional: {
    placement: s.object('Where; absent: in all clusters.', {
      optional: {
        clusterAffinity: s.describe('Clusters that have it.', clusterAffinity),
        clusterTolerations: s.list('Taints of clusters that are put up with.', toleration),
      },
    }),
    conflictResolution: s.choice(
      'What to do where a package of that name is installed already: Abort leaves it alone, Overwrite takes it over.',
      ['Abort', 'Overwrite'],
      { default: 'Abort' },
    ),
    overrides: s.list('What differs between clusters. Takes effect at once, without waves.', override),
    rollout: s.object('How changes of version and values get there.', {
      optional: {
        steps: s.list(
          'The waves, one after the other. Clusters that none of them names come in a last one.',
          step,
          { maxItems: 100 },
        ),
        maxFailures: s.int32('How many clusters have to fail for the roll-out to fail.', {
          default: 1,
          minimum: 1,
        }),
        progressDeadline: s.string('How long a cluster may take to become healthy.', {
          default: '15m',
          pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$',
        }),
        onFailure: s.choice(
          'Suspend: stop, and suspend the package in clusters that failed. Rollback: give all clusters what they had before. Continue: go on.',
          ['Suspend', 'Rollback', 'Continue'],
          { default: 'Suspend' },
        ),
      },
    }),
    suspend: s.boolean(
      'Whether the roll-out stands still. The packages in the clusters are suspended by template.suspend.',
    ),
    suspension: s.object('More about that.', {
      optional: {
        reason: s.string('Why, for people.', { maxLength: 1024 }),
        until: s.time('From when on it goes on; absent: until suspend is removed.'),
      },
    }),
  },
});

const revision = s.object('What clusters were told to have.', {
  required: { name: s.string('A hash of it.'), version: s.string('The version.') },
  optional: { repositoryName: s.string('The repository.'), values },
});
export type PackageRevision = Infer<typeof revision>;

const clusterState = s.object('How far one cluster is.', {
  required: {
    name: s.string('The cluster.'),
    phase: s.choice(
      'Pending: its wave has not come; Updating; Healthy; Failed: not healthy in time; Skipped: suspended or not ready when its wave came, it follows later.',
      ['Pending', 'Updating', 'Healthy', 'Failed', 'Skipped'],
    ),
    time: s.time('Since when.'),
  },
  optional: {
    revision: s.string('The revision that it was told to have; absent: it is not to have the package yet.'),
    version: s.string('The version that it says it has.'),
    reason: s.string('Why, in one word.'),
    message: s.string('The same in words.'),
  },
});
export type RolloutClusterState = Infer<typeof clusterState>;

export const ROLLOUT_PHASES = [
  'Progressing',
  'Paused',
  'Suspended',
  'Halted',
  'RolledBack',
  'Completed',
] as const;

const status = s.object('How far it is.', {
  optional: {
    observedGeneration: s.int64('The generation of the spec that this speaks of.'),
    phase: s.choice(
      'Progressing: a wave is under way; Paused: between two waves; Suspended: somebody holds it; Halted: too much failed; RolledBack: too much failed, and all have what they had before; Completed.',
      ROLLOUT_PHASES,
    ),
    message: s.string('The same in words.'),
    revision: s.string('The revision that all clusters are to get.'),
    stableRevision: s.string('The one that was rolled out last, entirely.'),
    revisions: s.list('The revisions that some cluster has or is to get.', revision),
    step: s.int32('The wave that is under way, from 1.'),
    steps: s.int32('How many there are.'),
    selected: s.boolean('Whether the clusters of this wave have been chosen.'),
    stepTime: s.time('When it began.'),
    pauseUntil: s.time('When the pause after it is over.'),
    awaits: s.string('What the annotation navarch.io/rollout-continue must say for it to go on.'),
    attempt: s.int32('How often it was stopped and told to go on.'),
    failures: s.int32('Clusters that failed.'),
    updated: s.string('How many clusters have the revision and are healthy, of how many.'),
    clusters: s.list('Each cluster.', clusterState),
    conditions: s.list('Whether all clusters are healthy.', condition, CONDITION_MAP),
  },
});
export type FleetPackageStatus = Infer<typeof status>;

function schemaOf<const K extends string>(kind: K, description: string) {
  return s.kind(
    description,
    { apiVersion: 'navarch.io/v1alpha1', kind },
    { required: { spec }, optional: { status } },
  );
}

const namespacedSchema = schemaOf(
  'FleetPackage',
  'A Package in the same namespace of many clusters, changed in waves.',
);
const clusterSchema = schemaOf('ClusterFleetPackage', 'A ClusterPackage in many clusters, changed in waves.');
export type FleetPackage = Infer<typeof namespacedSchema>;
export type ClusterFleetPackage = Infer<typeof clusterSchema>;

const COLUMNS: readonly PrinterColumn[] = [
  { name: 'PACKAGE', type: 'string', jsonPath: '.spec.template.packageInfo.name' },
  { name: 'VERSION', type: 'string', jsonPath: '.spec.template.packageInfo.version' },
  { name: 'PHASE', type: 'string', jsonPath: '.status.phase' },
  { name: 'STEP', type: 'integer', jsonPath: '.status.step' },
  { name: 'UPDATED', type: 'string', jsonPath: '.status.updated' },
  { name: 'FAILURES', type: 'integer', jsonPath: '.status.failures' },
  { name: 'MESSAGE', type: 'string', jsonPath: '.status.message', priority: 1 },
  { name: 'AGE', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

function definition(
  names: Pick<KindDefinition, 'kind' | 'plural' | 'namespaced' | 'shortNames'>,
  schema: Typed<unknown>,
): KindDefinition {
  return {
    group: 'navarch.io',
    ...names,
    versions: [{ name: 'v1alpha1', schema, columns: COLUMNS, subresources: { status: {} } }],
  };
}

export const fleetPackageKind = definition(
  { kind: 'FleetPackage', plural: 'fleetpackages', namespaced: true, shortNames: ['fpkg'] },
  namespacedSchema,
);
export const clusterFleetPackageKind = definition(
  { kind: 'ClusterFleetPackage', plural: 'clusterfleetpackages', namespaced: false, shortNames: ['cfpkg'] },
  clusterSchema,
);

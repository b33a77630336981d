// Where a policy wants its templates to run; copied into bindings, read by the scheduler.
import { s, type Infer } from '../schema.ts';
import { clusterAffinity, clusterAffinityFields, toleration } from './selectors.ts';

const affinityName = s.string('The name of this term, unique within the policy.', {
  minLength: 1,
  maxLength: 32,
});

const overflowAffinity = s.object('Further clusters for when the term before has no room left.', {
  required: { affinityName },
  optional: clusterAffinityFields,
});
export type OverflowAffinity = Infer<typeof overflowAffinity>;

const clusterAffinityTerm = s.object('A named set of clusters, tried in the order of the list.', {
  required: { affinityName },
  optional: {
    ...clusterAffinityFields,
    overflowAffinities: s.list(
      'Sets of clusters that take, in this order, the replicas that do not fit into the term.',
      overflowAffinity,
    ),
  },
});
export type ClusterAffinityTerm = Infer<typeof clusterAffinityTerm>;

export const spreadConstraint = s.object('How many groups of clusters the result spreads over.', {
  optional: {
    spreadByField: s.choice('Groups clusters by this field; not together with spreadByLabel.', [
      'cluster',
      'region',
      'zone',
      'provider',
    ]),
    spreadByLabel: s.string('Groups clusters by the value of this label; not together with spreadByField.'),
    maxGroups: s.integer('At most this many groups.'),
    minGroups: s.integer('At least this many groups.'),
  },
});
export type SpreadConstraint = Infer<typeof spreadConstraint>;

const clusterPreferences = s.object('How Weighted division weighs the clusters.', {
  optional: {
    staticWeightList: s.list(
      'Fixed weights; clusters that match no entry get nothing.',
      s.object('The weight of some clusters.', {
        required: {
          targetCluster: s.describe('The clusters that have this weight.', clusterAffinity),
          weight: s.int64('The weight of each of them.', { minimum: 1 }),
        },
      }),
    ),
    dynamicWeight: s.choice('Weighs by what the clusters report; staticWeightList is then not looked at.', [
      'AvailableReplicas',
    ]),
  },
});
export type ClusterPreferences = Infer<typeof clusterPreferences>;

export const replicaScheduling = s.object('How replicas are shared among the clusters.', {
  optional: {
    replicaSchedulingType: s.choice(
      'Duplicated gives every cluster the full number, Divided shares the number out.',
      ['Duplicated', 'Divided'],
      { default: 'Divided' },
    ),
    replicaDivisionPreference: s.choice(
      'Aggregated uses as few clusters as possible, Weighted shares by weight.',
      ['Aggregated', 'Weighted'],
    ),
    weightPreference: s.describe(
      'The weights for Weighted; absent means that all clusters weigh the same.',
      clusterPreferences,
    ),
  },
});
export type ReplicaScheduling = Infer<typeof replicaScheduling>;

const affinityGroup = (description: string) =>
  s.object(description, {
    required: { groupByLabelKey: s.string('Templates with the same value of this label form a group.') },
  });

export const placement = s.object('Where the templates run.', {
  optional: {
    clusterAffinity: s.describe(
      'The clusters to choose from; not together with clusterAffinities.',
      clusterAffinity,
    ),
    clusterAffinities: s.list(
      'Sets of clusters to try in order until one fits; not together with clusterAffinity.',
      clusterAffinityTerm,
    ),
    clusterTolerations: s.list('Taints of clusters that are accepted.', toleration),
    spreadConstraints: s.list(
      'How the result spreads over clusters, regions, zones or providers.',
      spreadConstraint,
    ),
    replicaScheduling: s.describe(
      'How replicas are shared among the clusters; absent means that each gets the full number.',
      replicaScheduling,
    ),
    workloadAffinity: s.object('Keeps groups of templates together or apart.', {
      optional: {
        affinity: affinityGroup('Runs the templates of a group in the same clusters.'),
        antiAffinity: affinityGroup('Runs the templates of a group in different clusters.'),
      },
    }),
  },
});
export type Placement = Infer<typeof placement>;

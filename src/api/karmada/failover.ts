// When and how an application moves away from a cluster; part of policies and of bindings.
import { s, type Infer } from '../schema.ts';

const statePreservation = s.object('What of the state in the old cluster goes along to the new one.', {
  required: {
    rules: s.list(
      'What to read; every rule must find something, otherwise nothing is preserved.',
      s.object('One value to read from the status and to pass on as a label.', {
        required: {
          aliasLabelName: s.string('The label that carries the value in the new cluster.'),
          jsonPath: s.string('Where the value is in the status, as a JSONPath template.'),
        },
      }),
    ),
  },
});
export type StatePreservation = Infer<typeof statePreservation>;

const applicationFailover = s.object('Moves an application that stays unhealthy.', {
  required: {
    decisionConditions: s.object('When to move.', {
      optional: {
        tolerationSeconds: s.int32('How long the application may be unhealthy, in seconds.', {
          default: 300,
        }),
      },
    }),
  },
  optional: {
    purgeMode: s.choice(
      'What happens to the old copy: Directly removes it first, Gracefully when the new one is healthy or the grace period is over, Never leaves it.',
      ['Directly', 'Gracefully', 'Never'],
      { default: 'Gracefully' },
    ),
    gracePeriodSeconds: s.int32('How long Gracefully waits for the new copy, in seconds.'),
    statePreservation: s.describe('State to carry over to the new cluster.', statePreservation),
  },
});
export type ApplicationFailover = Infer<typeof applicationFailover>;

const clusterFailover = s.object('How the application leaves a cluster that fails.', {
  optional: {
    purgeMode: s.choice(
      'What happens to the old copy: Directly removes it first, Gracefully when the new one is healthy or time is over.',
      ['Directly', 'Gracefully'],
      { default: 'Gracefully' },
    ),
    statePreservation: s.describe('State to carry over to the new cluster.', statePreservation),
  },
});
export type ClusterFailover = Infer<typeof clusterFailover>;

export const failover = s.object('When and how the application moves to other clusters.', {
  optional: {
    application: s.describe('Moves an unhealthy application; absent means never.', applicationFailover),
    cluster: s.describe(
      'Moves off a failed cluster; absent means as the control plane is set up.',
      clusterFailover,
    ),
  },
});
export type Failover = Infer<typeof failover>;

/** Both for policies and, extended by `scheduling`, for bindings. */
export const suspensionFields = {
  dispatching: s.boolean('Stops writing to all clusters.'),
  dispatchingOnClusters: s.object('Stops writing to some clusters.', {
    optional: { clusterNames: s.list('The clusters to stop writing to.', s.string('A cluster name.')) },
  }),
} as const;

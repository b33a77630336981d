// Remedy: what others should do when a cluster is in a certain condition.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

const decisionMatch = s.object('A reason to act.', {
  optional: {
    clusterConditionMatch: s.object('Compares the status of one cluster condition.', {
      required: {
        conditionType: s.string('The type of the condition; a cluster without it does not match.'),
        operator: s.choice('How to compare.', ['Equal', 'NotEqual']),
        conditionStatus: s.string('The status to compare with.'),
      },
    }),
  },
});
export type DecisionMatch = Infer<typeof decisionMatch>;

const remedySchema = s.kind(
  'Publishes actions on clusters that are in a certain condition, for others to carry out.',
  { apiVersion: 'remedy.karmada.io/v1alpha1', kind: 'Remedy' },
  {
    required: {
      spec: s.object('Which clusters, when, and what to do.', {
        optional: {
          clusterAffinity: s.object('The clusters; absent means all.', {
            optional: { clusterNames: s.list('Their names; empty means none.', s.string('A cluster name.')) },
          }),
          decisionMatches: s.list('Acts when one of these holds; absent means always.', decisionMatch),
          actions: s.list('What to do, such as TrafficControl.', s.string('An action.')),
        },
      }),
    },
  },
);
export type Remedy = Infer<typeof remedySchema>;

export const remedyKind: KindDefinition = {
  group: 'remedy.karmada.io',
  kind: 'Remedy',
  plural: 'remedies',
  namespaced: false,
  categories: ['karmada-io'],
  versions: [{ name: 'v1alpha1', schema: remedySchema }],
};

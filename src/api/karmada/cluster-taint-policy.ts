// ClusterTaintPolicy: taints on clusters that follow from their conditions.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';
import { clusterAffinity } from './selectors.ts';

const matchCondition = s.object('Compares the status of one cluster condition.', {
  required: {
    conditionType: s.string('The type of the condition; a cluster without it does not match.'),
    operator: s.word('In or NotIn.', ['In', 'NotIn']),
    statusValues: s.list('Statuses to compare with: True, False, Unknown.', s.string('A status.')),
  },
});
export type TaintMatchCondition = Infer<typeof matchCondition>;

const clusterTaintPolicySchema = s.kind(
  'Puts taints on clusters and takes them off again, by what their conditions say.',
  { apiVersion: 'policy.karmada.io/v1alpha1', kind: 'ClusterTaintPolicy' },
  {
    required: {
      spec: s.object('Which clusters get which taints, and when.', {
        required: {
          taints: s.list(
            'The taints.',
            s.object('A taint.', {
              required: {
                key: s.string('The taint key.'),
                effect: s.word('NoSchedule or NoExecute.', ['NoSchedule', 'NoExecute']),
              },
              optional: { value: s.string('The taint value.') },
            }),
            { minItems: 1 },
          ),
        },
        optional: {
          targetClusters: s.describe('The clusters this policy is for; absent means all.', clusterAffinity),
          addOnConditions: s.list(
            'Adds the taints when all of these hold; empty means never.',
            matchCondition,
          ),
          removeOnConditions: s.list(
            'Removes the taints when all of these hold; empty means never.',
            matchCondition,
          ),
        },
      }),
    },
  },
);
export type ClusterTaintPolicy = Infer<typeof clusterTaintPolicySchema>;

export const clusterTaintPolicyKind: KindDefinition = {
  group: 'policy.karmada.io',
  kind: 'ClusterTaintPolicy',
  plural: 'clustertaintpolicies',
  namespaced: false,
  versions: [{ name: 'v1alpha1', schema: clusterTaintPolicySchema }],
};

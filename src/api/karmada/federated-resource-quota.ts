// FederatedResourceQuota: limits for a namespace over all clusters together.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

const resources = (description: string) => s.map(description, s.quantity('An amount.'));

const federatedResourceQuotaSchema = s.kind(
  'Limits what a namespace may use over all clusters together.',
  { apiVersion: 'policy.karmada.io/v1alpha1', kind: 'FederatedResourceQuota' },
  {
    required: {
      spec: s.object('The limits.', {
        required: { overall: resources('The limit for each resource over all clusters.') },
        optional: {
          staticAssignments: s.list(
            'Fixed shares of clusters, set up there as a ResourceQuota.',
            s.object('The share of one cluster.', {
              required: {
                clusterName: s.string('The cluster.'),
                hard: resources('Its limit for each resource.'),
              },
            }),
          ),
        },
      }),
    },
    optional: {
      status: s.object('What is used.', {
        optional: {
          overall: resources('The limits that are in force.'),
          overallUsed: resources('What is used over all clusters.'),
          aggregatedStatus: s.list(
            'What is used in clusters with a fixed share.',
            s.object('The use of one cluster.', {
              required: { clusterName: s.string('The cluster.') },
              optional: {
                hard: resources('The limits that are in force there.'),
                used: resources('What is used there.'),
              },
            }),
          ),
        },
      }),
    },
  },
);
export type FederatedResourceQuota = Infer<typeof federatedResourceQuotaSchema>;

export const federatedResourceQuotaKind: KindDefinition = {
  group: 'policy.karmada.io',
  kind: 'FederatedResourceQuota',
  plural: 'federatedresourcequotas',
  namespaced: true,
  categories: ['karmada-io'],
  versions: [
    {
      name: 'v1alpha1',
      schema: federatedResourceQuotaSchema,
      columns: [
        { name: 'OVERALL', type: 'string', jsonPath: '.status.overall' },
        { name: 'OVERALL_USED', type: 'string', jsonPath: '.status.overallUsed' },
      ],
      subresources: { status: {} },
    },
  ],
};

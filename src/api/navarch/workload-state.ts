// WorkloadState: the state of one workload as StatePreservationRules find it, by cluster. It is kept on the hub while the
// cluster is well, because a cluster that is lost cannot be asked any more; and until a healthy replacement has it.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

const value = s.object('A piece of state.', {
  required: {
    value: s.string('What it is.'),
    source: s.string('The object it was found in.'),
  },
  optional: {
    label: s.string('The label that tells the replacement.'),
    annotation: s.string('The annotation that tells the replacement.'),
    field: s.string('The field that tells the replacement.'),
  },
});
export type StateValue = Infer<typeof value>;

const workloadStateSchema = s.kind(
  'The state of one workload, by cluster. It has the name of the ResourceBinding.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'WorkloadState' },
  {
    optional: {
      status: s.object('What is known.', {
        optional: {
          clusters: s.list(
            'By cluster.',
            s.object('The state in one cluster.', {
              required: {
                cluster: s.string('The cluster.'),
                observedAt: s.time('When it was last found different.'),
              },
              optional: {
                values: s.list('The pieces that are known.', value),
                missing: s.list('Why pieces are not known.', s.string('A reason.')),
                requiredMissing: s.boolean('Whether one of these is required.'),
              },
            }),
          ),
        },
      }),
    },
  },
);
export type WorkloadState = Infer<typeof workloadStateSchema>;
export type ClusterState = NonNullable<NonNullable<WorkloadState['status']>['clusters']>[number];

export const workloadStateKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'WorkloadState',
  plural: 'workloadstates',
  namespaced: true,
  versions: [
    {
      name: 'v1alpha1',
      schema: workloadStateSchema,
      subresources: { status: {} },
      columns: [
        { name: 'CLUSTERS', type: 'string', jsonPath: '.status.clusters[*].cluster' },
        { name: 'AGE', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    },
  ],
};

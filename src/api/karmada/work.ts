// Work: the manifests that one cluster is to have, in that cluster's execution namespace.
import { s, type Infer } from '../schema.ts';
import { condition } from './condition.ts';
import { AGE, type KindDefinition } from '../kind.ts';

const resourceIdentifier = s.object('Which manifest this is about.', {
  required: {
    ordinal: s.integer('Its place in the list of manifests, from 0.'),
    version: s.string('Its API version without the group.'),
    kind: s.string('Its kind.'),
    resource: s.string('Its resource; may be empty.'),
    name: s.string('Its name.'),
  },
  optional: {
    group: s.string('Its API group.'),
    namespace: s.string('Its namespace.'),
  },
});
export type ResourceIdentifier = Infer<typeof resourceIdentifier>;

export const resourceHealth = s.choice('Whether the object in the cluster is healthy.', [
  'Healthy',
  'Unhealthy',
  'Unknown',
]);

const manifestStatus = s.object('What the cluster reports about one manifest.', {
  required: { identifier: resourceIdentifier },
  optional: {
    status: s.openObject('The status of the object in the cluster, as its interpreter reflects it.'),
    health: resourceHealth,
  },
});
export type ManifestStatus = Infer<typeof manifestStatus>;

const workSchema = s.kind(
  'Holds what one cluster is to have, in the execution namespace of that cluster.',
  { apiVersion: 'work.karmada.io/v1alpha1', kind: 'Work' },
  {
    required: {
      spec: s.object('What the cluster is to have.', {
        optional: {
          workload: s.object('The manifests.', {
            optional: { manifests: s.list('Whole objects to apply.', s.openObject('One object.')) },
          }),
          suspendDispatching: s.boolean('Stops writing to the cluster.'),
          preserveResourcesOnDeletion: s.boolean(
            'Keeps the objects in the cluster when this Work is deleted.',
          ),
        },
      }),
    },
    optional: {
      status: s.object('What became of it.', {
        optional: {
          conditions: s.list('Applied and Dispatching.', condition),
          manifestStatuses: s.list('What the cluster reports about each manifest.', manifestStatus),
        },
      }),
    },
  },
);
export type Work = Infer<typeof workSchema>;

export const workKind: KindDefinition = {
  group: 'work.karmada.io',
  kind: 'Work',
  plural: 'works',
  namespaced: true,
  shortNames: ['wk'],
  categories: ['karmada-io'],
  versions: [
    {
      name: 'v1alpha1',
      schema: workSchema,
      columns: [
        { name: 'WORKLOAD-KIND', type: 'string', jsonPath: '.spec.workload.manifests[*].kind' },
        { name: 'APPLIED', type: 'string', jsonPath: '.status.conditions[?(@.type=="Applied")].status' },
        AGE,
      ],
      subresources: { status: {} },
    },
  ],
};

// The first version of bindings, still served for old clients: replicas and requests sit in the reference to
// the template. It is never stored.
import { s, type Infer } from '../schema.ts';
import { condition } from './condition.ts';

const objectReference = s.object('The template.', {
  required: {
    apiVersion: s.string('Its API version.'),
    kind: s.string('Its kind.'),
    name: s.string('Its name.'),
  },
  optional: {
    namespace: s.string('Its namespace.'),
    resourceVersion: s.string('The version of it that was last taken over.'),
    replicas: s.int32('How many replicas it asks for.'),
    resourcePerReplicas: s.map('What one replica requests of each resource.', s.quantity('An amount.')),
  },
});

const fields = {
  required: {
    spec: s.object('What is bound to which clusters.', {
      required: { resource: objectReference },
      optional: {
        clusters: s.list(
          'Where it is to run.',
          s.object('A cluster and what it gets.', {
            required: { name: s.string('The cluster.') },
            optional: { replicas: s.int32('How many replicas it gets.') },
          }),
        ),
      },
    }),
  },
  optional: {
    status: s.object('What became of it.', {
      optional: {
        conditions: s.list('Scheduled and FullyApplied.', condition),
        aggregatedStatus: s.list(
          'What became of it in each cluster.',
          s.object('What became of it in one cluster.', {
            required: { clusterName: s.string('The cluster.') },
            optional: {
              status: s.openObject('The status of the object there.'),
              applied: s.boolean('Whether it could be applied there.'),
              appliedMessage: s.string('Why it could not.'),
            },
          }),
        ),
      },
    }),
  },
} as const;

export const bindingV1alpha1Schema = s.kind(
  'Binds a template of a namespace to the clusters where it runs; v1alpha2 says more.',
  { apiVersion: 'work.karmada.io/v1alpha1', kind: 'ResourceBinding' },
  fields,
);
export type ResourceBindingV1alpha1 = Infer<typeof bindingV1alpha1Schema>;

export const clusterBindingV1alpha1Schema = s.kind(
  'Binds a template without a namespace to the clusters where it runs; v1alpha2 says more.',
  { apiVersion: 'work.karmada.io/v1alpha1', kind: 'ClusterResourceBinding' },
  fields,
);
export type ClusterResourceBindingV1alpha1 = Infer<typeof clusterBindingV1alpha1Schema>;

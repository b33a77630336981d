// How policies say which objects and which clusters they mean.
import { s, type Infer } from '../schema.ts';

const ATOMIC = { 'x-kubernetes-list-type': 'atomic' } as const;

export const labelSelector = s.object(
  'Selects by labels; all parts must hold, an empty selector selects everything.',
  {
    optional: {
      matchLabels: s.map('Labels that must be there with these values.', s.string('A label value.')),
      matchExpressions: s.list(
        'Requirements on label keys; all must hold.',
        s.object('A requirement on one label key.', {
          required: {
            key: s.string('The label key.'),
            operator: s.string('In, NotIn, Exists or DoesNotExist.'),
          },
          optional: {
            values: s.list(
              'Values for In and NotIn; empty for the others.',
              s.string('A label value.'),
              ATOMIC,
            ),
          },
        }),
        ATOMIC,
      ),
    },
  },
  { 'x-kubernetes-map-type': 'atomic' },
);

export const fieldSelector = s.object(
  'Selects clusters by their provider, region and zone; all parts must hold.',
  {
    optional: {
      matchExpressions: s.list(
        'Requirements on fields; all must hold.',
        s.object('A requirement on one field.', {
          required: {
            key: s.string('provider, region or zone.'),
            operator: s.string('In or NotIn.'),
          },
          optional: { values: s.list('The values to compare with.', s.string('A value.'), ATOMIC) },
        }),
      ),
    },
  },
);
export type FieldSelector = Infer<typeof fieldSelector>;

/** The fields of a ClusterAffinity, also part of named affinity terms. */
export const clusterAffinityFields = {
  labelSelector: s.describe('Clusters with these labels.', labelSelector),
  fieldSelector: s.describe('Clusters of these providers, regions and zones.', fieldSelector),
  clusterNames: s.list('Clusters by name; absent or empty means any.', s.string('A cluster name.')),
  exclude: s.list('Clusters that are never selected, whatever else holds.', s.string('A cluster name.')),
} as const;

export const clusterAffinity = s.object('Selects clusters; all parts that are set must hold.', {
  optional: clusterAffinityFields,
});
export type ClusterAffinity = Infer<typeof clusterAffinity>;

export const resourceSelector = s.object('Selects resource templates of one kind.', {
  required: {
    apiVersion: s.string('API version of the templates, compared as it is written.'),
    kind: s.string('Kind of the templates.'),
  },
  optional: {
    namespace: s.string('Only templates of this namespace; empty means any.'),
    name: s.string('Only the template of this name; with a name the label selector is not looked at.'),
    labelSelector: s.describe('Only templates with these labels.', labelSelector),
  },
});
export type ResourceSelector = Infer<typeof resourceSelector>;

export const toleration = s.object('Accepts taints of clusters that match it.', {
  optional: {
    key: s.string('The taint key; empty with operator Exists accepts every key.'),
    operator: s.string('Equal, which is the default, or Exists.'),
    value: s.string('The taint value for Equal.'),
    effect: s.string('The taint effect; empty accepts every effect.'),
    tolerationSeconds: s.int64('How long a NoExecute taint is accepted; absent means for ever.'),
  },
});

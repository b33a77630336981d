// ResourceInterpretation: what a kind means, said by paths and CEL expressions instead of scripts.
import { AGE, type KindDefinition } from '../kind.ts';
import { s, type Infer } from '../schema.ts';

const SHORT = { minLength: 1, maxLength: 512 };
const path = (description: string) => s.string(description, SHORT);
const expression = (description: string) => s.string(description, { minLength: 1, maxLength: 4096 });
const paths = (description: string) =>
  s.list(description, path('A path such as .spec.x, or .spec["a.b"].'), { minItems: 1, maxItems: 64 });

const count = (description: string) =>
  s.object(description, {
    optional: {
      path: path('Where the number stands, such as .spec.workers.'),
      expression: expression('A CEL expression over `object` that gives the number.'),
      default: s.int32('The number when there is nothing at the path.', { minimum: 0 }),
    },
  });

const interpretationSpec = s.object('Which kind, and what it means. What is left out is not changed.', {
  required: {
    target: s.object('The kind.', {
      required: {
        apiVersion: s.string('Its API version.', SHORT),
        kind: s.string('Its name.', SHORT),
      },
    }),
  },
  optional: {
    replicas: count('How many replicas an object asks for. Exactly one of path and expression.'),
    requirements: s.object('What one replica needs. Exactly one of both.', {
      optional: {
        podTemplatePath: path('Where the pod template stands that replicas are made of.'),
        resources: s.map(
          'Of each resource, a CEL expression over `object` that gives the quantity.',
          expression('An expression.'),
        ),
      },
    }),
    components: s.list(
      'The parts of an object that has pods of several kinds.',
      s.object('A part.', {
        required: { name: s.string('Its name.', SHORT), replicas: count('How many replicas it has.') },
        optional: { podTemplatePath: path('Where its pod template stands.') },
      }),
      { minItems: 1, maxItems: 64 },
    ),
    revision: s.object('How the number of replicas is set. When absent, at the path of `replicas`.', {
      required: { path: path('Where the number is written.') },
    }),
    retention: s.object('What a cluster may decide for itself.', {
      required: { paths: paths('Fields that are kept as they are in the cluster, when they are there.') },
    }),
    status: s.object('What of the status is reported to the control plane. When absent, all of it.', {
      required: { paths: paths('Fields of the status, such as .status.ready.') },
      optional: {
        generations: s.boolean('Whether to report too which generation of the object the status belongs to.'),
      },
    }),
    aggregation: s.object('How the statuses of all clusters become one.', {
      required: {
        fields: s.list(
          'The fields that are made. Others stay as they are.',
          s.object('A field.', {
            required: {
              path: path(
                'Where it stands, in every cluster and on the control plane, such as .status.ready.',
              ),
              combine: s.choice('How the values of the clusters become one.', [
                'Sum',
                'Min',
                'Max',
                'First',
                'Last',
                'All',
                'Any',
                'Concatenate',
                'Conditions',
              ]),
            },
          }),
          { minItems: 1, maxItems: 64 },
        ),
      },
      optional: {
        observedGeneration: s.boolean(
          'Whether .status.observedGeneration becomes that of the object once every cluster has seen it. Needs status.generations.',
        ),
      },
    }),
    health: s.object('When an object counts as healthy.', {
      required: { expression: expression('A CEL expression over `object` that gives true or false.') },
    }),
    dependencies: s.object('What an object needs beside it.', {
      optional: {
        podTemplatePaths: paths('Where pod templates stand: all that they refer to is needed.'),
        references: s.list(
          'Objects that are named by fields. Exactly one of path and expression.',
          s.object('A reference.', {
            required: {
              apiVersion: s.string('The API version of what is named.', SHORT),
              kind: s.string('Its kind.', SHORT),
            },
            optional: {
              path: path('Where the names stand, such as .spec.sources[*].secretName.'),
              expression: expression('A CEL expression over `object` that gives a name, or a list of names.'),
            },
          }),
          { minItems: 1, maxItems: 64 },
        ),
      },
    }),
  },
});

const resourceInterpretationSchema = s.kind(
  'Tells by paths and expressions how objects of one kind are to be understood.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'ResourceInterpretation' },
  { required: { spec: interpretationSpec } },
);
export type ResourceInterpretation = Infer<typeof resourceInterpretationSchema>;

export const resourceInterpretationKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'ResourceInterpretation',
  plural: 'resourceinterpretations',
  namespaced: false,
  shortNames: ['ri'],
  versions: [
    {
      name: 'v1alpha1',
      schema: resourceInterpretationSchema,
      columns: [
        { name: 'TARGET-API-VERSION', type: 'string', jsonPath: '.spec.target.apiVersion' },
        { name: 'TARGET-KIND', type: 'string', jsonPath: '.spec.target.kind' },
        AGE,
      ],
    },
  ],
};

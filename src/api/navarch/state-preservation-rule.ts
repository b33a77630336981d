// StatePreservationRule: state of a workload that lies in another object beside it, such as a snapshot, and how a
// replacement is told of it.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

const workload = s.object('The workloads that have such state: those of this namespace that match.', {
  required: { apiVersion: s.string('Their API version.'), kind: s.string('Their kind.') },
  optional: { name: s.string('The name of one; absent means all.') },
});

const source = s.object('Where the state is: an object in the member, in the namespace of the workload.', {
  required: { apiVersion: s.string('Its API version.'), kind: s.string('Its kind.') },
  optional: {
    name: s.string(
      'Its name, as a JSONPath template over the workload: metadata and spec of the template, status in the member.',
    ),
    matchLabels: s.map(
      'Labels it bears, in place of a name. Values are JSONPath templates over the workload.',
      s.string('A value.'),
    ),
    conditions: s.list(
      'What must hold for an object to count.',
      s.object('A comparison.', {
        required: {
          jsonPath: s.string('What is compared, as a JSONPath template over the object.'),
          equals: s.string('What it must be.'),
        },
      }),
    ),
    latestBy: s.string(
      'Of several, the one counts in which this JSONPath template gives the greatest text; absent means the youngest.',
    ),
  },
});

const target = s.object(
  'How the replacement is told: by exactly one of these.',
  {
    optional: {
      label: s.string('A label of the replacement.'),
      annotation: s.string('An annotation of the replacement.'),
      field: s.string('A field of the replacement, such as spec.job.initialSavepointPath.', {
        pattern: '^[A-Za-z_][A-Za-z0-9_-]*(\\.[A-Za-z_][A-Za-z0-9_-]*)+$',
      }),
    },
  },
  {
    'x-kubernetes-validations': [
      {
        rule: '(has(self.label) ? 1 : 0) + (has(self.annotation) ? 1 : 0) + (has(self.field) ? 1 : 0) == 1',
        message: 'exactly one of label, annotation and field says how the replacement is told',
      },
      {
        rule: "!has(self.field) || self.field.startsWith('spec.')",
        message: 'only fields of spec can be set',
      },
    ],
  },
);

const statePreservationRuleSchema = s.kind(
  'State of workloads that lies in objects beside them, and how a replacement is told of it after a failover.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'StatePreservationRule' },
  {
    required: {
      spec: s.object('Which workloads, and what of their state.', {
        required: {
          workload,
          state: s.list(
            'Pieces of state.',
            s.object('A piece of state.', {
              required: {
                from: source,
                jsonPath: s.string('The state, as a JSONPath template over that object.'),
                to: target,
              },
              optional: {
                required: s.boolean('Whether a copy is kept where it is until this state is known.', {
                  default: false,
                }),
              },
            }),
            { minItems: 1, maxItems: 16 },
          ),
        },
      }),
    },
  },
);
export type StatePreservationRule = Infer<typeof statePreservationRuleSchema>;
export type PreservedPiece = StatePreservationRule['spec']['state'][number];

export const statePreservationRuleKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'StatePreservationRule',
  plural: 'statepreservationrules',
  namespaced: true,
  versions: [
    {
      name: 'v1alpha1',
      schema: statePreservationRuleSchema,
      columns: [
        { name: 'WORKLOAD-KIND', type: 'string', jsonPath: '.spec.workload.kind' },
        { name: 'WORKLOAD', type: 'string', jsonPath: '.spec.workload.name' },
        { name: 'AGE', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    },
  ],
};

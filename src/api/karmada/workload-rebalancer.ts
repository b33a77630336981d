// WorkloadRebalancer: asks for fresh placements of some templates.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

const objectReference = s.object('A template.', {
  required: {
    apiVersion: s.string('Its API version.'),
    kind: s.string('Its kind.'),
    name: s.string('Its name.'),
  },
  optional: { namespace: s.string('Its namespace; empty for templates without one.') },
});

const workloadRebalancerSchema = s.kind(
  'Has the scheduler place some templates anew, as if they had never been placed.',
  { apiVersion: 'apps.karmada.io/v1alpha1', kind: 'WorkloadRebalancer' },
  {
    required: {
      spec: s.object('Which templates.', {
        required: { workloads: s.list('The templates.', objectReference, { minItems: 1 }) },
        optional: {
          ttlSecondsAfterFinished: s.int32(
            'How long this object stays after it is finished, in seconds; absent means for ever.',
          ),
        },
      }),
    },
    optional: {
      status: s.object('How far it is.', {
        optional: {
          observedWorkloads: s.list(
            'What became of each template.',
            s.object('What became of one template.', {
              required: { workload: objectReference },
              optional: {
                result: s.word('Successful or Failed; absent while it is not known.', [
                  'Successful',
                  'Failed',
                ]),
                reason: s.word('Why it failed.', ['ReferencedBindingNotFound']),
              },
            }),
          ),
          observedGeneration: s.int64('The generation this speaks of.'),
          finishTime: s.time('When nothing was left to do.'),
        },
      }),
    },
  },
);
export type WorkloadRebalancer = Infer<typeof workloadRebalancerSchema>;

export const workloadRebalancerKind: KindDefinition = {
  group: 'apps.karmada.io',
  kind: 'WorkloadRebalancer',
  plural: 'workloadrebalancers',
  namespaced: false,
  versions: [{ name: 'v1alpha1', schema: workloadRebalancerSchema, subresources: { status: {} } }],
};

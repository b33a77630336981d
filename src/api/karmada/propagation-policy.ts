// PropagationPolicy and ClusterPropagationPolicy: which templates run where. One spec, two scopes.
import { s, type Infer } from '../schema.ts';
import { failover, suspensionFields } from './failover.ts';
import { AGE, type KindDefinition, type PrinterColumn } from '../kind.ts';
import { placement } from './placement.ts';
import { resourceSelector } from './selectors.ts';

export const propagationSpec = s.object('Which templates to propagate, and how.', {
  required: {
    resourceSelectors: s.list('The templates this policy is for; one match is enough.', resourceSelector, {
      minItems: 1,
    }),
  },
  optional: {
    association: s.boolean('Without effect; use propagateDeps.'),
    propagateDeps: s.boolean('Also propagates what the templates refer to, such as ConfigMaps and Secrets.'),
    placement: s.describe('Where the templates run; absent means every cluster.', placement),
    priority: s.int32('Which policy wins a template that several match: the highest number.', { default: 0 }),
    preemption: s.choice(
      'Whether this policy takes over templates that a policy of lower priority holds.',
      ['Always', 'Never'],
      { default: 'Never' },
    ),
    dependentOverrides: s.list(
      'Override policies that must exist before this policy takes effect.',
      s.string('The name of an override policy of the same scope.'),
    ),
    schedulerName: s.string('The scheduler that places the templates; cannot be changed.', {
      default: 'default-scheduler',
    }),
    failover: s.describe('When and how the templates move to other clusters.', failover),
    conflictResolution: s.choice(
      'What to do when a member has an object of that name already: Abort leaves it alone, Overwrite takes it over.',
      ['Abort', 'Overwrite'],
      { default: 'Abort' },
    ),
    activationPreference: s.choice(
      'Lazy lets changes of this policy wait until a template itself changes; absent means at once.',
      ['Lazy'],
    ),
    suspension: s.object('Stops propagation for now.', { optional: suspensionFields }),
    preserveResourcesOnDeletion: s.boolean('Keeps the objects in the members when the template is deleted.'),
    schedulePriority: s.object('How early the scheduler takes the templates from its queue.', {
      required: {
        priorityClassSource: s.choice('Where the priority class is defined.', ['KubePriorityClass']),
        priorityClassName: s.string('The name of the priority class.'),
      },
    }),
  },
});
export type PropagationSpec = Infer<typeof propagationSpec>;

const propagationPolicySchema = s.kind(
  'Says in which clusters the templates of one namespace run, and how they are shared out.',
  { apiVersion: 'policy.karmada.io/v1alpha1', kind: 'PropagationPolicy' },
  { required: { spec: propagationSpec } },
);
export type PropagationPolicy = Infer<typeof propagationPolicySchema>;

const clusterPropagationPolicySchema = s.kind(
  'Says in which clusters templates of any namespace, and those without one, run.',
  { apiVersion: 'policy.karmada.io/v1alpha1', kind: 'ClusterPropagationPolicy' },
  { required: { spec: propagationSpec } },
);
export type ClusterPropagationPolicy = Infer<typeof clusterPropagationPolicySchema>;

const columns: readonly PrinterColumn[] = [
  { name: 'CONFLICT-RESOLUTION', type: 'string', jsonPath: '.spec.conflictResolution' },
  { name: 'PRIORITY', type: 'string', jsonPath: '.spec.priority' },
  AGE,
];

export const propagationPolicyKind: KindDefinition = {
  group: 'policy.karmada.io',
  kind: 'PropagationPolicy',
  plural: 'propagationpolicies',
  namespaced: true,
  shortNames: ['pp'],
  categories: ['karmada-io'],
  versions: [{ name: 'v1alpha1', schema: propagationPolicySchema, columns, subresources: {} }],
};

export const clusterPropagationPolicyKind: KindDefinition = {
  group: 'policy.karmada.io',
  kind: 'ClusterPropagationPolicy',
  plural: 'clusterpropagationpolicies',
  namespaced: false,
  shortNames: ['cpp'],
  categories: ['karmada-io'],
  versions: [{ name: 'v1alpha1', schema: clusterPropagationPolicySchema, columns, subresources: {} }],
};

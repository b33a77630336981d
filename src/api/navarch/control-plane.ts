// ControlPlane: what the control plane runs with, as far as its decisions depend on it, so that whoever explains or previews
// them decides alike.
import { AGE, type KindDefinition } from '../kind.ts';
import { s, type Infer } from '../schema.ts';

/** There is one. */
export const CONTROL_PLANE_NAME = 'hub';

const schema = s.kind(
  'Says what the control plane runs with. Written by the control plane at its start.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'ControlPlane' },
  {
    optional: {
      settings: s.object('The settings.', {
        optional: {
          featureGates: s.map('Whether each gate is on.', s.boolean('On.')),
          schedulerName: s.string('The scheduler that runs.'),
          enableEmptyWorkloadPropagation: s.boolean('Whether workloads without replicas go to clusters.'),
          evictsByTaint: s.boolean('Whether NoExecute taints evict.'),
          noExecuteTaintEvictionPurgeMode: s.string('How, where a policy does not say.'),
          timeline: s.map(
            'The settings of the failover timeline, by their flags.',
            s.string('As the flag spells it.'),
          ),
          skippedPropagatingNamespaces: s.list(
            'Regular expressions of namespaces that are not propagated.',
            s.string('An expression.'),
          ),
          skippedPropagatingApis: s.list('APIs that are not propagated.', s.string('An API.')),
        },
      }),
    },
  },
);
export type ControlPlane = Infer<typeof schema>;

export const controlPlaneKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'ControlPlane',
  plural: 'controlplanes',
  namespaced: false,
  categories: ['navarch'],
  versions: [
    {
      name: 'v1alpha1',
      schema,
      columns: [{ name: 'SCHEDULER', type: 'string', jsonPath: '.settings.schedulerName' }, AGE],
    },
  ],
};

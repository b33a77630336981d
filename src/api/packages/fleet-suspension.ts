// FleetSuspension: suspends packages in some clusters of the fleet. Lives on the hub, which makes it an override of the
// packages that it sends there; the clusters themselves know when it ends.
import { CONDITION_MAP, condition } from '../karmada/condition.ts';
import { clusterAffinity, labelSelector } from '../karmada/selectors.ts';
import type { KindDefinition } from '../kind.ts';
import { s, type Infer } from '../schema.ts';
import { suspendingFields } from './suspension-fields.ts';

const clusterState = s.object('One cluster.', {
  required: {
    name: s.string('The cluster.'),
    desired: s.choice('How it is wanted there.', ['Suspended', 'Active']),
    observed: s.choice(
      'What the cluster says: Suspended, Partly, Active; Pending: it has not confirmed; Unknown: it cannot be asked.',
      ['Suspended', 'Partly', 'Active', 'Pending', 'Unknown'],
    ),
  },
  optional: {
    packages: s.int32('Packages there that are meant.'),
    suspended: s.int32('Of these, how many say that they are suspended.'),
    dispatchStopped: s.boolean('Whether nothing more of them is sent there.'),
    message: s.string('What is not as it is wanted.'),
  },
});
export type FleetClusterState = Infer<typeof clusterState>;

const fleetSuspensionSchema = s.kind(
  'Suspends packages in some clusters.',
  { apiVersion: 'packages.glasskube.dev/v1alpha1', kind: 'FleetSuspension' },
  {
    optional: {
      spec: s.object('Which packages, where, when and why.', {
        optional: {
          ...suspendingFields,
          clusterAffinity: s.describe('Which clusters; absent: all.', clusterAffinity),
          namespaceSelector: s.describe(
            'Packages of which namespaces; absent or empty: of all.',
            labelSelector,
          ),
          stopDispatch: s.boolean(
            'Also sends nothing more of these packages to the clusters, once they have confirmed or a minute has passed.',
            { default: false },
          ),
        },
      }),
      status: s.object('How far it is.', {
        optional: {
          observedGeneration: s.int64('The generation of the spec that this speaks of.'),
          active: s.boolean('Whether it suspends now.'),
          activeSince: s.time('From when on.'),
          matched: s.int32('How many packages of the hub it is for.'),
          suspendedClusters: s.string('How many clusters have confirmed, of how many.'),
          nextTransition: s.time('When that changes by itself next.'),
          clusters: s.list('Each cluster that it is for.', clusterState),
          conditions: s.list('How it is.', condition, CONDITION_MAP),
        },
      }),
    },
  },
);
export type FleetSuspension = Infer<typeof fleetSuspensionSchema>;

export const fleetSuspensionKind: KindDefinition = {
  group: 'packages.glasskube.dev',
  kind: 'FleetSuspension',
  plural: 'fleetsuspensions',
  namespaced: false,
  shortNames: ['fleetsus'],
  versions: [
    {
      name: 'v1alpha1',
      schema: fleetSuspensionSchema,
      subresources: { status: {} },
      columns: [
        { name: 'Active', type: 'boolean', jsonPath: '.status.active' },
        { name: 'Packages', type: 'integer', jsonPath: '.status.matched' },
        { name: 'Clusters', type: 'string', jsonPath: '.status.suspendedClusters' },
        { name: 'Until', type: 'string', jsonPath: '.spec.until' },
        { name: 'Next', type: 'string', jsonPath: '.status.nextTransition' },
        { name: 'Reason', type: 'string', jsonPath: '.spec.reason' },
      ],
    },
  ],
};

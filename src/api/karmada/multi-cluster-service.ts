// MultiClusterService: endpoints of some clusters, made known in others.
import { s, type Infer } from '../schema.ts';
import { CONDITION_MAP, condition } from './condition.ts';
import type { KindDefinition } from '../kind.ts';
import { serviceLoadBalancer } from './load-balancer.ts';

const clusterNames = (description: string) => s.list(description, s.string('A cluster name.'));
const clusters = (description: string) =>
  s.list(description, s.object('A cluster.', { required: { name: s.string('Its name.') } }));

const multiClusterServiceSchema = s.kind(
  'Makes the endpoints that a Service has in some clusters known in others.',
  { apiVersion: 'networking.karmada.io/v1alpha1', kind: 'MultiClusterService' },
  {
    required: {
      spec: s.object('How the Service of the same name is shared.', {
        required: {
          types: s.list(
            'CrossCluster shares endpoints, LoadBalancer is for an external controller; cannot be changed.',
            s.word('A way of sharing.', ['CrossCluster', 'LoadBalancer']),
          ),
        },
        optional: {
          ports: s.list(
            'The ports meant; information only.',
            s.object('A port.', {
              required: { port: s.int32('Its number.') },
              optional: { name: s.string('Its name.') },
            }),
          ),
          providerClusters: clusters('Where endpoints come from; empty means everywhere.'),
          consumerClusters: clusters('Where endpoints are made known; empty means everywhere.'),
          range: s.object('Deprecated and without effect.', {
            optional: { clusterNames: clusterNames('Without effect.') },
          }),
          serviceProvisionClusters: clusterNames('Deprecated and without effect; use providerClusters.'),
          serviceConsumptionClusters: clusterNames('Deprecated and without effect; use consumerClusters.'),
        },
      }),
    },
    optional: {
      status: s.object('How far it is.', {
        optional: {
          loadBalancer: serviceLoadBalancer,
          conditions: s.list('Aspects of the state.', condition, CONDITION_MAP),
        },
      }),
    },
  },
);
export type MultiClusterService = Infer<typeof multiClusterServiceSchema>;

export const multiClusterServiceKind: KindDefinition = {
  group: 'networking.karmada.io',
  kind: 'MultiClusterService',
  plural: 'multiclusterservices',
  namespaced: true,
  shortNames: ['mcs'],
  categories: ['karmada-io'],
  versions: [{ name: 'v1alpha1', schema: multiClusterServiceSchema, subresources: { status: {} } }],
};

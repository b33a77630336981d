// MultiClusterIngress: an Ingress in front of several clusters, carried out by an external provider. Its spec is
// that of networking.k8s.io/v1.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';
import { ingressLoadBalancer } from './load-balancer.ts';

const ATOMIC_LIST = { 'x-kubernetes-list-type': 'atomic' } as const;
const ATOMIC_MAP = { 'x-kubernetes-map-type': 'atomic' } as const;

const ingressBackend = s.object('Where requests go: a service or another object.', {
  optional: {
    service: s.object('A service.', {
      required: { name: s.string('Its name.') },
      optional: {
        port: s.object(
          'Its port, by name or by number.',
          { optional: { name: s.string('The name.'), number: s.int32('The number.') } },
          ATOMIC_MAP,
        ),
      },
    }),
    resource: s.object(
      'Another object of the same namespace.',
      {
        required: { kind: s.string('Its kind.'), name: s.string('Its name.') },
        optional: { apiGroup: s.string('Its API group.') },
      },
      ATOMIC_MAP,
    ),
  },
});

const httpPath = s.object('Requests for one path.', {
  required: {
    pathType: s.string('How to compare the path: Exact, Prefix or ImplementationSpecific.'),
    backend: ingressBackend,
  },
  optional: { path: s.string('The path.') },
});

const ingressRule = s.object('Requests for one host.', {
  optional: {
    host: s.string('The host name, possibly with *. in front; absent means every host.'),
    http: s.object('By path.', { required: { paths: s.list('The paths.', httpPath, ATOMIC_LIST) } }),
  },
});

const multiClusterIngressSchema = s.kind(
  'Brings requests from outside to services in several clusters, by means of an external provider.',
  { apiVersion: 'networking.karmada.io/v1alpha1', kind: 'MultiClusterIngress' },
  {
    optional: {
      spec: s.object('Which requests go where.', {
        optional: {
          ingressClassName: s.string('The class of the provider.'),
          defaultBackend: s.describe('Where requests go that no rule matches.', ingressBackend),
          rules: s.list('Which requests go where.', ingressRule, ATOMIC_LIST),
          tls: s.list(
            'Certificates for hosts.',
            s.object('A certificate.', {
              optional: {
                hosts: s.list('The hosts.', s.string('A host name.'), ATOMIC_LIST),
                secretName: s.string('The Secret that holds it.'),
              },
            }),
            ATOMIC_LIST,
          ),
        },
      }),
      status: s.object('How far it is.', {
        optional: {
          loadBalancer: ingressLoadBalancer,
          trafficBlockClusters: s.list('Clusters that get no requests for now.', s.string('A cluster name.')),
          serviceLocations: s.list(
            'Where the services are.',
            s.object('Where a service is.', {
              required: { name: s.string('The service.') },
              optional: { clusters: s.list('Its clusters.', s.string('A cluster name.')) },
            }),
          ),
        },
      }),
    },
  },
);
export type MultiClusterIngress = Infer<typeof multiClusterIngressSchema>;

export const multiClusterIngressKind: KindDefinition = {
  group: 'networking.karmada.io',
  kind: 'MultiClusterIngress',
  plural: 'multiclusteringresses',
  namespaced: true,
  shortNames: ['mci'],
  categories: ['karmada-io'],
  versions: [{ name: 'v1alpha1', schema: multiClusterIngressSchema, subresources: { status: {} } }],
};

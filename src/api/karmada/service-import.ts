// ServiceImport of the multi-cluster services API: makes a service of other clusters usable.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

const servicePort = s.object('A port.', {
  required: { port: s.int32('Its number.') },
  optional: {
    name: s.string('Its name, unique within the list.'),
    protocol: s.string('TCP, UDP or SCTP; TCP when absent.'),
    appProtocol: s.string('What is spoken on it.'),
  },
});

const serviceImportSchema = s.kind(
  'Makes a service of other clusters usable here.',
  { apiVersion: 'multicluster.x-k8s.io/v1alpha1', kind: 'ServiceImport' },
  {
    optional: {
      spec: s.object('What is imported.', {
        required: {
          ports: s.list('The ports.', servicePort, { 'x-kubernetes-list-type': 'atomic' }),
          type: s.choice('ClusterSetIP has one address, Headless one a pod.', ['ClusterSetIP', 'Headless']),
        },
        optional: {
          ips: s.list('The address.', s.string('An IP address.'), { maxItems: 1 }),
          sessionAffinity: s.string('ClientIP or None.'),
          sessionAffinityConfig: s.object('Details of the session affinity.', {
            optional: {
              clientIP: s.object('For ClientIP.', {
                optional: { timeoutSeconds: s.int32('How long a client stays with a pod.') },
              }),
            },
          }),
        },
      }),
      status: s.object('How far it is.', {
        optional: {
          clusters: s.list(
            'Clusters that offer the service.',
            s.object('A cluster.', { required: { cluster: s.string('Its name.') } }),
            { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['cluster'] },
          ),
        },
      }),
    },
  },
);
export type ServiceImport = Infer<typeof serviceImportSchema>;

export const serviceImportKind: KindDefinition = {
  group: 'multicluster.x-k8s.io',
  kind: 'ServiceImport',
  plural: 'serviceimports',
  namespaced: true,
  shortNames: ['svcim'],
  versions: [
    {
      name: 'v1alpha1',
      schema: serviceImportSchema,
      columns: [
        { name: 'Type', type: 'string', jsonPath: '.spec.type' },
        { name: 'IP', type: 'string', jsonPath: '.spec.ips' },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
      subresources: { status: {} },
    },
  ],
};

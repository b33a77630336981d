// ServiceExport of the multi-cluster services API: offers a service to other clusters.
import { s, type Infer } from '../schema.ts';
import { CONDITION_MAP, condition } from './condition.ts';
import type { KindDefinition } from '../kind.ts';

const serviceExportSchema = s.kind(
  'Offers the service of the same name to other clusters.',
  { apiVersion: 'multicluster.x-k8s.io/v1alpha1', kind: 'ServiceExport' },
  {
    optional: {
      status: s.object('How far it is.', {
        optional: { conditions: s.list('Aspects of the state.', condition, CONDITION_MAP) },
      }),
    },
  },
);
export type ServiceExport = Infer<typeof serviceExportSchema>;

export const serviceExportKind: KindDefinition = {
  group: 'multicluster.x-k8s.io',
  kind: 'ServiceExport',
  plural: 'serviceexports',
  namespaced: true,
  shortNames: ['svcex'],
  versions: [
    {
      name: 'v1alpha1',
      schema: serviceExportSchema,
      columns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
      subresources: { status: {} },
    },
  ],
};

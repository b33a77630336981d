// PackageSuspension and ClusterPackageSuspension: suspend many packages, now or in time windows, those of tomorrow
// included, without a change of their own objects.
import { CONDITION_MAP, condition } from '../karmada/condition.ts';
import { labelSelector } from '../karmada/selectors.ts';
import type { KindDefinition, PrinterColumn } from '../kind.ts';
import { s, type Infer } from '../schema.ts';
import { suspendingFields } from './suspension-fields.ts';

const fields = {
  ...suspendingFields,
  allowOverride: s.boolean(
    'Whether packages can be exempt from it, by an annotation that names this object.',
    { default: false },
  ),
} as const;

const status = s.object('What it does now.', {
  optional: {
    observedGeneration: s.int64('The generation of the spec that this speaks of.'),
    active: s.boolean('Whether it suspends now.'),
    matched: s.int32('How many packages it is for.'),
    nextTransition: s.time('When that changes by itself next; absent: nobody knows, or never.'),
    conditions: s.list('How it is.', condition, CONDITION_MAP),
  },
});

const namespacedSchema = s.kind(
  'Suspends Packages of its namespace.',
  { apiVersion: 'packages.glasskube.dev/v1alpha1', kind: 'PackageSuspension' },
  { optional: { spec: s.object('Which, when and why.', { optional: fields }), status } },
);
export type PackageSuspension = Infer<typeof namespacedSchema>;

const clusterSchema = s.kind(
  'Suspends ClusterPackages, and Packages of the namespaces it selects.',
  { apiVersion: 'packages.glasskube.dev/v1alpha1', kind: 'ClusterPackageSuspension' },
  {
    optional: {
      spec: s.object('Which, when and why.', {
        optional: {
          ...fields,
          namespaceSelector: s.describe(
            'Packages of which namespaces; absent: none, empty: all.',
            labelSelector,
          ),
        },
      }),
      status,
    },
  },
);
export type ClusterPackageSuspension = Infer<typeof clusterSchema>;

const COLUMNS: readonly PrinterColumn[] = [
  { name: 'Active', type: 'boolean', jsonPath: '.status.active' },
  { name: 'Matched', type: 'integer', jsonPath: '.status.matched' },
  { name: 'Until', type: 'string', jsonPath: '.spec.until' },
  { name: 'Next', type: 'string', jsonPath: '.status.nextTransition' },
  { name: 'Reason', type: 'string', jsonPath: '.spec.reason' },
];

export const packageSuspensionKind: KindDefinition = {
  group: 'packages.glasskube.dev',
  kind: 'PackageSuspension',
  plural: 'packagesuspensions',
  namespaced: true,
  shortNames: ['pkgsus'],
  versions: [{ name: 'v1alpha1', schema: namespacedSchema, columns: COLUMNS, subresources: { status: {} } }],
};

export const clusterPackageSuspensionKind: KindDefinition = {
  group: 'packages.glasskube.dev',
  kind: 'ClusterPackageSuspension',
  plural: 'clusterpackagesuspensions',
  namespaced: false,
  shortNames: ['clpkgsus'],
  versions: [{ name: 'v1alpha1', schema: clusterSchema, columns: COLUMNS, subresources: { status: {} } }],
};

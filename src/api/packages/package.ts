// Package and ClusterPackage: an installed package, in a namespace or once in the cluster. Spec and status are the same.
import { CONDITION_MAP, condition } from '../karmada/condition.ts';
import type { KindDefinition, PrinterColumn } from '../kind.ts';
import { s, type Infer, type Typed } from '../schema.ts';

const keyReference = (description: string) =>
  s.object(description, {
    required: { name: s.string('Its name.'), key: s.string('The key in it.') },
    optional: { namespace: s.string('Its namespace.') },
  });

const valueFrom = s.object(
  'Where a value is read.',
  {
    optional: {
      configMapRef: keyReference('A key of a ConfigMap.'),
      secretRef: keyReference('A key of a Secret.'),
      packageRef: s.object('A value of a ClusterPackage.', {
        required: { name: s.string('The ClusterPackage.'), value: s.string('The name of the value.') },
      }),
    },
  },
  { minProperties: 1, maxProperties: 1 },
);

export const valueConfiguration = s.object(
  'A value, or where it is read.',
  { optional: { value: s.string('The value.'), valueFrom } },
  { minProperties: 1, maxProperties: 1 },
);
export type ValueConfiguration = Infer<typeof valueConfiguration>;

export const SUSPENSION_MODES = ['Full', 'ChangesOnly'] as const;
export type SuspensionMode = (typeof SUSPENSION_MODES)[number];

const suspension = s.object('How and for how long the package is suspended.', {
  optional: {
    reason: s.string('Why, for people.', { maxLength: 1024 }),
    until: s.time('From when on it is no longer suspended; absent: until it is resumed.'),
    mode: s.choice(
      'Full: nothing is written. ChangesOnly: changes wait, but what was applied last is kept as it is.',
      SUSPENSION_MODES,
    ),
    cascade: s.choice('Components: those of the package are suspended with it.', ['Components', 'None']),
    driftDetection: s.choice('Whether differences are looked for while it is suspended.', [
      'Enabled',
      'Disabled',
    ]),
    onResume: s.choice(
      'Apply: go on where it was. Review: wait until the plan has been approved, if there is anything to do.',
      ['Apply', 'Review'],
    ),
  },
});
export type SuspensionDetail = Infer<typeof suspension>;

export const packageSpec = s.object(
  'What is to be installed.',
  {
    required: {
      packageInfo: s.object('Which package.', {
        required: {
          name: s.string('Its name in the repository.'),
          version: s.string('Its version.'),
        },
        optional: { repositoryName: s.string('The repository; empty: the default one.') },
      }),
    },
    optional: {
      values: s.map('How it is configured.', valueConfiguration),
      suspend: s.boolean('Whether nothing is to be changed in the cluster for the time being.'),
      suspended: s.boolean('Another name for suspend; it is suspended where either is true.'),
      suspension,
    },
  },
  {
    'x-kubernetes-validations': [
      {
        // Turned on by one name while the other says no, it is on; turned off by one name alone, nobody could tell.
        rule: '!has(self.suspend) || !has(self.suspended) || self.suspend == self.suspended || (has(oldSelf.suspend) && has(oldSelf.suspended) && oldSelf.suspend != oldSelf.suspended) || !((has(oldSelf.suspend) && oldSelf.suspend) || (has(oldSelf.suspended) && oldSelf.suspended))',
        message:
          'it would stay suspended, since suspend and suspended are two names of one switch; set both to false, or remove both',
      },
    ],
  },
);
export type PackageSpec = Infer<typeof packageSpec>;

const resourceReference = s.object('An object that the package brought.', {
  required: {
    group: s.string('Its group; empty for core kinds.'),
    version: s.string('Its version.'),
    kind: s.string('Its kind.'),
    name: s.string('Its name.'),
  },
  optional: {
    namespace: s.string('Its namespace.'),
    markedForDeletion: s.boolean('Whether it is to be deleted.'),
  },
});
export type OwnedResourceReference = Infer<typeof resourceReference>;

const suspensionSource = s.object('One reason why the package is suspended.', {
  required: {
    type: s.choice('Where it comes from.', [
      'Spec',
      'Namespace',
      'PackageSuspension',
      'Window',
      'Parent',
      'Fleet',
    ]),
  },
  optional: {
    name: s.string('The policy object, namespace, parent or FleetSuspension.'),
    mode: s.choice('How far it goes.', SUSPENSION_MODES),
    reason: s.string('Why.'),
    by: s.string('Who did it.'),
    since: s.time('From when on.'),
    until: s.time('Until when.'),
  },
});
export type SuspensionSource = Infer<typeof suspensionSource>;

const objectChange = s.object('An object that is not as it is wanted.', {
  required: { group: s.string('Its group.'), kind: s.string('Its kind.'), name: s.string('Its name.') },
  optional: {
    version: s.string('Its version.'),
    namespace: s.string('Its namespace.'),
    class: s.choice('Missing, Modified, or Unexpected: owned by the package but not part of it.', [
      'Missing',
      'Modified',
      'Unexpected',
    ]),
    operation: s.choice('What would be done.', ['Create', 'Update', 'Delete']),
    paths: s.list('Where it differs, as JSON pointers; at most 20.', s.string('A JSON pointer.')),
    managers: s.list('Who wrote these fields.', s.string('A field manager.')),
  },
});
export type ObjectChange = Infer<typeof objectChange>;

const suspensionStatus = s.object('Whether the package is suspended, as far as the operator has seen.', {
  required: { active: s.boolean('Whether it is suspended.') },
  optional: {
    mode: s.choice('How far it goes.', SUSPENSION_MODES),
    since: s.time('From when on.'),
    until: s.time('Until when; absent: nobody knows.'),
    sources: s.list('All reasons.', suspensionSource),
    pendingGeneration: s.int64('The generation of the spec that waits.'),
    pendingChanges: s.list('What would be written now; at most 100.', objectChange),
    driftCheckTime: s.time('When differences were last looked for.'),
    drift: s.list('What in the cluster differs from what was applied last; at most 100.', objectChange),
    planHash: s.string('Names the plan that waits; approving it is naming it.'),
    onResume: s.choice('What was wanted for the time after it.', ['Apply', 'Review']),
    resuming: s.boolean('Whether it was resumed, and what had to wait has not been carried out yet.'),
    activeClusters: s.list('On the hub: the clusters where it is suspended.', s.string('A cluster.')),
  },
});
export type SuspensionStatus = Infer<typeof suspensionStatus>;

const suspensionRecord = s.object('Something that happened to the suspension.', {
  required: { action: s.string('What happened.'), at: s.time('When.') },
  optional: { by: s.string('Who did it.'), reason: s.string('Why.'), until: s.time('Until when.') },
});
export type SuspensionRecord = Infer<typeof suspensionRecord>;

const packageInCluster = s.object('What one cluster says of the package.', {
  required: { name: s.string('The cluster.') },
  optional: {
    version: s.string('The version that is installed there.'),
    ready: s.choice('Its condition Ready.', ['True', 'False', 'Unknown']),
    suspended: s.boolean('Whether it is suspended there.'),
    drifted: s.boolean('Whether it differs there from what was applied.'),
    pending: s.boolean('Whether a change waits there until it is resumed.'),
    stale: s.boolean('Whether the cluster has not reported what it made of the present spec.'),
    reason: s.string('The reason of its condition.'),
    message: s.string('The same in words; also why it could not be sent.'),
  },
});
export type PackageInCluster = Infer<typeof packageInCluster>;

const packageStatus = s.object('What is installed.', {
  optional: {
    version: s.string('The version that was applied last, and entirely.'),
    observedGeneration: s.int64('The generation of the spec that this speaks of.'),
    appliedGeneration: s.int64('The generation of the spec that was applied last, and entirely.'),
    helm: s.object('How its charts are installed, which stays so as long as it is installed.', {
      required: {
        through: s.choice('Binary: rendered by a helm program and applied. Flux: as HelmReleases.', [
          'Binary',
          'Flux',
        ]),
      },
      optional: {
        version: s.string('Of the helm program.'),
        reason: s.string('Why this way.'),
      },
    }),
    conditions: s.list('How it is.', condition, CONDITION_MAP),
    ownedResources: s.list('Objects that the package brought.', resourceReference),
    ownedPackageInfos: s.list('PackageInfos that are read for it.', resourceReference),
    ownedPackages: s.list('Packages that it needs.', resourceReference),
    suspension: suspensionStatus,
    suspensionHistory: s.list('The last ten things that happened to the suspension.', suspensionRecord),
    keptFields: s.list('Fields that were left to others when the package was resumed.', objectChange),
    clusters: s.list('On the hub: what each cluster says.', packageInCluster),
  },
});
export type PackageStatus = Infer<typeof packageStatus>;

function packageSchema<const K extends string>(kind: K, description: string) {
  return s.kind(
    description,
    { apiVersion: 'packages.glasskube.dev/v1alpha1', kind },
    { required: { spec: packageSpec }, optional: { status: packageStatus } },
  );
}

const namespacedSchema = packageSchema('Package', 'A package that is installed in a namespace.');
const clusterSchema = packageSchema('ClusterPackage', 'A package that is installed once in the cluster.');
export type Package = Infer<typeof namespacedSchema>;
export type ClusterPackage = Infer<typeof clusterSchema>;

const COLUMNS: readonly PrinterColumn[] = [
  { name: 'Desired version', type: 'string', jsonPath: '.spec.packageInfo.version' },
  { name: 'Installed version', type: 'string', jsonPath: '.status.version' },
  { name: 'Suspended', type: 'boolean', jsonPath: '.status.suspension.active' },
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  {
    name: 'Message',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    priority: 1,
  },
];

function kindOf(
  names: Pick<KindDefinition, 'kind' | 'plural' | 'namespaced' | 'shortNames'>,
  schema: Typed<unknown>,
): KindDefinition {
  return {
    group: 'packages.glasskube.dev',
    ...names,
    versions: [{ name: 'v1alpha1', schema, columns: COLUMNS, subresources: { status: {} } }],
  };
}

export const packageKind = kindOf(
  { kind: 'Package', plural: 'packages', namespaced: true, shortNames: ['pkg'] },
  namespacedSchema,
);
export const clusterPackageKind = kindOf(
  { kind: 'ClusterPackage', plural: 'clusterpackages', namespaced: false, shortNames: ['clpkg'] },
  clusterSchema,
);

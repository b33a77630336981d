// ResourceBinding and ClusterResourceBinding: one template, where it is to run, and what became of it.
import { s, type Infer } from '../schema.ts';
import { condition } from './condition.ts';
import { failover, suspensionFields } from './failover.ts';
import { AGE, type KindDefinition, type PrinterColumn } from '../kind.ts';
import { placement } from './placement.ts';
import { clusterBindingV1alpha1Schema, bindingV1alpha1Schema } from './resource-binding-v1alpha1.ts';
import { toleration } from './selectors.ts';
import { resourceHealth } from './work.ts';

const ATOMIC_LIST = { 'x-kubernetes-list-type': 'atomic' } as const;
const ATOMIC_MAP = { 'x-kubernetes-map-type': 'atomic' } as const;

const objectReference = s.object('The template.', {
  required: {
    apiVersion: s.string('Its API version.'),
    kind: s.string('Its kind.'),
    name: s.string('Its name.'),
  },
  optional: {
    namespace: s.string('Its namespace.'),
    uid: s.string('Its unique id.'),
    resourceVersion: s.string('The version of it that was last taken over; a new one makes changes flow on.'),
  },
});
export type ObjectReferenceSpec = Infer<typeof objectReference>;

const nodeSelectorRequirements = (description: string) =>
  s.list(
    description,
    s.object('A requirement on one key.', {
      required: {
        key: s.string('The label key or field name.'),
        operator: s.string('In, NotIn, Exists, DoesNotExist, Gt or Lt.'),
      },
      optional: { values: s.list('The values to compare with.', s.string('A value.'), ATOMIC_LIST) },
    }),
    ATOMIC_LIST,
  );

const nodeClaim = s.object('What nodes must be like.', {
  optional: {
    hardNodeAffinity: s.object(
      'Nodes that are possible; one term is enough.',
      {
        required: {
          nodeSelectorTerms: s.list(
            'The terms.',
            s.object(
              'A term; all requirements must hold.',
              {
                optional: {
                  matchExpressions: nodeSelectorRequirements('Requirements on labels.'),
                  matchFields: nodeSelectorRequirements('Requirements on fields.'),
                },
              },
              ATOMIC_MAP,
            ),
            ATOMIC_LIST,
          ),
        },
      },
      ATOMIC_MAP,
    ),
    nodeSelector: s.map('Labels that nodes must have.', s.string('A label value.')),
    tolerations: s.list('Taints of nodes that are accepted.', toleration),
  },
});
export type NodeClaim = Infer<typeof nodeClaim>;

const resourceRequest = s.map('What one replica requests of each resource.', s.quantity('An amount.'));
const priorityClassName = s.string('The priority class of the pods.');

const componentReplicaRequirements = s.object('What one replica of the component needs.', {
  optional: { nodeClaim, resourceRequest, priorityClassName },
});

const replicaRequirements = s.object('What one replica needs.', {
  optional: {
    nodeClaim,
    resourceRequest,
    priorityClassName,
    namespace: s.string('The namespace whose quota counts.'),
  },
});
export type ReplicaRequirements = Infer<typeof replicaRequirements>;

const component = s.object('A part of a workload with pods of its own.', {
  required: {
    name: s.string('The name of the part.', { maxLength: 32 }),
    replicas: s.int32('How many replicas the part has.'),
  },
  optional: { replicaRequirements: componentReplicaRequirements },
});
export type Component = Infer<typeof component>;

const targetCluster = s.object('A cluster and what it gets.', {
  required: { name: s.string('The cluster.') },
  optional: {
    replicas: s.int32('How many replicas it gets.'),
    components: s.list(
      'How many replicas of each part it gets.',
      s.object('The share of one part.', {
        required: { name: s.string('The part.'), replicas: s.int32('Its replicas.') },
      }),
    ),
  },
});
export type TargetCluster = Infer<typeof targetCluster>;

const gracefulEvictionTask = s.object('A cluster that is being left.', {
  required: {
    fromCluster: s.string('The cluster.'),
    reason: s.string('Why, as one CamelCase word.', {
      minLength: 1,
      maxLength: 32,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    producer: s.string('Who asked for it.'),
  },
  optional: {
    purgeMode: s.choice('When the copy there is removed.', ['Directly', 'Gracefully', 'Never']),
    replicas: s.int32('How many replicas it had.'),
    message: s.string('Why, in words for people.', { maxLength: 1024 }),
    gracePeriodSeconds: s.int32('How long the copy stays at most, in seconds, instead of the general limit.'),
    suppressDeletion: s.boolean('True keeps the copy until this is changed, false removes it now.'),
    preservedLabelState: s.map('Labels for the copy in the next cluster.', s.string('A value.')),
    creationTimestamp: s.time('When the wait began.'),
    clustersBeforeFailover: s.list('Where it ran before.', s.string('A cluster name.')),
  },
});
export type GracefulEvictionTask = Infer<typeof gracefulEvictionTask>;

const bindingSnapshot = s.object('Another binding that needs this template, and where it runs.', {
  required: { name: s.string('The name of the binding.') },
  optional: {
    namespace: s.string('Its namespace.'),
    clusters: s.list('Where it runs.', targetCluster),
  },
});
export type BindingSnapshot = Infer<typeof bindingSnapshot>;

export const bindingSpec = s.object('What is bound to which clusters.', {
  required: { resource: objectReference },
  optional: {
    propagateDeps: s.boolean('Also propagates what the template refers to.'),
    replicas: s.int32('How many replicas the template asks for.'),
    replicaRequirements: s.describe('What one replica needs.', replicaRequirements),
    components: s.list('The parts of a workload with several pod templates.', component),
    clusters: s.list('Where it is to run; written by the scheduler.', targetCluster),
    placement: s.describe('Where it may run, from the policy.', placement),
    gracefulEvictionTasks: s.list('Clusters that are being left.', gracefulEvictionTask),
    requiredBy: s.list('Bindings that need this template in their clusters.', bindingSnapshot),
    schedulerName: s.string('The scheduler that places it.'),
    failover: s.describe('When and how it moves, from the policy.', failover),
    conflictResolution: s.choice(
      'What to do when a member has an object of that name already.',
      ['Abort', 'Overwrite'],
      { default: 'Abort' },
    ),
    rescheduleTriggeredAt: s.time('Asks for a fresh placement when later than the last one.'),
    suspension: s.object('Stops parts of the work for now.', {
      optional: { ...suspensionFields, scheduling: s.boolean('Stops scheduling.') },
    }),
    preserveResourcesOnDeletion: s.boolean('Keeps the objects in the members when the template is deleted.'),
    schedulePriority: s.object('How early the scheduler takes it from its queue.', {
      optional: { priority: s.int32('The higher, the earlier.', { default: 0 }) },
    }),
    workloadAffinityGroups: s.object('The groups of templates this one belongs to.', {
      optional: {
        affinityGroup: s.string('The group to stay together with, as key=value.'),
        antiAffinityGroup: s.string('The group to stay apart from, as key=value.'),
      },
    }),
  },
});
export type ResourceBindingSpec = Infer<typeof bindingSpec>;

const aggregatedStatusItem = s.object('What became of it in one cluster.', {
  required: { clusterName: s.string('The cluster.') },
  optional: {
    status: s.openObject('The status of the object there, as its interpreter reflects it.'),
    applied: s.boolean('Whether it could be applied there.'),
    appliedMessage: s.string('Why it could not.'),
    health: resourceHealth,
  },
});
export type AggregatedStatusItem = Infer<typeof aggregatedStatusItem>;

const bindingStatus = s.object('What became of it.', {
  optional: {
    schedulerObservedGeneration: s.int64('The generation that the scheduler last dealt with.'),
    schedulerObservingAffinityName: s.string('The affinity term in use.'),
    lastScheduledTime: s.time('When the scheduler last dealt with it successfully.'),
    conditions: s.list('Scheduled and FullyApplied.', condition),
    aggregatedStatus: s.list('What became of it in each cluster.', aggregatedStatusItem),
  },
});
export type ResourceBindingStatus = Infer<typeof bindingStatus>;

const resourceBindingSchema = s.kind(
  'Binds a template of a namespace to the clusters where it runs.',
  { apiVersion: 'work.karmada.io/v1alpha2', kind: 'ResourceBinding' },
  { required: { spec: bindingSpec }, optional: { status: bindingStatus } },
);
export type ResourceBinding = Infer<typeof resourceBindingSchema>;

const clusterResourceBindingSchema = s.kind(
  'Binds a template without a namespace to the clusters where it runs.',
  { apiVersion: 'work.karmada.io/v1alpha2', kind: 'ClusterResourceBinding' },
  { required: { spec: bindingSpec }, optional: { status: bindingStatus } },
);
export type ClusterResourceBinding = Infer<typeof clusterResourceBindingSchema>;

const conditionColumn = (name: string, type: string): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
});
const columns = [
  conditionColumn('SCHEDULED', 'Scheduled'),
  conditionColumn('FULLYAPPLIED', 'FullyApplied'),
  AGE,
];
const subresources = { status: {} };

export const resourceBindingKind: KindDefinition = {
  group: 'work.karmada.io',
  kind: 'ResourceBinding',
  plural: 'resourcebindings',
  namespaced: true,
  shortNames: ['rb'],
  categories: ['karmada-io'],
  versions: [
    { name: 'v1alpha1', schema: bindingV1alpha1Schema, subresources, storage: false },
    { name: 'v1alpha2', schema: resourceBindingSchema, columns, subresources },
  ],
};

export const clusterResourceBindingKind: KindDefinition = {
  group: 'work.karmada.io',
  kind: 'ClusterResourceBinding',
  plural: 'clusterresourcebindings',
  namespaced: false,
  shortNames: ['crb'],
  categories: ['karmada-io'],
  versions: [
    { name: 'v1alpha1', schema: clusterBindingV1alpha1Schema, subresources, storage: false },
    { name: 'v1alpha2', schema: clusterResourceBindingSchema, columns, subresources },
  ],
};

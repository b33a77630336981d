// Cluster: a member of the fleet. Upstream serves it from an aggregated API server, so it is no CRD: the API
// server serves it beside the built-in kinds, and its OpenAPI definitions carry upstream's names.
import { s, type Infer, type Schema } from '../schema.ts';
import { condition } from './condition.ts';
import type { KindDefinition } from '../kind.ts';

const label = s.string('A value.');

const localSecretReference = s.object('A Secret of the control plane.', {
  required: { namespace: s.string('Its namespace.'), name: s.string('Its name.') },
});
export type LocalSecretReference = Infer<typeof localSecretReference>;

const taint = s.object('Keeps templates away that do not tolerate it.', {
  required: {
    key: s.string('The taint key.'),
    effect: s.choice('NoSchedule keeps new templates away, NoExecute also moves those that are there.', [
      'NoExecute',
      'NoSchedule',
      'PreferNoSchedule',
    ]),
  },
  optional: {
    value: s.string('The taint value.'),
    timeAdded: s.time('When the taint was added; tolerations for a time count from then.'),
  },
});

const resourceModelRange = s.object('A range of amounts of one resource.', {
  required: {
    name: s.string('The resource.'),
    min: s.quantity('From this amount, included.'),
    max: s.quantity('Up to this amount, not included.'),
  },
});

const resourceModel = s.object('A class of nodes by what they have free.', {
  required: {
    grade: s.int32('The class; the higher, the more is free.'),
    ranges: s.list('What nodes of the class have free.', resourceModelRange),
  },
});
export type ResourceModel = Infer<typeof resourceModel>;

const clusterSpec = s.object('How to reach the member, and what it is like.', {
  required: {
    syncMode: s.choice(
      'Push: the control plane writes to the member. Pull: an agent in the member fetches.',
      ['Push', 'Pull'],
    ),
  },
  optional: {
    id: s.string('The unique id of the member: the uid of its kube-system namespace.'),
    apiEndpoint: s.string('The URL of its API server.'),
    secretRef: s.describe('The Secret with the token and CA to reach it.', localSecretReference),
    impersonatorSecretRef: s.describe(
      'The Secret with a token that may impersonate users.',
      localSecretReference,
    ),
    insecureSkipTLSVerification: s.boolean('Does not check the certificate of its API server.'),
    proxyURL: s.string('The proxy to reach it by: http, https or socks5.'),
    proxyHeader: s.map('Headers for the proxy; several values separated by commas.', label),
    provider: s.string('Who runs it.'),
    region: s.string('The region it is in.'),
    zone: s.string('Deprecated; use zones.'),
    zones: s.list('The zones it is in.', s.string('A zone.')),
    taints: s.list('Keeps templates away that do not tolerate them.', taint),
    resourceModels: s.list('Classes of nodes, for estimating how much fits.', resourceModel),
  },
});
export type ClusterSpec = Infer<typeof clusterSpec>;

const apiResource = s.object('A resource.', {
  required: { name: s.string('Its plural name.'), kind: s.string('Its kind.') },
});

const apiEnablement = s.object('What a group version offers.', {
  required: { groupVersion: s.string('The group version.') },
  optional: { resources: s.list('Its resources.', apiResource) },
});
export type APIEnablement = Infer<typeof apiEnablement>;

const nodeSummary = s.object('How many nodes there are.', {
  optional: { totalNum: s.int32('All nodes.'), readyNum: s.int32('Ready nodes.') },
});

const allocatableModeling = s.object('How many nodes are of a class.', {
  required: { grade: s.int32('The class.'), count: s.int32('The number of nodes.') },
});

const resourceSummary = s.object('What there is and what is in use.', {
  optional: {
    allocatable: s.map('What all nodes offer to pods.', s.quantity('An amount.')),
    allocating: s.map('What pods request that have no node yet.', s.quantity('An amount.')),
    allocated: s.map('What pods on nodes request.', s.quantity('An amount.')),
    allocatableModelings: s.list('How many nodes of each class there are.', allocatableModeling),
  },
});
export type ResourceSummary = Infer<typeof resourceSummary>;

const clusterStatus = s.object('What is known about the member.', {
  optional: {
    kubernetesVersion: s.string('The version of its API server.'),
    apiEnablements: s.list('The APIs it serves.', apiEnablement),
    conditions: s.list('Ready, CompleteAPIEnablements and those that others add.', condition),
    nodeSummary,
    resourceSummary,
    remedyActions: s.list('What Remedies ask for.', s.string('An action.')),
  },
});
export type ClusterStatus = Infer<typeof clusterStatus>;

const clusterSchema = s.kind(
  'A member of the fleet.',
  { apiVersion: 'cluster.karmada.io/v1alpha1', kind: 'Cluster' },
  { required: { spec: clusterSpec }, optional: { status: clusterStatus } },
);
export type Cluster = Infer<typeof clusterSchema>;

export const clusterKind: KindDefinition = {
  group: 'cluster.karmada.io',
  kind: 'Cluster',
  plural: 'clusters',
  namespaced: false,
  versions: [{ name: 'v1alpha1', schema: clusterSchema, subresources: { status: {} } }],
};

const PREFIX = 'com.github.karmada-io.karmada.pkg.apis.cluster.v1alpha1.';

/** The parts of the schema that OpenAPI publishes as definitions of their own, by name. */
export const clusterDefinitions: ReadonlyMap<Schema, string> = new Map<Schema, string>([
  [clusterSchema, `${PREFIX}Cluster`],
  [clusterSpec, `${PREFIX}ClusterSpec`],
  [clusterStatus, `${PREFIX}ClusterStatus`],
  [apiEnablement, `${PREFIX}APIEnablement`],
  [apiResource, `${PREFIX}APIResource`],
  [nodeSummary, `${PREFIX}NodeSummary`],
  [resourceSummary, `${PREFIX}ResourceSummary`],
  [allocatableModeling, `${PREFIX}AllocatableModeling`],
  [resourceModel, `${PREFIX}ResourceModel`],
  [resourceModelRange, `${PREFIX}ResourceModelRange`],
]);

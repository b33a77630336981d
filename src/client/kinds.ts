// Descriptors of the resources that the product itself works with, so that nobody spells a path twice.
import type {
  Cluster,
  ClusterDeletionPolicy,
  ClusterOverridePolicy,
  ClusterPackage,
  ClusterPropagationPolicy,
  ClusterResourceBinding,
  DeletionPolicy,
  KubeObject,
  OverridePolicy,
  Package,
  PackageInfo,
  PackageRepository,
  PropagationPolicy,
  ResourceBinding,
  Work,
} from '../api/index.ts';
import { resource, type Resource } from './resource.ts';

function of<T extends KubeObject = KubeObject>(
  group: string,
  version: string,
  plural: string,
  namespaced: boolean,
): Resource<T> {
  return resource<T>({ group, version, resource: plural, namespaced });
}

const packageGroup = 'packages.glasskube.dev';
const rbac = 'rbac.authorization.k8s.io';

export const kinds = {
  namespaces: of('', 'v1', 'namespaces', false),
  configMaps: of('', 'v1', 'configmaps', true),
  secrets: of('', 'v1', 'secrets', true),
  services: of('', 'v1', 'services', true),
  serviceAccounts: of('', 'v1', 'serviceaccounts', true),
  nodes: of('', 'v1', 'nodes', false),
  pods: of('', 'v1', 'pods', true),
  events: of('', 'v1', 'events', true),
  leases: of('coordination.k8s.io', 'v1', 'leases', true),
  priorityClasses: of('scheduling.k8s.io', 'v1', 'priorityclasses', false),
  clusterRoles: of(rbac, 'v1', 'clusterroles', false),
  clusterRoleBindings: of(rbac, 'v1', 'clusterrolebindings', false),
  customResourceDefinitions: of('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', false),
  clusters: of<Cluster>('cluster.karmada.io', 'v1alpha1', 'clusters', false),
  propagationPolicies: of<PropagationPolicy>('policy.karmada.io', 'v1alpha1', 'propagationpolicies', true),
  clusterPropagationPolicies: of<ClusterPropagationPolicy>(
    'policy.karmada.io',
    'v1alpha1',
    'clusterpropagationpolicies',
    false,
  ),
  overridePolicies: of<OverridePolicy>('policy.karmada.io', 'v1alpha1', 'overridepolicies', true),
  clusterOverridePolicies: of<ClusterOverridePolicy>(
    'policy.karmada.io',
    'v1alpha1',
    'clusteroverridepolicies',
    false,
  ),
  resourceBindings: of<ResourceBinding>('work.karmada.io', 'v1alpha2', 'resourcebindings', true),
  clusterResourceBindings: of<ClusterResourceBinding>(
    'work.karmada.io',
    'v1alpha2',
    'clusterresourcebindings',
    false,
  ),
  packages: of<Package>(packageGroup, 'v1alpha1', 'packages', true),
  clusterPackages: of<ClusterPackage>(packageGroup, 'v1alpha1', 'clusterpackages', false),
  packageInfos: of<PackageInfo>(packageGroup, 'v1alpha1', 'packageinfos', false),
  packageRepositories: of<PackageRepository>(packageGroup, 'v1alpha1', 'packagerepositories', false),
  deletionPolicies: of<DeletionPolicy>('navarch.io', 'v1alpha1', 'deletionpolicies', true),
  clusterDeletionPolicies: of<ClusterDeletionPolicy>(
    'navarch.io',
    'v1alpha1',
    'clusterdeletionpolicies',
    false,
  ),
  works: of<Work>('work.karmada.io', 'v1alpha1', 'works', true),
} as const;

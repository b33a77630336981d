// The resources that the controllers of this room read and write, as far as they look into them.
import type { Condition, KubeObject } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import type { LabelSelector } from '../machinery/index.ts';

export interface Namespace extends KubeObject {
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] };
}

export interface Secret extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface ClusterRole extends KubeObject {
  readonly rules?: readonly PolicyRule[] | null;
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] };
}

export interface SigningRequestCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastUpdateTime?: string;
  readonly lastTransitionTime?: string;
}

export interface CertificateSigningRequest extends KubeObject {
  readonly spec: {
    /** Base64 of PEM. */
    readonly request: string;
    readonly signerName: string;
    readonly usages?: readonly string[];
    readonly expirationSeconds?: number;
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly status?: {
    readonly conditions?: readonly SigningRequestCondition[];
    /** Base64 of PEM. */
    readonly certificate?: string;
  };
}

const rbac = 'rbac.authorization.k8s.io';

export const resources = {
  namespaces: resource<Namespace>(kinds.namespaces),
  serviceAccounts: kinds.serviceAccounts,
  secrets: resource<Secret>(kinds.secrets),
  events: kinds.events,
  configMaps: resource<ConfigMap>({ group: '', version: 'v1', resource: 'configmaps', namespaced: true }),
  services: resource({ group: '', version: 'v1', resource: 'services', namespaced: true }),
  serviceCidrs: resource({
    group: 'networking.k8s.io',
    version: 'v1',
    resource: 'servicecidrs',
    namespaced: false,
  }),
  endpointSlices: resource({
    group: 'discovery.k8s.io',
    version: 'v1',
    resource: 'endpointslices',
    namespaced: true,
  }),
  clusterRoles: resource<ClusterRole>({
    group: rbac,
    version: 'v1',
    resource: 'clusterroles',
    namespaced: false,
  }),
  clusterRoleBindings: kinds.clusterRoleBindings,
  roles: resource({ group: rbac, version: 'v1', resource: 'roles', namespaced: true }),
  roleBindings: resource({ group: rbac, version: 'v1', resource: 'rolebindings', namespaced: true }),
  persistentVolumeClaims: resource({
    group: '',
    version: 'v1',
    resource: 'persistentvolumeclaims',
    namespaced: true,
  }),
  persistentVolumes: resource({ group: '', version: 'v1', resource: 'persistentvolumes', namespaced: false }),
  priorityClasses: kinds.priorityClasses,
  certificateSigningRequests: resource<CertificateSigningRequest>({
    group: 'certificates.k8s.io',
    version: 'v1',
    resource: 'certificatesigningrequests',
    namespaced: false,
  }),
  subjectAccessReviews: resource({
    group: 'authorization.k8s.io',
    version: 'v1',
    resource: 'subjectaccessreviews',
    namespaced: false,
  }),
} as const;

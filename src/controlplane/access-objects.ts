// Who may do what on a fresh hub, besides Kubernetes' own roles: people who view and edit policies, the administrator's way to
// members, and the path by which an agent gets from a bootstrap token to rights of its own.
import { dump } from 'js-yaml';
import { PACKAGES_GROUP, karmadaKinds, navarchKinds, packageKinds, type KubeObject } from '../api/index.ts';
import { packageRoles } from '../packaging/index.ts';
import { AGENT_ORGANIZATION, AGENT_USER_PREFIX } from './agent-approval.ts';

const RBAC = 'rbac.authorization.k8s.io';
const BOOTSTRAP_GROUP = 'system:bootstrappers:karmada:default-cluster-token';
const LABELS = { 'karmada.io/bootstrapping': 'rbac-defaults' };
const POLICY_RESOURCES = ['propagationpolicies', 'clusterpropagationpolicies'];
const BINDING_RESOURCES = ['resourcebindings', 'clusterresourcebindings'];
const SUSPEND = ['get', 'list', 'watch', 'suspend', 'resume'];
const VIEW = ['get', 'list', 'watch'];
const EDIT = ['create', 'delete', 'deletecollection', 'patch', 'update'];

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

/** By name, not by `*`: that would open subresources too, and with clusters/proxy every member. */
function rulesFor(verbs: readonly string[]): readonly Rule[] {
  const byGroup = Map.groupBy(
    [...karmadaKinds, ...navarchKinds, ...packageKinds].filter(({ namespaced }) => namespaced),
    ({ group }) => group,
  );
  return [...byGroup].map(([group, kinds]) => ({
    apiGroups: [group],
    resources: kinds.flatMap(({ plural, versions }) =>
      versions.some(({ subresources }) => subresources?.status !== undefined)
        ? [plural, `${plural}/status`]
        : [plural],
    ),
    verbs,
  }));
}

function clusterRole(name: string, rules: readonly Rule[], labels: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: { ...LABELS, ...labels } },
    rules,
  };
}

function clusterBinding(name: string, role: string, kind: 'User' | 'Group', subject: string): KubeObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: LABELS },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: RBAC, kind, name: subject }],
  };
}

function signingPermission(name: string, subresource: string, group: string): readonly KubeObject[] {
  const rule = {
    apiGroups: ['certificates.k8s.io'],
    resources: [`certificatesigningrequests/${subresource}`],
    verbs: ['create'],
  };
  return [clusterRole(name, [rule]), clusterBinding(name, name, 'Group', group)];
}

/** What an unknown agent may read before it has any identity: where the hub is, and whom to trust. */
function clusterInfo({ server, certificateAuthority }: HubAddress): readonly KubeObject[] {
  const name = 'system:karmada:bootstrap-signer-clusterinfo';
  const namespace = 'kube-public';
  const kubeconfig = dump(
    {
      apiVersion: 'v1',
      kind: 'Config',
      preferences: {},
      'current-context': '',
      clusters: [
        {
          name: '',
          cluster: {
            server,
            'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64'),
          },
        },
      ],
      contexts: [],
      users: [],
    },
    { lineWidth: -1 },
  );
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cluster-info', namespace, labels: LABELS },
      data: { kubeconfig },
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata: { name, namespace, labels: LABELS },
      rules: [
        { apiGroups: [''], resources: ['configmaps'], resourceNames: ['cluster-info'], verbs: ['get'] },
      ],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace, labels: LABELS },
      roleRef: { apiGroup: RBAC, kind: 'Role', name },
      subjects: [{ apiGroup: RBAC, kind: 'User', name: 'system:anonymous' }],
    },
  ];
}

/** Where others find the hub, and whom they are to trust. */
export interface HubAddress {
  /** `https://host:port`. */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
}

export function accessObjects(hub: HubAddress): readonly KubeObject[] {
  const generator = 'system:karmada:agent-rbac-generator';
  return [
    clusterRole('karmada-view', rulesFor(VIEW), {
      [`${RBAC}/aggregate-to-view`]: 'true',
    }),
    clusterRole('karmada-edit', rulesFor(EDIT), {
      [`${RBAC}/aggregate-to-edit`]: 'true',
    }),
    // People who may suspend and resume, and change nothing otherwise; whoever edits may do it too.
    clusterRole('navarch:suspender', [
      { apiGroups: ['policy.karmada.io'], resources: POLICY_RESOURCES, verbs: SUSPEND },
      { apiGroups: ['work.karmada.io'], resources: BINDING_RESOURCES, verbs: SUSPEND },
      { apiGroups: ['cluster.karmada.io'], resources: ['clusters'], verbs: SUSPEND },
      { apiGroups: ['navarch.io'], resources: ['fleetpackages', 'clusterfleetpackages'], verbs: SUSPEND },
    ]),
    clusterRole(
      'navarch:suspension-edit',
      [
        {
          apiGroups: [PACKAGES_GROUP],
          resources: ['packages', 'packagesuspensions'],
          verbs: ['suspend', 'resume'],
        },
        {
          apiGroups: ['policy.karmada.io'],
          resources: ['propagationpolicies'],
          verbs: ['suspend', 'resume'],
        },
        { apiGroups: ['work.karmada.io'], resources: ['resourcebindings'], verbs: ['suspend', 'resume'] },
        { apiGroups: ['navarch.io'], resources: ['fleetpackages'], verbs: ['suspend', 'resume'] },
      ],
      { [`${RBAC}/aggregate-to-edit`]: 'true' },
    ),
    // Explanations and previews decide as the control plane does, whoever asks.
    clusterRole('navarch:control-plane-view', [
      { apiGroups: ['navarch.io'], resources: ['controlplanes'], verbs: VIEW },
    ]),
    clusterBinding(
      'navarch:control-plane-view',
      'navarch:control-plane-view',
      'Group',
      'system:authenticated',
    ),
    ...packageRoles(),
    clusterRole('cluster-proxy-admin', [
      { apiGroups: ['cluster.karmada.io'], resources: ['clusters/proxy'], verbs: ['*'] },
    ]),
    clusterBinding('cluster-proxy-admin', 'cluster-proxy-admin', 'User', 'system:admin'),
    // Who the hub's own kubeconfig names: members are told by name whom the hub may speak for.
    clusterBinding('cluster-proxy-karmada-admin', 'cluster-proxy-admin', 'User', 'karmada-admin'),
    ...clusterInfo(hub),
    clusterRole(generator, [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['get'] },
    ]),
    clusterBinding(generator, generator, 'User', `${AGENT_USER_PREFIX}rbac-generator`),
    // Kubernetes brings it with nodes, which a control plane has none of.
    clusterRole('system:node-bootstrapper', [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests'],
        verbs: ['create', 'get', 'list', 'watch'],
      },
    ]),
    clusterBinding('system:karmada:agent-bootstrap', 'system:node-bootstrapper', 'Group', BOOTSTRAP_GROUP),
    ...signingPermission(
      'system:karmada:certificatesigningrequest:autoapprover',
      'clusteragent',
      BOOTSTRAP_GROUP,
    ),
    ...signingPermission(
      'system:karmada:certificatesigningrequest:selfautoapprover',
      'selfclusteragent',
      AGENT_ORGANIZATION,
    ),
  ];
}

// What an agent needs: its rights on the control plane, and itself in the member.
import type { KubeObject } from '../../api/index.ts';
import { formatYaml, kinds, resource, type Resource } from '../../client/index.ts';
import type { Discovered } from './discovery.ts';
import type { Identity } from './identity.ts';

const RBAC = 'rbac.authorization.k8s.io';
export const ROLES = resource({ group: RBAC, version: 'v1', resource: 'roles', namespaced: true });
export const ROLE_BINDINGS = resource({
  group: RBAC,
  version: 'v1',
  resource: 'rolebindings',
  namespaced: true,
});
export const DEPLOYMENTS = resource({
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  namespaced: true,
});

export const AGENT = 'karmada-agent';
export const AGENT_ACCOUNT = 'karmada-agent-sa';
export const AGENT_SECRET = 'karmada-kubeconfig';
const SYSTEM = { 'karmada.io/system': 'true' };

export interface Placed {
  readonly resource: Resource;
  readonly object: KubeObject;
}

export function agentUser(cluster: string): string {
  return `system:karmada:agent:${cluster}`;
}

function role(name: string, namespace: string | undefined, rules: readonly object[]): Placed {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  return {
    resource: namespace === undefined ? kinds.clusterRoles : ROLES,
    object: {
      apiVersion: `${RBAC}/v1`,
      kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels: SYSTEM },
      rules,
    },
  };
}

function binding(name: string, namespace: string | undefined, subject: object): Placed {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  return {
    resource: namespace === undefined ? kinds.clusterRoleBindings : ROLE_BINDINGS,
    object: {
      apiVersion: `${RBAC}/v1`,
      kind: `${kind}Binding`,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels: SYSTEM },
      roleRef: { apiGroup: RBAC, kind, name },
      subjects: [subject],
    },
  };
}

/** Upstream's table, and what our own kinds need; created in this order, deleted in the reverse one. */
export function hubRights(cluster: string, clusterNamespace: string): readonly Placed[] {
  const execution = `karmada-es-${cluster}`;
  const name = (what: string): string => `system:karmada:${cluster}:${what}`;
  const user = { apiGroup: RBAC, kind: 'User', name: agentUser(cluster) };
  const clusters = 'cluster.karmada.io';
  const namespace = (of: string): Placed => ({
    resource: kinds.namespaces,
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: of, labels: SYSTEM } },
  });
  return [
    namespace(clusterNamespace),
    namespace(execution),
    role(name('agent'), undefined, [
      { apiGroups: [clusters], resources: ['clusters'], verbs: ['create', 'list', 'watch'] },
      { apiGroups: [clusters], resources: ['clusters'], resourceNames: [cluster], verbs: ['get', 'delete'] },
      { apiGroups: [clusters], resources: ['clusters/status'], resourceNames: [cluster], verbs: ['update'] },
      {
        apiGroups: ['config.karmada.io'],
        resources: ['resourceinterpreterwebhookconfigurations', 'resourceinterpretercustomizations'],
        verbs: ['get', 'list', 'watch'],
      },
      // Beyond upstream's: an agent acts on nothing before it knows how kinds are interpreted.
      { apiGroups: ['navarch.io'], resources: ['resourceinterpretations'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests'],
        verbs: ['get', 'create'],
      },
      { apiGroups: [''], resources: ['services'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
    ]),
    binding(name('agent'), undefined, user),
    role(name('agent-secret'), clusterNamespace, [
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: [cluster, `${cluster}-impersonator`],
        verbs: ['get', 'patch'],
      },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    ]),
    binding(name('agent-secret'), clusterNamespace, user),
    role(name('agent-work'), execution, [
      {
        apiGroups: ['work.karmada.io'],
        resources: ['works'],
        verbs: ['get', 'create', 'list', 'watch', 'update', 'delete'],
      },
      { apiGroups: ['work.karmada.io'], resources: ['works/status'], verbs: ['patch', 'update'] },
    ]),
    binding(name('agent-work'), execution, user),
  ];
}

export interface AgentSettings {
  readonly cluster: string;
  readonly namespace: string;
  readonly clusterNamespace: string;
  /** Of the member, for the cluster proxy. */
  readonly apiEndpoint: string;
  readonly image: string;
  readonly replicas: number;
  readonly provider: string;
  readonly region: string;
  readonly zones: readonly string[];
  readonly proxyServerAddress: string;
  readonly certRotation: boolean;
}

/** The kubeconfig by which the agent reaches the control plane. */
export function agentKubeconfig(
  cluster: string,
  { server, ca }: Discovered,
  { certificate, key }: Identity,
): string {
  const user = agentUser(cluster);
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const context = `${user}@karmada-apiserver`;
  return formatYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'karmada-apiserver',
        cluster: {
          server,
          ...(ca === undefined
            ? { 'insecure-skip-tls-verify': true }
            : { 'certificate-authority-data': encode(ca) }),
        },
      },
    ],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': encode(certificate), 'client-key-data': encode(key) },
      },
    ],
    contexts: [{ name: context, context: { cluster: 'karmada-apiserver', user } }],
    'current-context': context,
  });
}

/** In the member; the Deployment last. */
export function memberObjects(settings: AgentSettings, kubeconfig: string): readonly Placed[] {
  const { namespace } = settings;
  const rules = [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['get'] },
  ];
  return [
    {
      resource: kinds.namespaces,
      object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: SYSTEM } },
    },
    {
      resource: kinds.secrets,
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: AGENT_SECRET, namespace, labels: SYSTEM },
        type: 'Opaque',
        data: { [AGENT_SECRET]: Buffer.from(kubeconfig).toString('base64') },
      },
    },
    role(AGENT, undefined, rules),
    binding(AGENT, undefined, { kind: 'ServiceAccount', name: AGENT_ACCOUNT, namespace }),
    {
      resource: kinds.serviceAccounts,
      object: {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: AGENT_ACCOUNT, namespace, labels: SYSTEM },
      },
    },
    { resource: DEPLOYMENTS, object: deployment(settings) },
  ];
}

function deployment(settings: AgentSettings): KubeObject {
  const labels = { app: AGENT };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: AGENT, namespace: settings.namespace, labels: { ...labels, ...SYSTEM } },
    spec: {
      replicas: settings.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: AGENT_ACCOUNT,
          containers: [
            {
              name: AGENT,
              image: settings.image,
              command: ['navarch', 'agent'],
              args: agentArguments(settings),
              volumeMounts: [{ name: 'kubeconfig', mountPath: '/etc/kubeconfig' }],
            },
          ],
          volumes: [{ name: 'kubeconfig', secret: { secretName: AGENT_SECRET } }],
          tolerations: [{ key: 'node-role.kubernetes.io/master', operator: 'Exists' }],
        },
      },
    },
  };
}

function agentArguments(settings: AgentSettings): readonly string[] {
  const {
    cluster,
    apiEndpoint,
    provider,
    region,
    zones,
    certRotation,
    proxyServerAddress,
    namespace,
    clusterNamespace,
  } = settings;
  return [
    `--karmada-kubeconfig=/etc/kubeconfig/${AGENT_SECRET}`,
    `--cluster-name=${cluster}`,
    `--cluster-api-endpoint=${apiEndpoint}`,
    `--cluster-provider=${provider}`,
    `--cluster-region=${region}`,
    `--cluster-zones=${zones.join(',')}`,
    `--controllers=${certRotation ? '*,certRotation' : '*'}`,
    `--proxy-server-address=${proxyServerAddress}`,
    `--leader-elect-resource-namespace=${namespace}`,
    `--cluster-namespace=${clusterNamespace}`,
    '--cluster-status-update-frequency=10s',
    '--v=2',
  ];
}

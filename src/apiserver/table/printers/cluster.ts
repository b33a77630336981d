// What `kubectl get` prints of what a cluster is made of: namespaces, nodes, configuration, quotas, access.
import type {
  CertificateSigningRequest,
  KubeObject,
  Lease,
  Node,
  PodDisruptionBudget,
  ResourceQuota,
  RoleBinding,
  ServiceAccount,
} from '../../../api/index.ts';
import { formatShortDuration } from '../../../machinery/index.ts';
import type { Printer } from '../../resource.ts';
import { NONE, UNKNOWN, orNone, printer } from '../columns.ts';
import { type Data, nameOf, size } from './fields.ts';

export const namespaces: Printer = printer<KubeObject>('Name|Status|Age', (one) => [
  nameOf(one),
  (one['status'] as Data | undefined)?.['phase'] ?? '',
]);

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function nodeRoles({ metadata }: Node): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) =>
    key.startsWith(ROLE_PREFIX)
      ? [key.slice(ROLE_PREFIX.length)]
      : key === 'kubernetes.io/role' && value !== ''
        ? [value]
        : [],
  );
  return orNone([...new Set(roles.filter((role) => role !== ''))].sort().join(','));
}

export const nodes: Printer = printer<Node>(
  'Name|Status|Roles|Age|Version||Internal-IP|External-IP|OS-Image|Kernel-Version|Container-Runtime',
  (node) => {
    const ready = (node.status?.conditions ?? []).find(({ type }) => type === 'Ready');
    const words = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
    if (node.spec?.unschedulable === true) words.push('SchedulingDisabled');
    const info = node.status?.nodeInfo;
    const address = (kind: string): string =>
      orNone((node.status?.addresses ?? []).find(({ type }) => type === kind)?.address);
    const known = (text: string | undefined): string => (text === undefined || text === '' ? UNKNOWN : text);
    return [
      nameOf(node),
      words.join(','),
      nodeRoles(node),
      info?.kubeletVersion ?? '',
      address('InternalIP'),
      address('ExternalIP'),
      known(info?.osImage),
      known(info?.kernelVersion),
      known(info?.containerRuntimeVersion),
    ];
  },
);

export const serviceAccounts: Printer = printer<ServiceAccount>('Name|Secrets|Age', (one) => [
  nameOf(one),
  (one.secrets ?? []).length,
]);

export const configMaps: Printer = printer<KubeObject>('Name|Data|Age', (one) => [
  nameOf(one),
  size(one['data'] as object | undefined) + size(one['binaryData'] as object | undefined),
]);

export const secrets: Printer = printer<KubeObject>('Name|Type|Data|Age', (one) => [
  nameOf(one),
  one['type'] ?? '',
  size(one['data'] as object | undefined),
]);

export const resourceQuotas: Printer = printer<ResourceQuota>('Name|Request|Limit|Age', (one) => {
  const { hard = {}, used = {} } = one.status ?? {};
  const text = (wanted: boolean): string =>
    Object.keys(hard)
      .filter((name) => name.startsWith('limits.') === wanted)
      .sort()
      .map((name) => `${name}: ${used[name] ?? '0'}/${hard[name]}`)
      .join(', ');
  return [nameOf(one), text(false), text(true)];
});

export const leases: Printer = printer<Lease>('Name|Holder|Age', (one) => [
  nameOf(one),
  one.spec?.holderIdentity ?? '',
]);

export const priorityClasses: Printer = printer<KubeObject>(
  'Name|Value:integer|Global-Default:boolean|Age|PreemptionPolicy',
  (one) => [nameOf(one), one['value'] ?? 0, one['globalDefault'] ?? false, one['preemptionPolicy'] ?? ''],
);

export const runtimeClasses: Printer = printer<KubeObject>('Name|Handler|Age', (one) => [
  nameOf(one),
  one['handler'] ?? '',
]);

export const podDisruptionBudgets: Printer = printer<PodDisruptionBudget>(
  'Name|Min Available|Max Unavailable|Allowed Disruptions:integer|Age',
  (one) => [
    nameOf(one),
    String(one.spec?.minAvailable ?? 'N/A'),
    String(one.spec?.maxUnavailable ?? 'N/A'),
    one.status?.disruptionsAllowed ?? 0,
  ],
);

function subjectsOf(binding: RoleBinding, kind: string): string {
  return (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
}

function roleOf(binding: Partial<RoleBinding>): string {
  const { kind = '', name = '' } = binding.roleRef ?? {};
  return `${kind}/${name}`;
}

const bindingCells = (one: RoleBinding): readonly unknown[] => [
  nameOf(one),
  roleOf(one),
  subjectsOf(one, 'User'),
  subjectsOf(one, 'Group'),
  subjectsOf(one, 'ServiceAccount'),
];

/** Of both kinds of bindings. */
export const roleBindings: Printer = printer<RoleBinding>(
  'Name|Role|Age||Users|Groups|ServiceAccounts',
  bindingCells,
);

export const certificateSigningRequests: Printer = printer<CertificateSigningRequest>(
  'Name|Age|SignerName|Requestor|RequestedDuration|Condition',
  (one) => {
    const { spec }: Partial<CertificateSigningRequest> = one;
    const {
      expirationSeconds,
      signerName = '',
      username = '',
    } = (spec ?? {}) as Partial<CertificateSigningRequest['spec']>;
    const { conditions = [], certificate = '' } = one.status ?? {};
    const has = (type: string): boolean => conditions.some((condition) => condition.type === type);
    const words = [
      ...(has('Approved') || has('Denied') ? [has('Denied') ? 'Denied' : 'Approved'] : ['Pending']),
      ...(has('Failed') ? ['Failed'] : []),
      ...(certificate === '' ? [] : ['Issued']),
    ];
    const duration = expirationSeconds === undefined ? NONE : formatShortDuration(expirationSeconds * 1000);
    return [nameOf(one), signerName, username, duration, words.join(',')];
  },
);

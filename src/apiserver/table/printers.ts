// The columns of built-in kinds, as kubectl shows them.
import type {
  CertificateSigningRequest,
  Container,
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  Endpoints,
  EndpointSlice,
  Event,
  HorizontalPodAutoscaler,
  Ingress,
  IngressClass,
  Job,
  KubeObject,
  Lease,
  LabelSelector,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PodTemplate,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  RoleBinding,
  Scale,
  Service,
  ServiceAccount,
  StatefulSet,
} from '../../api/index.ts';
import { labelSelectorFor } from '../../machinery/index.ts';
import type { Printer } from '../resource.ts';
import { formatAge, formatShortDuration } from '../../machinery/index.ts';
import { NONE, UNKNOWN, UNSET, joined, labelText, orNone, printer } from './columns.ts';
import { summarizePod } from './pod-status.ts';

type Data = Readonly<Record<string, unknown>>;

const nameOf = ({ metadata }: { metadata: { name?: string } }): string => metadata.name ?? '';
const size = (value: object | undefined | null): number =>
  value === undefined || value === null ? 0 : Object.keys(value).length;

function containersOf(
  spec: { readonly containers?: readonly Container[] } | undefined,
): readonly [string, string] {
  const list = spec?.containers ?? [];
  return [list.map(({ name }) => name).join(','), list.map(({ image }) => image ?? '').join(',')];
}

function selectorOf(selector: LabelSelector | undefined): string {
  return selector === undefined ? NONE : orNone(labelSelectorFor(selector).toString());
}

// ---- workloads

export const pods: Printer = printer<Pod>(
  'Name|Ready|Status|Restarts|Age||IP|Node|Nominated Node|Readiness Gates',
  (pod, nowMs) => {
    const { ready, status, restarts } = summarizePod(pod, nowMs);
    const gates = pod.spec?.readinessGates ?? [];
    const open = gates.filter(({ conditionType }) =>
      (pod.status?.conditions ?? []).some(
        ({ type, status: held }) => type === conditionType && held === 'True',
      ),
    );
    return [
      nameOf(pod),
      ready,
      status,
      restarts,
      orNone(pod.status?.podIP ?? pod.status?.podIPs?.[0]?.ip),
      orNone(pod.spec?.nodeName),
      orNone(pod.status?.nominatedNodeName),
      gates.length === 0 ? NONE : `${open.length}/${gates.length}`,
    ];
  },
);

export const podTemplates: Printer = printer<PodTemplate>('Name|Containers|Images|Pod Labels', (one) => [
  nameOf(one),
  ...containersOf(one.template?.spec),
  labelText(one.template?.metadata?.labels),
]);

export const deployments: Printer = printer<Deployment>(
  'Name|Ready|Up-to-date|Available|Age||Containers|Images|Selector',
  (one) => [
    nameOf(one),
    `${one.status?.readyReplicas ?? 0}/${one.spec?.replicas ?? 0}`,
    one.status?.updatedReplicas ?? 0,
    one.status?.availableReplicas ?? 0,
    ...containersOf(one.spec?.template.spec),
    selectorOf(one.spec?.selector),
  ],
);

/** What a scale subresource shows of any kind. */
export const scales: Printer = printer<Scale>('Name|Desired|Available|Age', (one) => [
  nameOf(one),
  one.spec?.replicas ?? 0,
  one.status?.replicas ?? 0,
]);

export const replicaSets: Printer = printer<ReplicaSet>(
  'Name|Desired|Current|Ready|Age||Containers|Images|Selector',
  (one) => [
    nameOf(one),
    one.spec?.replicas ?? 0,
    one.status?.replicas ?? 0,
    one.status?.readyReplicas ?? 0,
    ...containersOf(one.spec?.template?.spec),
    selectorOf(one.spec?.selector),
  ],
);

export const replicationControllers: Printer = printer<ReplicationController>(
  'Name|Desired|Current|Ready|Age||Containers|Images|Selector',
  (one) => [
    nameOf(one),
    one.spec?.replicas ?? 0,
    one.status?.replicas ?? 0,
    one.status?.readyReplicas ?? 0,
    ...containersOf(one.spec?.template?.spec),
    labelText(one.spec?.selector),
  ],
);

export const statefulSets: Printer = printer<StatefulSet>('Name|Ready|Age||Containers|Images', (one) => [
  nameOf(one),
  `${one.status?.readyReplicas ?? 0}/${one.spec?.replicas ?? 0}`,
  ...containersOf(one.spec?.template.spec),
]);

export const daemonSets: Printer = printer<DaemonSet>(
  'Name|Desired|Current|Ready|Up-to-date|Available|Node Selector|Age||Containers|Images|Selector',
  (one) => [
    nameOf(one),
    one.status?.desiredNumberScheduled ?? 0,
    one.status?.currentNumberScheduled ?? 0,
    one.status?.numberReady ?? 0,
    one.status?.updatedNumberScheduled ?? 0,
    one.status?.numberAvailable ?? 0,
    labelText(one.spec?.template.spec?.nodeSelector),
    ...containersOf(one.spec?.template.spec),
    selectorOf(one.spec?.selector),
  ],
);

export const controllerRevisions: Printer = printer<ControllerRevision>(
  'Name|Controller|Revision|Age',
  (one) => {
    const owner = one.metadata.ownerReferences?.find(({ controller }) => controller === true);
    const [group = ''] = owner?.apiVersion.includes('/') === true ? owner.apiVersion.split('/') : [''];
    const called =
      owner === undefined
        ? NONE
        : `${owner.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${owner.name}`;
    return [nameOf(one), called, one.revision];
  },
);

function jobStatus(job: Job): string {
  const holds = (type: string): boolean =>
    (job.status?.conditions ?? []).some((one) => one.type === type && one.status === 'True');
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (holds('Suspended')) return 'Suspended';
  if (holds('FailureTarget')) return 'FailureTarget';
  if (holds('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

export const jobs: Printer = printer<Job>(
  'Name|Status|Completions|Duration|Age||Containers|Images|Selector',
  (job, nowMs) => {
    const { completions, parallelism = 0 } = job.spec ?? {};
    const { succeeded = 0, startTime, completionTime } = job.status ?? {};
    const wanted = completions ?? (parallelism > 1 ? `1 of ${parallelism}` : 1);
    const until = completionTime === undefined ? nowMs : Date.parse(completionTime);
    return [
      nameOf(job),
      jobStatus(job),
      `${succeeded}/${wanted}`,
      startTime === undefined ? '' : formatShortDuration(until - Date.parse(startTime)),
      ...containersOf(job.spec?.template.spec),
      selectorOf(job.spec?.selector),
    ];
  },
);

export const cronJobs: Printer = printer<CronJob>(
  'Name|Schedule|Timezone|Suspend|Active|Last Schedule|Age||Containers|Images|Selector',
  (one, nowMs) => {
    const { lastScheduleTime, active = [] } = one.status ?? {};
    const job = one.spec?.jobTemplate.spec;
    return [
      nameOf(one),
      one.spec?.schedule ?? '',
      orNone(one.spec?.timeZone),
      one.spec?.suspend === true ? 'True' : 'False',
      active.length,
      lastScheduleTime === undefined ? NONE : formatAge(lastScheduleTime, nowMs),
      ...containersOf(job?.template.spec),
      selectorOf(job?.selector),
    ];
  },
);

// ---- services

function externalAddress({ spec, status }: Service): string {
  const external = spec?.externalIPs ?? [];
  if (spec?.type === 'ExternalName') return spec.externalName ?? '';
  if (spec?.type === 'LoadBalancer') {
    const given = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
    const all = [...given, ...external].filter((address) => address !== '');
    return all.length === 0 ? '<pending>' : all.join(',');
  }
  return joined(external);
}

export const services: Printer = printer<Service>(
  'Name|Type|Cluster-IP|External-IP|Port(s)|Age||Selector',
  (one) => {
    const ports = (one.spec?.ports ?? []).map(({ port, nodePort = 0, protocol }) =>
      nodePort === 0 ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
    );
    return [
      nameOf(one),
      one.spec?.type ?? '',
      orNone(one.spec?.clusterIPs?.[0] ?? one.spec?.clusterIP),
      externalAddress(one),
      joined(ports),
      labelText(one.spec?.selector),
    ];
  },
);

/** At most three, and how many more. */
function shortened(list: readonly string[], separator = ','): string {
  if (list.length === 0) return NONE;
  const shown = list.slice(0, 3).join(separator);
  return list.length > 3 ? `${shown} + ${list.length - 3} more...` : shown;
}

export const endpoints: Printer = printer<Endpoints>('Name|Endpoints|Age', (one) => {
  const all = (one.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    addresses.flatMap(({ ip }) => (ports.length === 0 ? [ip] : ports.map(({ port }) => `${ip}:${port}`))),
  );
  return [nameOf(one), shortened(all)];
});

export const endpointSlices: Printer = printer<EndpointSlice>(
  'Name|AddressType|Ports|Endpoints|Age',
  (one) => {
    const ports = (one.ports ?? []).map(({ port, name = '' }) => String(port ?? (name === '' ? '*' : name)));
    const addresses = (one.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
    const portText = ports.length === 0 ? UNSET : shortened(ports);
    return [nameOf(one), one.addressType, portText, addresses.length === 0 ? UNSET : shortened(addresses)];
  },
);

export const ingresses: Printer = printer<Ingress>('Name|Class|Hosts|Address|Ports|Age', (one) => {
  const hosts = (one.spec?.rules ?? []).map(({ host }) => host ?? '').filter((host) => host !== '');
  const addresses = (one.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
  return [
    nameOf(one),
    orNone(one.spec?.ingressClassName),
    hosts.length === 0 ? '*' : shortened(hosts),
    addresses.join(','),
    (one.spec?.tls ?? []).length === 0 ? '80' : '80, 443',
  ];
});

export const ingressClasses: Printer = printer<IngressClass>('Name|Controller|Parameters|Age', (one) => {
  const { kind, name, apiGroup } = one.spec?.parameters ?? {};
  const group = apiGroup === undefined || apiGroup === '' ? '' : `.${apiGroup}`;
  return [nameOf(one), one.spec?.controller ?? '', kind === undefined ? NONE : `${kind}${group}/${name}`];
});

export const networkPolicies: Printer = printer<NetworkPolicy>('Name|Pod-Selector|Age', (one) => [
  nameOf(one),
  selectorOf(one.spec?.podSelector),
]);

export const ipAddresses: Printer = printer<KubeObject>('Name|ParentRef', (one) => {
  const {
    group = '',
    resource = '',
    namespace = '',
    name = '',
  } = ((one['spec'] as Data | undefined)?.['parentRef'] ?? {}) as Record<string, string>;
  return [
    nameOf(one),
    [`${resource}${group === '' ? '' : `.${group}`}`, namespace, name]
      .filter((part) => part !== '')
      .join('/'),
  ];
});

export const serviceCidrs: Printer = printer<KubeObject>('Name|CIDRs|Age', (one) => [
  nameOf(one),
  (((one['spec'] as Data | undefined)?.['cidrs'] as readonly string[] | undefined) ?? []).join(','),
]);

// ---- cluster

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
  'Name|Value|Global-Default|Age|PreemptionPolicy',
  (one) => [nameOf(one), one['value'], one['globalDefault'] ?? false, one['preemptionPolicy'] ?? ''],
);

export const runtimeClasses: Printer = printer<KubeObject>('Name|Handler|Age', (one) => [
  nameOf(one),
  one['handler'] ?? '',
]);

export const podDisruptionBudgets: Printer = printer<PodDisruptionBudget>(
  'Name|Min Available|Max Unavailable|Allowed Disruptions|Age',
  (one) => [
    nameOf(one),
    String(one.spec?.minAvailable ?? 'N/A'),
    String(one.spec?.maxUnavailable ?? 'N/A'),
    one.status?.disruptionsAllowed ?? 0,
  ],
);

// ---- events

function sourceText({ source, reportingComponent }: Event): string {
  const component = source?.component ?? reportingComponent ?? '';
  const host = source?.host ?? '';
  return host === '' ? component : `${component}, ${host}`;
}

function eventCells(event: Event, nowMs: number): readonly unknown[] {
  const first = event.firstTimestamp ?? event.eventTime;
  const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? first;
  const { kind = '', name = '', fieldPath = '' } = event.involvedObject ?? {};
  return [
    formatAge(last, nowMs),
    event.type ?? '',
    event.reason ?? '',
    name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
    (event.message ?? '').trim(),
    fieldPath,
    sourceText(event),
    formatAge(first, nowMs),
    event.series?.count ?? event.count ?? 1,
    nameOf(event),
  ];
}

const EVENT_COLUMNS = 'Last Seen|Type|Reason|Object|Subobject|Source|Message|First Seen|Count|Name';
const EVENT_ORDER = [0, 1, 2, 3, 5, 6, 4, 7, 8, 9];

function eventPrinter(toCore: (object: KubeObject) => Event): Printer {
  const base = printer<KubeObject>(EVENT_COLUMNS, (object, nowMs) => {
    const cells = eventCells(toCore(object), nowMs);
    return EVENT_ORDER.map((index) => cells[index]);
  });
  const wide = new Set(['Subobject', 'Source', 'First Seen', 'Count', 'Name']);
  const columns = base.columns.map((column) => (wide.has(column.name) ? { ...column, priority: 1 } : column));
  return { ...base, columns };
}

export const events: Printer = eventPrinter((object) => object as unknown as Event);

export const newEvents: Printer = eventPrinter(
  (object) =>
    ({
      ...object,
      involvedObject: object['regarding'],
      message: object['note'],
      source: object['deprecatedSource'],
      firstTimestamp: object['deprecatedFirstTimestamp'],
      lastTimestamp: object['deprecatedLastTimestamp'],
      count: object['deprecatedCount'],
      reportingComponent: object['reportingController'],
    }) as unknown as Event,
);

// ---- storage

const SHORT_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modesText(modes: readonly string[] | undefined): string {
  return [...new Set(modes)].map((mode) => SHORT_MODES[mode] ?? mode).join(',');
}

export const persistentVolumes: Printer = printer<PersistentVolume>(
  'Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age||VolumeMode',
  (one) => {
    const { claimRef } = one.spec ?? {};
    const phase = one.metadata.deletionTimestamp === undefined ? (one.status?.phase ?? '') : 'Terminating';
    return [
      nameOf(one),
      one.spec?.capacity?.['storage'] ?? '',
      modesText(one.spec?.accessModes),
      one.spec?.persistentVolumeReclaimPolicy ?? '',
      phase,
      claimRef === undefined ? '' : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`,
      one.spec?.storageClassName ?? '',
      one.spec?.volumeAttributesClassName ?? UNSET,
      one.status?.reason ?? '',
      one.spec?.volumeMode ?? UNSET,
    ];
  },
);

export const persistentVolumeClaims: Printer = printer<PersistentVolumeClaim>(
  'Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age||VolumeMode',
  (one) => {
    const bound = (one.spec?.volumeName ?? '') !== '';
    const phase = one.metadata.deletionTimestamp === undefined ? (one.status?.phase ?? '') : 'Terminating';
    return [
      nameOf(one),
      phase,
      one.spec?.volumeName ?? '',
      bound ? (one.status?.capacity?.['storage'] ?? '') : '',
      bound ? modesText(one.status?.accessModes) : '',
      one.spec?.storageClassName ?? '',
      one.spec?.volumeAttributesClassName ?? UNSET,
      one.spec?.volumeMode ?? UNSET,
    ];
  },
);

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

export const storageClasses: Printer = printer<KubeObject>(
  'Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age',
  (one) => [
    one.metadata.annotations?.[DEFAULT_CLASS] === 'true' ? `${nameOf(one)} (default)` : nameOf(one),
    one['provisioner'] ?? '',
    one['reclaimPolicy'] ?? 'Delete',
    one['volumeBindingMode'] ?? 'Immediate',
    one['allowVolumeExpansion'] ?? false,
  ],
);

const specData = (one: KubeObject): Data => (one['spec'] as Data | undefined) ?? {};

export const csiDrivers: Printer = printer<KubeObject>(
  'Name|AttachRequired|PodInfoOnMount|StorageCapacity|TokenRequests|RequiresRepublish|Modes|Age',
  (one) => {
    const spec = specData(one);
    const audiences = ((spec['tokenRequests'] as readonly { audience: string }[] | undefined) ?? []).map(
      ({ audience }) => audience,
    );
    return [
      nameOf(one),
      spec['attachRequired'] ?? true,
      spec['podInfoOnMount'] ?? false,
      spec['storageCapacity'] ?? false,
      audiences.length === 0 ? UNSET : audiences.join(','),
      spec['requiresRepublish'] ?? false,
      joined(spec['volumeLifecycleModes'] as readonly string[] | undefined),
    ];
  },
);

export const csiNodes: Printer = printer<KubeObject>('Name|Drivers|Age', (one) => [
  nameOf(one),
  ((specData(one)['drivers'] as readonly unknown[] | null | undefined) ?? []).length,
]);

export const volumeAttachments: Printer = printer<KubeObject>('Name|Attacher|PV|Node|Attached|Age', (one) => {
  const spec = specData(one);
  return [
    nameOf(one),
    spec['attacher'] ?? '',
    (spec['source'] as Data | undefined)?.['persistentVolumeName'] ?? '',
    spec['nodeName'] ?? '',
    (one['status'] as Data | undefined)?.['attached'] ?? false,
  ];
});

export const csiStorageCapacities: Printer = printer<KubeObject>('Name|StorageClassName|Capacity', (one) => [
  nameOf(one),
  one['storageClassName'] ?? '',
  one['capacity'] ?? UNSET,
]);

export const volumeAttributesClasses: Printer = printer<KubeObject>('Name|DriverName|Age', (one) => [
  nameOf(one),
  one['driverName'] ?? '',
]);

// ---- access

function subjectsOf(binding: RoleBinding, kind: string): string {
  return (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
}

const bindingCells = (one: RoleBinding): readonly unknown[] => [
  nameOf(one),
  `${one.roleRef.kind}/${one.roleRef.name}`,
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
    const { expirationSeconds, signerName, username } = one.spec;
    const { conditions = [], certificate = '' } = one.status ?? {};
    const has = (type: string): boolean => conditions.some((condition) => condition.type === type);
    const words = [
      ...(has('Approved') || has('Denied') ? [has('Denied') ? 'Denied' : 'Approved'] : ['Pending']),
      ...(has('Failed') ? ['Failed'] : []),
      ...(certificate === '' ? [] : ['Issued']),
    ];
    const duration = expirationSeconds === undefined ? NONE : formatShortDuration(expirationSeconds * 1000);
    return [nameOf(one), signerName, username ?? '', duration, words.join(',')];
  },
);

// ---- autoscaling

function targetText(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageUtilization !== undefined) {
    const now = current?.averageUtilization === undefined ? UNKNOWN : `${current.averageUtilization}%`;
    return `${now}/${target.averageUtilization}%`;
  }
  if (target.averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${target.averageValue}`;
  return `${current?.value ?? UNKNOWN}/${target.value ?? UNKNOWN}`;
}

type Source = { readonly target: MetricTarget; readonly name?: string };

function metricText(spec: MetricSpec, current: MetricStatus | undefined): string {
  const field = `${spec.type.slice(0, 1).toLowerCase()}${spec.type.slice(1)}` as keyof MetricSpec;
  const source = spec[field] as unknown as Source | undefined;
  if (source === undefined) return '<unknown type>';
  const now = (current as unknown as Readonly<Record<string, { current?: MetricValueStatus }>> | undefined)?.[
    field
  ]?.current;
  const text = targetText(source.target, now);
  return spec.type === 'Resource' || spec.type === 'ContainerResource' ? `${source.name}: ${text}` : text;
}

export const horizontalPodAutoscalers: Printer = printer<HorizontalPodAutoscaler>(
  'Name|Reference|Targets|MinPods|MaxPods|Replicas|Age',
  (one) => {
    const { scaleTargetRef, minReplicas, maxReplicas, metrics = [] } = one.spec ?? {};
    const current = one.status?.currentMetrics ?? [];
    const texts = metrics.map((metric, index) => metricText(metric, current?.[index]));
    const [first, second] = texts;
    const shown = [first, second].filter((text) => text !== undefined).join(', ');
    const more = texts.length > 2 ? ` + ${texts.length - 2} more...` : '';
    return [
      nameOf(one),
      `${scaleTargetRef?.kind ?? ''}/${scaleTargetRef?.name ?? ''}`,
      texts.length === 0 ? NONE : shown + more,
      minReplicas === undefined ? UNSET : String(minReplicas),
      maxReplicas ?? 0,
      one.status?.currentReplicas ?? 0,
    ];
  },
);

// ---- registrations

export const webhookConfigurations: Printer = printer<KubeObject>('Name|Webhooks|Age', (one) => [
  nameOf(one),
  ((one['webhooks'] as readonly unknown[] | undefined) ?? []).length,
]);

function paramKindText(paramKind: Data | undefined): string {
  return paramKind === undefined
    ? UNSET
    : `${paramKind['apiVersion'] as string}/${paramKind['kind'] as string}`;
}

export const validatingAdmissionPolicies: Printer = printer<KubeObject>(
  'Name|Validations|ParamKind|Age',
  (one) => [
    nameOf(one),
    ((specData(one)['validations'] as readonly unknown[] | undefined) ?? []).length,
    paramKindText(specData(one)['paramKind'] as Data | undefined),
  ],
);

export const mutatingAdmissionPolicies: Printer = printer<KubeObject>(
  'Name|Mutations|ParamKind|Age',
  (one) => [
    nameOf(one),
    ((specData(one)['mutations'] as readonly unknown[] | undefined) ?? []).length,
    paramKindText(specData(one)['paramKind'] as Data | undefined),
  ],
);

/** Of either sort of policy. */
export const admissionPolicyBindings: Printer = printer<KubeObject>('Name|PolicyName|ParamRef|Age', (one) => {
  const reference = specData(one)['paramRef'] as { name?: string; namespace?: string } | undefined;
  const namespace = reference?.namespace ?? '';
  const text =
    reference === undefined ? UNSET : `${namespace === '' ? '' : `${namespace}/`}${reference.name ?? ''}`;
  return [nameOf(one), specData(one)['policyName'] ?? '', text];
});

export const apiServices: Printer = printer<KubeObject>('Name|Service|Available|Age', (one) => {
  const service = specData(one)['service'] as { name?: string; namespace?: string } | undefined;
  const conditions =
    ((one['status'] as Data | undefined)?.['conditions'] as
      | readonly { type: string; status: string; reason?: string }[]
      | undefined) ?? [];
  const available = conditions.find(({ type }) => type === 'Available');
  const text =
    available === undefined
      ? 'Unknown'
      : available.status === 'False' && (available.reason ?? '') !== ''
        ? `False (${available.reason})`
        : available.status;
  return [
    nameOf(one),
    service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`,
    text,
  ];
});

// What `kubectl get` prints of workloads and what scales them.
import type {
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  Pod,
  PodTemplate,
  ReplicaSet,
  ReplicationController,
  Scale,
  StatefulSet,
} from '../../../api/index.ts';
import { formatAge, formatShortDuration } from '../../../machinery/index.ts';
import type { Printer } from '../../resource.ts';
import { NONE, UNKNOWN, UNSET, labelText, orNone, printer } from '../columns.ts';
import { summarizePod } from '../pod-status.ts';
import { nameOf, containersOf, selectorOf } from './fields.ts';

/** What a row says of a pod that is done. */
const ENDED: Readonly<Record<string, string>> = {
  Succeeded: 'The pod has completed successfully.',
  Failed: 'The pod failed.',
};

const podCells = printer<Pod>(
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

export const pods: Printer = {
  ...podCells,
  conditions(object) {
    const phase = (object as unknown as Pod).status?.phase ?? '';
    const message = ENDED[phase];
    return message === undefined ? [] : [{ type: 'Completed', status: 'True', reason: phase, message }];
  },
};

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
export const scales: Printer = printer<Scale>('Name:string|Desired:integer|Available:integer|Age', (one) => [
  nameOf(one),
  one.spec?.replicas ?? 0,
  one.status?.replicas ?? 0,
]);

export const replicaSets: Printer = printer<ReplicaSet>(
  'Name|Desired:integer|Current:integer|Ready:integer|Age||Containers|Images|Selector',
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
  'Name|Desired:integer|Current:integer|Ready:integer|Age||Containers|Images|Selector',
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
  'Name|Desired:integer|Current:integer|Ready:integer|Up-to-date:integer|Available:integer|Node Selector|Age||Containers|Images|Selector',
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
    return [nameOf(one), called, (one as Partial<ControllerRevision>).revision ?? 0];
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
  'Name|Schedule|Timezone|Suspend:boolean|Active:integer|Last Schedule|Age||Containers|Images|Selector',
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

type Source = { readonly target: MetricTarget; readonly name?: string };

/** Of the CPU or memory of pods or their containers. */
function resourceText({ name = '', target }: Source, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) {
    return `${name}: ${current?.averageValue ?? UNKNOWN}/${target.averageValue}`;
  }
  const percent = (share: number | undefined, otherwise: string): string =>
    share === undefined ? otherwise : `${share}%`;
  const now = percent(current?.averageUtilization, UNKNOWN);
  return `${name}: ${now}/${percent(target.averageUtilization, '<auto>')}`;
}

function metricText(spec: MetricSpec, current: MetricStatus | undefined): string {
  const field = `${spec.type.slice(0, 1).toLowerCase()}${spec.type.slice(1)}` as keyof MetricSpec;
  const source = spec[field] as unknown as Source | undefined;
  if (source === undefined) return '<unknown type>';
  const now = (current as unknown as Readonly<Record<string, { current?: MetricValueStatus }>> | undefined)?.[
    field
  ]?.current;
  if (spec.type === 'Resource' || spec.type === 'ContainerResource') return resourceText(source, now);
  const { averageValue, value } = source.target;
  if (averageValue === undefined) return `${now?.value ?? UNKNOWN}/${value ?? UNKNOWN}`;
  const text = `${now?.averageValue ?? UNKNOWN}/${averageValue}`;
  return spec.type === 'Pods' ? text : `${text} (avg)`;
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

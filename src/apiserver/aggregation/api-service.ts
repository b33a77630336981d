// APIService objects: who answers for a group and version, in which order groups and versions are listed, and what
// their Available condition says. Pure.
import type { APIService, APIServiceCondition } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';

export const GROUP = 'apiregistration.k8s.io';
export const API_SERVICES = 'apiservices';

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface Priority {
  readonly group: number;
  readonly version: number;
}

// COMPAT: upstream's table; which group a short name belongs to follows from it. The first has no APIService.
const GROUP_PRIORITIES: Readonly<Record<string, number>> = {
  [GROUP]: 20_000,
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'admissionregistration.k8s.io': 16_700,
  'apiextensions.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 15_900,
};

/** Where a group and version stand that no APIService of somebody's own says otherwise about. */
export function defaultPriority(group: string, version: string, custom: boolean): Priority {
  const known = GROUP_PRIORITIES[group];
  if (known !== undefined) {
    // The second version of autoscaling stands before its first.
    return { group: known, version: group === '' ? 1 : version === 'v2' ? 30 : 15 };
  }
  // COMPAT: custom resources as upstream registers them; what we serve ourselves beside them as Karmada registers it.
  return custom ? { group: 1000, version: 100 } : { group: 2000, version: 10 };
}

export function serviceOf({ spec }: APIService): ServiceReference | undefined {
  const { service } = spec ?? {};
  if (service === undefined || service === null) return undefined;
  const { namespace = '', name = '', port = 443 } = service;
  return { namespace, name, port };
}

export function priorityOf({ spec }: APIService): Priority {
  return { group: spec?.groupPriorityMinimum ?? 0, version: spec?.versionPriority ?? 0 };
}

export type Availability = Pick<APIServiceCondition, 'status' | 'reason' | 'message'>;

export function availabilityOf({ status }: APIService): APIServiceCondition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Available');
}

export function isAvailable(service: APIService): boolean {
  return availabilityOf(service)?.status === 'True';
}

export const LOCAL: Availability = {
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};

/** The conditions with this availability; undefined when they say so already. */
export function withAvailability(
  service: APIService,
  { status, reason, message }: Availability,
  nowMs: number,
): readonly APIServiceCondition[] | undefined {
  const before = availabilityOf(service);
  if (before?.status === status && before.reason === reason && before.message === message) return undefined;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(nowMs);
  const condition = { type: 'Available', status, reason, message, lastTransitionTime } as APIServiceCondition;
  const all = service.status?.conditions ?? [];
  return before === undefined ? [...all, condition] : all.map((one) => (one === before ? condition : one));
}

// ---- registration of what this server serves itself

export const MANAGED_LABEL = 'kube-aggregator.kubernetes.io/automanaged';
/** Registered once at each start, or for as long as the resource definition is there. */
export type Managed = 'onstart' | 'true';

export interface LocalVersion {
  readonly group: string;
  readonly version: string;
  readonly managed: Managed;
}

export function nameOf({ group, version }: Pick<LocalVersion, 'group' | 'version'>): string {
  return `${version}.${group}`;
}

export function localApiService(local: LocalVersion): APIService {
  const { group, version, managed } = local;
  const priority = defaultPriority(group, version, managed === 'true');
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'APIService',
    metadata: { name: nameOf(local), labels: { [MANAGED_LABEL]: managed } },
    spec: {
      group,
      version,
      groupPriorityMinimum: priority.group,
      versionPriority: priority.version,
    },
  };
}

export type RegistrationStep = 'create' | 'update' | 'delete' | 'none';

/**
 * What has to happen to the APIService of a group and version. Objects without the label belong to somebody else.
 * @param starting also those that are registered once at each start
 */
export function registrationStep(
  found: APIService | undefined,
  wanted: APIService | undefined,
  starting: boolean,
): RegistrationStep {
  if (found === undefined) {
    const once = wanted?.metadata.labels?.[MANAGED_LABEL] === 'onstart';
    return wanted === undefined || (once && !starting) ? 'none' : 'create';
  }
  const managed = found.metadata.labels?.[MANAGED_LABEL];
  if (managed === undefined) return 'none';
  if (wanted === undefined) return managed === 'true' || starting ? 'delete' : 'none';
  const same =
    serviceOf(found) === undefined &&
    found.spec?.groupPriorityMinimum === wanted.spec?.groupPriorityMinimum &&
    found.spec?.versionPriority === wanted.spec?.versionPriority;
  return same ? 'none' : 'update';
}

// Whether what a package brought is working, from what the cluster shows.
import type { KubeObject } from '../api/index.ts';
import { createInterpreter, nativeLayer, thirdPartyLayer } from '../interpreter/index.ts';

export type ObjectHealth =
  | { readonly state: 'Ready' }
  /** It may become ready by itself. */
  | { readonly state: 'Waiting'; readonly why: string }
  | { readonly state: 'Failed'; readonly why: string };

export interface PackageHealth {
  readonly state: 'Ready' | 'Waiting' | 'Failed';
  /** A line each, of what is not ready. */
  readonly problems: readonly string[];
}

const READY: ObjectHealth = { state: 'Ready' };
const interpreter = createInterpreter([thirdPartyLayer(() => ''), nativeLayer(() => '')]);
// COMPAT: Flux says so for a moment after every change.
const NOT_RECONCILED = 'latest generation of object has not been reconciled';

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function conditionOf(object: KubeObject, type: string): Fields | undefined {
  const { conditions } = fieldsOf(object['status']);
  return Array.isArray(conditions)
    ? (conditions as readonly Fields[]).find((one) => one['type'] === type)
    : undefined;
}

function waiting(why: string): ObjectHealth {
  return { state: 'Waiting', why };
}

function workload(object: KubeObject): ObjectHealth {
  const status = fieldsOf(object['status']);
  const wanted = fieldsOf(object['spec'])['replicas'];
  const ready = Number(status['readyReplicas'] ?? 0);
  const observed = Number(status['observedGeneration'] ?? 0);
  if (observed < (object.metadata.generation ?? 0))
    return waiting('its latest change has not been acted on yet');
  const updated = Number(status['updatedReplicas'] ?? 0);
  const wantedCount = typeof wanted === 'number' ? wanted : undefined;
  const isReady = wantedCount === undefined ? ready > 0 : ready === wantedCount && updated >= wantedCount;
  if (!isReady) return waiting(`${ready} of ${wantedCount ?? 1} replicas are ready`);
  // Those that are ready may be those of before, which stay until the new ones are.
  const old = Number(status['replicas'] ?? 0) - updated;
  return old > 0 ? waiting(`${old} of ${ready} ready replicas are still those of before`) : READY;
}

function helmRelease(object: KubeObject): ObjectHealth {
  const ready = conditionOf(object, 'Ready');
  if (ready?.['status'] === 'True') return READY;
  const message = typeof ready?.['message'] === 'string' ? ready['message'] : '';
  if (ready?.['status'] === 'False' && !message.includes(NOT_RECONCILED))
    return { state: 'Failed', why: message === '' ? 'Flux reports a failure' : message };
  return waiting(message === '' ? 'Flux has not installed it yet' : message);
}

function job(object: KubeObject): ObjectHealth {
  const failed = conditionOf(object, 'Failed');
  if (failed?.['status'] === 'True')
    return { state: 'Failed', why: typeof failed['message'] === 'string' ? failed['message'] : 'it failed' };
  return conditionOf(object, 'Complete')?.['status'] === 'True' ? READY : waiting('it has not completed yet');
}

const byCondition =
  (type: string, why: string) =>
  (object: KubeObject): ObjectHealth =>
    conditionOf(object, type)?.['status'] === 'True' ? READY : waiting(why);

const RULES: Readonly<Record<string, (object: KubeObject) => ObjectHealth>> = {
  'apps Deployment': workload,
  'apps StatefulSet': workload,
  'batch Job': job,
  'helm.toolkit.fluxcd.io HelmRelease': helmRelease,
  'apiextensions.k8s.io CustomResourceDefinition': byCondition('Established', 'it is not served yet'),
  'apiregistration.k8s.io APIService': byCondition('Available', 'nobody answers for it yet'),
};
// What these are waiting for need not come: an address from outside, or a pod that uses a volume.
const NEVER_WAITED_FOR: ReadonlySet<string> = new Set([
  'Service',
  'Ingress',
  'PersistentVolumeClaim',
  'PodDisruptionBudget',
  'Pod',
]);

export function objectHealth(object: KubeObject): ObjectHealth {
  const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0]! : '';
  const key = `${group} ${object.kind}`;
  const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined;
  if (rule !== undefined) return rule(object);
  if (NEVER_WAITED_FOR.has(object.kind)) return READY;
  // Both layers answer at once.
  return interpreter.health(object) === false ? waiting('it is not healthy') : READY;
}

/** Of all objects together; undefined stands for one that is not there. */
export function packageHealth(
  objects: readonly { readonly called: string; readonly live: KubeObject | undefined }[],
): PackageHealth {
  const failed: string[] = [];
  const late: string[] = [];
  for (const { called, live } of objects) {
    const health: ObjectHealth = live === undefined ? waiting('it is not there') : objectHealth(live);
    if (health.state === 'Failed') failed.push(`${called}: ${health.why}`);
    else if (health.state === 'Waiting') late.push(`${called}: ${health.why}`);
  }
  if (failed.length > 0) return { state: 'Failed', problems: [...failed, ...late] };
  return late.length > 0 ? { state: 'Waiting', problems: late } : { state: 'Ready', problems: [] };
}

// When a member object of a kind counts as healthy. Kinds that are not here have no say.
import type { KubeObject } from '../../api/index.ts';
import { integerAt, listAt, textAt } from './read.ts';

const count = (object: KubeObject, ...path: readonly string[]): number => integerAt(object, ...path) ?? 0;
const observedLatest = (object: KubeObject): boolean =>
  count(object, 'status', 'observedGeneration') === count(object, 'metadata', 'generation');

function rollout(object: KubeObject): boolean {
  const wanted = integerAt(object, 'spec', 'replicas');
  const updated = count(object, 'status', 'updatedReplicas');
  return (
    observedLatest(object) &&
    (wanted === undefined || updated >= wanted) &&
    count(object, 'status', 'availableReplicas') >= updated
  );
}

function replicaSet(object: KubeObject): boolean {
  const wanted = integerAt(object, 'spec', 'replicas');
  return (
    observedLatest(object) && (wanted === undefined || count(object, 'status', 'availableReplicas') >= wanted)
  );
}

function daemonSet(object: KubeObject): boolean {
  const updated = count(object, 'status', 'updatedNumberScheduled');
  return (
    observedLatest(object) &&
    updated >= count(object, 'status', 'desiredNumberScheduled') &&
    count(object, 'status', 'numberAvailable') >= updated
  );
}

function hasAddress(object: KubeObject): boolean {
  return listAt(object, 'status', 'loadBalancer', 'ingress').some(
    ({ ip, hostname }) => Boolean(ip) || Boolean(hostname),
  );
}

function pod(object: KubeObject): boolean {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Succeeded') return true;
  return (
    phase === 'Running' &&
    listAt(object, 'status', 'conditions').some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

export const nativeHealth: Readonly<Record<string, (observed: KubeObject) => boolean>> = {
  'apps/v1 Deployment': rollout,
  'apps/v1 StatefulSet': rollout,
  'apps/v1 ReplicaSet': replicaSet,
  'apps/v1 DaemonSet': daemonSet,
  'v1 Service': (object) => textAt(object, 'spec', 'type') !== 'LoadBalancer' || hasAddress(object),
  'networking.k8s.io/v1 Ingress': hasAddress,
  'v1 PersistentVolumeClaim': (object) => textAt(object, 'status', 'phase') === 'Bound',
  'v1 Pod': pod,
  'policy/v1 PodDisruptionBudget': (object) =>
    count(object, 'status', 'currentHealthy') >= count(object, 'status', 'desiredHealthy'),
};

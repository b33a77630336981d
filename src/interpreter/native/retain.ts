// Fields that belong to the member: taken over from what is there before an object is written.
import { RETAIN_REPLICAS_LABEL, type JsonObject, type KubeObject } from '../../api/index.ts';
import { integerAt, listAt, objectAt, setIn, textAt, valueAt, withValue } from './read.ts';

type Retain = (desired: KubeObject, observed: KubeObject) => KubeObject;

function keep(desired: KubeObject, observed: KubeObject, path: readonly string[]): KubeObject {
  const value = valueAt(observed, ...path);
  return value === undefined ? desired : withValue(desired, path, value);
}

const deployment: Retain = (desired, observed) => {
  if (desired.metadata.labels?.[RETAIN_REPLICAS_LABEL] !== 'true') return desired;
  const replicas = integerAt(observed, 'spec', 'replicas');
  if (replicas === undefined)
    throw new Error(`Deployment ${observed.metadata.name} in the member has no spec.replicas to keep`);
  return withValue(desired, ['spec', 'replicas'], replicas);
};

/** What the member does not have goes as well, since a pod that runs cannot get it. */
const pod: Retain = (desired, observed) => {
  let next = desired;
  for (const field of ['nodeName', 'serviceAccountName', 'volumes'])
    next = withValue(next, ['spec', field], valueAt(observed, 'spec', field));
  for (const list of ['initContainers', 'containers']) {
    const there = listAt(observed, 'spec', list);
    const containers = listAt(desired, 'spec', list);
    if (containers.length === 0) continue;
    const kept = containers.map((container): JsonObject => {
      const same = there.find(({ name }) => name === container['name']);
      return same === undefined
        ? container
        : setIn(container, ['volumeMounts'], valueAt(same, 'volumeMounts'));
    });
    next = withValue(next, ['spec', list], kept);
  }
  return next;
};

const service: Retain = (desired, observed) => {
  let next = desired;
  if ((integerAt(observed, 'spec', 'healthCheckNodePort') ?? 0) > 0)
    next = keep(next, observed, ['spec', 'healthCheckNodePort']);
  if (textAt(observed, 'spec', 'clusterIP') === '') return next;
  next = keep(next, observed, ['spec', 'clusterIP']);
  return keep(next, observed, ['spec', 'clusterIPs']);
};

/** The member issues secrets of its own; both lists hold together, ours first. */
const serviceAccount: Retain = (desired, observed) => {
  let next = desired;
  for (const field of ['secrets', 'imagePullSecrets']) {
    const ours = listAt(desired, field);
    const names = new Set(ours.map(({ name }) => name));
    const theirs = listAt(observed, field).filter(({ name }) => !names.has(name));
    if (theirs.length > 0) next = withValue(next, [field], [...ours, ...theirs]);
  }
  return next;
};

const job: Retain = (desired, observed) => {
  const next = keep(desired, observed, ['spec', 'selector', 'matchLabels']);
  return keep(next, observed, ['spec', 'template', 'metadata', 'labels']);
};

const secret: Retain = (desired, observed) =>
  textAt(desired, 'type') === 'kubernetes.io/service-account-token'
    ? keep(desired, observed, ['data'])
    : desired;

const persistentVolume: Retain = (desired, observed) =>
  objectAt(observed, 'spec', 'claimRef') === undefined
    ? desired
    : keep(desired, observed, ['spec', 'claimRef']);

const persistentVolumeClaim: Retain = (desired, observed) =>
  textAt(observed, 'spec', 'volumeName') === '' ? desired : keep(desired, observed, ['spec', 'volumeName']);

export const nativeRetain: Readonly<Record<string, Retain>> = {
  'apps/v1 Deployment': deployment,
  'v1 Pod': pod,
  'v1 Service': service,
  'v1 ServiceAccount': serviceAccount,
  'v1 PersistentVolumeClaim': persistentVolumeClaim,
  'v1 PersistentVolume': persistentVolume,
  'batch/v1 Job': job,
  'v1 Secret': secret,
};

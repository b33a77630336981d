// The innermost layer: Kubernetes' own kinds, in code.
import type { GroupVersionKind, JsonObject, KubeObject } from '../../api/index.ts';
import { formatApiVersion } from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import type { Dependency, InterpreterLayer, Operation, Replicas } from '../interpreter.ts';
import { nativeAggregate } from './aggregate.ts';
import { nativeHealth } from './health.ts';
import { podDependencies } from './pod-dependencies.ts';
import { podRequirements } from './pod-requirements.ts';
import { integerAt, listAt, objectAt, textAt, withValue } from './read.ts';
import { nativeRetain } from './retain.ts';
import { nativeStatus } from './status.ts';

/** Where a kind keeps its pod spec. */
const POD_SPEC: Readonly<Record<string, readonly string[]>> = {
  'apps/v1 Deployment': ['spec', 'template', 'spec'],
  'apps/v1 ReplicaSet': ['spec', 'template', 'spec'],
  'apps/v1 StatefulSet': ['spec', 'template', 'spec'],
  'apps/v1 DaemonSet': ['spec', 'template', 'spec'],
  'batch/v1 Job': ['spec', 'template', 'spec'],
  'batch/v1 CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  'v1 Pod': ['spec'],
};

const REPLICAS_FIELD: Readonly<Record<string, string>> = {
  'apps/v1 Deployment': 'replicas',
  'apps/v1 ReplicaSet': 'replicas',
  'apps/v1 StatefulSet': 'replicas',
  'batch/v1 Job': 'parallelism',
};

const VOLUME_SECRETS: readonly (readonly [path: readonly string[], name: string, namespace: string])[] = [
  ...['controllerPublish', 'controllerExpand', 'nodeStage', 'nodePublish', 'nodeExpand'].map(
    (use): [string[], string, string] => [['csi', `${use}SecretRef`], 'name', 'namespace'],
  ),
  ...['cephfs', 'cinder', 'flexVolume', 'iscsi', 'rbd', 'scaleIO', 'storageos'].map(
    (source): [string[], string, string] => [[source, 'secretRef'], 'name', 'namespace'],
  ),
  [['azureFile'], 'secretName', 'secretNamespace'],
];

/** Secrets that a volume is mounted with. Upstream follows what needs something only from within a namespace. */
function volumeSecrets(volume: KubeObject): readonly Dependency[] {
  const found = VOLUME_SECRETS.map(([path, name, namespace]) => {
    const source = objectAt(volume, 'spec', ...path);
    return [textAt(source, namespace), textAt(source, name)] as const;
  }).filter(([namespace, name]) => namespace !== '' && name !== '');
  const each = new Map(found.map(([namespace, name]) => [`${namespace}/${name}`, { namespace, name }]));
  return [...each.values()].map((secret) => ({ apiVersion: 'v1', kind: 'Secret', ...secret }));
}

const OTHER_DEPENDENCIES: Readonly<Record<string, (object: KubeObject) => readonly Dependency[]>> = {
  'networking.k8s.io/v1 Ingress': (object) => {
    const namespace = object.metadata.namespace ?? '';
    const names = new Set(listAt(object, 'spec', 'tls').map((tls) => textAt(tls, 'secretName')));
    names.delete('');
    return [...names].map((name) => ({ apiVersion: 'v1', kind: 'Secret', namespace, name }));
  },
  'v1 PersistentVolume': volumeSecrets,
  'multicluster.x-k8s.io/v1alpha1 ServiceImport': (object) => {
    const { namespace = '', name = '' } = object.metadata;
    const derived = `derived-${name}`;
    const labelSelector = { matchLabels: { 'kubernetes.io/service-name': derived } };
    return [
      { apiVersion: 'v1', kind: 'Service', namespace, name: derived },
      { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace, labelSelector },
    ];
  },
};

function nameOf(kind: GroupVersionKind): string {
  return `${formatApiVersion(kind)} ${kind.kind}`;
}

function kindOf(object: KubeObject): string {
  return `${object.apiVersion} ${object.kind}`;
}

function podSpecOf(object: KubeObject): JsonObject {
  return objectAt(object, ...(POD_SPEC[kindOf(object)] ?? [])) ?? {};
}

function replicasOf(object: KubeObject): number {
  const name = kindOf(object);
  if (name === 'v1 Pod') return 1;
  const wanted = integerAt(object, 'spec', REPLICAS_FIELD[name] ?? '') ?? 0;
  if (name !== 'batch/v1 Job') return wanted;
  const completions = integerAt(object, 'spec', 'completions');
  return completions === undefined ? wanted : Math.min(wanted, completions);
}

function dependenciesOf(object: KubeObject): readonly Dependency[] {
  const other = OTHER_DEPENDENCIES[kindOf(object)];
  if (other !== undefined) return other(object);
  const found = podDependencies(podSpecOf(object), object.metadata.namespace ?? '');
  if (kindOf(object) !== 'apps/v1 StatefulSet') return found;
  // Claims that the StatefulSet makes itself are none that must be there first.
  const templates = new Set(
    listAt(object, 'spec', 'volumeClaimTemplates').map((claim) => textAt(claim, 'metadata', 'name')),
  );
  return found.filter(({ kind, name = '' }) => kind !== 'PersistentVolumeClaim' || !templates.has(name));
}

const TABLES: Readonly<Record<Operation, (name: string) => boolean>> = {
  InterpretReplica: (name) => Object.hasOwn(REPLICAS_FIELD, name) || name === 'v1 Pod',
  InterpretComponent: () => false,
  ReviseReplica: (name) => Object.hasOwn(REPLICAS_FIELD, name),
  Retain: (name) => Object.hasOwn(nativeRetain, name),
  InterpretStatus: (name) => Object.hasOwn(nativeStatus, name),
  AggregateStatus: (name) => Object.hasOwn(nativeAggregate, name),
  InterpretHealth: (name) => Object.hasOwn(nativeHealth, name),
  InterpretDependency: (name) => Object.hasOwn(POD_SPEC, name) || Object.hasOwn(OTHER_DEPENDENCIES, name),
};

/** The entry for an object's kind; asked only for kinds that the layer has. */
function entry<T>(table: Readonly<Record<string, T>>, object: KubeObject): T {
  const found = table[kindOf(object)];
  assert(found !== undefined, `the native interpreter does not have this operation for ${kindOf(object)}`);
  return found;
}

export interface NativeOptions {
  /** Gate ResourceQuotaEstimate: requirements also name the priority class, which quotas may ask for. */
  readonly priorityClasses?: boolean;
}

function requirementsOf(object: KubeObject, { priorityClasses }: NativeOptions): Replicas['requirements'] {
  const podSpec = podSpecOf(object);
  const requirements = podRequirements(podSpec);
  const priorityClassName = priorityClasses === true ? textAt(podSpec, 'priorityClassName') : '';
  // COMPAT: only beside other requirements.
  return requirements === undefined || priorityClassName === ''
    ? requirements
    : { ...requirements, priorityClassName };
}

/** @param now the time of conditions that an aggregation finds to have become true, RFC 3339 */
export function nativeLayer(now: () => string, options: NativeOptions = {}): InterpreterLayer {
  return {
    has: (kind, operation) => TABLES[operation](nameOf(kind)),
    replicas: (object): Replicas => ({
      replicas: replicasOf(object),
      requirements: requirementsOf(object, options),
    }),
    components: () => [],
    revise(object, replicas) {
      const field = entry(REPLICAS_FIELD, object);
      return integerAt(object, 'spec', field) === undefined
        ? object
        : withValue(object, ['spec', field], replicas);
    },
    retain: (desired, observed) => entry(nativeRetain, desired)(desired, observed),
    status: (observed) => entry(nativeStatus, observed)(observed),
    aggregate: (template, items) => entry(nativeAggregate, template)(template, items, now()),
    health: (observed) => entry(nativeHealth, observed)(observed),
    dependencies: dependenciesOf,
  };
}

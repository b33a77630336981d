// Admission that a cluster has and a bare API server has not: what pods and claims get from it when they are made.
import type {
  KubeObject,
  PersistentVolumeClaim,
  PodSpec,
  PriorityClass,
  StorageClass,
  Toleration,
} from '../api/index.ts';
import { forbidden, type AdmissionAttributes, type AdmissionPlugin } from '../machinery/index.ts';
import type { StorageClass as StoredClass } from './kinds.ts';
import { defaultClass } from './volumes/volume-binding.ts';

/** Read at the time of a request; the caches behind it start after the server. */
export interface AdmissionSources {
  priorityClasses(): Iterable<PriorityClass>;
  storageClasses(): readonly StorageClass[];
}

export function memberAdmission(sources: AdmissionSources): AdmissionPlugin[] {
  return [defaultTolerations, priority(sources), defaultStorageClass(sources)];
}

function isNewPod({ operation, group, resource, subresource }: AdmissionAttributes): boolean {
  return operation === 'CREATE' && group === '' && resource === 'pods' && subresource === '';
}

function withSpec(object: KubeObject, spec: unknown): KubeObject {
  return { ...object, spec };
}

const TOLERATION_SECONDS = 300;

/** How long a pod stays on a node that is in trouble when it does not say so itself. */
const defaultTolerations: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: isNewPod,
  mutate({ object }) {
    const spec = object!['spec'] as PodSpec;
    const missing = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].filter(
      (key) => spec.tolerations?.some((toleration) => concerns(toleration, key)) !== true,
    );
    if (missing.length === 0) return object!;
    const added = missing.map((key): Toleration => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: TOLERATION_SECONDS,
    }));
    return withSpec(object!, { ...spec, tolerations: [...(spec.tolerations ?? []), ...added] });
  },
};

function concerns({ key = '', effect }: Toleration, taintKey: string): boolean {
  return (key === '' || key === taintKey) && (effect === undefined || effect === 'NoExecute');
}

const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

/** A pod's priority is the number of its class, or of the default class. */
function priority(sources: AdmissionSources): AdmissionPlugin {
  return {
    name: 'Priority',
    handles: isNewPod,
    mutate({ object, name }) {
      const spec = object!['spec'] as PodSpec;
      const wanted = spec.priorityClassName ?? '';
      if (wanted === '' && spec.priority !== undefined) return object!;
      const found = classFor(wanted, sources.priorityClasses());
      if (found === undefined) {
        const why = `no PriorityClass with name ${wanted} was found`;
        throw forbidden({ group: '', resource: 'pods' }, name, why);
      }
      const { className, value, preemptionPolicy } = found;
      return withSpec(object!, {
        ...spec,
        priority: value,
        preemptionPolicy: spec.preemptionPolicy ?? preemptionPolicy,
        ...(className === '' ? {} : { priorityClassName: className }),
      });
    },
  };
}

interface Priority {
  readonly className: string;
  readonly value: number;
  readonly preemptionPolicy: 'Never' | 'PreemptLowerPriority';
}

function classFor(wanted: string, classes: Iterable<PriorityClass>): Priority | undefined {
  if (Object.hasOwn(SYSTEM_CLASSES, wanted)) {
    return { className: wanted, value: SYSTEM_CLASSES[wanted]!, preemptionPolicy: 'PreemptLowerPriority' };
  }
  let chosen: PriorityClass | undefined;
  for (const one of classes) {
    if (wanted !== '') {
      if (one.metadata.name === wanted) chosen = one;
    } else if (one.globalDefault === true && (one.value ?? 0) < (chosen?.value ?? Infinity)) {
      chosen = one;
    }
  }
  if (chosen === undefined) {
    return wanted === '' ? { className: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' } : undefined;
  }
  return {
    className: chosen.metadata.name ?? '',
    value: chosen.value ?? 0,
    preemptionPolicy: chosen.preemptionPolicy ?? 'PreemptLowerPriority',
  };
}

/** A claim that names no class gets the default one. */
function defaultStorageClass(sources: AdmissionSources): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: ({ operation, group, resource, subresource }) =>
      operation === 'CREATE' && group === '' && resource === 'persistentvolumeclaims' && subresource === '',
    mutate({ object }) {
      const spec = object!['spec'] as NonNullable<PersistentVolumeClaim['spec']>;
      if (spec.storageClassName !== undefined) return object!;
      const chosen = defaultClass(sources.storageClasses() as readonly StoredClass[]);
      return chosen === undefined
        ? object!
        : withSpec(object!, { ...spec, storageClassName: chosen.metadata.name });
    },
  };
}

// A pod's priority follows from its class, or from the class that is everybody's.
import { deepFreeze, type Pod, type PriorityClass } from '../../api/index.ts';
import { forbidden, type AdmissionPlugin } from '../../machinery/index.ts';
import type { ObjectAccess } from '../object-access.ts';

/** COMPAT: classes that every cluster has, whether anybody stored them or not. */
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

const GROUP = 'scheduling.k8s.io';

interface Priority {
  readonly name: string;
  readonly value: number;
  readonly preemptionPolicy: string;
}

function fromClass(found: PriorityClass): Priority {
  return {
    name: found.metadata.name ?? '',
    value: found.value ?? 0,
    preemptionPolicy: found.preemptionPolicy ?? 'PreemptLowerPriority',
  };
}

export function podPriority(objects: ObjectAccess): AdmissionPlugin {
  const named = async (name: string): Promise<Priority | undefined> => {
    const found = await objects.get(GROUP, 'priorityclasses', '', name);
    if (found !== undefined) return fromClass(found as unknown as PriorityClass);
    const value = Object.hasOwn(SYSTEM_CLASSES, name) ? SYSTEM_CLASSES[name] : undefined;
    return value === undefined ? undefined : { name, value, preemptionPolicy: 'PreemptLowerPriority' };
  };
  const defaultClass = async (): Promise<PriorityClass | undefined> => {
    const all = (await objects.list(GROUP, 'priorityclasses', '')) as unknown as PriorityClass[];
    const [lowest] = all
      .filter(({ globalDefault }) => globalDefault === true)
      .sort((a, b) => (a.value ?? 0) - (b.value ?? 0));
    return lowest;
  };
  const byDefault = async (): Promise<Priority> => {
    const found = await defaultClass();
    return found === undefined
      ? { name: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' }
      : fromClass(found);
  };
  return {
    name: 'Priority',
    handles: ({ operation, group, resource, subresource }) =>
      subresource === '' &&
      ((operation === 'CREATE' && group === '' && resource === 'pods') ||
        (operation !== 'DELETE' && group === GROUP && resource === 'priorityclasses')),
    async mutate({ object, name: podName, resource: kind }) {
      if (kind !== 'pods') return object!;
      const pod = object as unknown as Pod;
      const given = pod.spec?.priorityClassName ?? '';
      const priority = given === '' ? await byDefault() : await named(given);
      const resource = { group: '', resource: 'pods' };
      if (priority === undefined) {
        throw forbidden(resource, podName, `no PriorityClass with name ${given} was found`);
      }
      if (pod.spec?.priority !== undefined && pod.spec.priority !== priority.value) {
        const why = `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority.value} from the given PriorityClass name`;
        throw forbidden(resource, podName, why);
      }
      const { preemptionPolicy = priority.preemptionPolicy } = pod.spec ?? {};
      if (preemptionPolicy !== priority.preemptionPolicy) {
        const why = `the string value of PreemptionPolicy (${preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${priority.preemptionPolicy} from the given PriorityClass name`;
        throw forbidden(resource, podName, why);
      }
      const spec = {
        ...pod.spec,
        ...(priority.name === '' ? {} : { priorityClassName: priority.name }),
        priority: priority.value,
        preemptionPolicy,
      };
      return deepFreeze({ ...pod, spec });
    },
    async validate({ operation, object, name, resource }) {
      if (resource !== 'priorityclasses' || object?.['globalDefault'] !== true) return;
      const other = (await defaultClass())?.metadata.name;
      if (other === undefined || (operation === 'UPDATE' && other === name)) return;
      const why = `PriorityClass ${other} is already marked as default. Only one default can exist`;
      throw forbidden({ group: GROUP, resource }, name, why);
    },
  };
}

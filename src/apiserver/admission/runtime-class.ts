// Pods of a runtime class are as large as the class says, and run where it runs.
import { deepFreeze, type KubeObject, type Pod, type Toleration } from '../../api/index.ts';
import { forbidden, semanticEqual, type AdmissionPlugin } from '../../machinery/index.ts';
import type { ObjectAccess } from '../object-access.ts';

interface RuntimeClass {
  readonly overhead?: { readonly podFixed?: Readonly<Record<string, string>> };
  readonly scheduling?: {
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly tolerations?: readonly Toleration[];
  };
}

const PODS = { group: '', resource: 'pods' } as const;

export function runtimeClasses(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    handles: ({ operation, group, resource, subresource }) =>
      operation === 'CREATE' && group === '' && resource === 'pods' && subresource === '',
    async mutate({ object, name }) {
      const { spec } = object as unknown as Pod;
      const asked = spec?.runtimeClassName;
      if (asked === undefined || asked === '') {
        if (spec?.overhead === undefined) return object!;
        throw forbidden(
          PODS,
          name,
          'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
        );
      }
      const found = await objects.get('node.k8s.io', 'runtimeclasses', '', asked);
      if (found === undefined) {
        throw forbidden(PODS, name, `pod rejected: RuntimeClass ${JSON.stringify(asked)} not found`);
      }
      return withClass(object!, found as unknown as RuntimeClass, name);
    },
  };
}

function withClass(object: KubeObject, { overhead, scheduling }: RuntimeClass, name: string): KubeObject {
  const spec = (object as unknown as Pod).spec!;
  const fixed = overhead?.podFixed;
  if (spec.overhead !== undefined && !semanticEqual(spec.overhead, fixed)) {
    const why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
    throw forbidden(PODS, name, why);
  }
  for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key];
    if (own === undefined || own === value) continue;
    const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
    throw forbidden(PODS, name, why);
  }
  const tolerations = (scheduling?.tolerations ?? []).filter(
    (one) => !(spec.tolerations ?? []).some((own) => semanticEqual(own, one)),
  );
  return deepFreeze({
    ...object,
    spec: {
      ...spec,
      ...(fixed === undefined ? {} : { overhead: fixed }),
      ...(scheduling?.nodeSelector === undefined
        ? {}
        : { nodeSelector: { ...spec.nodeSelector, ...scheduling.nodeSelector } }),
      ...(tolerations.length === 0 ? {} : { tolerations: [...(spec.tolerations ?? []), ...tolerations] }),
    },
  });
}

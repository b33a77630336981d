// Pods of a namespace with limit ranges get its defaults, and must stay inside its bounds.
import {
  deepFreeze,
  type Container,
  type KubeObject,
  type LimitRange,
  type LimitRangeItem,
  type PersistentVolumeClaim,
  type Pod,
  type PodSpec,
} from '../../api/index.ts';
import { Quantity, forbidden, type AdmissionPlugin } from '../../machinery/index.ts';
import type { ObjectAccess } from '../object-access.ts';

type Amounts = Readonly<Record<string, string | number>>;

function itemsOf(ranges: readonly KubeObject[], type: string): readonly LimitRangeItem[] {
  return (ranges as unknown as readonly LimitRange[]).flatMap(({ spec }) =>
    (spec?.limits ?? []).filter((item) => item.type === type),
  );
}

function withDefaults(container: Container, items: readonly LimitRangeItem[]): Container {
  let { limits, requests } = (container.resources ?? {}) as { limits?: Amounts; requests?: Amounts };
  for (const item of items) {
    limits = { ...item.default, ...limits };
    requests = { ...item.defaultRequest, ...requests };
  }
  const filled = (amounts: Amounts | undefined): boolean => Object.keys(amounts ?? {}).length > 0;
  const resources = {
    ...container.resources,
    ...(filled(limits) ? { limits } : {}),
    ...(filled(requests) ? { requests } : {}),
  };
  return { ...container, resources };
}

/** What is out of bounds, in kube-apiserver's words. */
function violations(item: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  const found: string[] = [];
  const per = item.type;
  for (const [name, min] of Object.entries(item.min ?? {})) {
    const [request, limit] = [Quantity.tryParse(requests[name]), Quantity.tryParse(limits[name])];
    const bound = Quantity.parse(min);
    if (request === undefined)
      found.push(`minimum ${name} usage per ${per} is ${min}.  No request is specified`);
    else if (request.nanos < bound.nanos)
      found.push(`minimum ${name} usage per ${per} is ${min}, but request is ${request.toString()}`);
    if (limit !== undefined && limit.nanos < bound.nanos)
      found.push(`minimum ${name} usage per ${per} is ${min}, but limit is ${limit.toString()}`);
  }
  for (const [name, max] of Object.entries(item.max ?? {})) {
    const [request, limit] = [Quantity.tryParse(requests[name]), Quantity.tryParse(limits[name])];
    const bound = Quantity.parse(max);
    if (limit === undefined) {
      if (per === 'Container' || per === 'Pod')
        found.push(`maximum ${name} usage per ${per} is ${max}.  No limit is specified`);
    } else if (limit.nanos > bound.nanos) {
      found.push(`maximum ${name} usage per ${per} is ${max}, but limit is ${limit.toString()}`);
    }
    if (request !== undefined && request.nanos > bound.nanos)
      found.push(`maximum ${name} usage per ${per} is ${max}, but request is ${request.toString()}`);
  }
  return found;
}

function podViolations(spec: PodSpec, items: readonly LimitRangeItem[]): string[] {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap(({ resources = {} }) =>
    items.flatMap((item) => violations(item, resources.requests ?? {}, resources.limits ?? {})),
  );
}

export function limitRanger(objects: ObjectAccess): AdmissionPlugin {
  const rangesOf = (namespace: string): Promise<readonly KubeObject[]> =>
    objects.list('', 'limitranges', namespace);
  return {
    name: 'LimitRanger',
    handles: ({ operation, group, resource, subresource }) =>
      operation === 'CREATE' &&
      group === '' &&
      (resource === 'pods' || resource === 'persistentvolumeclaims') &&
      subresource === '',
    async mutate({ object, resource, namespace }) {
      if (resource !== 'pods') return object!;
      const items = itemsOf(await rangesOf(namespace), 'Container');
      if (items.length === 0) return object!;
      const pod = object as unknown as Pod;
      const spec = {
        ...pod.spec,
        containers: (pod.spec?.containers ?? []).map((one) => withDefaults(one, items)),
        ...(pod.spec?.initContainers === undefined
          ? {}
          : { initContainers: pod.spec.initContainers.map((one) => withDefaults(one, items)) }),
      };
      return deepFreeze({ ...pod, spec });
    },
    async validate({ object, resource, namespace, name }) {
      const ranges = await rangesOf(namespace);
      if (ranges.length === 0) return;
      const found =
        resource === 'pods'
          ? podViolations((object as unknown as Pod).spec!, itemsOf(ranges, 'Container'))
          : itemsOf(ranges, 'PersistentVolumeClaim').flatMap((item) =>
              violations(
                item,
                (object as unknown as PersistentVolumeClaim).spec?.resources?.requests ?? {},
                {},
              ),
            );
      if (found.length === 0) return;
      const text = found.length === 1 ? found[0]! : `[${found.join(', ')}]`;
      throw forbidden({ group: '', resource }, name, text);
    },
  };
}

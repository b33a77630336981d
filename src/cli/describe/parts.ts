// What descriptions of several kinds have in common.
import type { KubeObject } from '../../api/index.ts';
import { annotations, at, labels, listAt, longTime, textAt, type Description } from './text.ts';

export interface Described {
  /** Lists objects of another resource in the namespace of the object. */
  readonly others: (
    group: string,
    version: string,
    resource: string,
    namespace?: string,
  ) => Promise<readonly KubeObject[]>;
  /** One object of another resource; undefined when it is not there. */
  readonly find: (
    group: string,
    version: string,
    resource: string,
    namespace: string,
    name: string,
  ) => Promise<KubeObject | undefined>;
}

export type Describer = (out: Description, object: KubeObject, around: Described) => void | Promise<void>;

export function header(out: Description, object: KubeObject): void {
  out.field(0, 'Name', object.metadata.name ?? '');
  // COMPAT: the field is there for objects that have none.
  out.field(0, 'Namespace', object.metadata.namespace ?? '');
  labels(out, object);
  annotations(out, object);
}

export function named(out: Description, object: KubeObject): void {
  out.field(0, 'Name', object.metadata.name ?? '');
  if (object.metadata.namespace !== undefined) out.field(0, 'Namespace', object.metadata.namespace);
}

export function workload(out: Description, object: KubeObject, created: boolean): void {
  named(out, object);
  if (created) out.field(0, 'CreationTimestamp', longTime(object.metadata.creationTimestamp ?? ''));
}

/** COMPAT: three addresses, and how many more. */
export function endpointsOf(slices: readonly KubeObject[], portName: string): string {
  if (slices.length === 0) return '<none>';
  const addresses = slices.flatMap((slice) => {
    const port = listAt(slice, 'ports').find((one) => textAt(one, 'name') === portName);
    if (port === undefined) return [];
    return listAt(slice, 'endpoints')
      .filter((one) => at(one, 'conditions', 'ready') !== false)
      .flatMap((one) =>
        ((at(one, 'addresses') as readonly string[] | undefined) ?? []).map(
          (address) => `${address}:${textAt(port, 'port')}`,
        ),
      );
  });
  if (addresses.length === 0) return '';
  const more = addresses.length > 3 ? ` + ${addresses.length - 3} more...` : '';
  return `${addresses.slice(0, 3).join(',')}${more}`;
}

export function owner(out: Description, object: KubeObject): void {
  const controller = (object.metadata.ownerReferences ?? []).find((one) => one.controller === true);
  if (controller !== undefined) out.field(0, 'Controlled By', `${controller.kind}/${controller.name}`);
}

export function conditions(out: Description, object: KubeObject): void {
  const all = listAt(object, 'status', 'conditions');
  if (all.length === 0) return;
  out.line(0, 'Conditions:\n  Type\tStatus\tReason');
  out.line(1, '----\t------\t------');
  for (const one of all)
    out.line(1, `${textAt(one, 'type')} \t${textAt(one, 'status')}\t${textAt(one, 'reason')}`);
}

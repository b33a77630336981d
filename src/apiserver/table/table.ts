// Objects as rows of a meta.k8s.io Table: what `kubectl get` prints.
import type { JsonObject, KubeObject, ListMeta } from '../../api/index.ts';
import { badRequest, goQuote } from '../../machinery/index.ts';
import type { ResourceCall } from '../call.ts';
import type { ColumnDefinition, Printer } from '../resource.ts';
import { formatAge } from '../../machinery/index.ts';
import { scales } from './printers.ts';

type IncludeObject = 'None' | 'Metadata' | 'Object';

export function parseIncludeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  if (value === '') return 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  const why = "must be 'Metadata', 'Object', 'None', or empty";
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${goQuote(value)}: ${why}`,
  );
}

const NAME: ColumnDefinition = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  priority: 0,
};

/** Of kinds that brought no columns. */
const plainPrinter: Printer = {
  columns: [
    NAME,
    {
      name: 'Created At',
      type: 'date',
      format: '',
      description: 'When the server created the object.',
      priority: 0,
    },
  ],
  cells: ({ metadata }) => [metadata.name ?? '', metadata.creationTimestamp ?? ''],
};

/** Of custom resources that brought no columns. */
export const nameAndAge: Printer = {
  columns: [
    NAME,
    {
      name: 'Age',
      type: 'date',
      format: '',
      description: 'When the server created the object.',
      priority: 0,
    },
  ],
  cells: ({ metadata }, nowMs) => [metadata.name ?? '', formatAge(metadata.creationTimestamp, nowMs)],
};

export function tableOf(call: ResourceCall, objects: readonly KubeObject[], metadata: ListMeta): KubeObject {
  return tableRows(call, objects, metadata, true);
}

export function tableRows(
  call: ResourceCall,
  objects: readonly KubeObject[],
  metadata: ListMeta,
  withColumns: boolean,
): KubeObject {
  const { version, definition } = call.served;
  const printer =
    (call.subresource?.projection === undefined ? version.printer : scales) ??
    (definition.custom === true ? nameAndAge : plainPrinter);
  const apiVersion = `meta.k8s.io/${call.representation.metaVersion}`;
  const include = parseIncludeObject(call.request.query);
  const nowMs = call.core.clock.now();
  const inOrder = printer.order === undefined ? objects : objects.toSorted(printer.order);
  const rows = inOrder.map((object) => {
    const conditions = printer.conditions?.(object) ?? [];
    return {
      cells: printer.cells(object, nowMs),
      ...(conditions.length === 0 ? {} : { conditions }),
      ...rowObject(object, include, apiVersion),
    };
  });
  return {
    kind: 'Table',
    apiVersion,
    metadata,
    // COMPAT: null where a watch has sent them already.
    columnDefinitions: withColumns ? printer.columns : null,
    rows,
  };
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

function rowObject(object: KubeObject, include: IncludeObject, apiVersion: string): JsonObject {
  // COMPAT: the end of what was there at first is always told.
  const ends = object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true';
  if (include === 'None' && !ends) return { object: null };
  if (include === 'Object') return { object: object as unknown as JsonObject };
  return {
    object: { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata as unknown as JsonObject },
  };
}

// What `kubectl get` prints of a custom resource: the columns of its definition.
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  KubeObject,
} from '../../api/index.ts';
import { JsonPathError, compileFieldPath } from '../../machinery/index.ts';
import type { ColumnDefinition, Printer } from '../resource.ts';
import { formatAge } from '../../machinery/index.ts';

const NAME: ColumnDefinition = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'The name of the object, unique among those of its kind and namespace.',
  priority: 0,
};

function columnDefinition(column: CustomResourceColumnDefinition): ColumnDefinition {
  const { name, type, format = '', description = '', priority = 0, jsonPath } = column;
  return {
    name,
    type: type as ColumnDefinition['type'],
    format,
    description:
      description === ''
        ? `Custom resource definition column (in JSONPath format): ${jsonPath}`
        : description,
    priority,
  };
}

/** A value as a cell of a column of this type; null where it does not fit. */
function cell(type: string, value: unknown, nowMs: number): unknown {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : formatAge(value, nowMs);
    default:
      return null;
  }
}

/** COMPAT: of several values the first is shown, and what a path does not fit is shown as nothing. */
function firstValue(find: (data: unknown) => readonly unknown[], object: KubeObject): unknown {
  try {
    return find(object)[0];
  } catch (error) {
    if (error instanceof JsonPathError) return undefined;
    throw error;
  }
}

/** The printer of a version; undefined when it brings no columns. */
export function printerOf(version: CustomResourceDefinitionVersion): Printer | undefined {
  const { additionalPrinterColumns: columns = [] } = version;
  if (columns.length === 0) return undefined;
  const finders = columns.map(({ type, jsonPath }) => ({ type, find: compileFieldPath(jsonPath) }));
  return {
    columns: [NAME, ...columns.map(columnDefinition)],
    cells: (object: KubeObject, nowMs) => [
      object.metadata.name ?? '',
      ...finders.map(({ type, find }) => {
        const value = firstValue(find, object);
        return value === undefined || value === null ? null : cell(type, value, nowMs);
      }),
    ],
  };
}

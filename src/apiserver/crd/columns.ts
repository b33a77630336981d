// What `kubectl get` prints of a custom resource: the columns of its definition.
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  KubeObject,
} from '../../api/index.ts';
import { JsonPathError, compileFieldPath, goJson, goNumber } from '../../machinery/index.ts';
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
      return shownText(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      if (value === '' || value === 'null') return '<unknown>';
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : formatAge(value, nowMs);
    default:
      return null;
  }
}

function shownText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return goNumber(value);
  // COMPAT: what Go's templates print where there is nothing.
  return value === null ? '<no value>' : goJson(value);
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

/** COMPAT: a column whose path cannot be read is left out, and so are those after it. */
function compiled(path: string): ReturnType<typeof compileFieldPath> | undefined {
  try {
    return compileFieldPath(path);
  } catch (error) {
    if (error instanceof JsonPathError) return undefined;
    throw error;
  }
}

/** The printer of a version; undefined when it brings no columns. */
export function printerOf(version: CustomResourceDefinitionVersion): Printer | undefined {
  const { additionalPrinterColumns: columns = [] } = version;
  if (columns.length === 0) return undefined;
  const finders: { readonly type: string; readonly find: (data: unknown) => readonly unknown[] }[] = [];
  for (const { type, jsonPath } of columns) {
    const find = compiled(jsonPath);
    if (find === undefined) break;
    finders.push({ type, find });
  }
  return {
    columns: [NAME, ...columns.slice(0, finders.length).map(columnDefinition)],
    cells: (object: KubeObject, nowMs) => [
      object.metadata.name ?? '',
      ...finders.map(({ type, find }) => {
        const value = firstValue(find, object);
        if (value === undefined || (value === null && type !== 'string')) return null;
        return cell(type, value, nowMs);
      }),
    ],
  };
}

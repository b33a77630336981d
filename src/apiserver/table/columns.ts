// Shorthand for the tables of built-in kinds.
import type { KubeObject } from '../../api/index.ts';
import type { ColumnDefinition, Printer } from '../resource.ts';
import { formatAge } from '../../machinery/index.ts';

type Cells<T> = (object: T, nowMs: number) => readonly unknown[];

/**
 * @param names separated by `|`; those after `||` only show with `-o wide`. Where `Age` stands among them, the cell
 *   is filled in; `cells` gives all others in order.
 */
export function printer<T>(names: string, cells: Cells<T>): Printer {
  const [narrow = '', wide = ''] = names.split('||');
  const columnsOf = (part: string, priority: number): ColumnDefinition[] =>
    part === ''
      ? []
      : part.split('|').map((name) => ({
          name,
          // COMPAT: kube-apiserver calls all cells of its own kinds strings, numbers too.
          type: 'string',
          format: name === 'Name' ? 'name' : '',
          description: '',
          priority,
        }));
  const columns = [...columnsOf(narrow, 0), ...columnsOf(wide, 1)];
  const age = columns.findIndex(({ name }) => name === 'Age');
  return {
    columns,
    cells(object: KubeObject, nowMs: number): readonly unknown[] {
      const given = cells(object as unknown as T, nowMs);
      if (age < 0) return given;
      return [
        ...given.slice(0, age),
        formatAge(object.metadata.creationTimestamp, nowMs),
        ...given.slice(age),
      ];
    },
  };
}

export const NONE = '<none>';
export const UNSET = '<unset>';
export const UNKNOWN = '<unknown>';

export function orNone(text: string | undefined): string {
  return text === undefined || text === '' ? NONE : text;
}

export function joined(list: readonly string[] | undefined): string {
  return orNone((list ?? []).join(','));
}

/** `a=b,c=d`, sorted. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  return orNone(
    Object.entries(labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
  );
}

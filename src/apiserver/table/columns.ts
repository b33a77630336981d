// Shorthand for the tables of built-in kinds.
import type { KubeObject, LabelSelector } from '../../api/index.ts';
import type { ColumnDefinition, Printer } from '../resource.ts';
import { formatAge } from '../../machinery/index.ts';

type Cells<T> = (object: T, nowMs: number) => readonly unknown[];

function columnOf(text: string, priority: number): ColumnDefinition {
  const [name = '', kind = name === 'Name' ? 'string/name' : 'string'] = text.split(':');
  const [type = '', format = ''] = kind.split('/');
  return { name, type: type as ColumnDefinition['type'], format, description: '', priority };
}

/**
 * @param names separated by `|`; those after `||` only show with `-o wide`. What is no text says so: `Ready:integer`.
 *   Where `Age` stands among them, the cell is filled in; `cells` gives all others in order.
 */
export function printer<T>(names: string, cells: Cells<T>): Printer {
  const [narrow = '', wide = ''] = names.split('||');
  const columnsOf = (part: string, priority: number): ColumnDefinition[] =>
    part === '' ? [] : part.split('|').map((text) => columnOf(text, priority));
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

/** COMPAT: a label selector as Go prints it where upstream takes no trouble. */
export function goSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels)
    .map(([key, value]) => `${key}: ${value},`)
    .sort()
    .join('');
  const expressions = matchExpressions
    .map(({ key, operator, values = [] }) => `{${key} ${operator} [${values.join(' ')}]},`)
    .join('');
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
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

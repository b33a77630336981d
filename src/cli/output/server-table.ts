// Tables as servers make them (meta/v1 Table), put together from several requests and printed as kubectl does.
import type { KubeObject } from '../../api/index.ts';
import { formatColumns } from './tab-writer.ts';

export interface TableColumn {
  readonly name: string;
  readonly type?: string;
  readonly format?: string;
  /** 0 always, above only with `-o wide`. */
  readonly priority?: number;
}

export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object?: Partial<KubeObject>;
}

export interface ServerTable {
  readonly kind: 'Table';
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly columnDefinitions?: readonly TableColumn[] | null;
  readonly rows?: readonly TableRow[] | null;
}

export const TABLE_ACCEPT = [
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=Table;v=v1beta1;g=meta.k8s.io',
  'application/json',
].join(',');

export interface TableStyle {
  readonly wide: boolean;
  readonly noHeaders: boolean;
  readonly withNamespace: boolean;
  /** `deployment.apps`: in front of names. */
  readonly kindPrefix?: string;
  readonly showLabels: boolean;
  readonly labelColumns: readonly string[];
}

/** Lines of text as cells: header first, unless there is none. Empty tables have no lines. */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly TableRow[],
  style: TableStyle,
): readonly (readonly string[])[] {
  if (rows.length === 0) return [];
  const shown = columns.flatMap((column, index) =>
    style.wide || (column.priority ?? 0) === 0 ? [{ column, index }] : [],
  );
  const lines = rows.map((row) => {
    const { metadata } = row.object ?? {};
    return [
      ...(style.withNamespace ? [metadata?.namespace ?? ''] : []),
      ...shown.map(({ index }, at) => {
        const text = cellText(row.cells[index]);
        return at === 0 && style.kindPrefix !== undefined ? `${style.kindPrefix}/${text}` : text;
      }),
      ...style.labelColumns.map((label) => metadata?.labels?.[label] ?? ''),
      ...(style.showLabels ? [labelsText(metadata?.labels)] : []),
    ];
  });
  if (style.noHeaders) return lines;
  const header = [
    ...(style.withNamespace ? ['NAMESPACE'] : []),
    ...shown.map(({ column }) => column.name.toUpperCase()),
    ...style.labelColumns.map((label) => (label.split('/').at(-1) ?? label).toUpperCase()),
    ...(style.showLabels ? ['LABELS'] : []),
  ];
  return [header, ...lines];
}

/** @param remembered widths of columns printed before, for watches */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly TableRow[],
  style: TableStyle,
  remembered?: number[],
): string {
  return formatColumns(tableLines(columns, rows, style), remembered);
}

/** One line, whatever the value holds. */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return '<none>';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const end = text.search(/[\n\r\f]/);
  const line = end < 0 ? text : `${text.slice(0, end)}...`;
  // What a terminal would act on is shown instead.
  return line
    .replaceAll('\t', ' ')
    .replaceAll(/\p{Cc}/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).join(',');
}

// The table of `get`: the server's columns with CLUSTER second and ADOPTION last, one group a kind.
import { kindWithGroup } from '../objects/index.ts';
import { formatTable, type TableColumn, type TableRow } from '../output/index.ts';
import { CONTROL_PLANE, type GetFlags } from './flags.ts';
import type { Fetched, Part } from './fetch.ts';

const MANAGED = 'karmada.io/managed';

/** COMPAT: whose pods they are is asked less often than where they run: only with -o wide. */
export function columnsFor(
  part: Pick<Part, 'resource'>,
  columns: readonly TableColumn[],
): readonly TableColumn[] {
  const [first, ...rest] = columns;
  const priority = part.resource.group === '' && part.resource.resource === 'pods' ? 1 : 0;
  return [
    ...(first === undefined ? [] : [first]),
    { name: 'CLUSTER' },
    ...rest,
    { name: 'ADOPTION', priority },
  ];
}

export function rowFor(cluster: string, { cells, object }: TableRow): TableRow {
  const [first, ...rest] = cells;
  return {
    cells: [first, cluster, ...rest, adoption(cluster, object)],
    ...(object === undefined ? {} : { object }),
  };
}

function adoption(cluster: string, object: TableRow['object']): string {
  if (cluster === CONTROL_PLANE) return '-';
  return object?.metadata?.labels?.[MANAGED] === 'true' ? 'Y' : 'N';
}

function resourceText({ resource }: Part): string {
  const { group, version, resource: plural } = resource;
  return `${group}/${version}, Resource=${plural}`;
}

/** Prints all groups; answers whether there was anything. */
export function printTables(fetched: readonly Fetched[], flags: GetFlags): boolean {
  const groups = new Map<string, Part[]>();
  for (const part of fetched.flatMap(({ parts }) => parts)) {
    const key = resourceText(part);
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  const several = groups.size > 1;
  let written = false;
  for (const [, parts] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = groupText(parts, flags, several);
    if (text === '') continue;
    process.stdout.write(written && flags.headers !== false ? `\n${text}` : text);
    written = true;
  }
  return written;
}

function groupText(parts: readonly Part[], flags: GetFlags, several: boolean): string {
  const [first] = parts;
  if (first === undefined) return '';
  // A version of a member may have other columns: rows are read by the widest definition there is.
  const columns = parts.map((part) => part.columns ?? []).reduce((a, b) => (b.length > a.length ? b : a), []);
  const rows = parts.flatMap((part) => (part.rows ?? []).map((row) => rowFor(part.cluster, row)));
  return formatTable(columnsFor(first, columns), rows, {
    wide: flags.output === 'wide',
    noHeaders: flags.headers === false,
    withNamespace: flags.allNamespaces === true && first.resource.namespaced,
    showLabels: flags.showLabels === true,
    labelColumns: flags.labelColumns,
    ...(several || flags.showKind === true ? { kindPrefix: kindWithGroup(first.resource) } : {}),
  });
}

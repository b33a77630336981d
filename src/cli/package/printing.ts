// `-o` of package commands: arrays and documents for programs, tables for people.
import { Option, type Command } from 'commander';
import { formatYaml } from '../../client/index.ts';
import { columns } from '../columns.ts';
import { print } from '../command.ts';

export interface OutputFlags {
  readonly output?: 'json' | 'yaml' | 'wide' | 'name';
  readonly showAll?: boolean;
}

export function withOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml', 'wide', 'name']),
  );
}

/** For commands that print packages as somebody could apply them. */
export function withWholeOutput(command: Command): Command {
  return withOutput(command).option('--show-all', 'print status, labels and annotations of others too');
}

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name?: string };
}

/** False: it is for people, and not printed yet. */
export function printed(
  all: readonly object[],
  { output, showAll }: OutputFlags,
  group = 'packages.glasskube.dev',
): boolean {
  const objects = showAll === true ? all : all.map(withoutManagedFields);
  if (output === 'json') print(JSON.stringify(objects, null, 2));
  else if (output === 'yaml') print(objects.map((one) => formatYaml(one).trimEnd()).join('\n---\n'));
  else if (output === 'name')
    for (const one of objects as readonly Named[])
      print(`${one.kind.toLowerCase()}.${group}/${one.metadata.name ?? ''}`);
  else return false;
  return true;
}

function withoutManagedFields(object: object): object {
  const { metadata, ...rest } = object as { readonly metadata?: Readonly<Record<string, unknown>> };
  if (metadata?.['managedFields'] === undefined) return object;
  const { managedFields: _, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

/** A table without the columns that do not apply. */
export function printTable<T>(
  rows: readonly T[],
  cells: readonly (readonly [header: string, cell: (row: T) => string, shown?: boolean])[],
): void {
  const shown = cells.filter(([, , wanted]) => wanted !== false);
  const header = shown.map(([name]) => name);
  for (const line of columns(
    header,
    rows.map((row) => shown.map(([, cell]) => cell(row))),
  ))
    print(line);
}

// `-o custom-columns`: a column for each `HEADER:path`, a row for each object.
import type { KubeObject } from '../../api/index.ts';
import { compileJsonPath, goValue, relaxedJsonPath } from '../../machinery/index.ts';
import { CommandError } from '../shell/index.ts';
import { formatColumns } from './tab-writer.ts';

interface Column {
  readonly header: string;
  readonly cell: (object: unknown) => string;
}

function columnOf(header: string, path: string): Column {
  const compiled = compileJsonPath(relaxedJsonPath(path), { allowMissingKeys: true });
  return {
    header,
    cell(object) {
      const found = compiled.find(object).flat();
      return found.length === 0 ? '<none>' : found.map((one) => cellText(one)).join(',');
    },
  };
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '<none>';
  return goValue(value);
}

/** `NAME:.metadata.name,IMAGE:.spec.image`. Throws CommandError in kubectl's words. */
export function parseCustomColumns(spec: string): readonly Column[] {
  if (spec === '') throw new CommandError('custom-columns format specified but no custom columns given');
  return spec.split(',').map((part) => {
    const colon = part.indexOf(':');
    if (colon < 0)
      throw new CommandError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return columnOf(part.slice(0, colon), part.slice(colon + 1));
  });
}

/** A file of two lines: headers, and paths below them. */
export function parseColumnsFile(text: string): readonly Column[] {
  const [headers = '', paths = ''] = text.split('\n');
  const names = headers.trim().split(/\s+/);
  const specs = paths.trim().split(/\s+/);
  if (headers.trim() === '' || names.length !== specs.length)
    throw new CommandError(
      `number of headers (${names.length}) and field specifications (${specs.length}) don't match`,
    );
  return names.map((name, index) => columnOf(name, specs[index] ?? ''));
}

export function formatCustomColumns(
  columns: readonly Column[],
  objects: readonly KubeObject[],
  noHeaders: boolean,
): string {
  const rows = objects.map((object) => columns.map(({ cell }) => cell(object)));
  return formatColumns(noHeaders ? rows : [columns.map(({ header }) => header), ...rows]);
}

// Text in columns as Go's tabwriter lays it out, which kubectl's tables and descriptions go through. A column is a run
// of lines that have a cell there, ended by a tab; the text behind a line's last tab belongs to none.

export interface TabSettings {
  readonly minWidth: number;
  readonly padding: number;
  /** Widths of the columns of before, kept and widened in place: for tables that grow line by line. */
  readonly remembered?: number[];
}

/** Tables of `get`. */
const TABLE: TabSettings = { minWidth: 6, padding: 3 };
/** Descriptions. */
export const DESCRIPTION: TabSettings = { minWidth: 0, padding: 2 };

export function alignTabs(text: string, settings: TabSettings): string {
  const ends = text.endsWith('\n');
  const lines = (ends ? text.slice(0, -1) : text).split('\n').map((line) => line.split('\t'));
  return new Layout(lines, settings).write() + (ends ? '\n' : '');
}

class Layout {
  private readonly lines: readonly (readonly string[])[];
  private readonly settings: TabSettings;
  private readonly widths: number[] = [];
  private readonly out: string[] = [];

  constructor(lines: readonly (readonly string[])[], settings: TabSettings) {
    this.lines = lines;
    this.settings = settings;
  }

  write(): string {
    this.format(0, this.lines.length);
    return this.out.join('\n');
  }

  private format(from: number, to: number): void {
    const column = this.widths.length;
    let start = from;
    for (let at = from; at < to; at++) {
      if (!this.hasCell(at, column)) continue;
      this.emit(start, at);
      start = at;
      while (at < to && this.hasCell(at, column)) at++;
      this.widths.push(this.widthOf(column, start, at));
      this.format(start, at);
      this.widths.pop();
      start = at;
      at--;
    }
    this.emit(start, to);
  }

  private hasCell(line: number, column: number): boolean {
    return column < (this.lines[line]?.length ?? 0) - 1;
  }

  private widthOf(column: number, from: number, to: number): number {
    const { minWidth, padding, remembered } = this.settings;
    let width = minWidth;
    for (let at = from; at < to; at++)
      width = Math.max(width, textWidth(this.lines[at]?.[column] ?? '') + padding);
    if (remembered === undefined) return width;
    width = Math.max(width, remembered[column] ?? 0);
    remembered[column] = width;
    return width;
  }

  private emit(from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const cells = this.lines[at] ?? [];
      this.out.push(
        cells
          .map((cell, column) => {
            const width = column < cells.length - 1 ? this.widths[column] : undefined;
            return width === undefined ? cell : cell + ' '.repeat(Math.max(0, width - textWidth(cell)));
          })
          .join(''),
      );
    }
  }
}

/** COMPAT: characters, as Go counts runes, not how wide terminals show them. */
function textWidth(text: string): number {
  let width = 0;
  for (const _ of text) width++;
  return width;
}

/** Rows of cells as a table of `get`. */
export function formatColumns(rows: readonly (readonly string[])[], remembered?: number[]): string {
  if (rows.length === 0) return '';
  const text = rows.map((row) => `${row.join('\t')}\n`).join('');
  return alignTabs(text, remembered === undefined ? TABLE : { ...TABLE, remembered });
}

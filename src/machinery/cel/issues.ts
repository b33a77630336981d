// What is wrong with an expression, where, and with the line it is in: as CEL's compilers show it.

export interface Issue {
  /** UTF-16 offset; undefined: the expression as a whole. */
  readonly at: number | undefined;
  readonly message: string;
}

/** An expression that cannot be compiled. `message` shows every issue. */
export class CompileError extends Error {
  override name = 'CompileError';

  constructor(source: string, issues: readonly Issue[]) {
    super(showIssues(source, issues));
  }
}

// LIMIT: lines longer than this are not shown, and no more issues than these.
const LINE_MAX = 16_384;
const ISSUES_MAX = 100;

function showIssues(source: string, issues: readonly Issue[]): string {
  const sorted = issues.toSorted((a, b) => (a.at ?? -1) - (b.at ?? -1)).slice(0, ISSUES_MAX);
  return sorted.map((issue) => showIssue(source, issue)).join('\n');
}

function showIssue(source: string, { at, message }: Issue): string {
  if (at === undefined) return `ERROR: <input>:-1:0: ${message}`;
  const before = source.slice(0, at).split('\n');
  const column = Array.from(before.at(-1) ?? '').length;
  const heading = `ERROR: <input>:${before.length}:${column + 1}: ${message}`;
  const line = (source.split('\n')[before.length - 1] ?? '').replaceAll('\t', ' ');
  if (line.length > LINE_MAX) return heading;
  const characters = Array.from(line);
  // Characters of more than one byte are taken to be wide.
  const dots = characters.slice(0, column).map((character) => (isWide(character) ? '\uff0e' : '.'));
  return `${heading}\n | ${line}\n | ${dots.join('')}${isWide(characters[column] ?? '') ? '\uff3e' : '^'}`;
}

function isWide(character: string): boolean {
  return (character.codePointAt(0) ?? 0) > 0x7f;
}

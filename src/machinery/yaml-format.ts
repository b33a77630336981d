// Prints JSON values as YAML byte for byte as kubectl does: keys in natural order, lists not indented below their key,
// text quoted only where a reader of kubectl's dialect would take it for something else, long text folded at column 80.
// COMPAT: people compare and pipe the output of both tools.
import { formatGoNumber, readYamlNumber } from './yaml-number.ts';

/** Behind this column the next space becomes a line break. */
const FOLD_COLUMN = 80;
/** LIMIT: of a key on one line, in bytes; longer ones take the form with a question mark. */
const SIMPLE_KEY_BYTES = 128;

type Style = 'plain' | 'single' | 'double' | 'literal';

/** The YAML document of a JSON value, with a line break at its end. Undefined fields are left out. */
export function formatYaml(value: unknown): string {
  const writer = new Writer();
  writer.value(value, 0, 'root');
  return writer.finish();
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keysOf(fields: Fields): string[] {
  return Object.keys(fields)
    .filter((key) => fields[key] !== undefined)
    .sort(naturalOrder);
}

function scalarText(value: unknown): string {
  if (typeof value === 'number') return formatGoNumber(value);
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value ?? null);
}

/** Keeps pieces: to look at the end of a text that grows would put it together anew for each line. */
class Writer {
  private readonly parts: string[] = [];
  /** In characters; astral ones are always escaped, so that units of UTF-16 are characters. */
  private column = 0;
  private isLineOver = true;

  finish(): string {
    if (!this.isLineOver || this.parts.length === 0) this.write('\n');
    return this.parts.join('');
  }

  /**
   * @param indent of the lines of this value, if it has any
   * @param after what stands before it on this line
   */
  value(value: unknown, indent: number, after: 'root' | 'key' | 'dash'): void {
    if (Array.isArray(value)) this.list(value as readonly unknown[], indent, after);
    else if (isFields(value)) this.map(value, indent, after);
    else if (typeof value === 'string') {
      this.space(after);
      this.string(value, after === 'root' ? 0 : indent, false);
    } else {
      this.space(after);
      this.write(scalarText(value));
    }
  }

  private write(text: string): void {
    if (text === '') return;
    this.parts.push(text);
    const end = text.lastIndexOf('\n');
    this.column = end < 0 ? this.column + text.length : text.length - end - 1;
    this.isLineOver = end === text.length - 1;
  }

  private line(indent: number): void {
    if (!this.isLineOver) this.write('\n');
    this.write(' '.repeat(indent));
  }

  private space(after: 'root' | 'key' | 'dash'): void {
    if (after === 'key') this.write(' ');
  }

  private list(items: readonly unknown[], indent: number, after: 'root' | 'key' | 'dash'): void {
    if (items.length === 0) {
      this.space(after);
      this.write('[]');
      return;
    }
    // Below a key the dashes stand under the key itself.
    const at = after === 'key' ? indent - 2 : indent;
    items.forEach((item, index) => {
      if (after !== 'dash' || index > 0) this.line(at);
      this.write('- ');
      this.value(item ?? null, at + 2, 'dash');
    });
  }

  private map(fields: Fields, indent: number, after: 'root' | 'key' | 'dash'): void {
    const keys = keysOf(fields);
    if (keys.length === 0) {
      this.space(after);
      this.write('{}');
      return;
    }
    keys.forEach((key, index) => {
      if (after !== 'dash' || index > 0) this.line(indent);
      if (styleOf(key) === 'literal' || key.includes('\n') || Buffer.byteLength(key) > SIMPLE_KEY_BYTES) {
        this.write('? ');
        this.string(key, indent + 2, false);
        this.line(indent);
      } else {
        this.string(key, indent + 2, true);
      }
      this.write(':');
      this.value(fields[key], indent + 2, 'key');
    });
  }

  private string(text: string, indent: number, isKey: boolean): void {
    // As a key it would be taken for a merge.
    const style = isKey && text === '<<' ? 'double' : styleOf(text);
    if (style === 'literal') this.literal(text, indent);
    else if (style === 'double') this.doubleQuoted(text, indent, isKey);
    else {
      const quote = style === 'single' ? "'" : '';
      this.write(quote);
      this.folded(quote === '' ? text : text.replaceAll("'", "''"), indent, isKey, quote !== '');
      this.write(quote);
    }
  }

  private folded(text: string, indent: number, isKey: boolean, quoted: boolean): void {
    let afterSpace = false;
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const isSpace = text[i] === ' ';
      const inside = !quoted || (i > 0 && i < text.length - 1);
      const isFold = isSpace && !isKey && !afterSpace && inside && text[i + 1] !== ' ';
      if (isFold && this.column + i - from > FOLD_COLUMN) {
        this.write(text.slice(from, i));
        this.line(indent);
        from = i + 1;
      }
      afterSpace = isSpace;
    }
    this.write(text.slice(from));
  }

  private doubleQuoted(text: string, indent: number, isKey: boolean): void {
    let pending = '"';
    let afterSpace = false;
    const characters = Array.from(text);
    characters.forEach((character, i) => {
      const isSpace = character === ' ';
      const inside = i > 0 && i < characters.length - 1;
      if (isSpace && !isKey && !afterSpace && inside && this.column + pending.length > FOLD_COLUMN) {
        this.write(pending);
        this.line(indent);
        pending = characters[i + 1] === ' ' ? '\\' : '';
      } else {
        pending += escaped(character);
      }
      afterSpace = isSpace;
    });
    this.write(`${pending}"`);
  }

  private literal(text: string, indent: number): void {
    const hint = /^[ \n]/.test(text) ? '2' : '';
    const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
    this.write(`|${hint}${chomp}\n`);
    const lines = text.split('\n');
    lines.forEach((line, index) => {
      const last = index === lines.length - 1;
      if (line !== '') this.write(' '.repeat(indent) + line);
      if (!last) this.write('\n');
    });
  }
}

// ---- which strings need quotes

const words = new Set([
  '',
  '~',
  ...'null Null NULL y Y yes Yes YES on On ON true True TRUE'.split(' '),
  ...'n N no No NO off Off OFF false False FALSE'.split(' '),
  ...'.inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF .nan .NaN .NAN'.split(' '),
]);
const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const timestamp =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[-+]\d{2}:\d{2})| (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?)?$/;

function isTimestamp(text: string): boolean {
  const match = timestamp.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, ...clock] = match.slice(1).map((part) => Number(part ?? 0));
  const [hour = 0, minute = 0, second = 0] = match[4] === undefined ? clock.slice(3) : clock;
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60;
}

/** Whether the text, without quotes, would be read as anything but this string. */
function meansSomethingElse(text: string): boolean {
  return words.has(text) || readYamlNumber(text) !== undefined || sexagesimal.test(text) || isTimestamp(text);
}

// Not printable for Go's YAML: control characters, the byte order mark, surrogates and what they stand for.
// eslint-disable-next-line no-control-regex
const special = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
const blockIndicator = /^(?:[#,[\]{}&*!|>'"%@`]|[?:-](?:[ \n]|$)|---|\.\.\.)|:(?:[ \n]|$)| #/;

function styleOf(text: string): Style {
  const multiline = text.includes('\n');
  if (special.test(text)) return 'double';
  if (multiline) return / (?:\n|$)/.test(text) ? 'double' : 'literal';
  if (meansSomethingElse(text)) return 'double';
  return blockIndicator.test(text) || text.startsWith(' ') || text.endsWith(' ') ? 'single' : 'plain';
}

const shortEscapes = new Map([
  ['\0', '\\0'],
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\v', '\\v'],
  ['\f', '\\f'],
  ['\r', '\\r'],
  ['\x1b', '\\e'],
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\x85', '\\N'],
  ['\u2028', '\\L'],
  ['\u2029', '\\P'],
]);

function escaped(character: string): string {
  const short = shortEscapes.get(character);
  if (short !== undefined) return short;
  if (!special.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

// ---- the order of keys

const letter = /\p{L}/u;
const digit = /\d/;

/** The value of the digits from `start` on, and where they end. */
function numberAt(text: string, start: number): { value: number; end: number } {
  let end = start;
  while (digit.test(text[end] ?? '')) end++;
  return { value: end === start ? 0 : Number(text.slice(start, end)), end };
}

function characterAt(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index) ?? 0);
}

/** Letters behind everything else, runs of digits by their value: `a2` before `a10`. */
function naturalOrder(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  if (i === a.length || i === b.length) return a.length - b.length;
  const [characterA, characterB] = [characterAt(a, i), characterAt(b, i)];
  const byCode = characterA.codePointAt(0)! - characterB.codePointAt(0)!;
  const [letterA, letterB] = [letter.test(characterA), letter.test(characterB)];
  if (letterA !== letterB) return letterB ? -1 : 1;
  if (letterA) return byCode;
  const [numberA, numberB] = [numberAt(a, i), numberAt(b, i)];
  // A zero behind other digits makes the number longer, so that the longer one is larger.
  const continued = (a[i] === '0' || b[i] === '0') && /[1-9]\d*$/.test(a.slice(0, i));
  const longer = continued ? numberA.end - numberB.end : 0;
  return longer || numberA.value - numberB.value || numberA.end - numberB.end || byCode;
}

// Text as Go prints it. Clients and people compare Kubernetes' messages word by word, and those carry values
// printed with Go's %q, %v and json.Marshal, which differ from JavaScript's in small ways.

/** Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const PLAIN = /^[ !#-[\]-~]*$/;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

export function isPrintable(character: string): boolean {
  return PRINTABLE.test(character);
}

/** Go's %q: `"a\tb"`. */
export function goQuote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const character of text) {
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) {
      quoted += short;
    } else if (isPrintable(character)) {
      quoted += character;
    } else {
      const code = character.codePointAt(0) ?? 0;
      if (code < 0x80) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
      else if (code >= 0xd800 && code <= 0xdfff) quoted += '\ufffd';
      else if (code < 0x10000) quoted += `\\u${code.toString(16).padStart(4, '0')}`;
      else quoted += `\\U${code.toString(16).padStart(8, '0')}`;
    }
  }
  return `${quoted}"`;
}

/** Go's %v of a float64 with the shortest digits: with an exponent from 1e6 on, and below 1e-4. */
export function goDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(value);
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`;
}

/** Go's %v of a JSON number, which is an integer there when it can be one. */
export function goNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? String(BigInt(value)) : goDouble(value);
}

/** Whether JSON writes it as it is. A loop, since every list item that somebody owns is asked for at every write. */
function isPlainJson(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
    // `"`, `&`, `<`, `>` and the backslash.
    if (code === 0x22 || code === 0x26 || code === 0x3c || code === 0x3e || code === 0x5c) return false;
  }
  return true;
}

/** json.Marshal: as JSON.stringify, with `<`, `>`, `&` and the two line separators escaped. */
export function goJson(value: unknown): string {
  if (typeof value === 'string' && isPlainJson(value)) return `"${value}"`;
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * `%v` of a JSON value inside a message: strings bare, objects as `map[a:1 b:2]` in order of keys.
 * @param number how numbers are written: `goDouble` where they were decoded as floats
 */
export function goValue(value: unknown, number: (value: number) => string = goNumber): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'number') return number(value);
  if (Array.isArray(value)) return `[${value.map((one) => goValue(one, number)).join(' ')}]`;
  if (typeof value === 'object') {
    const fields = sortedEntries(value).map(([key, one]) => `${key}:${goValue(one, number)}`);
    return `map[${fields.join(' ')}]`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function sortedEntries(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** `%T` of a decoded JSON value. */
export function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  return typeof value === 'number' ? 'float64' : typeof value === 'boolean' ? 'bool' : typeof value;
}

/** `%#v` of a JSON value whose numbers were decoded as floats. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (typeof value === 'number') return goDouble(value);
  if (typeof value === 'string') return goQuote(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (typeof value !== 'object') return value === true ? 'true' : 'false';
  const fields = sortedEntries(value).map(([key, one]) => `${goQuote(key)}:${goSyntax(one)}`);
  return `map[string]interface {}{${fields.join(', ')}}`;
}

/** Several errors as Go's aggregates print them: one plain, more in brackets, none twice. */
export function goAggregate(messages: readonly string[]): string {
  const texts = [...new Set(messages)];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

/** Bytes of `text` in UTF-8, which is what Kubernetes' length limits count. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes; everything else above 0x7ff is one unit and three.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

// CEL functions on strings that the language itself does not have.
import type { Environment } from '@marcbachmann/cel-js';

function charAt(text: string, at: bigint): string {
  const index = Number(at);
  const characters = Array.from(text);
  if (index < 0 || index > characters.length) throw new Error(`index out of range: ${index}`);
  return characters[index] ?? '';
}

function replace(text: string, old: string, by: string, limit: number): string {
  if (limit < 0) return text.replaceAll(old, () => by);
  let result = text;
  let from = 0;
  for (let done = 0; done < limit; done++) {
    const at = result.indexOf(old, from);
    if (at < 0) break;
    result = result.slice(0, at) + by + result.slice(at + old.length);
    from = at + by.length + (old === '' ? 1 : 0);
    if (from > result.length) break;
  }
  return result;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (value instanceof Date) return value.toISOString().replace(/\.000Z$/, 'Z');
  if (Array.isArray(value)) return `[${value.map(nested).join(', ')}]`;
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]): [string, string] => [nested(key), nested(item)]);
    return `{${entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${key}: ${item}`)
      .join(', ')}}`;
  }
  return `${value as bigint}`;
}

const nested = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : shown(value));

function formatNumber(verb: string, precision: string, value: unknown): string {
  const number = Number(value);
  const digits = precision === '' ? 6 : Number(precision);
  switch (verb) {
    case 'd':
      return `${value as bigint}`;
    case 'f':
      return number.toFixed(digits);
    case 'e':
      return number.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');
    case 'b':
      return BigInt(value as bigint | boolean).toString(2);
    case 'o':
      return BigInt(value as bigint).toString(8);
    default:
      return hexadecimal(value, verb === 'X');
  }
}

function hexadecimal(value: unknown, upper: boolean): string {
  const text =
    typeof value === 'string' || value instanceof Uint8Array
      ? Buffer.from(value as string).toString('hex')
      : BigInt(value as bigint).toString(16);
  return upper ? text.toUpperCase() : text;
}

/** Go-like verbs: %s %d %f %e %b %o %x %X and %%. */
function format(text: string, values: readonly unknown[]): string {
  let next = 0;
  return text.replaceAll(
    /%(?:%|(?:\.(\d+))?([sdfeboxX])|.?)/g,
    (match, precision: string = '', verb: string = '') => {
      if (match === '%%') return '%';
      if (verb === '')
        throw new Error(
          `could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(match)}`,
        );
      if (next >= values.length) throw new Error(`index ${next} out of range`);
      const value = values[next++];
      return verb === 's' ? shown(value) : formatNumber(verb, precision, value);
    },
  );
}

class StringNamespace {
  readonly kind = 'strings';
}

export function registerStrings(env: Environment): void {
  const space = 'kubernetes.StringNamespace';
  env
    .registerType(space, StringNamespace)
    .registerConstant('strings', space, new StringNamespace())
    .registerFunction(`${space}.quote(string): string`, (_: StringNamespace, text: string) =>
      JSON.stringify(text),
    )
    .registerFunction('string.charAt(int): string', charAt)
    .registerFunction('string.replace(string, string): string', (text: string, old: string, by: string) =>
      replace(text, old, by, -1),
    )
    .registerFunction(
      'string.replace(string, string, int): string',
      (text: string, old: string, by: string, limit: bigint) => replace(text, old, by, Number(limit)),
    )
    .registerFunction('string.reverse(): string', (text: string) => Array.from(text).toReversed().join(''))
    .registerFunction('string.format(list): string', format);
}

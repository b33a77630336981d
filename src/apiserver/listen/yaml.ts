// YAML as Kubernetes reads it: neither YAML 1.1 nor 1.2. Words such as `yes` and `on` are booleans, a leading zero
// makes a number octal, `0o17` does too, and times of day and dates stay strings. Keys are always strings.
// COMPAT: kubectl and kube-apiserver share this dialect, and manifests in the field rely on it.
import {
  FAILSAFE_SCHEMA,
  NOT_RESOLVED,
  YAMLException,
  boolYaml11Tag,
  defineScalarTag,
  floatCoreTag,
  load,
  mergeTag,
  nullYaml11Tag,
} from 'js-yaml';
import { goQuote } from '../../machinery/index.ts';

const SIGNS_AND_DIGITS = Array.from('+-0123456789');
const INTEGER = /^([-+]?)(?:0b([01]+)|0o([0-7]+)|0x([0-9a-f]+)|0([0-7]+)|(0|[1-9][0-9]*))$/i;

function resolveInteger(source: string): number | typeof NOT_RESOLVED {
  const match = INTEGER.exec(source.replaceAll('_', ''));
  if (match === null) return NOT_RESOLVED;
  const [, sign, binary, octalMarked, hexadecimal, octal, decimal] = match;
  const magnitude =
    binary !== undefined
      ? Number.parseInt(binary, 2)
      : hexadecimal !== undefined
        ? Number.parseInt(hexadecimal, 16)
        : decimal !== undefined
          ? Number.parseInt(decimal, 10)
          : Number.parseInt(octalMarked ?? octal ?? '', 8);
  // LIMIT: as in JSON, a number that would lose digits is refused.
  if (!Number.isSafeInteger(magnitude)) throw new Error(`the number ${source} cannot be kept exactly`);
  return sign === '-' ? -magnitude : magnitude;
}

const integerTag = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: SIGNS_AND_DIGITS,
  resolve: resolveInteger,
  identify: (value) => Number.isInteger(value),
});

const floatTag = defineScalarTag('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: ['.', ...SIGNS_AND_DIGITS],
  resolve(source, isExplicit, tagName) {
    const value = floatCoreTag.resolve(source, isExplicit, tagName);
    if (value !== NOT_RESOLVED && !Number.isFinite(value)) throw new Error(`unsupported value: ${source}`);
    return value;
  },
  identify: (value) => typeof value === 'number',
});

const schema = FAILSAFE_SCHEMA.withTags(nullYaml11Tag, boolYaml11Tag, integerTag, floatTag, mergeTag);

// LIMIT: aliases let a few lines stand for billions of values, all of which would be written out as JSON.
const VALUES_LIMIT = 1_000_000;

/**
 * The JSON value of one YAML document; of keys that are given twice the last counts. Throws on malformed text, and where
 * aliases repeat too much or contain themselves.
 */
export function parseYaml(text: string): unknown {
  const value = load(text, { schema, maxDepth: 1000, json: true });
  if (countValues(value, new Map()) > VALUES_LIMIT) throw new Error('document contains excessive aliasing');
  return value;
}

// LIMIT: repeated keys that are told of; each costs another reading of the text.
const REPEATED_LIMIT = 16;

/** The keys that a document gives twice, as upstream's decoder tells of them: `line 4: key "a" already set in map`. */
export function repeatedYamlKeys(text: string): readonly string[] {
  const found: string[] = [];
  let rest = text;
  while (found.length < REPEATED_LIMIT) {
    const mark = firstRepeated(rest);
    if (mark === undefined) break;
    // The mark of a quoted key stands behind the quote.
    const from = mark.position - (/["']/.test(rest[mark.position - 1] ?? '') ? 1 : 0);
    const token = KEY.exec(rest.slice(from))?.[0] ?? '';
    if (token === '') break;
    // COMPAT: the line is that of the value.
    const between = /^\s*:\s*/.exec(rest.slice(from + token.length))?.[0] ?? '';
    const line = mark.line + between.split('\n').length;
    found.push(`line ${line}: key ${goQuote(keyText(token))} already set in map`);
    // Under a name of its own it is in the way of the next one no longer.
    rest = `${rest.slice(0, from)}"\\0${found.length}"${rest.slice(from + token.length)}`;
  }
  return found;
}

const KEY = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^:\n,{}]+)/;

function keyText(token: string): string {
  if (!/^["']/.test(token)) return token.trim();
  return String(load(token, { schema: FAILSAFE_SCHEMA }));
}

function firstRepeated(text: string): { readonly position: number; readonly line: number } | undefined {
  try {
    load(text, { schema, maxDepth: 1000 });
    return undefined;
  } catch (error) {
    if (!(error instanceof YAMLException) || error.reason !== 'duplicated mapping key') return undefined;
    return error.mark;
  }
}

/** How many values the document has when every alias is written out; each object is looked into once. */
function countValues(value: unknown, known: Map<object, number | 'open'>): number {
  if (typeof value !== 'object' || value === null) return 1;
  const before = known.get(value);
  if (before === 'open') throw new Error('an anchor contains itself');
  if (before !== undefined) return before;
  known.set(value, 'open');
  let count = 1;
  for (const child of Object.values(value)) count += countValues(child, known);
  known.set(value, count);
  return count;
}

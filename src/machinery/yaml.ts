// YAML as kubectl reads and prints it, which is neither YAML 1.1 nor 1.2: `yes` and `n` are booleans, 0777 and 0o17 are
// octal, 1_000 is a number, dates and times of day stay strings, keys are always strings, the last of equal keys wins.
// COMPAT: manifests and kubeconfigs in the field rely on it. yaml.test.ts compares with kubectl itself where there is one.
// LIMIT: integers beyond 2^53 lose digits, as everywhere where JSON numbers are JavaScript numbers; parseExactYaml keeps them.
import {
  FAILSAFE_SCHEMA,
  NOT_RESOLVED,
  YAMLException,
  boolYaml11Tag,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  load,
  loadAll,
  mergeTag,
  nullYaml11Tag,
  type LoadOptions,
} from 'js-yaml';
import { OperatingError, errorMessage } from '../base/index.ts';
import { formatGoNumber, readBigInteger, readYamlNumber } from './yaml-number.ts';

export { formatYaml } from './yaml-format.ts';

// What Go reads as numbers that JSON does not have: fine in a key, which is text, and nowhere else.
const notFinite = new Map([
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((text) => [text, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((text) => [text, -Infinity] as const),
  ...['.nan', '.NaN', '.NAN'].map((text) => [text, Number.NaN] as const),
]);

const implicitNumber = {
  implicit: true,
  implicitFirstChars: Array.from('.+-0123456789'),
  identify: () => false,
};
const readNumber = (source: string): number | undefined => notFinite.get(source) ?? readYamlNumber(source);
const numberTag = defineScalarTag('tag:yaml.org,2002:int', {
  ...implicitNumber,
  resolve: (source) => readNumber(source) ?? NOT_RESOLVED,
});
const exactNumberTag = defineScalarTag('tag:yaml.org,2002:int', {
  ...implicitNumber,
  resolve: (source) => readBigInteger(source) ?? readNumber(source) ?? NOT_RESOLVED,
});

const floatTag = defineScalarTag('tag:yaml.org,2002:float', {
  resolve: (source) => readYamlNumber(source) ?? NOT_RESOLVED,
  identify: () => false,
});

const binaryTag = defineScalarTag('tag:yaml.org,2002:binary', {
  resolve: (source) => Buffer.from(source, 'base64').toString('utf8'),
  identify: () => false,
});

const asString = { resolve: (source: string) => source, identify: () => false };
const timestampTag = defineScalarTag('tag:yaml.org,2002:timestamp', asString);
const unknownScalarTag = defineScalarTag('!', { ...asString, matchByTagPrefix: true });

type Fields = Record<string, unknown>;

function keyText(key: unknown): string | undefined {
  if (typeof key === 'string') return key;
  if (typeof key === 'boolean' || typeof key === 'bigint') return String(key);
  if (typeof key !== 'number') return undefined;
  if (Number.isNaN(key)) return '.nan';
  if (Number.isFinite(key)) return Number.isInteger(key) ? String(key) : formatGoNumber(key);
  return key > 0 ? '.inf' : '-.inf';
}

/** What is wrong with a value; empty when nothing is. */
function complaint(value: unknown): string {
  return typeof value === 'number' && !Number.isFinite(value) ? 'infinity and NaN are no values of JSON' : '';
}

const mapOptions = {
  create: (): Fields => ({}),
  addPair(fields: Fields, key: unknown, value: unknown): string {
    const name = keyText(key);
    if (name === undefined) return `${key === null ? 'null' : 'a list or a map'} cannot be a key`;
    // Plain assignment of `__proto__` would change the prototype instead.
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
    return complaint(value);
  },
  has: (fields: Fields, key: unknown) => Object.hasOwn(fields, keyText(key) ?? ''),
  keys: (fields: Fields) => Object.keys(fields),
  get: (fields: Fields, key: unknown) => fields[keyText(key) ?? ''],
  // Having this makes an alias inside of its own anchor an error instead of a circle.
  finalize: (fields: Fields) => fields,
  identify: () => false,
};
const mapTag = defineMappingTag('tag:yaml.org,2002:map', mapOptions);
const setTag = defineMappingTag('tag:yaml.org,2002:set', mapOptions);
const unknownMapTag = defineMappingTag('!', { ...mapOptions, matchByTagPrefix: true });

const listOptions = {
  create: (): unknown[] => [],
  addItem(list: unknown[], item: unknown): string {
    list.push(item);
    return complaint(item);
  },
  finalize: (list: unknown[]) => list,
  identify: () => false,
};
const listTag = defineSequenceTag('tag:yaml.org,2002:seq', listOptions);
const orderedMapTag = defineSequenceTag('tag:yaml.org,2002:omap', listOptions);
const unknownListTag = defineSequenceTag('!', { ...listOptions, matchByTagPrefix: true });

const tags = [
  nullYaml11Tag,
  boolYaml11Tag,
  floatTag,
  binaryTag,
  timestampTag,
  unknownScalarTag,
  mapTag,
  setTag,
  unknownMapTag,
  listTag,
  orderedMapTag,
  unknownListTag,
  mergeTag,
];

// LIMIT: nesting, and aliases per document: each may repeat much, and what repeats is written out in JSON.
const limits: LoadOptions = { json: true, maxDepth: 1000, maxAliases: 1000 };
const options: LoadOptions = { ...limits, schema: FAILSAFE_SCHEMA.withTags(numberTag, ...tags) };
const exactOptions: LoadOptions = { ...limits, schema: FAILSAFE_SCHEMA.withTags(exactNumberTag, ...tags) };

// LIMIT: values that a document comes to when its aliases are written out, which is what reading it as JSON does: a few
// lines that repeat each other several times over would fill any memory.
const WRITTEN_OUT_MAX = 1_000_000;

function refuseBomb(text: string, documents: readonly unknown[]): void {
  if (!text.includes('*')) return;
  const known = new Map<object, number>();
  const sizeOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 1;
    const before = known.get(value);
    if (before !== undefined) return before;
    let size = 1;
    for (const part of Object.values(value)) size += sizeOf(part);
    known.set(value, size);
    return size;
  };
  if (documents.some((document) => sizeOf(document) > WRITTEN_OUT_MAX))
    throw new Error(`its aliases come to more than ${WRITTEN_OUT_MAX} values when they are written out`);
}

function guarded<T>(from: string | undefined, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    const mark = cause instanceof YAMLException ? cause.mark : undefined;
    const at = mark === undefined ? '' : `line ${mark.line + 1}, column ${mark.column + 1}: `;
    const why = cause instanceof YAMLException ? cause.reason : errorMessage(cause);
    throw new OperatingError(
      'YAML_INVALID',
      `${from === undefined ? '' : `${from}: `}${at}${why}`,
      'correct the YAML; tabs cannot indent, and values that begin with a special character need quotes',
    );
  }
}

/** JSON is YAML, but for tabs between its tokens, and reads many times faster as what it is. */
function readJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * The JSON value of a text of one document; undefined when it has none. Throws OperatingError YAML_INVALID.
 * @param from what messages call the text, e.g. its file
 */
export function parseYaml(text: string, from?: string): unknown {
  return readJson(text) ?? guarded(from, () => onlyDocument(text, options));
}

/** As parseYaml; integers of 64 bits that a double cannot hold are bigints. formatYaml prints these. */
export function parseExactYaml(text: string, from?: string): unknown {
  return guarded(from, () => onlyDocument(text, exactOptions));
}

function onlyDocument(text: string, how: LoadOptions): unknown {
  const documents = loadAll(text, how);
  refuseBomb(text, documents);
  return documents.length === 0 ? undefined : documents.length === 1 ? documents[0] : load(text, how);
}

/** All documents that are not empty. Throws OperatingError YAML_INVALID. */
export function parseYamlDocuments(text: string, from?: string): unknown[] {
  const json = readJson(text);
  if (json !== undefined) return [json];
  const documents = guarded(from, () => {
    const all = loadAll(text, options);
    refuseBomb(text, all);
    return all;
  });
  return documents.filter((document) => document !== null && document !== undefined);
}

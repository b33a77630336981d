// Documents inside text fields, as field overriders read and write them. A ConfigMap's `on` must not become a string, nor
// its `"on"` a boolean, and an account number of eighteen digits must keep them all: whatever is not overridden has to
// mean what it meant.
import type { JsonValue } from '../api/index.ts';
import { formatYaml, parseExactYaml } from '../machinery/index.ts';

/** Integers that a double cannot hold are bigints in between, though the type does not say so. */
export interface DocumentText {
  readonly called: 'JSON' | 'YAML';
  /** Throws on what is no such text. */
  parse(text: string): JsonValue;
  print(value: JsonValue): string;
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

// TypeScript does not know either of these yet.
const parseJson = JSON.parse as unknown as (text: string, reviver: Reviver) => JsonValue;
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

const keepDigits: Reviver = (_key, value, { source = '' }) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
    ? BigInt(source)
    : value;

export const jsonText: DocumentText = {
  called: 'JSON',
  parse: (text) => parseJson(text, keepDigits),
  print: (value) =>
    JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? rawJSON(String(one)) : one)),
};

/** JSON is YAML, but for the tabs that it may have between its tokens. */
function jsonIn(text: string): JsonValue | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return jsonText.parse(text);
  } catch {
    return undefined;
  }
}

export const yamlText: DocumentText = {
  called: 'YAML',
  parse: (text) => jsonIn(text) ?? ((parseExactYaml(text) ?? null) as JsonValue),
  print: formatYaml,
};

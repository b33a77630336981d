// YAML inside a field, read and written as Kubernetes does it (sigs.k8s.io/yaml): a field overrider must not turn a
// ConfigMap's `on` into a string, nor its `"on"` into a boolean.
import {
  SCALAR_STYLE_DOUBLE_QUOTED,
  YAML11_SCHEMA,
  dump,
  load,
  strTag,
  timestampTag,
  visit,
  type Document,
} from 'js-yaml';

/** How field overriders read and write YAML; callers may hand in their own. */
export interface YamlText {
  /** Throws on what is no YAML. */
  parse(text: string): unknown;
  print(value: unknown): string;
}

// Dates stay text: JSON has no other place for them.
const schema = YAML11_SCHEMA.withTags({ ...timestampTag, implicit: false } as typeof timestampTag, strTag);

/** Plain words that some reader takes for something other than text; Go writes them in double quotes. */
const AMBIGUOUS = [
  /^(~|null|Null|NULL|)$/,
  /^(y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  /^[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$/,
  /^[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$/,
  /^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/,
  /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/,
  /^\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?$/,
  /^(<<|=)$/,
];

function quoteAmbiguous(documents: Document[]): void {
  visit(documents, (node) => {
    if (node.kind !== 'scalar' || !node.tag.endsWith(':str')) return;
    if (AMBIGUOUS.some((pattern) => pattern.test(node.value))) node.style = SCALAR_STYLE_DOUBLE_QUOTED;
  });
}

const isDigit = (character: string | undefined): boolean => character !== undefined && /^\d$/.test(character);
const isLetter = (character: string | undefined): boolean =>
  character !== undefined && /^\p{L}$/u.test(character);

/** Go's order of map keys: runs of digits by their value, letters after everything else. */
function compareKeys(left: string, right: string): number {
  const a = Array.from(left);
  const b = Array.from(right);
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  if (at === a.length || at === b.length) return a.length - b.length;
  if (isDigit(a[at]) && isDigit(b[at])) {
    let start = at;
    while (start > 0 && isDigit(a[start - 1])) start--;
    const number = (text: string[]): number => Number(/^\d+/.exec(text.slice(start).join(''))?.[0] ?? 0);
    const difference = number(a) - number(b);
    if (difference !== 0) return difference;
  }
  if (isLetter(a[at]) !== isLetter(b[at])) {
    const afterDigits = isDigit(a[at - 1]);
    return isLetter(a[at]) === afterDigits ? -1 : 1;
  }
  return (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
}

export const yamlText: YamlText = {
  parse: (text) => (text.trim() === '' ? null : load(text, { schema })),
  print: (value) =>
    dump(value, {
      sortKeys: compareKeys,
      noRefs: true,
      lineWidth: -1,
      seqNoIndent: true,
      transform: quoteAmbiguous,
    }),
};

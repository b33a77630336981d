// Names of fields as expressions spell them: `a-b` is `a__dash__b`, `namespace` is `__namespace__`.

const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['__', '__underscores__'],
  ['.', '__dot__'],
  ['-', '__dash__'],
  ['/', '__slash__'],
]);

/** Whether the name is a word of the language, which expressions may also spell as it is after a dot. */
export const isReserved = (name: string): boolean => RESERVED.has(name);

/** Undefined: no expression can spell it. */
export function escapeField(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_./-][\w./-]*$/.test(name)) return undefined;
  return name.replaceAll(/__|[./-]/g, (part) => ESCAPES.get(part)!);
}

// JSON as kubectl prints it: keys in order, four spaces, `<`, `>` and `&` escaped as Go does.

export function formatJson(value: unknown, indent = 4): string {
  return `${JSON.stringify(sorted(value), undefined, indent).replaceAll(/[<>&\u2028\u2029]/g, escape)}\n`;
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(fields).sort())
    Object.defineProperty(copy, key, { value: sorted(fields[key]), enumerable: true });
  return copy;
}

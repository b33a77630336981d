// Changing what is at a path of an object without touching the object: what is not on the path is shared.

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `spec.rules[].host`: `[]` means every item. */
export function pathOf(text: string): readonly string[] {
  return text.split('.').flatMap((part) => (part.endsWith('[]') ? [part.slice(0, -2), '[]'] : [part]));
}

/**
 * The object with `edit` applied to every place at the path. Answering the same value changes nothing. Places that are
 * missing are passed over, or with `create` made: `edit` sees undefined then.
 */
export function editAt(
  value: unknown,
  path: readonly string[],
  edit: (value: unknown) => unknown,
  create = false,
): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return edit(value);
  if (head === '[]') {
    if (!Array.isArray(value)) return value;
    const edited = value.map((item: unknown) => editAt(item, rest, edit, create));
    return edited.some((item, index) => item !== value[index]) ? edited : value;
  }
  if (value !== undefined && !isFields(value)) return value;
  const fields = value ?? {};
  if (!Object.hasOwn(fields, head) && !create) return value;
  const before = Object.hasOwn(fields, head) ? fields[head] : undefined;
  const after = editAt(before, rest, edit, create);
  return after === before || after === undefined ? value : { ...fields, [head]: after };
}

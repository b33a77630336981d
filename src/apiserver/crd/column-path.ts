// JSONPath as printer columns use it: fields, `[*]`, indices, and filters for equality.
import { badRequest } from '../../machinery/index.ts';

type Step = (values: readonly unknown[]) => readonly unknown[];

const TOKEN =
  /\.([A-Za-z0-9_-]+(?:\\\.[A-Za-z0-9_-]+)*)|\['([^']+)'\]|\[(\*)\]|\[(-?\d+)\]|\[\?\(@\.([\w.-]+)\s*==\s*["']([^"']*)["']\)\]/y;

function field(name: string): Step {
  return (values) =>
    values.flatMap((value) => {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
      return [(value as Record<string, unknown>)[name]];
    });
}

/** Reads `{.a.b[*].c}`; throws a 400 for what it cannot read. */
export function compileColumnPath(template: string): (object: unknown) => readonly unknown[] {
  const path = template.replace(/^\{|\}$/g, '');
  const steps: Step[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < path.length) {
    const match = TOKEN.exec(path);
    if (match === null) throw badRequest(`the JSONPath ${JSON.stringify(template)} cannot be read`);
    const [, name, quoted, all, index, key, wanted] = match;
    if (name !== undefined) steps.push(field(name.replaceAll('\\.', '.')));
    else if (quoted !== undefined) steps.push(field(quoted));
    else if (all !== undefined) {
      steps.push((values) =>
        values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : Object.values(value ?? {}))),
      );
    } else if (index !== undefined) {
      steps.push((values) =>
        values.flatMap((value) =>
          Array.isArray(value) && value.at(Number(index)) !== undefined ? [value.at(Number(index))] : [],
        ),
      );
    } else if (key !== undefined) {
      const find = key.split('.').map(field);
      steps.push((values) =>
        values.flatMap((value) =>
          (Array.isArray(value) ? (value as unknown[]) : []).filter(
            (item) => find.reduce((found, step) => step(found), [item] as readonly unknown[])[0] === wanted,
          ),
        ),
      );
    }
  }
  return (object) => steps.reduce((values, step) => step(values), [object] as readonly unknown[]);
}

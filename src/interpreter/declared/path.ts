// The paths of a ResourceInterpretation: the part of JSONPath that reads in one pass and that can be written to. There is
// no recursion, no filter and no script in it, so no path costs more than the object is large.
import type { JsonObject, JsonValue } from '../../api/index.ts';
import { setIn } from '../native/read.ts';

/** A field, an index, or every item and every field. */
type Step = string | number | typeof EVERY;
const EVERY = Symbol('*');

export interface Path {
  /** As it was written. */
  readonly text: string;
  /** The first field. */
  readonly root: string;
  /** Its fields, when it leads to one place and not into lists: then it can be written to. */
  readonly fields: readonly string[] | undefined;
  /** All that stands there; nothing where nothing is. */
  find(value: unknown): readonly JsonValue[];
}

/** LIMIT: deeper than any schema of the field. */
const STEPS_MAX = 32;
const STEP = /\.([A-Za-z_][\w-]*)|\[(?:'([^'\\]*)'|"([^"\\]*)"|(\d{1,6})|(\*))\]/y;

export class PathError extends Error {
  override name = 'PathError';
}

/** Throws a PathError that says what is expected where. */
export function parsePath(text: string): Path {
  const steps: Step[] = [];
  for (STEP.lastIndex = 0; STEP.lastIndex < text.length;) {
    const at = STEP.lastIndex;
    const match = STEP.exec(text);
    if (match === null) throw new PathError(`expected .field, ["field"], [0] or [*] at position ${at + 1}`);
    const [, field, single, double, index] = match;
    const name = field ?? single ?? double;
    steps.push(name ?? (index === undefined ? EVERY : Number(index)));
    if (steps.length > STEPS_MAX) throw new PathError(`must have no more than ${STEPS_MAX} steps`);
  }
  const [root] = steps;
  if (typeof root !== 'string') throw new PathError('must begin with a field, such as .spec');
  const fields = steps.every((step) => typeof step === 'string') ? steps : undefined;
  return { text, root, fields, find: (value) => find(value, steps) };
}

function find(value: unknown, steps: readonly Step[]): readonly JsonValue[] {
  let found: readonly unknown[] = [value];
  for (const step of steps) {
    if (found.length === 0) break;
    found = found.flatMap((one) => childrenOf(one, step));
  }
  return found as readonly JsonValue[];
}

function childrenOf(value: unknown, step: Step): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  if (step === EVERY) return present(isList ? (value as readonly unknown[]) : Object.values(value));
  if (typeof step === 'number') return present(isList ? [(value as readonly unknown[])[step]] : []);
  return isList || !Object.hasOwn(value, step) ? [] : present([(value as Record<string, unknown>)[step]]);
}

function present(values: readonly unknown[]): readonly unknown[] {
  return values.filter((value) => value !== undefined && value !== null);
}

/** `object` with a value at a path that can be written to. Undefined takes what is there away. */
export function write(object: JsonObject, path: Path, value: JsonValue | undefined): JsonObject {
  return path.fields === undefined ? object : setIn(object, path.fields, value);
}

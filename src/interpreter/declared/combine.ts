// How the values of a field in several clusters become the value of the template.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import type { StatusItem } from '../interpreter.ts';
import { objectAt } from '../native/read.ts';
import { namedConditions, observedGeneration } from '../third-party/adding-up.ts';
import { write, type Path } from './path.ts';

export type Combine = 'Sum' | 'Min' | 'Max' | 'First' | 'Last' | 'All' | 'Any' | 'Concatenate' | 'Conditions';

/** Numbers by size, texts (times are texts that sort) by their characters; others do not compare. */
function extreme(values: readonly JsonValue[], larger: boolean): JsonValue | undefined {
  const kind = typeof values[0];
  if (kind !== 'number' && kind !== 'string') return undefined;
  const alike = values.filter((value) => typeof value === kind) as readonly (string | number)[];
  return alike.reduce((best, value) => (value > best === larger && value !== best ? value : best));
}

const COMBINE: Readonly<
  Record<
    Exclude<Combine, 'Conditions'>,
    (values: readonly JsonValue[], clusters: number) => JsonValue | undefined
  >
> = {
  Sum: (values) => values.reduce<number>((sum, value) => (typeof value === 'number' ? sum + value : sum), 0),
  Min: (values) => (values.length === 0 ? undefined : extreme(values, false)),
  Max: (values) => (values.length === 0 ? undefined : extreme(values, true)),
  First: (values) => values[0],
  Last: (values) => values.at(-1),
  // A cluster that says nothing does not say yes.
  All: (values, clusters) =>
    clusters === 0 ? undefined : values.length === clusters && values.every((value) => value === true),
  Any: (values, clusters) => (clusters === 0 ? undefined : values.some((value) => value === true)),
  Concatenate: (values) => values.flat(),
};

function conditions(items: readonly StatusItem[], path: Path): JsonValue {
  return namedConditions(
    items.map(({ clusterName, status }) => ({
      clusterName,
      status: { conditions: path.find({ status })[0] ?? [] },
    })),
  );
}

export interface CombinedField {
  readonly path: Path;
  readonly combine: Combine;
}

/** The template's status with these fields made anew. */
export function aggregate(
  template: KubeObject,
  items: readonly StatusItem[],
  fields: readonly CombinedField[],
  observed: boolean,
): JsonObject {
  const made = fields.reduce<JsonObject>(
    (all, { path, combine }) => {
      const value =
        combine === 'Conditions'
          ? conditions(items, path)
          : COMBINE[combine](
              items.flatMap(({ status }) => path.find({ status }).slice(0, 1)),
              items.length,
            );
      return write(all, path, value);
    },
    { status: objectAt(template, 'status') ?? {} },
  );
  return { ...objectAt(made, 'status'), ...(observed ? observedGeneration(template, items) : {}) };
}

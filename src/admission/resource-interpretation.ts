// A ResourceInterpretation must make sense, and no two may answer the same question for a kind.
import type { ResourceInterpretation } from '../api/index.ts';
import { interpretationErrors, operationsOf } from '../interpreter/index.ts';
import type { FieldError } from '../machinery/index.ts';

/** @param others those that are stored, with or without `interpretation` itself */
export function interpretationRefusal(
  interpretation: ResourceInterpretation,
  others: readonly ResourceInterpretation[],
): string | readonly FieldError[] | undefined {
  const errors = interpretationErrors(interpretation);
  if (errors.length > 0) return errors;
  const { target } = interpretation.spec;
  const operations = operationsOf(interpretation);
  for (const other of others) {
    if (other.metadata.name === interpretation.metadata.name) continue;
    if (other.spec.target.apiVersion !== target.apiVersion || other.spec.target.kind !== target.kind)
      continue;
    // What is needed adds up.
    const answered = operationsOf(other).find(
      (operation) => operation !== 'InterpretDependency' && operations.includes(operation),
    );
    if (answered !== undefined)
      return `${answered} of ${target.apiVersion} ${target.kind} is answered by ResourceInterpretation(${other.metadata.name ?? ''}) already`;
  }
  return undefined;
}

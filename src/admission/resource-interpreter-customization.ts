// Scripts that interpret resources must compile, and no two customizations may answer the same question for a kind.
import type { ResourceInterpreterCustomization } from '../api/index.ts';
import { RULES, scriptComplaint, scriptOf } from '../interpreter/index.ts';

/** @param others those in force, with or without `customization` itself */
export function customizationRefusal(
  customization: ResourceInterpreterCustomization,
  others: readonly ResourceInterpreterCustomization[],
): string | undefined {
  const { target } = customization.spec;
  const set = RULES.filter((rule) => scriptOf(customization, rule) !== '');
  for (const other of others) {
    if (other.metadata.name === customization.metadata.name) continue;
    if (other.spec.target.apiVersion !== target.apiVersion || other.spec.target.kind !== target.kind)
      continue;
    // Scripts for dependencies add up.
    const rule = set.find((one) => one.operation !== 'InterpretDependency' && scriptOf(other, one) !== '');
    if (rule !== undefined) {
      return `conflicting with InterpreterOperation(${rule.operation}) of existing ResourceInterpreterCustomization(${other.metadata.name ?? ''})`;
    }
  }
  for (const rule of set) {
    const complaint = scriptComplaint(scriptOf(customization, rule));
    if (complaint !== undefined)
      return `InterpreterOperation(${rule.operation}) Lua script error: ${complaint}`;
  }
  return undefined;
}

// The rules of a ResourceInterpreterCustomization: which operation each stands for and which function its script has,
// in the order in which they are checked and listed.
import type { ResourceInterpreterCustomization } from '../api/index.ts';
import type { Operation } from './interpreter.ts';
import { LuaSyntaxError, compileLua } from './lua/index.ts';

type RuleName = keyof ResourceInterpreterCustomization['spec']['customizations'];

export interface CustomizationRule {
  readonly name: RuleName;
  readonly operation: Operation;
  /** Of the script. */
  readonly function: string;
}

export const RULES: readonly CustomizationRule[] = [
  { name: 'retention', operation: 'Retain', function: 'Retain' },
  { name: 'replicaResource', operation: 'InterpretReplica', function: 'GetReplicas' },
  { name: 'componentResource', operation: 'InterpretComponent', function: 'GetComponents' },
  { name: 'replicaRevision', operation: 'ReviseReplica', function: 'ReviseReplica' },
  { name: 'statusReflection', operation: 'InterpretStatus', function: 'ReflectStatus' },
  { name: 'statusAggregation', operation: 'AggregateStatus', function: 'AggregateStatus' },
  { name: 'healthInterpretation', operation: 'InterpretHealth', function: 'InterpretHealth' },
  { name: 'dependencyInterpretation', operation: 'InterpretDependency', function: 'GetDependencies' },
];

/** Empty: the rule is not set. */
export function scriptOf(
  customization: ResourceInterpreterCustomization,
  { name }: CustomizationRule,
): string {
  return customization.spec.customizations[name]?.luaScript ?? '';
}

/** What the compiler says against a script; undefined: nothing. */
export function scriptComplaint(script: string): string | undefined {
  try {
    compileLua(script);
    return undefined;
  } catch (error) {
    if (error instanceof LuaSyntaxError) return error.message;
    throw error;
  }
}

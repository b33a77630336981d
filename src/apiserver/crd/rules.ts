// Validation rules of schemas (`x-kubernetes-validations`) as the rest of this folder sees them.
import type { JsonValue, Schema } from '../../api/index.ts';
import type { FieldError } from '../../machinery/index.ts';

export interface RuleEngine {
  /** What is wrong with an expression about values of `schema`; empty when nothing is. */
  check(schema: Schema, expression: string, use: 'rule' | 'messageExpression'): string;
  /** Whether there is any rule in the schema or below it. */
  hasRules(schema: Schema): boolean;
  /** Every rule that `value` breaks. `old` undefined: rules about changes do not apply. */
  evaluate(schema: Schema, value: JsonValue, old: JsonValue | undefined): FieldError[];
}

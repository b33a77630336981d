// Validation rules of schemas (`x-kubernetes-validations`) as the rest of this folder sees them.
import type { JsonValue, Schema, ValidationRule } from '../../api/index.ts';
import type { FieldError } from '../../machinery/index.ts';

export interface RuleEngine {
  /**
   * What is wrong with the rule or its message expression about values of `schema`; empty when nothing is.
   * @param root the schema is that of a whole object
   */
  check(schema: Schema, rule: ValidationRule, use: 'rule' | 'messageExpression', root: boolean): string;
  /** Whether the expression compares with what was there before. */
  usesOldSelf(expression: string): boolean;
  /** Whether there is any rule in the schema of a whole object. */
  hasRules(schema: Schema): boolean;
  /** Every rule that an object breaks. `old` undefined: rules about changes do not apply. */
  evaluate(schema: Schema, value: JsonValue, old: JsonValue | undefined): FieldError[];
}

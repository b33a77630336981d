// Expressions of webhooks and policies, checked when they are written: so that nobody learns of a mistake by refused
// requests.
import { fieldError, isQualifiedName, type FieldError, type Scope } from '../../machinery/index.ts';
import { ExpressionError, compile, type MatchCondition, type Wanted } from './expressions.ts';

// LIMIT: as upstream.
const MAX_CONDITIONS = 64;

/** @param shown what messages show, where that is not what is compiled */
export function expressionErrors(
  expression: string,
  path: string,
  scope: Scope,
  wanted: Wanted,
  shown = expression,
): FieldError[] {
  try {
    compile(expression, scope, wanted);
    return [];
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return [fieldError.invalid(path, shown, error.message)];
  }
}

export function qualifiedNameErrors(name: string, path: string): FieldError[] {
  return isQualifiedName(name).map((why) => fieldError.invalid(path, name, why));
}

export function conditionErrors(
  conditions: readonly MatchCondition[],
  path: string,
  scope: Scope,
): FieldError[] {
  const errors: FieldError[] = [];
  if (conditions.length > MAX_CONDITIONS) {
    errors.push(fieldError.tooMany(path, conditions.length, MAX_CONDITIONS));
  }
  const seen = new Set<string>();
  conditions.forEach(({ name = '', expression = '' }: Partial<MatchCondition>, index) => {
    const at = `${path}[${index}]`;
    const text = expression.trim();
    if (text === '') errors.push(fieldError.required(`${at}.expression`));
    else errors.push(...expressionErrors(text, `${at}.expression`, scope, 'bool'));
    if (name === '') {
      errors.push(fieldError.required(`${at}.name`));
      return;
    }
    errors.push(...qualifiedNameErrors(name, `${at}.name`));
    if (seen.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    seen.add(name);
  });
  return errors;
}

// Validation rules in the schemas of definitions: whether they are well formed, can be compiled, and cannot cost too much.
import type { Schema, ValidationRule } from '../../api/index.ts';
import {
  RulePathError,
  checkRule,
  fieldError,
  parseRulePath,
  type FieldError,
  type RuleCheck,
} from '../../machinery/index.ts';

// LIMIT: what one rule, and all rules of a schema together, may cost at worst.
const RULE_COST_MAX = 10_000_000;
const SCHEMA_COST_MAX = 100_000_000;
/** So many of those that cost most are named, if they cost at least a hundredth of the limit. */
const NAMED_MAX = 4;

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

/** Where in a schema rules are. */
export interface RulePlace {
  /** The schema is that of the whole object. */
  readonly root: boolean;
  /** The path of the outermost list around whose items cannot be told apart from one write to the next. */
  readonly uncorrelatable: string | undefined;
  /** How many values of the schema there can be in an object; undefined: nothing says so. */
  readonly maxCount: number | undefined;
}

/** How many values there can be of what is directly below a schema. */
export function countBelow(schema: Schema, count: number | undefined): number | undefined {
  const times =
    schema.type === 'array'
      ? schema.maxItems
      : schema.type === 'object' && schema.additionalProperties !== undefined
        ? schema.maxProperties
        : 1;
  return count === undefined || times === undefined ? undefined : count * Math.max(0, times);
}

const rulesOf = (schema: Schema): readonly ValidationRule[] => schema['x-kubernetes-validations'] ?? [];

/** What can be said of rules without reading them. */
export function checkRuleForm(schema: Schema, path: string, errors: FieldError[]): void {
  rulesOf(schema).forEach((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    const { messageExpression = '', reason, fieldPath = '' } = rule;
    errors.push(...textErrors(rule, at));
    if (messageExpression !== '' && messageExpression.trim() === '') {
      const why = 'messageExpression must be non-empty if specified';
      errors.push(fieldError.required(`${at}.messageExpression`, why));
    }
    if (reason !== undefined && !REASONS.includes(reason)) {
      errors.push(fieldError.notSupported(`${at}.reason`, reason, REASONS));
    }
    if (fieldPath !== '') errors.push(...pathErrors(schema, fieldPath, `${at}.fieldPath`));
  });
}

const hasLineBreak = (text: string): boolean => /[\n\r]/.test(text);

function textErrors({ rule, message = '' }: ValidationRule, at: string): FieldError[] {
  const text = rule.trim();
  if (text === '') return [fieldError.required(`${at}.rule`, 'rule is not specified')];
  if (message !== '' && message.trim() === '') {
    return [fieldError.invalid(`${at}.message`, message, 'must be non-empty if specified')];
  }
  if (hasLineBreak(message.trim())) {
    return [fieldError.invalid(`${at}.message`, message, 'must not contain line breaks')];
  }
  if (!hasLineBreak(text) || message.trim() !== '') return [];
  return [fieldError.required(`${at}.message`, 'message must be specified if rule contains line breaks')];
}

function pathErrors(schema: Schema, path: string, at: string): FieldError[] {
  const complaints = [
    ...(path.trim() === '' ? ['must be non-empty if specified'] : []),
    ...(hasLineBreak(path) ? ['must not contain line breaks'] : []),
    ...(leadsSomewhere(schema, path) ? [] : ['must be a valid path']),
  ];
  return complaints.map((why) => fieldError.invalid(at, path, why));
}

function leadsSomewhere(schema: Schema, path: string): boolean {
  try {
    parseRulePath(path, schema);
    return true;
  } catch (error) {
    if (error instanceof RulePathError) return false;
    throw error;
  }
}

/** What is wrong with the rules of one whole schema, and what they may cost together. */
export class RuleChecks {
  readonly #errors: FieldError[] = [];
  readonly #costs: { path: string; cost: number }[] = [];
  #total = 0;

  check(schema: Schema, path: string, place: RulePlace): void {
    rulesOf(schema).forEach((rule, index) => {
      const at = `${path}.x-kubernetes-validations[${index}]`;
      const checked = checkRule(schema, rule, place.root);
      if (checked !== undefined) return this.#checkOne(rule, checked, place, at);
      const why =
        'internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations';
      if (index === 0) this.#errors.push(fieldError.internal(`${path}.x-kubernetes-validations`, why));
    });
  }

  #checkOne(rule: ValidationRule, checked: RuleCheck, place: RulePlace, at: string): void {
    this.#observe(`${at}.rule`, checked.maxCost * (place.maxCount ?? checked.maxCount), 'rule');
    if (checked.error !== '') {
      this.#errors.push(fieldError.invalid(`${at}.rule`, internalForm(rule), checked.error));
    }
    if (checked.messageError !== '') {
      const error = fieldError.invalid(`${at}.messageExpression`, internalForm(rule), checked.messageError);
      this.#errors.push(error);
    }
    this.#observe(`${at}.messageExpression`, checked.messageMaxCost, 'messageExpression');
    if (checked.usesOldSelf && place.uncorrelatable !== undefined) {
      const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`;
      this.#errors.push(fieldError.invalid(`${at}.rule`, rule.rule, why));
    } else if (!checked.usesOldSelf && rule.optionalOldSelf !== undefined) {
      const why = 'may not be set if oldSelf is not used in rule';
      this.#errors.push(fieldError.invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, why));
    }
  }

  #observe(path: string, cost: number, what: 'rule' | 'messageExpression'): void {
    if (cost > RULE_COST_MAX) {
      this.#errors.push(
        fieldError.forbidden(path, tooExpensive(`estimated ${what} cost`, cost, RULE_COST_MAX)),
      );
    }
    this.#total += cost;
    if (cost >= SCHEMA_COST_MAX / 100) this.#costs.push({ path, cost });
  }

  /** @param path of the whole schema */
  errorsIn(path: string): FieldError[] {
    if (this.#total <= SCHEMA_COST_MAX) return this.#errors;
    const named = this.#costs.toSorted((a, b) => b.cost - a.cost).slice(0, NAMED_MAX);
    const why = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    return [
      ...this.#errors,
      ...named.map((rule) => fieldError.forbidden(rule.path, why)),
      fieldError.forbidden(path, tooExpensive(what, this.#total, SCHEMA_COST_MAX)),
    ];
  }
}

function tooExpensive(what: string, cost: number, max: number): string {
  const factor = cost / max;
  const shown =
    factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** COMPAT: rules that cannot be compiled are shown in the form that they have inside kube-apiserver. */
function internalForm({
  rule,
  message,
  messageExpression,
  reason,
  fieldPath,
  optionalOldSelf,
}: ValidationRule): unknown {
  return {
    Rule: rule,
    Message: message ?? '',
    MessageExpression: messageExpression ?? '',
    Reason: reason ?? null,
    FieldPath: fieldPath ?? '',
    OptionalOldSelf: optionalOldSelf ?? null,
  };
}

// Validation rules of schemas, in CEL: compiled once for each schema, run on each value, with kube-apiserver's words.
//
// LIMIT: upstream adds up a cost for each step of an evaluation. Here the size of an expression is limited, and an
// expression with loops inside loops is not run on values so large that it could take more than MAX_STEPS.
import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import { Optional } from '@marcbachmann/cel-js';
import type { JsonObject, JsonValue, Schema, ValidationRule } from '../../../api/index.ts';
import { deepEqual, fieldError, type FieldError } from '../../../machinery/index.ts';
import type { RuleEngine } from '../rules.ts';
import { simplePath } from '../schema-rules.ts';
import { kubernetesEnvironment } from './library.ts';
import { partsOf, useLinearMatching } from './patterns.ts';
import { TypeBuilder, type CelType } from './types.ts';

const MAX_STEPS = 10_000_000;
const MAX_MESSAGE_BYTES = 5 * 1024;
const NO_PATH = '<nil>';

/** Finds out about expressions on values of one schema. */
interface Scope {
  readonly type: CelType;
  /** Throws when the expression is wrong. */
  compile(expression: string, optionalOldSelf: boolean, wanted: 'bool' | 'string'): ParseResult;
}

function scopeOf(schema: Schema, resource: boolean): Scope {
  const declared = kubernetesEnvironment().clone();
  const type = new TypeBuilder(declared).typeOf({ ...schema, nullable: false }, resource);
  const plain = declared.clone().registerVariable('self', type.name).registerVariable('oldSelf', type.name);
  const optional = declared
    .clone()
    .registerVariable('self', type.name)
    .registerVariable('oldSelf', `optional<${type.name}>`);
  return {
    type,
    compile(expression, optionalOldSelf, wanted) {
      const parsed = (optionalOldSelf ? optional : plain).parse(expression);
      useLinearMatching(parsed.ast);
      const { valid, error, type: found } = parsed.check();
      if (!valid) throw error ?? new Error('the expression is not valid');
      if (found !== wanted && found !== 'dyn') throw new Error(`must evaluate to a ${wanted}`);
      return parsed;
    },
  };
}

/** The first line of a message, without the picture of the expression that may follow. */
function summaryOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { summary } = error as { summary?: unknown };
  const text = typeof summary === 'string' ? summary : error.message;
  return text.split('\n', 1)[0]!.replace(/^No such key/, 'no such key');
}

function mentions(node: ASTNode, variable: string): boolean {
  return (
    (node.op === 'id' && node.args === variable) || partsOf(node).some((part) => mentions(part, variable))
  );
}

const LOOPS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** How deep loops are inside loops. */
function loopDepth(node: ASTNode): number {
  if (node.op !== 'rcall' || !LOOPS.has(node.args[0])) return Math.max(0, ...partsOf(node).map(loopDepth));
  const [, over, body] = node.args;
  return Math.max(loopDepth(over), 1 + Math.max(0, ...body.map(loopDepth)));
}

function sizeOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 1;
  const parts = Array.isArray(value) ? (value as readonly JsonValue[]) : Object.values(value as JsonObject);
  return parts.reduce<number>((sum, part) => sum + sizeOf(part ?? null), 1);
}

/** A rule, ready to be run. */
class CompiledRule {
  readonly rule: ValidationRule;
  /** Compares with what was there before, and so applies to changes only. */
  readonly isTransition: boolean;
  readonly #type: CelType;
  readonly #condition: ParseResult;
  readonly #message: ParseResult | undefined;
  readonly #depth: number;

  constructor(rule: ValidationRule, scope: Scope) {
    this.rule = rule;
    this.#type = scope.type;
    const optional = rule.optionalOldSelf === true;
    this.#condition = scope.compile(rule.rule, optional, 'bool');
    const expression = rule.messageExpression ?? '';
    this.#message = expression.trim() === '' ? undefined : scope.compile(expression, optional, 'string');
    this.isTransition = mentions(this.#condition.ast, 'oldSelf');
    this.#depth = loopDepth(this.#condition.ast);
  }

  /** Undefined: the value keeps to the rule, or the rule does not apply. */
  violation(value: JsonValue, old: JsonValue | undefined, path: string): FieldError | undefined {
    const optional = this.rule.optionalOldSelf === true;
    if (this.isTransition && old === undefined && !optional) return undefined;
    const before = old === undefined ? undefined : this.#type.convert(old);
    const variables = {
      self: this.#type.convert(value),
      ...(optional ? { oldSelf: Optional.of(before) } : before === undefined ? {} : { oldSelf: before }),
    };
    try {
      if (this.#depth > 1 && sizeOf(value) ** this.#depth > MAX_STEPS) {
        throw new Error(
          'validation failed due to running out of cost budget, no further validation rules will be run',
        );
      }
      if (this.#condition(variables) === true) return undefined;
    } catch (error) {
      return invalidValue(path, value, `${summaryOf(error)} evaluating rule: ${this.#defaultMessage}`);
    }
    return this.#failure(value, path, this.#messageFor(variables));
  }

  get #defaultMessage(): string {
    const message = (this.rule.message ?? '').trim();
    return message === '' ? `failed rule: ${this.rule.rule.trim()}` : message;
  }

  /** COMPAT: a message that cannot be made is no reason to let the value pass; the fixed one is used. */
  #messageFor(variables: Readonly<Record<string, unknown>>): string {
    if (this.#message === undefined) return this.#defaultMessage;
    try {
      const message: unknown = this.#message(variables);
      if (typeof message !== 'string') return this.#defaultMessage;
      const text = message.trim();
      const usable = text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= MAX_MESSAGE_BYTES;
      return usable ? text : this.#defaultMessage;
    } catch {
      return this.#defaultMessage;
    }
  }

  #failure(value: JsonValue, path: string, message: string): FieldError {
    const at = `${path}${pathOf(this.rule.fieldPath)}`.replace(/^\./, '') || NO_PATH;
    switch (this.rule.reason) {
      case 'FieldValueForbidden':
        return fieldError.forbidden(at, message);
      case 'FieldValueRequired':
        return fieldError.required(at, message);
      case 'FieldValueDuplicate':
        return fieldError.duplicate(at, value);
      default:
        return invalidValue(at, value, message);
    }
  }
}

/** A rule of a stored definition that does not compile: nothing can keep to it. */
class BrokenRule {
  readonly isTransition = false;
  readonly #why: string;

  constructor(why: string) {
    this.#why = why;
  }

  violation(value: JsonValue, _old: JsonValue | undefined, path: string): FieldError {
    return invalidValue(path, value, `rule compile error: ${this.#why}`);
  }
}

function pathOf(fieldPath: string | undefined): string {
  if (fieldPath === undefined || fieldPath === '') return '';
  return (simplePath(fieldPath) ?? [])
    .map((step) => (/^[\w$-]+$/.test(step) ? `.${step}` : `[${step}]`))
    .join('');
}

/** COMPAT: values that are not scalars are not shown. */
function invalidValue(path: string, value: JsonValue, message: string): FieldError {
  const at = path === '' ? NO_PATH : path;
  return typeof value === 'object' && value !== null
    ? fieldError.invalidUnseen(at, message)
    : fieldError.invalid(at, value, message);
}

/** The rules of a schema and of everything below it. */
class RuleTree {
  readonly hasRules: boolean;
  readonly #schema: Schema;
  readonly #resource: boolean;
  readonly #properties: ReadonlyMap<string, RuleTree>;
  readonly #items: RuleTree | undefined;
  readonly #values: RuleTree | undefined;
  #rules: readonly (CompiledRule | BrokenRule)[] | undefined;

  constructor(schema: Schema, resource: boolean) {
    this.#schema = schema;
    this.#resource = resource || schema['x-kubernetes-embedded-resource'] === true;
    const { properties = {}, items, additionalProperties: values } = schema;
    this.#properties = new Map(
      Object.entries(properties)
        .map(([name, inner]): [string, RuleTree] => [name, new RuleTree(inner, false)])
        .filter(([, tree]) => tree.hasRules),
    );
    const below = (inner: Schema): RuleTree | undefined => {
      const tree = new RuleTree(inner, false);
      return tree.hasRules ? tree : undefined;
    };
    this.#items = items === undefined ? undefined : below(items);
    this.#values = typeof values === 'object' ? below(values) : undefined;
    this.hasRules =
      (schema['x-kubernetes-validations'] ?? []).length > 0 ||
      this.#properties.size > 0 ||
      this.#items !== undefined ||
      this.#values !== undefined;
  }

  collect(value: JsonValue, old: JsonValue | undefined, path: string, errors: FieldError[]): void {
    if (value === null) return;
    this.#collectOwn(value, old, path, errors);
    if (Array.isArray(value)) this.#collectItems(value as readonly JsonValue[], old, path, errors);
    else if (typeof value === 'object') this.#collectFields(value as JsonObject, old, path, errors);
  }

  #collectOwn(value: JsonValue, old: JsonValue | undefined, path: string, errors: FieldError[]): void {
    const rules = (this.#rules ??= this.#compile());
    if (rules.length === 0) return;
    const unchanged = old !== undefined && deepEqual(old, value);
    for (const rule of rules) {
      // What was let in before stays in, as long as nobody touches it.
      if (unchanged && !rule.isTransition) continue;
      const error = rule.violation(value, old, path);
      if (error !== undefined) errors.push(error);
    }
  }

  #compile(): readonly (CompiledRule | BrokenRule)[] {
    const rules = this.#schema['x-kubernetes-validations'] ?? [];
    if (rules.length === 0) return [];
    const scope = scopeOf(this.#schema, this.#resource);
    return rules.map((rule) => {
      try {
        return new CompiledRule(rule, scope);
      } catch (error) {
        return new BrokenRule(summaryOf(error));
      }
    });
  }

  #collectItems(
    list: readonly JsonValue[],
    old: JsonValue | undefined,
    path: string,
    errors: FieldError[],
  ): void {
    const tree = this.#items;
    if (tree === undefined) return;
    const before = this.#correlate(old);
    list.forEach((item, index) => tree.collect(item, before?.(item), `${path}[${index}]`, errors));
  }

  /** Finds the item that was there before in place of another; only the items of list maps can be told apart. */
  #correlate(old: JsonValue | undefined): ((item: JsonValue) => JsonValue | undefined) | undefined {
    const keys = this.#schema['x-kubernetes-list-map-keys'];
    if (this.#schema['x-kubernetes-list-type'] !== 'map' || keys === undefined || !Array.isArray(old))
      return undefined;
    const keyOf = (item: JsonValue): string =>
      JSON.stringify(keys.map((key) => (item as JsonObject | null)?.[key] ?? null));
    const byKey = new Map((old as readonly JsonValue[]).map((item) => [keyOf(item), item]));
    return (item) => byKey.get(keyOf(item));
  }

  #collectFields(object: JsonObject, old: JsonValue | undefined, path: string, errors: FieldError[]): void {
    const before =
      typeof old === 'object' && old !== null && !Array.isArray(old) ? (old as JsonObject) : undefined;
    const beforeOf = (name: string): JsonValue | undefined =>
      before !== undefined && Object.hasOwn(before, name) ? before[name] : undefined;
    for (const [name, tree] of this.#properties) {
      const value = Object.hasOwn(object, name) ? object[name] : undefined;
      if (value !== undefined)
        tree.collect(value, beforeOf(name), path === '' ? name : `${path}.${name}`, errors);
    }
    if (this.#values === undefined) return;
    for (const [key, value] of Object.entries(object)) {
      if (value !== undefined) this.#values.collect(value, beforeOf(key), `${path}[${key}]`, errors);
    }
  }
}

/** The rules of whole objects, by their schema. */
const trees = new WeakMap<Schema, RuleTree>();

function treeOf(schema: Schema): RuleTree {
  let tree = trees.get(schema);
  if (tree === undefined) trees.set(schema, (tree = new RuleTree(schema, true)));
  return tree;
}

export const celRules: RuleEngine = {
  check(schema, rule, use, root) {
    try {
      const scope = scopeOf(schema, root || schema['x-kubernetes-embedded-resource'] === true);
      const expression = use === 'rule' ? rule.rule : (rule.messageExpression ?? '');
      scope.compile(expression, rule.optionalOldSelf === true, use === 'rule' ? 'bool' : 'string');
      return '';
    } catch (error) {
      return summaryOf(error);
    }
  },
  usesOldSelf(expression) {
    try {
      return mentions(kubernetesEnvironment().parse(expression).ast, 'oldSelf');
    } catch {
      return false;
    }
  },
  hasRules: (schema) => treeOf(schema).hasRules,
  evaluate(schema, value, old) {
    const errors: FieldError[] = [];
    treeOf(schema).collect(value, old, '', errors);
    return errors;
  },
};

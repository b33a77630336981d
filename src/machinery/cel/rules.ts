// The validation rules of schemas (`x-kubernetes-validations`): checked when a definition is written, run on each value,
// with kube-apiserver's words, costs and limits.
import type { JsonObject, JsonValue, Schema, ValidationRule } from '../../api/index.ts';
import { byteLength } from '../go-text.ts';
import { isJsonList, isJsonObject } from '../json-draft.ts';
import { deepEqual } from '../json.ts';
import { fieldError, type FieldError } from '../status-error.ts';
import { CostLimitError } from './frame.ts';
import type { Outcome } from './program.ts';
import { RuleError, RuleProgram, type Subject } from './rule-program.ts';
import { REQUEST_BYTES_MAX, shapeOf, type Shape } from './shapes.ts';

// LIMIT: what one run of one expression, and all runs for one object, may cost.
const RUN_COST_MAX = 1_000_000;
const OBJECT_COST_MAX = 10_000_000;
const MESSAGE_BYTES_MAX = 5 * 1024;

/** What is known of a rule before it is ever run. */
export interface RuleCheck {
  /** What is wrong with the rule; empty when nothing is. */
  readonly error: string;
  readonly messageError: string;
  readonly usesOldSelf: boolean;
  /** What one run may cost at worst. */
  readonly maxCost: number;
  readonly messageMaxCost: number;
  /** How many values of the schema fit into a request, if nothing else says how many there may be. */
  readonly maxCount: number;
}

/** Undefined: nothing is known of the type of the values, so there cannot be rules about them. */
export function checkRule(schema: Schema, rule: ValidationRule, resource: boolean): RuleCheck | undefined {
  const shape = shapeOf(schema, resource || schema['x-kubernetes-embedded-resource'] === true);
  if (shape === undefined) return undefined;
  const maxCount = Math.floor(REQUEST_BYTES_MAX / (shape.minBytes + 1));
  try {
    const { messageError, usesOldSelf, maxCost, messageMaxCost } = new RuleProgram(rule, schema, shape);
    return { error: '', messageError, usesOldSelf, maxCost, messageMaxCost, maxCount };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return {
      error: error.message,
      messageError: '',
      usesOldSelf: false,
      maxCost: 0,
      messageMaxCost: 0,
      maxCount,
    };
  }
}

/** Whether the schema of a whole object or anything below it has rules. */
export function hasRules(schema: Schema): boolean {
  return nodeFor(schema).hasRules;
}

/**
 * Every rule that an object breaks.
 * @param old what was there before; rules about changes do not apply without
 * @param warn told of rules that are broken where nothing has changed, which is let pass
 */
export function evaluateRules(
  schema: Schema,
  value: JsonValue,
  old: JsonValue | undefined,
  warn: (message: string) => void,
): FieldError[] {
  const run = new Run(warn);
  const change = old === undefined ? undefined : new Change(value, old);
  run.visit(nodeFor(schema), { value, old, path: '', change, nearest: undefined });
  return run.errors;
}

/** The rules that a default of `schema` breaks, where nothing was before or where it was there already. */
export function evaluateDefaultRules(schema: Schema, value: JsonValue, path: string): FieldError[] {
  const node = new RuleNode(schema, schema, false);
  for (const old of node.hasRules ? [value, undefined] : []) {
    const run = new Run(() => undefined);
    run.visit(node, { value, old, path, change: undefined, nearest: undefined });
    if (run.errors.length > 0) return run.errors;
  }
  return [];
}

/** Rules by the schema of the whole objects that they are for. */
const nodes = new WeakMap<Schema, RuleNode>();

function nodeFor(schema: Schema): RuleNode {
  let node = nodes.get(schema);
  if (node === undefined) {
    node = new RuleNode(schema, schema, true);
    nodes.set(schema, node);
  }
  return node;
}

/** A value and what was there before in its place. */
class Change {
  readonly #value: JsonValue;
  readonly #old: JsonValue;
  #unchanged: boolean | undefined;

  constructor(value: JsonValue, old: JsonValue) {
    this.#value = value;
    this.#old = old;
  }

  get unchanged(): boolean {
    this.#unchanged ??= deepEqual(this.#value, this.#old);
    return this.#unchanged;
  }
}

interface Visit {
  readonly value: JsonValue;
  readonly old: JsonValue | undefined;
  readonly path: string;
  /** Undefined: it cannot be told what was there before. */
  readonly change: Change | undefined;
  /** Of the nearest value around for which it can be told. */
  readonly nearest: Change | undefined;
}

function ownValue(object: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
}

const TYPE_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind']);

/** The visit of something inside, where what was there before may be known. */
function inside(around: Visit, value: JsonValue, old: JsonValue | undefined, path: string): Visit {
  if (around.change === undefined) return { ...around, value, old, path };
  const change = old === undefined ? undefined : new Change(value, old);
  return { value, old, path, change, nearest: around.change };
}

/** The rules of a schema, and of everything below it that has rules. */
class RuleNode {
  readonly schema: Schema;
  readonly hasRules: boolean;
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly items: RuleNode | undefined;
  readonly values: RuleNode | undefined;
  readonly allOf: readonly RuleNode[];
  readonly #rules: readonly ValidationRule[];
  readonly #resource: boolean;
  #programs: readonly (RuleProgram | RuleError)[] | undefined;

  /** @param rules where the rules are: the schema itself, or a part of its `allOf` */
  constructor(schema: Schema, rules: Schema, resource: boolean) {
    this.schema = schema;
    this.#rules = rules['x-kubernetes-validations'] ?? [];
    this.#resource = resource || schema['x-kubernetes-embedded-resource'] === true;
    this.properties = new Map(
      Object.entries(rules.properties ?? {}).flatMap(([name, inner]): [string, RuleNode][] => {
        const { properties = {} } = schema;
        const node = ruleNode(Object.hasOwn(properties, name) ? properties[name] : undefined, inner);
        return node === undefined ? [] : [[name, node]];
      }),
    );
    this.items = ruleNode(schema.items, rules.items);
    const { additionalProperties } = schema;
    this.values = ruleNode(
      typeof additionalProperties === 'object' ? additionalProperties : undefined,
      typeof rules.additionalProperties === 'object' ? rules.additionalProperties : undefined,
    );
    this.allOf = (rules.allOf ?? [])
      .map((part) => new RuleNode(schema, part, resource))
      .filter((node) => node.hasRules);
    this.hasRules =
      this.#rules.length + this.properties.size + this.allOf.length > 0 ||
      this.items !== undefined ||
      this.values !== undefined;
  }

  get shape(): Shape | undefined {
    return shapeOf(this.schema, this.#resource);
  }

  /** Compiled when first needed: what no object has is never compiled. */
  get programs(): readonly (RuleProgram | RuleError)[] {
    this.#programs ??= this.#compile();
    return this.#programs;
  }

  #compile(): readonly (RuleProgram | RuleError)[] {
    const { shape } = this;
    if (shape === undefined) return [];
    return this.#rules
      .filter(({ rule }) => rule.trim() !== '')
      .map((rule) => {
        try {
          return new RuleProgram(rule, this.schema, shape);
        } catch (error) {
          if (error instanceof RuleError) return error;
          throw error;
        }
      });
  }

  /** Finds what was there before in place of an item; only items of list maps can be told apart. */
  oldItems(old: JsonValue | undefined): (item: JsonValue) => JsonValue | undefined {
    const { schema } = this;
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    if (schema['x-kubernetes-list-type'] !== 'map' || keys.length === 0 || !isJsonList(old))
      return () => undefined;
    const keyOf = (item: JsonValue): string => JSON.stringify(keys.map((key) => ownValue(item, key) ?? null));
    const byKey = new Map<string, JsonValue>();
    for (const item of old) if (!byKey.has(keyOf(item))) byKey.set(keyOf(item), item);
    return (item) => byKey.get(keyOf(item));
  }
}

function ruleNode(schema: Schema | undefined, rules: Schema | undefined): RuleNode | undefined {
  if (schema === undefined || rules === undefined) return undefined;
  const node = new RuleNode(schema, rules, false);
  return node.hasRules && node.shape !== undefined ? node : undefined;
}

/** All rules on one object. Ends early when the rules have cost too much. */
class Run {
  readonly errors: FieldError[] = [];
  readonly #warn: (message: string) => void;
  #budget = OBJECT_COST_MAX;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  visit(node: RuleNode, visit: Visit): void {
    const { value } = visit;
    if (value === null || this.#budget < 0) return;
    this.#own(node, visit);
    for (const part of node.allOf) this.visit(part, { ...visit, change: undefined });
    if (isJsonList(value)) this.#items(node, value, visit);
    else if (isJsonObject(value)) this.#fields(node, value, visit);
  }

  #items(node: RuleNode, items: readonly JsonValue[], around: Visit): void {
    const { items: below } = node;
    if (below === undefined) return;
    const oldOf = node.oldItems(around.old);
    items.forEach((item, index) =>
      this.visit(below, inside(around, item, oldOf(item), `${around.path}[${index}]`)),
    );
  }

  #fields(node: RuleNode, object: JsonObject, around: Visit): void {
    const { path } = around;
    for (const [name, below] of node.properties) {
      const value = ownValue(object, name);
      if (value === undefined) continue;
      // The names of the type are the same before and after by the time they get here; nothing can be told from that.
      const unknown = around.change !== undefined && around.nearest === undefined && TYPE_FIELDS.has(name);
      const visit = inside(around, value, ownValue(around.old, name), path === '' ? name : `${path}.${name}`);
      this.visit(below, unknown ? { ...visit, change: undefined, nearest: undefined } : visit);
    }
    if (node.values === undefined) return;
    for (const [key, value] of Object.entries(object)) {
      if (value === undefined) continue;
      this.visit(node.values, inside(around, value, ownValue(around.old, key), `${path}[${key}]`));
    }
  }

  #own(node: RuleNode, visit: Visit): void {
    const { programs, shape, schema } = node;
    if (programs.length === 0 || shape === undefined) return;
    const at = new Place(schema.type ?? '', visit);
    if (this.#budget <= 0) return this.#giveUp(at, OUT_OF_BUDGET);
    let subject: Subject | undefined;
    for (const program of programs) {
      if (program instanceof RuleError) {
        this.errors.push(at.invalid(`rule compile error: ${program.message}`));
        continue;
      }
      const { old } = visit;
      const hasOld = old !== undefined && old !== null;
      if (program.usesOldSelf && !hasOld && program.rule.optionalOldSelf !== true) continue;
      subject ??= { self: shape.value(visit.value), oldSelf: hasOld ? shape.value(old) : undefined };
      this.#rule(program, subject, at);
      if (this.#budget < 0) return;
    }
  }

  #giveUp(at: Place, why: string): void {
    this.errors.push(at.invalid(why));
    this.#budget = -1;
  }

  #rule(program: RuleProgram, subject: Subject, at: Place): void {
    const { cost, value, error } = program.run(subject, RUN_COST_MAX);
    if (cost > this.#budget) return this.#giveUp(at, OUT_OF_BUDGET);
    this.#budget -= cost;
    const text = ruleText(program.rule);
    if (error instanceof CostLimitError) {
      return this.#giveUp(
        at,
        `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`,
      );
    }
    if (error !== undefined) {
      const why = error.message.startsWith('no such overload')
        ? `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`
        : `${error.message} evaluating rule: ${text}`;
      this.errors.push(at.invalid(why));
      return;
    }
    if (value !== true) this.#broken(program, subject, at);
  }

  #broken(program: RuleProgram, subject: Subject, at: Place): void {
    const message = program.hasMessage ? this.#message(program, subject, at) : undefined;
    if (this.#budget < 0) return;
    const error = at.broken(program, message ?? defaultMessage(program.rule));
    if (program.usesOldSelf || !at.isUnchanged) this.errors.push(error);
    else this.#warn(`${error.path}: ${error.message}`);
  }

  /** COMPAT: a message that cannot be made is no reason to let the value pass; the fixed one is used. */
  #message(program: RuleProgram, subject: Subject, at: Place): string | undefined {
    const outcome = program.runMessage(subject, RUN_COST_MAX);
    if (outcome.cost > this.#budget) {
      const why =
        'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run';
      this.#giveUp(at.below(program.fieldPath), why);
      return undefined;
    }
    if (outcome.error instanceof CostLimitError) {
      const expression = JSON.stringify(program.rule.messageExpression);
      const why = `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${expression}`;
      this.#giveUp(at.below(program.fieldPath), why);
      return undefined;
    }
    this.#budget -= outcome.cost;
    return usableMessage(outcome);
  }
}

const OUT_OF_BUDGET =
  'validation failed due to running out of cost budget, no further validation rules will be run';

function usableMessage({ value }: Outcome): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' || text.includes('\n') || byteLength(text) > MESSAGE_BYTES_MAX ? undefined : text;
}

function ruleText({ rule, message = '' }: ValidationRule): string {
  return (message === '' ? rule : message).trim();
}

function defaultMessage(rule: ValidationRule): string {
  return (rule.message ?? '') === '' ? `failed rule: ${ruleText(rule)}` : ruleText(rule);
}

/** Where errors about a value point to, and how they show it. */
class Place {
  readonly #type: string;
  readonly #visit: Visit;

  constructor(type: string, visit: Visit) {
    this.#type = type;
    this.#visit = visit;
  }

  get isUnchanged(): boolean {
    const { change, nearest } = this.#visit;
    return change === undefined ? nearest?.unchanged === true : change.unchanged;
  }

  below(fieldPath: string): Place {
    return fieldPath === ''
      ? this
      : new Place(this.#type, { ...this.#visit, path: joined(this.#visit.path, fieldPath) });
  }

  /** COMPAT: what went wrong with a rule is told with the type of the value, not with the value. */
  invalid(why: string): FieldError {
    return fieldError.invalid(this.#path, this.#type, why);
  }

  get #path(): string {
    return this.#visit.path === '' ? '<nil>' : this.#visit.path;
  }

  broken({ rule, fieldPath }: RuleProgram, message: string): FieldError {
    const path = this.below(fieldPath).#path;
    const { value } = this.#visit;
    const shown = this.#type !== 'object' && this.#type !== 'array';
    switch (rule.reason) {
      case 'FieldValueForbidden':
        return fieldError.forbidden(path, message);
      case 'FieldValueRequired':
        return fieldError.required(path, message);
      case 'FieldValueDuplicate':
        return shown
          ? fieldError.duplicate(path, value)
          : { type: 'FieldValueDuplicate', path, message: 'Duplicate value' };
      default:
        return shown ? fieldError.invalid(path, value, message) : fieldError.invalidUnseen(path, message);
    }
  }
}

function joined(path: string, fieldPath: string): string {
  return path === '' ? fieldPath : `${path}.${fieldPath}`;
}

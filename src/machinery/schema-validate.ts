// Validation of values against a schema, with the messages that kube-apiserver gives for custom resources.
// A validator is built per schema, once; validating visits the value once and builds no text unless something is wrong.
import type { JsonObject, JsonValue, Schema } from '../api/index.ts';
import { validateEmbeddedResource } from './embedded-resource.ts';
import { FieldPath } from './field-path.ts';
import { goNumber } from './go-text.ts';
import { deepEqual } from './json.ts';
import { isJsonList, isJsonObject, ownField } from './json-draft.ts';
import { duplicateItems, ListMap } from './list-keys.ts';
import { PatternError, compilePattern, type Pattern } from './pattern.ts';
import { Quantity } from './quantity.ts';
import { planFor, type Plan, type RefResolver } from './schema-plan.ts';
import { fieldError, type FieldError } from './status-error.ts';
import { formatCheck } from './string-formats.ts';

// COMPAT: what is not about one field carries the path that Go prints for none.
const NO_PATH = '<nil>';

export interface ValidationOptions {
  /** The value that is replaced: errors of parts that did not change are let pass (ratcheting). */
  readonly old?: JsonValue;
  /** Where `value` stands in the object: put in front of the errors' paths, e.g. `status`. */
  readonly at?: string;
}

/** Everything wrong with `value`; nothing is an empty list. Does not evaluate `x-kubernetes-validations`. */
export function validateSchema(
  value: JsonValue,
  schema: Schema,
  resolveRef?: RefResolver,
  options: ValidationOptions = {},
): FieldError[] {
  const validator = validatorFor(planFor(schema, resolveRef));
  const walk = new Walk(options.at);
  validator.validate(value, options.old, walk);
  const errors = walk.distinct();
  const embedded = new Walk(options.at);
  validator.validateEmbedded(value, embedded);
  const lists = new Walk(options.at);
  validator.validateLists(value, lists);
  // COMPAT: duplicates that were there before are let pass as a whole.
  if (lists.errors.length > 0 && options.old !== undefined) {
    const before = new Walk(options.at);
    validator.validateLists(options.old, before);
    if (before.errors.length > 0) return [...errors, ...embedded.errors];
  }
  return [...errors, ...embedded.errors, ...lists.errors];
}

const validators = new WeakMap<Plan, Validator>();

function validatorFor(plan: Plan): Validator {
  const known = validators.get(plan);
  if (known !== undefined) return known;
  const validator = new Validator(plan);
  validators.set(plan, validator);
  return validator;
}

class Walk {
  readonly errors: FieldError[] = [];
  readonly path = new FieldPath();
  readonly #at: string | undefined;

  constructor(at: string | undefined) {
    this.#at = at;
  }

  /** The path as errors carry it; `more` is a further field. */
  field(more?: string): string {
    const text = this.path.toString(more);
    if (this.#at === undefined) return text;
    return text === '' ? this.#at : `${this.#at}.${text}`;
  }

  distinct(): FieldError[] {
    if (this.errors.length < 2) return this.errors;
    const seen = new Set<string>();
    return this.errors.filter(({ path, message }) => {
      const key = `${path}\n${message}`;
      return seen.has(key) ? false : seen.add(key);
    });
  }
}

type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';

function typeOf(value: JsonValue): JsonType {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number';
    case 'boolean':
      return 'boolean';
    default:
      return isJsonList(value) ? 'array' : 'object';
  }
}

/** Undefined: a format that means nothing for the type. */
function knownFormat({ type, format }: Schema): string | undefined {
  if (format === undefined) return undefined;
  if (type === 'integer') return format === 'int32' || format === 'int64' ? format : undefined;
  if (type === 'number') return format === 'float' || format === 'double' ? format : undefined;
  if (type !== undefined && type !== 'string') return undefined;
  return formatCheck(format) === undefined ? undefined : format;
}

class Validator {
  readonly plan: Plan;
  readonly #types: readonly string[];
  readonly #format: string | undefined;
  readonly #checkFormat: ((text: string) => boolean) | undefined;
  readonly #pattern: Pattern | undefined;
  readonly #required: readonly string[];
  readonly #composite: boolean;
  readonly #children = new Map<string, Validator | undefined>();
  #items: Validator | undefined;
  #hasEmbedded: boolean | undefined;
  #hasKeyedLists: boolean | undefined;

  constructor(plan: Plan) {
    const { schema } = plan;
    this.plan = plan;
    const several = plan.intOrString || plan.special === 'quantity';
    if (several) this.#types = ['integer', 'string', ...(plan.special === 'quantity' ? ['number'] : [])];
    else this.#types = schema.type === undefined ? [] : [schema.type];
    this.#format = several ? undefined : knownFormat(schema);
    this.#checkFormat = this.#format === undefined ? undefined : formatCheck(this.#format);
    this.#pattern =
      schema.pattern === undefined || schema.pattern === '' ? undefined : patternOf(schema.pattern);
    this.#required = schema.required ?? [];
    this.#composite =
      plan.special === undefined &&
      (schema.allOf !== undefined ||
        schema.anyOf !== undefined ||
        schema.oneOf !== undefined ||
        schema.not !== undefined);
  }

  child(key: string): Validator | undefined {
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    const named = this.plan.property(key);
    if (named !== undefined) {
      const validator = validatorFor(named);
      this.#children.set(key, validator);
      return validator;
    }
    // Keys of open maps come from users and are not remembered.
    return this.plan.additional === undefined ? undefined : validatorFor(this.plan.additional);
  }

  get items(): Validator | undefined {
    if (this.#items === undefined && this.plan.items !== undefined) {
      this.#items = validatorFor(this.plan.items);
    }
    return this.#items;
  }

  /**
   * Reports what is wrong with `value`. Returns how many checks were made, by which the nearest of several alternatives is
   * found. `old` undefined: there is nothing to compare with.
   */
  validate(value: JsonValue, old: JsonValue | undefined, walk: Walk): number {
    const before = walk.errors.length;
    const checks = value === null ? this.#validateNull(walk) : this.#validateValue(value, old, walk);
    if (walk.errors.length > before && old !== undefined && deepEqual(old, value))
      walk.errors.length = before;
    return checks;
  }

  #validateNull(walk: Walk): number {
    if (this.#types.length > 0 && !this.plan.nullable) this.#wrongType(this.#types.join(','), 'null', walk);
    this.#validateEnum(null, walk);
    return 2;
  }

  #validateValue(value: JsonValue, old: JsonValue | undefined, walk: Walk): number {
    let checks = 3;
    this.#validateType(value, walk);
    if (this.#composite) checks += this.#validateComposites(value, old, walk);
    if (typeof value === 'string') this.#validateString(value, walk);
    else if (typeof value === 'number') this.#validateNumber(value, walk);
    else if (isJsonList(value)) checks += this.#validateList(value, old, walk);
    this.#validateEnum(value, walk);
    if (isJsonObject(value)) checks += this.#validateObject(value, old, walk);
    return checks;
  }

  #wrongType(wanted: string, actual: string, walk: Walk): void {
    const detail = `${walk.path.toString()} in body must be of type ${wanted}: ${JSON.stringify(actual)}`;
    walk.errors.push(fieldError.typeInvalid(walk.field(), actual, detail));
  }

  #validateType(value: JsonValue, walk: Walk): void {
    const types = this.#types;
    const format = this.#format;
    if (types.length === 0 && format === undefined) return;
    const actual = typeOf(value);
    const fits = types.includes(actual) || (actual === 'integer' && types.includes('number'));
    if (fits) return;
    const textual = actual === 'string' || actual === 'array';
    if (format !== undefined && !textual) {
      const actualFormat = actual === 'integer' ? 'int64' : actual === 'number' ? 'float64' : '';
      this.#wrongType(format, actualFormat, walk);
    } else if (format !== undefined && types[0] !== 'integer' && types[0] !== 'number') return;
    else this.#wrongType(types.join(','), actual, walk);
  }

  #validateString(value: string, walk: Walk): void {
    const { maxLength, minLength, pattern } = this.plan.schema;
    if (maxLength !== undefined && value.length > maxLength && countRunes(value) > maxLength) {
      walk.errors.push(fieldError.tooLong(walk.field(), maxLength));
    } else if (minLength !== undefined && countRunes(value) < minLength) {
      this.#invalid(value, `should be at least ${minLength} chars long`, walk);
    } else if (this.#pattern !== undefined && !this.#pattern.test(value)) {
      this.#invalid(value, `should match '${pattern}'`, walk);
    } else if (this.plan.special === 'quantity' && Quantity.tryParse(value) === undefined) {
      this.#wrongType('quantity', value, walk);
    }
    if (this.#checkFormat !== undefined && !this.#checkFormat(value)) {
      this.#wrongType(this.#format ?? '', value, walk);
    }
  }

  #invalid(value: unknown, detail: string, walk: Walk): void {
    walk.errors.push(fieldError.invalid(walk.field(), value, `${walk.path.toString()} in body ${detail}`));
  }

  #validateNumber(value: number, walk: Walk): void {
    const { type, maximum, minimum, exclusiveMaximum, exclusiveMinimum, multipleOf } = this.plan.schema;
    this.#validateRange(value, type, walk);
    if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
      this.#invalid(value, `should be a multiple of ${goNumber(multipleOf)}`, walk);
    }
    if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum)) {
      const bound = exclusiveMaximum === true ? 'less than' : 'less than or equal to';
      this.#invalid(value, `should be ${bound} ${goNumber(maximum)}`, walk);
    }
    if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum)) {
      const bound = exclusiveMinimum === true ? 'greater than' : 'greater than or equal to';
      this.#invalid(value, `should be ${bound} ${goNumber(minimum)}`, walk);
    }
  }

  #validateRange(value: number, type: string | undefined, walk: Walk): void {
    const bits = this.#format === 'int32' ? 31 : 63;
    const tooLarge =
      type === 'integer'
        ? Number.isInteger(value) && (value >= 2 ** bits || value < -(2 ** bits))
        : this.#format === 'float' && Math.abs(value) > 3.4028234663852886e38;
    if (!tooLarge) return;
    const format = this.#format === undefined ? '(default format)' : `with format ${this.#format}`;
    const detail = `Checked value must be of type ${type} ${format} in ${walk.path.toString()}`;
    walk.errors.push(fieldError.invalid(NO_PATH, '', detail));
  }

  #validateEnum(value: JsonValue, walk: Walk): void {
    const allowed = this.plan.schema.enum;
    if (allowed === undefined || allowed.length === 0) return;
    if (value !== null && allowed.some((one) => deepEqual(one, value))) return;
    const supported = allowed.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
    walk.errors.push(fieldError.notSupported(walk.field(), value, supported));
  }

  #validateList(list: readonly JsonValue[], old: JsonValue | undefined, walk: Walk): number {
    const { minItems, maxItems, uniqueItems } = this.plan.schema;
    const { items } = this;
    let checks = 0;
    if (items !== undefined) {
      const before = isJsonList(old) ? ListMap.of(this.plan, old) : undefined;
      for (let index = 0; index < list.length; index++) {
        const item = list[index] ?? null;
        walk.path.push(index);
        checks += items.validate(item, before?.get(item), walk);
        walk.path.pop();
      }
    }
    if (minItems !== undefined && list.length < minItems) {
      this.#invalid(list.length, `should have at least ${minItems} items`, walk);
    }
    if (maxItems !== undefined && list.length > maxItems) {
      walk.errors.push(fieldError.tooMany(walk.field(), list.length, maxItems));
    }
    if (uniqueItems === true && duplicateItems(list).length > 0) {
      this.#invalid('', "shouldn't contain duplicates", walk);
    }
    return checks;
  }

  #validateObject(object: JsonObject, old: JsonValue | undefined, walk: Walk): number {
    const { minProperties, maxProperties, additionalProperties } = this.plan.schema;
    const before = isJsonObject(old) ? old : undefined;
    let checks = 0;
    let count = 0;
    for (const key in object) {
      const value = object[key];
      if (value === undefined) continue;
      count++;
      const child = this.child(key);
      if (child !== undefined) {
        walk.path.push(key);
        checks += child.validate(value, before === undefined ? undefined : ownField(before, key), walk);
        walk.path.pop();
      } else if (additionalProperties === false) {
        const detail = `${walk.path.toString()}.${key} in body is a forbidden property`;
        walk.errors.push(fieldError.invalid(walk.field(), key, detail));
      }
    }
    if (minProperties !== undefined && count < minProperties) {
      this.#invalid(count, `should have at least ${minProperties} properties`, walk);
    }
    if (maxProperties !== undefined && count > maxProperties) {
      walk.errors.push(fieldError.tooMany(walk.field(), count, maxProperties));
    }
    for (const name of this.#required) {
      if (ownField(object, name) === undefined) walk.errors.push(fieldError.required(walk.field(name)));
    }
    return checks;
  }

  // ---- allOf, anyOf, oneOf, not

  #validateComposites(value: JsonValue, old: JsonValue | undefined, walk: Walk): number {
    const { allOf, anyOf, oneOf, not } = this.plan.schema;
    let checks = 1;
    if (anyOf !== undefined && anyOf.length > 0)
      checks += this.#alternatives(anyOf, 'anyOf', value, old, walk);
    if (oneOf !== undefined && oneOf.length > 0)
      checks += this.#alternatives(oneOf, 'oneOf', value, old, walk);
    if (allOf !== undefined) checks += this.#validateAll(allOf, value, old, walk);
    if (not !== undefined) {
      const start = walk.errors.length;
      checks += validatorFor(this.plan.planOf(not)).validate(value, old, walk);
      const valid = walk.errors.length === start;
      walk.errors.length = start;
      if (valid) this.#composed('must not validate the schema (not)', walk);
    }
    return checks;
  }

  #composed(detail: string, walk: Walk): void {
    walk.errors.push(fieldError.invalid(NO_PATH, '', `${JSON.stringify(walk.path.toString())} ${detail}`));
  }

  #alternatives(
    schemas: readonly Schema[],
    keyword: 'anyOf' | 'oneOf',
    value: JsonValue,
    old: JsonValue | undefined,
    walk: Walk,
  ): number {
    const start = walk.errors.length;
    let nearest: FieldError[] = [];
    let nearestChecks = -1;
    let valid = 0;
    let validChecks = 0;
    for (const schema of schemas) {
      const checks = validatorFor(this.plan.planOf(schema)).validate(value, old, walk);
      const errors = walk.errors.splice(start);
      if (errors.length === 0) {
        valid++;
        if (valid === 1) validChecks = checks;
        if (keyword === 'anyOf') return checks;
      } else if (checks > nearestChecks) {
        nearest = errors;
        nearestChecks = checks;
      }
    }
    if (keyword === 'oneOf' && valid === 1) return validChecks;
    if (keyword === 'anyOf') this.#composed('must validate at least one schema (anyOf)', walk);
    else {
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
      this.#composed(`must validate one and only one schema (oneOf). ${found}`, walk);
    }
    if (valid === 0) walk.errors.push(...nearest);
    return Math.max(nearestChecks, 0);
  }

  #validateAll(schemas: readonly Schema[], value: JsonValue, old: JsonValue | undefined, walk: Walk): number {
    let checks = 0;
    let valid = 0;
    for (const schema of schemas) {
      const start = walk.errors.length;
      checks += validatorFor(this.plan.planOf(schema)).validate(value, old, walk);
      if (walk.errors.length === start) valid++;
    }
    if (valid < schemas.length) {
      this.#composed(`must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`, walk);
    }
    return checks;
  }

  // ---- embedded resources, and lists with keys

  /** Checks apiVersion, kind and metadata of embedded resources. */
  validateEmbedded(value: JsonValue, walk: Walk): void {
    this.#hasEmbedded ??= contains(this.plan, (plan) => plan.embedded, new Set());
    if (!this.#hasEmbedded) return;
    if (isJsonObject(value)) {
      if (this.plan.embedded) walk.errors.push(...validateEmbeddedResource(value, walk.field()));
      this.#eachChild(value, walk, (child, field) => child.validateEmbedded(field, walk));
    } else if (isJsonList(value)) {
      this.#eachItem(value, walk, (items, item) => items.validateEmbedded(item, walk));
    }
  }

  /** Checks that lists of type set and map hold nothing twice. */
  validateLists(value: JsonValue, walk: Walk): void {
    this.#hasKeyedLists ??= contains(this.plan, isKeyedList, new Set());
    if (!this.#hasKeyedLists) return;
    if (isJsonObject(value)) {
      this.#eachChild(value, walk, (child, field) => child.validateLists(field, walk));
    } else if (isJsonList(value)) {
      if (isKeyedList(this.plan)) this.#validateKeys(value, walk);
      this.#eachItem(value, walk, (items, item) => items.validateLists(item, walk));
    }
  }

  #validateKeys(list: readonly JsonValue[], walk: Walk): void {
    const set = this.plan.schema['x-kubernetes-list-type'] === 'set';
    if (!set) {
      const bad = list.findIndex((item) => item !== null && !isJsonObject(item));
      if (bad >= 0) {
        const detail = 'must be an object for an array of list-type map';
        walk.errors.push(fieldError.invalid(`${walk.field()}[${bad}]`, list[bad], detail));
        return;
      }
    }
    const keys = set ? list : ListMap.keys(this.plan, list);
    for (const index of duplicateItems(keys)) {
      walk.errors.push(fieldError.duplicate(`${walk.field()}[${index}]`, keys[index]));
    }
  }

  #eachChild(object: JsonObject, walk: Walk, visit: (child: Validator, value: JsonValue) => void): void {
    for (const key in object) {
      const value = object[key];
      const child = value === undefined || value === null ? undefined : this.child(key);
      if (child === undefined) continue;
      if (this.plan.property(key) === undefined) walk.path.pushKey(key);
      else walk.path.push(key);
      visit(child, value ?? null);
      walk.path.pop();
    }
  }

  #eachItem(
    list: readonly JsonValue[],
    walk: Walk,
    visit: (items: Validator, value: JsonValue) => void,
  ): void {
    const { items } = this;
    if (items === undefined) return;
    for (let index = 0; index < list.length; index++) {
      walk.path.push(index);
      visit(items, list[index] ?? null);
      walk.path.pop();
    }
  }
}

function isKeyedList(plan: Plan): boolean {
  const type = plan.schema['x-kubernetes-list-type'];
  return type === 'set' || type === 'map';
}

function contains(plan: Plan, wanted: (plan: Plan) => boolean, seen: Set<Plan>): boolean {
  if (seen.has(plan)) return false;
  seen.add(plan);
  if (wanted(plan)) return true;
  const below = [
    plan.items,
    plan.additional,
    ...Object.keys(plan.schema.properties ?? {}).map((name) => plan.property(name)),
  ];
  return below.some((child) => child !== undefined && contains(child, wanted, seen));
}

function patternOf(source: string): Pattern {
  try {
    return compilePattern(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return { test: () => false };
  }
}

/** Characters as Go counts them: a pair of surrogates is one. */
function countRunes(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff && i + 1 < text.length) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) count--;
    }
  }
  return count;
}

function isMultiple(value: number, factor: number): boolean {
  if (Number.isInteger(value) && Number.isInteger(factor)) return value % factor === 0;
  const times = factor < 1 ? (1 / factor) * value : value / factor;
  const whole = Math.round(times);
  return times === whole || Math.abs(times - whole) / (Math.abs(times) + Math.abs(whole)) < 1e-9;
}

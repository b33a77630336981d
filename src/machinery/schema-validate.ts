// Validation of values against a schema, with the messages that kube-apiserver gives for custom resources.
// A validator is built per schema, once; validating visits the value once and builds no text unless something is wrong.
import type { JsonObject, JsonValue, Schema } from '../api/index.ts';
import { goNumber } from './go-text.ts';
import { deepEqual } from './json.ts';
import { isJsonList, isJsonObject, ownField } from './json-draft.ts';
import { duplicateItems, ListMap } from './list-keys.ts';
import { Quantity } from './quantity.ts';
import { acceptorFor } from './schema-accept.ts';
import { embeddedErrors, keyErrors } from './schema-identity.ts';
import { planFor, type Plan, type RefResolver } from './schema-plan.ts';
import {
  constraintsOf,
  countRunes,
  isInRange,
  isMultiple,
  typeOf,
  type Constraints,
} from './schema-types.ts';
import { fieldError, type FieldError } from './status-error.ts';
import { Walk } from './validation-walk.ts';

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
  const plan = planFor(schema, resolveRef);
  return acceptorFor(plan).accepts(value) ? [] : findErrors(value, plan, options);
}

/** As validateSchema, without the short way for values that are right. */
export function findErrors(value: JsonValue, plan: Plan, options: ValidationOptions): FieldError[] {
  const walk = new Walk(options.at);
  validatorFor(plan).validate(value, options.old, walk);
  const errors = [...walk.distinct(), ...embeddedErrors(value, plan, options.at)];
  const lists = keyErrors(value, plan, options.at);
  // COMPAT: duplicates that were there before are let pass as a whole.
  const { old } = options;
  if (lists.length > 0 && old !== undefined && keyErrors(old, plan, options.at).length > 0) return errors;
  return [...errors, ...lists];
}

const validators = new WeakMap<Plan, Validator>();

function validatorFor(plan: Plan): Validator {
  const known = validators.get(plan);
  if (known !== undefined) return known;
  const validator = new Validator(plan);
  validators.set(plan, validator);
  return validator;
}

class Validator {
  readonly plan: Plan;
  readonly #constraints: Constraints;
  readonly #required: readonly string[];
  readonly #children = new Map<string, Validator | undefined>();
  #items: Validator | undefined;

  constructor(plan: Plan) {
    this.plan = plan;
    this.#constraints = constraintsOf(plan);
    this.#required = plan.schema.required ?? [];
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
    const { types } = this.#constraints;
    if (types.length > 0 && !this.plan.nullable) this.#wrongType(types.join(','), 'null', walk);
    this.#validateEnum(null, walk);
    return 2;
  }

  #validateValue(value: JsonValue, old: JsonValue | undefined, walk: Walk): number {
    let checks = 3;
    this.#validateType(value, walk);
    if (this.#constraints.composite) checks += this.#validateComposites(value, old, walk);
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
    const { types, format } = this.#constraints;
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
    const { format, checkFormat } = this.#constraints;
    if (maxLength !== undefined && value.length > maxLength && countRunes(value) > maxLength) {
      walk.errors.push(fieldError.tooLong(walk.field(), maxLength));
    } else if (minLength !== undefined && countRunes(value) < minLength) {
      this.#invalid(value, `should be at least ${minLength} chars long`, walk);
    } else if (this.#constraints.pattern?.test(value) === false) {
      this.#invalid(value, `should match '${pattern}'`, walk);
    } else if (this.plan.special === 'quantity' && Quantity.tryParse(value) === undefined) {
      this.#wrongType('quantity', value, walk);
    }
    if (checkFormat?.(value) === false) this.#wrongType(format ?? '', value, walk);
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
    const known = this.#constraints.format;
    if (isInRange(value, type, known)) return;
    const format = known === undefined ? '(default format)' : `with format ${known}`;
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
}

// Whether a value is right, and nothing more. Nearly every value is, and finding that out takes no paths, no messages
// and no comparison with what was there before: validation looks for those only behind a no.
//
// INVARIANT: a value has no errors if it is accepted, and some if it is not; only a list map with a null among its items
// may be refused for nothing, and validation then finds nothing to say.
import type { JsonObject, JsonValue, Schema } from '../api/index.ts';
import { validateEmbeddedResource } from './embedded-resource.ts';
import { deepEqual } from './json.ts';
import { isJsonList, ownField } from './json-draft.ts';
import { areDistinct, duplicateItems } from './list-keys.ts';
import { Quantity } from './quantity.ts';
import type { Plan } from './schema-plan.ts';
import {
  constraintsOf,
  countRunes,
  isInRange,
  isKeyedList,
  isMultiple,
  type Constraints,
} from './schema-types.ts';

const acceptors = new WeakMap<Plan, Acceptor>();

export function acceptorFor(plan: Plan): Acceptor {
  const known = acceptors.get(plan);
  if (known !== undefined) return known;
  const acceptor = new Acceptor(plan);
  acceptors.set(plan, acceptor);
  return acceptor;
}

class Acceptor {
  readonly #plan: Plan;
  readonly #constraints: Constraints;
  readonly #types: readonly string[];
  readonly #anyType: boolean;
  /** COMPAT: formats of texts let lists pass. */
  readonly #isTextual: boolean;
  /** Every string will do. */
  readonly #anyString: boolean;
  readonly #allowed: readonly JsonValue[] | undefined;
  readonly #required: readonly string[];
  /** What tells the items of a list map apart; nothing for a set; undefined for other lists. */
  readonly #keys: readonly string[] | undefined;
  readonly #children = new Map<string, Acceptor>();
  #items: Acceptor | undefined;
  #additional: Acceptor | undefined;

  constructor(plan: Plan) {
    const { schema } = plan;
    const constraints = constraintsOf(plan);
    const { types, format, checkFormat, pattern, composite } = constraints;
    this.#plan = plan;
    this.#constraints = constraints;
    this.#types = types;
    this.#anyType = types.length === 0 && format === undefined;
    this.#isTextual = format !== undefined && types[0] !== 'integer' && types[0] !== 'number';
    this.#allowed = schema.enum === undefined || schema.enum.length === 0 ? undefined : schema.enum;
    this.#anyString =
      types.includes('string') &&
      !composite &&
      checkFormat === undefined &&
      pattern === undefined &&
      this.#allowed === undefined &&
      plan.special !== 'quantity' &&
      schema.maxLength === undefined &&
      schema.minLength === undefined;
    this.#required = schema.required ?? [];
    this.#keys = isKeyedList(plan) ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined;
  }

  accepts(value: JsonValue): boolean {
    if (typeof value === 'string' && this.#anyString) return true;
    if (value === null)
      return (this.#plan.nullable || this.#types.length === 0) && this.#allowed === undefined;
    if (this.#constraints.composite && !this.#acceptsComposites(value)) return false;
    if (this.#allowed !== undefined && !this.#allows(value)) return false;
    switch (typeof value) {
      case 'string':
        return (this.#types.length === 0 || this.#types.includes('string')) && this.#acceptsString(value);
      case 'number':
        return this.#acceptsNumber(value);
      case 'boolean':
        return this.#fits('boolean');
      default:
        return isJsonList(value) ? this.#acceptsList(value) : this.#acceptsObject(value);
    }
  }

  #fits(type: string): boolean {
    return this.#anyType || this.#types.includes(type);
  }

  #allows(value: JsonValue): boolean {
    const allowed = this.#allowed ?? [];
    return allowed.includes(value) || allowed.some((one) => deepEqual(one, value));
  }

  #acceptsString(value: string): boolean {
    const { checkFormat, pattern } = this.#constraints;
    const { maxLength, minLength } = this.#plan.schema;
    if (maxLength !== undefined && value.length > maxLength && countRunes(value) > maxLength) return false;
    if (minLength !== undefined && minLength > 0 && countRunes(value) < minLength) return false;
    if (pattern?.test(value) === false || checkFormat?.(value) === false) return false;
    return this.#plan.special !== 'quantity' || Quantity.tryParse(value) !== undefined;
  }

  #acceptsNumber(value: number): boolean {
    if (!this.#fits('number') && !(Number.isInteger(value) && this.#types.includes('integer'))) return false;
    const { type, maximum, minimum, exclusiveMaximum, exclusiveMinimum, multipleOf } = this.#plan.schema;
    if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum))
      return false;
    if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum))
      return false;
    if (multipleOf !== undefined && !isMultiple(value, multipleOf)) return false;
    return isInRange(value, type, this.#constraints.format);
  }

  #acceptsList(list: readonly JsonValue[]): boolean {
    const { minItems, maxItems, uniqueItems } = this.#plan.schema;
    if (!this.#fits('array') && !this.#isTextual) return false;
    if (minItems !== undefined && list.length < minItems) return false;
    if (maxItems !== undefined && list.length > maxItems) return false;
    const items = (this.#items ??= this.#plan.items && acceptorFor(this.#plan.items));
    if (items !== undefined) {
      for (let i = 0; i < list.length; i++) if (!items.accepts(list[i] ?? null)) return false;
    }
    if (uniqueItems === true && duplicateItems(list).length > 0) return false;
    return this.#keys === undefined || areDistinct(list, this.#keys);
  }

  #acceptsObject(object: JsonObject): boolean {
    if (!this.#fits('object')) return false;
    const { minProperties, maxProperties, additionalProperties } = this.#plan.schema;
    let count = 0;
    for (const key in object) {
      const value = object[key];
      if (value === undefined) continue;
      count++;
      const child = this.#children.get(key) ?? this.#findChild(key);
      if (child === undefined ? additionalProperties === false : !child.accepts(value)) return false;
    }
    if (minProperties !== undefined && count < minProperties) return false;
    if (maxProperties !== undefined && count > maxProperties) return false;
    const required = this.#required;
    for (let i = 0; i < required.length; i++) if (ownField(object, required[i]!) === undefined) return false;
    return !this.#plan.embedded || validateEmbeddedResource(object, '').length === 0;
  }

  #findChild(key: string): Acceptor | undefined {
    const named = this.#plan.property(key);
    if (named === undefined) {
      // Keys of open maps come from users and are not remembered.
      return (this.#additional ??= this.#plan.additional && acceptorFor(this.#plan.additional));
    }
    const child = acceptorFor(named);
    this.#children.set(key, child);
    return child;
  }

  #acceptsComposites(value: JsonValue): boolean {
    const { allOf, anyOf, oneOf, not } = this.#plan.schema;
    const fits = (schema: Schema): boolean => acceptorFor(this.#plan.planOf(schema)).accepts(value);
    if (allOf?.every(fits) === false) return false;
    if (anyOf !== undefined && anyOf.length > 0 && !anyOf.some(fits)) return false;
    if (oneOf !== undefined && oneOf.length > 0 && oneOf.filter(fits).length !== 1) return false;
    return not === undefined || !fits(not);
  }
}

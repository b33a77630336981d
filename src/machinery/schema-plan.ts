// Schemas made ready for use: references resolved, each question answered once. Patching, pruning, defaulting,
// validation and server-side apply all walk a Plan beside the value, so they agree on what a schema means.
// Children are planned when first reached, since definitions refer to each other in circles.
import type { JsonValue, Schema } from '../api/index.ts';

/** Gives the schema that a `$ref` means. */
export type RefResolver = (reference: string) => Schema;

/** What a built-in type is beyond its JSON type. */
export type Special = 'quantity' | 'int-or-string' | 'time' | 'micro-time' | 'bytes';

const DEFINITION = /^#\/components\/schemas\/(.+)$/;
const SPECIALS: Readonly<Record<string, Special>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'int-or-string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'micro-time',
};

export class Plan {
  /** References at this level are resolved; what stood beside them is kept and wins. */
  readonly schema: Schema;
  /** The name of the definition it came from, such as `io.k8s.api.core.v1.Container`. */
  readonly definition: string | undefined;
  /** Built-in types know their fields by reference; a structural schema writes everything out. */
  readonly structural: boolean;
  readonly special: Special | undefined;
  /** Fields that the schema does not name are kept. */
  readonly open: boolean;
  readonly required: ReadonlySet<string>;
  readonly #resolveRef: RefResolver | undefined;
  readonly #properties = new Map<string, Plan>();
  #items: Plan | undefined;
  #additional: Plan | undefined;
  #hasDefaults: boolean | undefined;
  #propertyDefaults: readonly (readonly [string, JsonValue])[] | undefined;

  constructor(schema: Schema, resolveRef: RefResolver | undefined) {
    const resolved = resolve(schema, resolveRef);
    this.schema = resolved.schema;
    this.definition = resolved.definition;
    this.structural = resolveRef === undefined;
    this.#resolveRef = resolveRef;
    this.special = specialOf(this.schema, this.definition);
    const { properties, additionalProperties, type } = this.schema;
    this.open =
      this.schema['x-kubernetes-preserve-unknown-fields'] === true ||
      additionalProperties === true ||
      (!this.structural &&
        this.special === undefined &&
        properties === undefined &&
        additionalProperties === undefined &&
        (type === 'object' || type === undefined));
    this.required = new Set(this.schema.required);
  }

  /** The plan of a named field; undefined when the schema does not name it. */
  property(name: string): Plan | undefined {
    const known = this.#properties.get(name);
    if (known !== undefined) return known;
    const properties = this.schema.properties;
    if (properties === undefined || !Object.hasOwn(properties, name)) return undefined;
    const schema = properties[name];
    if (schema === undefined) return undefined;
    const plan = planFor(schema, this.#resolveRef);
    this.#properties.set(name, plan);
    return plan;
  }

  /** The plan of whatever stands under `key`: a named field, else a value of an open map. */
  child(key: string): Plan | undefined {
    return this.property(key) ?? this.additional;
  }

  get items(): Plan | undefined {
    if (this.#items === undefined && this.schema.items !== undefined) {
      this.#items = planFor(this.schema.items, this.#resolveRef);
    }
    return this.#items;
  }

  /** The plan of the values of a map. */
  get additional(): Plan | undefined {
    const schema = this.schema.additionalProperties;
    if (this.#additional === undefined && typeof schema === 'object') {
      this.#additional = planFor(schema, this.#resolveRef);
    }
    return this.#additional;
  }

  get embedded(): boolean {
    return this.schema['x-kubernetes-embedded-resource'] === true;
  }

  get intOrString(): boolean {
    return this.special === 'int-or-string' || this.schema['x-kubernetes-int-or-string'] === true;
  }

  get nullable(): boolean {
    return this.schema.nullable === true;
  }

  /** Named fields that have a default, in the order of the schema. */
  get propertyDefaults(): readonly (readonly [string, JsonValue])[] {
    this.#propertyDefaults ??= Object.keys(this.schema.properties ?? {}).flatMap((name) => {
      const value = this.property(name)?.schema.default;
      return value === undefined ? [] : [[name, value] as const];
    });
    return this.#propertyDefaults;
  }

  /** Whether a default stands anywhere below, so that defaulting can pass over whole subtrees. */
  get hasDefaults(): boolean {
    this.#hasDefaults ??= findDefaults(this, new Set());
    return this.#hasDefaults;
  }

  /** A schema for the same values, handled by the same resolver. */
  planOf(schema: Schema): Plan {
    return planFor(schema, this.#resolveRef);
  }
}

function findDefaults(plan: Plan, seen: Set<Plan>): boolean {
  if (seen.has(plan)) return false;
  seen.add(plan);
  if (plan.propertyDefaults.length > 0) return true;
  if (
    plan.items !== undefined &&
    (plan.items.schema.default !== undefined || findDefaults(plan.items, seen))
  ) {
    return true;
  }
  const { additional } = plan;
  if (
    additional !== undefined &&
    (additional.schema.default !== undefined || findDefaults(additional, seen))
  ) {
    return true;
  }
  return Object.keys(plan.schema.properties ?? {}).some((name) => {
    const property = plan.property(name);
    return property !== undefined && findDefaults(property, seen);
  });
}

function specialOf(schema: Schema, definition: string | undefined): Special | undefined {
  if (definition !== undefined) {
    return Object.hasOwn(SPECIALS, definition) ? SPECIALS[definition] : undefined;
  }
  return schema.type === 'string' && schema.format === 'byte' ? 'bytes' : undefined;
}

interface Resolved {
  readonly schema: Schema;
  readonly definition: string | undefined;
}

/** Follows `$ref`, and `allOf` of one reference, which is how OpenAPI puts something beside a reference. */
function resolve(schema: Schema, resolveRef: RefResolver | undefined): Resolved {
  const only = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
  const reference = schema.$ref ?? only?.$ref;
  if (reference === undefined || resolveRef === undefined) return { schema, definition: undefined };
  const target = resolve(resolveRef(reference), resolveRef);
  const definition = target.definition ?? DEFINITION.exec(reference)?.[1];
  const { $ref: _ref, allOf: _allOf, ...beside } = schema;
  for (const _ in beside) return { schema: { ...target.schema, ...beside }, definition };
  return { schema: target.schema, definition };
}

const structuralPlans = new WeakMap<Schema, Plan>();
const plansByResolver = new WeakMap<RefResolver, WeakMap<Schema, Plan>>();

/** The plan of a schema object, made once. A schema must not be changed after it was planned. */
export function planFor(schema: Schema, resolveRef?: RefResolver): Plan {
  const plans = resolveRef === undefined ? structuralPlans : plansOf(resolveRef);
  const known = plans.get(schema);
  if (known !== undefined) return known;
  const plan = new Plan(schema, resolveRef);
  plans.set(schema, plan);
  return plan;
}

function plansOf(resolveRef: RefResolver): WeakMap<Schema, Plan> {
  const known = plansByResolver.get(resolveRef);
  if (known !== undefined) return known;
  const plans = new WeakMap<Schema, Plan>();
  plansByResolver.set(resolveRef, plans);
  return plans;
}

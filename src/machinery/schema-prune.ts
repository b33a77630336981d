// Removing what a schema does not name, and filling in its defaults. What stays as it was is shared with the input.
import {
  resolveRef as resolveBuiltinRef,
  type JsonObject,
  type JsonValue,
  type Schema,
} from '../api/index.ts';
import { OBJECT_META } from './embedded-resource.ts';
import { FieldPath } from './field-path.ts';
import { ObjectDraft, isJsonList, isJsonObject, mapList } from './json-draft.ts';
import { planFor, type Plan, type RefResolver } from './schema-plan.ts';
import { decodeTyped } from './typed-decode.ts';

export interface Pruned {
  readonly value: JsonValue;
  /** Paths of what was removed because the schema does not know it: `spec.foo`, `spec.list[0].foo`. */
  readonly unknown: readonly string[];
}

/** Meta fields of a resource, which no schema needs to name. */
function isMetaField(key: string): boolean {
  return key === 'apiVersion' || key === 'kind' || key === 'metadata';
}

/**
 * Prunes a custom resource (no resolver; a structural schema) or a value of a built-in type (with resolver).
 * Of a custom resource `metadata` is pruned and type-checked as ObjectMeta, at the root (unless `root` is false) and
 * in embedded resources; nulls that are neither nullable nor have a default go. Throws a 400 StatusError when
 * metadata has fields of a wrong type.
 */
export function pruneBySchema(
  value: JsonValue,
  schema: Schema,
  resolveRef?: RefResolver,
  options: { readonly root?: boolean } = {},
): Pruned {
  const plan = planFor(schema, resolveRef);
  if (!plan.structural) return decodeTyped(value, schema, resolveRef ?? resolveBuiltinRef, { lenient: true });
  const pruner = new Pruner();
  const pruned = pruner.prune(value, plan, options.root !== false);
  return { value: pruned, unknown: [...pruner.unknownMetadata.sort(), ...pruner.unknown.sort()] };
}

class Pruner {
  readonly unknown: string[] = [];
  readonly unknownMetadata: string[] = [];
  readonly #path = new FieldPath();

  /** `plan` undefined: nothing is known of this value, so nothing of it stays. */
  prune(value: JsonValue, plan: Plan | undefined, embedded: boolean): JsonValue {
    if (isJsonObject(value)) return this.#object(value, plan, embedded);
    if (!isJsonList(value)) return value;
    // An open list keeps its items as they are unless the schema says more about them.
    if (plan?.open === true && plan.items === undefined) return value;
    return mapList(value, (item, index) => {
      this.#path.push(index);
      const next = this.prune(item, plan?.items, plan?.items?.embedded === true);
      this.#path.pop();
      return next;
    });
  }

  #object(object: JsonObject, plan: Plan | undefined, embedded: boolean): JsonObject {
    const draft = new ObjectDraft(object);
    for (const key in object) {
      const value = object[key] ?? null;
      if (embedded && isMetaField(key)) {
        if (key === 'metadata') this.#metadata(draft, value);
        continue;
      }
      const child = plan?.child(key);
      if (child === undefined && plan?.open !== true) {
        if (!isMetaField(key) || this.#path.depth > 0) this.unknown.push(this.#path.toString(key));
        draft.delete(key);
        continue;
      }
      if (child === undefined) continue;
      if (value === null && !child.nullable && child.schema.default === undefined) {
        draft.delete(key);
        continue;
      }
      this.#path.push(key);
      draft.set(key, this.prune(value, child, child.embedded));
      this.#path.pop();
    }
    return draft.value;
  }

  #metadata(draft: ObjectDraft, value: JsonValue): void {
    const decoded = decodeTyped(value, OBJECT_META, resolveBuiltinRef);
    const at = this.#path.toString('metadata');
    for (const path of decoded.unknown) this.unknownMetadata.push(`${at}.${path}`);
    if (value === null) draft.delete('metadata');
    else draft.set('metadata', decoded.value);
  }
}

/** Fills in the defaults of a schema: absent fields, and nulls where null is not allowed. Idempotent. */
export function applyDefaults(value: JsonValue, schema: Schema, resolveRef?: RefResolver): JsonValue {
  return fill(value, planFor(schema, resolveRef));
}

function fill(value: JsonValue, plan: Plan): JsonValue {
  if (!plan.hasDefaults) return value;
  if (isJsonObject(value)) {
    const draft = new ObjectDraft(value);
    for (const [name, standard] of plan.propertyDefaults) {
      const current = Object.hasOwn(value, name) ? value[name] : undefined;
      if (current === undefined || (current === null && plan.property(name)?.nullable !== true)) {
        draft.set(name, standard);
      }
    }
    const filled = draft.value;
    for (const key in filled) {
      const child = plan.child(key);
      const current = filled[key];
      if (child === undefined || current === undefined) continue;
      draft.set(key, fill(substitute(current, child), child));
    }
    return draft.value;
  }
  const { items } = plan;
  if (!isJsonList(value) || items === undefined) return value;
  return mapList(value, (item) => fill(substitute(item, items), items));
}

function substitute(value: JsonValue, plan: Plan): JsonValue {
  return value === null && !plan.nullable && plan.schema.default !== undefined ? plan.schema.default : value;
}

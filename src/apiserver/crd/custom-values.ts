// Objects of one version of a custom resource: from a client's JSON, from storage, and between versions. Values are
// pruned and get their defaults on both ways in, because the schema may have changed since an object was stored.
import {
  deepFreeze,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type Schema,
} from '../../api/index.ts';
import { applyDefaults, pruneBySchema } from '../../machinery/index.ts';
import { setOwn } from '../typed/decoder.ts';
import type { DecodeReport } from '../resource.ts';

const META_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

export class CustomValues {
  readonly apiVersion: string;
  readonly #schema: Schema;
  /** Top-level fields that have a default, and so must be there. */
  readonly #defaulted: readonly string[];
  /**
   * Values of top-level fields that came out of `decode` or `conform`, with the field, and are what the schema wants there.
   * Objects share them from one write to the next, so that most of what comes from storage needs no second look.
   */
  readonly #conforming = new WeakMap<object, string>();
  /** Metadata of stored objects, which were decoded when they came. */
  readonly #stored = new WeakSet<object>();

  constructor(apiVersion: string, schema: Schema) {
    this.apiVersion = apiVersion;
    this.#schema = schema;
    this.#defaulted = Object.entries(schema.properties ?? {})
      .filter(([, property]) => property.default !== undefined)
      .map(([name]) => name);
  }

  /**
   * A client's JSON as an object of this version; what the schema does not know goes to the report. Callers inside the
   * process send parts of an object back as they have got them; there is nothing to prune in those.
   */
  decode(given: JsonObject, report: DecodeReport): KubeObject {
    const { metadata } = given;
    const value: JsonObject =
      metadata === undefined || metadata === null ? { ...given, metadata: {} } : given;
    const fresh: Record<string, JsonValue | undefined> = {};
    let all = true;
    for (const field in value) {
      if (this.#isKnown(field, value[field])) all = false;
      else setOwn(fresh, field, value[field]);
    }
    const pruned = pruneBySchema(all ? value : fresh, this.#schema);
    for (const path of pruned.unknown) report.problems.push(`unknown field "${path}"`);
    const finished = this.#finish(pruned.value);
    if (all) return finished;
    // In the order in which they came, then what has a default.
    const whole: Record<string, unknown> = {};
    for (const field in value) {
      if (!Object.hasOwn(fresh, field)) setOwn(whole, field, value[field]);
      else if (Object.hasOwn(finished, field)) setOwn(whole, field, finished[field]);
    }
    for (const field in finished) if (!Object.hasOwn(value, field)) setOwn(whole, field, finished[field]);
    return Object.freeze(whole) as unknown as KubeObject;
  }

  #isKnown(field: string, part: JsonValue | undefined): boolean {
    if (typeof part !== 'object' || part === null) return false;
    if (field === 'metadata') return this.#stored.has(part);
    return !META_FIELDS.has(field) && this.#conforming.get(part) === field;
  }

  /** A stored object, whatever schema it was written under, as this version has it now. */
  conform(object: KubeObject): KubeObject {
    if (this.#isConforming(object)) {
      this.#stored.add(object.metadata);
      return object.apiVersion === this.apiVersion
        ? object
        : Object.freeze({ ...object, apiVersion: this.apiVersion });
    }
    const pruned = pruneBySchema(object as unknown as JsonObject, this.#schema);
    const finished = this.#finish(pruned.value);
    return finished.apiVersion === this.apiVersion
      ? finished
      : Object.freeze({ ...finished, apiVersion: this.apiVersion });
  }

  #isConforming(object: KubeObject): boolean {
    for (const field in object) {
      if (META_FIELDS.has(field)) continue;
      const value = object[field];
      if (typeof value !== 'object' || value === null || this.#conforming.get(value) !== field) return false;
    }
    return this.#defaulted.every((field) => Object.hasOwn(object, field));
  }

  #finish(pruned: JsonValue): KubeObject {
    const object = deepFreeze(applyDefaults(pruned, this.#schema)) as unknown as KubeObject;
    for (const field in object) {
      const value = object[field];
      if (!META_FIELDS.has(field) && typeof value === 'object' && value !== null)
        this.#conforming.set(value, field);
    }
    return object;
  }
}

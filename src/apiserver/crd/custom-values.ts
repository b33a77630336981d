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
import type { DecodeReport } from '../resource.ts';

const META_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

export class CustomValues {
  readonly apiVersion: string;
  readonly #schema: Schema;
  /** Top-level fields that have a default, and so must be there. */
  readonly #defaulted: readonly string[];
  /**
   * Values of top-level fields that came out of `decode` or `conform`, and are what the schema wants already. Objects
   * share them from one write to the next, so that most of what comes from storage needs no second look.
   */
  readonly #conforming = new WeakSet<object>();

  constructor(apiVersion: string, schema: Schema) {
    this.apiVersion = apiVersion;
    this.#schema = schema;
    this.#defaulted = Object.entries(schema.properties ?? {})
      .filter(([, property]) => property.default !== undefined)
      .map(([name]) => name);
  }

  /** A client's JSON as an object of this version; what the schema does not know goes to the report. */
  decode(value: JsonObject, report: DecodeReport): KubeObject {
    const pruned = pruneBySchema(value, this.#schema);
    for (const path of pruned.unknown) report.problems.push(`unknown field "${path}"`);
    return this.#finish(pruned.value);
  }

  /** A stored object, whatever schema it was written under, as this version has it now. */
  conform(object: KubeObject): KubeObject {
    if (this.#isConforming(object)) {
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
      if (typeof value !== 'object' || value === null || !this.#conforming.has(value)) return false;
    }
    return this.#defaulted.every((field) => Object.hasOwn(object, field));
  }

  #finish(pruned: JsonValue): KubeObject {
    const object = deepFreeze(applyDefaults(pruned, this.#schema)) as unknown as KubeObject;
    for (const field in object) {
      const value = object[field];
      if (!META_FIELDS.has(field) && typeof value === 'object' && value !== null) this.#conforming.add(value);
    }
    return object;
  }
}

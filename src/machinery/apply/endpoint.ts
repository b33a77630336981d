// What field management needs to know of an endpoint, and the versions in which fields may be owned.
import type { JsonObject, JsonValue, KubeObject, Schema } from '../../api/index.ts';
import { isJsonObject, setField, type JsonFields } from '../json-draft.ts';
import { planFor, type Plan, type RefResolver } from '../schema-plan.ts';
import { fieldSetOf, type FieldSet } from './field-set.ts';
import { rootType, type FieldType } from './field-type.ts';

/** What field management needs to know of an endpoint: the same for all its requests. */
export interface FieldManagement {
  /** The version the request speaks. Objects passed in must be of it. */
  readonly apiVersion: string;
  readonly kind: string;
  /** The kind's schema. Without resolver a structural one (a custom resource). */
  readonly schema: Schema;
  readonly resolveRef?: RefResolver;
  /** `status`, `scale`; absent: the main resource. */
  readonly subresource?: string;
  /** Fields that this endpoint does not write, and that nobody comes to own by it: `[['status']]`. */
  readonly resetFields?: readonly (readonly string[])[];
  /** Other versions in which fields may be owned. Undefined: that version is not served any more. */
  readonly otherVersion?: (apiVersion: string) => OtherVersion | undefined;
}

export interface OtherVersion {
  readonly schema: Schema;
  readonly resolveRef?: RefResolver;
  /** Converts to this version. */
  from(object: KubeObject): KubeObject;
  /** Converts from this version to that of the endpoint. */
  to(object: KubeObject): KubeObject;
}

export interface TypeOfVersion {
  readonly type: FieldType;
  convert(object: JsonValue): JsonValue;
  convertBack(object: JsonValue): JsonValue;
}

/** The parts of a FieldManagement in the form in which they are used, made once. */
export class Endpoint {
  readonly management: FieldManagement;
  readonly type: FieldType;
  readonly reset: FieldSet;
  /** What an object is before it has anything: in a built-in type the structs that are always there. */
  readonly blank: JsonValue;
  readonly #versions = new Map<string, TypeOfVersion | undefined>();

  constructor(management: FieldManagement) {
    const { schema, resolveRef, apiVersion, kind } = management;
    this.management = management;
    this.type = rootType(planFor(schema, resolveRef));
    this.reset = fieldSetOf(...(management.resetFields ?? []));
    const fields = resolveRef === undefined ? {} : blankStruct(planFor(schema, resolveRef));
    this.blank = { ...fields, apiVersion, kind };
  }

  version(apiVersion: string): TypeOfVersion | undefined {
    if (this.#versions.has(apiVersion)) return this.#versions.get(apiVersion);
    const version = this.#makeVersion(apiVersion);
    this.#versions.set(apiVersion, version);
    return version;
  }

  #makeVersion(apiVersion: string): TypeOfVersion | undefined {
    const same = (object: JsonValue): JsonValue => object;
    if (apiVersion === this.management.apiVersion) {
      return { type: this.type, convert: same, convertBack: same };
    }
    const other = this.management.otherVersion?.(apiVersion);
    if (other === undefined) return undefined;
    return {
      type: rootType(planFor(other.schema, other.resolveRef)),
      convert: (object) => other.from(object as unknown as KubeObject) as unknown as JsonValue,
      convertBack: (object) => other.to(object as unknown as KubeObject) as unknown as JsonValue,
    };
  }
}

/** What Go encodes for a struct in which nothing is set: inner structs, zero values and nulls of required fields. */
function blankStruct(plan: Plan): JsonObject {
  const fields: JsonFields = {};
  for (const name of Object.keys(plan.schema.properties ?? {})) {
    const property = plan.property(name);
    const value = property?.schema.default;
    if (property === undefined) continue;
    if (isJsonObject(value)) setField(fields, name, blankStruct(property));
    else if (value !== undefined) setField(fields, name, value);
    else if (plan.required.has(name)) setField(fields, name, null);
  }
  return fields;
}

const endpoints = new WeakMap<FieldManagement, Endpoint>();

export function endpointOf(management: FieldManagement): Endpoint {
  const known = endpoints.get(management);
  if (known !== undefined) return known;
  const endpoint = new Endpoint(management);
  endpoints.set(management, endpoint);
  return endpoint;
}

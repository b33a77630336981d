// From a custom resource definition to what the API server core serves. A custom resource behaves like any other:
// only where its values come from, what they may be and how they are shown is said here.
import {
  convertVersion,
  deepFreeze,
  formatApiVersion,
  type CustomResourceDefinition,
  type CustomResourceDefinitionVersion,
  type JsonValue,
  type KubeObject,
  type Schema,
} from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import {
  StatusError,
  evaluateRules,
  fieldError,
  hasRules,
  specChanged,
  semanticEqual,
  validateSchema,
  type FieldError,
} from '../../machinery/index.ts';
import {
  ALL_VERBS,
  storageRootOf,
  type ResourceDefinition,
  type ResourceVersion,
  type Strategy,
  type Subresource,
  type WriteContext,
} from '../resource.ts';
import { printerOf } from './columns.ts';
import { isTerminating } from './conditions.ts';
import { CustomValues } from './custom-values.ts';
import { scaleSpecErrors, scaleStatusErrors, scaleSubresource } from './scale.ts';
import { simplePath } from './schema-rules.ts';
import { compareVersions, deprecationWarning, versionsOf } from './versions.ts';

/** Asks a webhook for objects in another version; the results are in the order of the objects. */
export type WebhookConverter = (
  crd: CustomResourceDefinition,
  objects: readonly KubeObject[],
  apiVersion: string,
) => Promise<readonly KubeObject[]>;

export interface CustomResourceOptions {
  /** Absent: definitions with a conversion webhook are refused when a conversion is needed. */
  readonly convertByWebhook?: WebhookConverter;
  /** What a kind has besides what its definition says, by `group/plural`. */
  readonly subresources?: Readonly<Record<string, Readonly<Record<string, Subresource>>>>;
}

interface ServedVersion {
  readonly version: CustomResourceDefinitionVersion;
  readonly schema: Schema;
  readonly values: CustomValues;
}

/** `io.karmada.policy.v1alpha1.PropagationPolicy`: how OpenAPI calls the kind. */
export function openApiName(group: string, version: string, kind: string): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

export function resourceDefinitionOf(
  crd: CustomResourceDefinition,
  createRevision: number,
  options: CustomResourceOptions,
): ResourceDefinition {
  const { spec } = crd;
  const { group } = spec;
  const names = crd.status?.acceptedNames ?? spec.names;
  const versions = new Map<string, ServedVersion>(
    [...versionsOf(crd)]
      .sort((a, b) => compareVersions(a.name, b.name))
      .map((version) => {
        const apiVersion = formatApiVersion({ group, version: version.name });
        const schema = version.schema?.openAPIV3Schema ?? { type: 'object' };
        return [apiVersion, { version, schema, values: new CustomValues(apiVersion, schema) }];
      }),
  );
  const storage = [...versions.values()].find(({ version }) => version.storage);
  assert(storage !== undefined, `${crd.metadata.name} has a storage version`);
  return {
    group,
    resource: spec.names.plural,
    singular: names.singular ?? spec.names.kind.toLowerCase(),
    kind: spec.names.kind,
    listKind: names.listKind ?? `${spec.names.kind}List`,
    namespaced: spec.scope === 'Namespaced',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: ALL_VERBS,
    versions: [...versions.values()].map((served) => resourceVersion(crd, served)),
    storageApiVersion: storage.values.apiVersion,
    storageRoot: storageRootOf(group, spec.names.plural),
    strategy: new CustomResourceStrategy(crd, versions, storage),
    subresources: {
      ...subresourcesOf(storage, new StatusPart(versions, storage)),
      ...options.subresources?.[`${group}/${spec.names.plural}`],
    },
    itemsNameKind: true,
    custom: true,
    watchableFromRevision: createRevision,
    convert: converter(crd, versions, options),
  };
}

function resourceVersion(
  crd: CustomResourceDefinition,
  { version, schema, values }: ServedVersion,
): ResourceVersion {
  const warning = deprecationWarning(crd, version);
  const printer = printerOf(version);
  return {
    name: version.name,
    served: version.served,
    definition: openApiName(crd.spec.group, version.name, crd.spec.names.kind),
    schema,
    ...(warning === undefined ? {} : { deprecationWarning: warning }),
    decode: (value, report) => values.decode(value, report),
    ...(printer === undefined ? {} : { printer }),
  };
}

function converter(
  crd: CustomResourceDefinition,
  versions: ReadonlyMap<string, ServedVersion>,
  options: CustomResourceOptions,
): NonNullable<ResourceDefinition['convert']> {
  const byWebhook = crd.spec.conversion?.strategy === 'Webhook';
  return (objects, apiVersion) => {
    const target = versions.get(apiVersion);
    assert(target !== undefined, `${crd.metadata.name} has version ${apiVersion}`);
    if (!byWebhook || objects.every((object) => object.apiVersion === apiVersion)) {
      // COMPAT: without a webhook only the name of the version changes; old bindings of Karmada are known to us.
      return objects.map((object) => target.values.conform(convertVersion(object, apiVersion) ?? object));
    }
    return convertAll(crd, objects, apiVersion, options).then((converted) =>
      converted.map((object) => target.values.conform(object)),
    );
  };
}

async function convertAll(
  crd: CustomResourceDefinition,
  objects: readonly KubeObject[],
  apiVersion: string,
  { convertByWebhook }: CustomResourceOptions,
): Promise<readonly KubeObject[]> {
  const others = objects.filter((object) => object.apiVersion !== apiVersion);
  if (convertByWebhook === undefined) {
    const message = `conversion webhook for ${crd.spec.group}, Kind=${crd.spec.names.kind} failed: this server calls no conversion webhooks`;
    throw new StatusError(500, 'InternalError', message);
  }
  const converted = await convertByWebhook(crd, others, apiVersion);
  let next = 0;
  return objects.map((object) => (object.apiVersion === apiVersion ? object : converted[next++]!));
}

function withStatus(object: KubeObject, status: unknown): KubeObject {
  if (object['status'] === status) return object;
  const { status: _, ...rest } = object;
  return Object.freeze(status === undefined ? rest : { ...rest, status });
}

/** Checks objects against the schema of the version of the request, and of what differs only what is new. */
class Checks {
  readonly #versions: ReadonlyMap<string, ServedVersion>;
  readonly #storage: ServedVersion;

  constructor(versions: ReadonlyMap<string, ServedVersion>, storage: ServedVersion) {
    this.#versions = versions;
    this.#storage = storage;
  }

  errors(object: KubeObject, old: KubeObject | undefined, context: WriteContext): FieldError[] {
    const { schema, version } = this.#schemaFor(object, context.version);
    const value = object as unknown as JsonValue;
    const before = old as unknown as JsonValue | undefined;
    const errors = validateSchema(value, schema, undefined, before === undefined ? {} : { old: before });
    const scale = version.subresources?.scale;
    if (scale !== undefined) {
      errors.push(...scaleSpecErrors(object, scale), ...scaleStatusErrors(object, scale));
    }
    return this.#withRules(schema, errors, value, before, context);
  }

  /** The status alone: what else is wrong with the object was so before. */
  statusErrors(object: KubeObject, old: KubeObject, context: WriteContext): FieldError[] {
    const { schema, version } = this.#schemaFor(object, context.version);
    const status = object['status'] as JsonValue | undefined;
    const statusSchema = schema.properties?.['status'];
    const errors: FieldError[] = [];
    if (status !== undefined && statusSchema !== undefined) {
      const before = old['status'] as JsonValue | undefined;
      const options = { at: 'status', ...(before === undefined ? {} : { old: before }) };
      errors.push(...validateSchema(status, statusSchema, undefined, options));
    }
    const scale = version.subresources?.scale;
    if (scale !== undefined) errors.push(...scaleStatusErrors(object, scale));
    return this.#withRules(
      schema,
      errors,
      object as unknown as JsonValue,
      old as unknown as JsonValue,
      context,
    );
  }

  #withRules(
    schema: Schema,
    errors: FieldError[],
    value: JsonValue,
    before: JsonValue | undefined,
    { warn }: WriteContext,
  ): FieldError[] {
    if (!hasRules(schema)) return errors;
    if (errors.some(({ type }) => BLOCKING.has(type))) return [...errors, RULES_SKIPPED];
    return [...errors, ...evaluateRules(schema, value, before, warn)];
  }

  /** Objects are checked in the form in which the hooks see them: converted ones by the schema they now have. */
  #schemaFor(object: KubeObject, version: string): ServedVersion {
    const { apiVersion } = object;
    const asked = this.#versions.get(`${apiVersion.slice(0, apiVersion.indexOf('/'))}/${version}`);
    if (asked === undefined) return this.#storage;
    return convertVersion(object, asked.values.apiVersion) === undefined ? asked : this.#storage;
  }
}

/** Errors after which rules could not make sense of the value. */
const BLOCKING = new Set<FieldError['type']>([
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const RULES_SKIPPED = fieldError.invalid(
  '<nil>',
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
);

class CustomResourceStrategy implements Strategy {
  readonly requiresResourceVersion = true;
  readonly selectableFieldNames: readonly string[];
  readonly #crd: CustomResourceDefinition;
  readonly #hasStatus: boolean;
  readonly #checks: Checks;
  readonly #selectable: readonly (readonly [name: string, steps: readonly string[]])[];

  constructor(
    crd: CustomResourceDefinition,
    versions: ReadonlyMap<string, ServedVersion>,
    storage: ServedVersion,
  ) {
    this.#crd = crd;
    this.#hasStatus = storage.version.subresources?.status !== undefined;
    this.#checks = new Checks(versions, storage);
    this.#selectable = (storage.version.selectableFields ?? []).map(({ jsonPath }) => [
      jsonPath.replace(/^\./, ''),
      simplePath(jsonPath) ?? [],
    ]);
    this.selectableFieldNames = this.#selectable.map(([name]) => name);
  }

  readonly generation = (next: KubeObject, old: KubeObject): boolean =>
    specChanged(next, old) || (!this.#hasStatus && !semanticEqual(next['status'], old['status']));

  prepareForCreate(object: KubeObject): KubeObject {
    if (isTerminating(this.#crd)) {
      const { group, names } = this.#crd.spec;
      const message = 'create not allowed while custom resource definition is terminating';
      throw new StatusError(405, 'MethodNotAllowed', message, { group, kind: names.plural });
    }
    return this.#hasStatus ? withStatus(object, undefined) : object;
  }

  prepareForUpdate(next: KubeObject, old: KubeObject): KubeObject {
    return this.#hasStatus ? withStatus(next, old['status']) : next;
  }

  validate(object: KubeObject, context: WriteContext): FieldError[] {
    return this.#checks.errors(object, undefined, context);
  }

  validateUpdate(next: KubeObject, old: KubeObject, context: WriteContext): FieldError[] {
    return this.#checks.errors(next, old, context);
  }

  selectableFields(object: KubeObject): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#selectable.map(([name, steps]) => {
        let value: unknown = object;
        for (const step of steps) {
          const known: boolean = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
          value = known ? (value as Readonly<Record<string, unknown>>)[step] : undefined;
        }
        const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
        return [name, scalar ? String(value) : ''];
      }),
    );
  }
}

/** The status alone; everything else, labels too, stays as it was. */
class StatusPart implements NonNullable<Subresource['part']> {
  // COMPAT: other top-level fields cannot be changed either, but upstream forgets to say so.
  readonly ignoredFields = ['spec'];
  readonly #checks: Checks;

  constructor(...checked: ConstructorParameters<typeof Checks>) {
    this.#checks = new Checks(...checked);
  }

  prepareForUpdate(next: KubeObject, old: KubeObject): KubeObject {
    const { managedFields } = next.metadata;
    const { managedFields: _, ...metadata } = old.metadata;
    return withStatus(
      Object.freeze({
        ...old,
        apiVersion: next.apiVersion,
        metadata: deepFreeze({ ...metadata, ...(managedFields === undefined ? {} : { managedFields }) }),
      }),
      next['status'],
    );
  }

  validateUpdate(next: KubeObject, old: KubeObject, context: WriteContext): FieldError[] {
    return this.#checks.statusErrors(next, old, context);
  }
}

function subresourcesOf(
  { version: { subresources = {} } }: ServedVersion,
  part: StatusPart,
): Readonly<Record<string, Subresource>> {
  return {
    ...(subresources.status === undefined ? {} : { status: { verbs: ['get', 'patch', 'update'], part } }),
    ...(subresources.scale === undefined ? {} : { scale: scaleSubresource(subresources.scale) }),
  };
}

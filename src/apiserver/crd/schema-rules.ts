// What a custom resource definition's schema may say at all, before it is looked at as a structural schema:
// kube-apiserver's rules and words.
import type { JsonObject, JsonValue, Schema } from '../../api/index.ts';
import { fieldError, type FieldError } from '../../machinery/index.ts';
import { isSet } from './structural.ts';
import { RuleChecks, checkRuleForm, countBelow, type RulePlace } from './rule-checks.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const LIST_TYPES = ['atomic', 'set', 'map'];
const MAP_TYPES = ['atomic', 'granular'];

/** Keywords that structural schemas do not know. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  id: 'id is not supported',
  additionalItems: 'additionalItems is not supported',
  patternProperties: 'patternProperties is not supported',
  definitions: 'definitions is not supported',
  dependencies: 'dependencies is not supported',
  $ref: '$ref is not supported',
};

const isGiven = (value: JsonValue | undefined): boolean => value !== undefined && value !== null;
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/**
 * Everything in `schema` and below it that is not allowed.
 * @param structural whether the schema is right in its structure; of others, rules cannot be checked
 */
export function schemaErrors(schema: Schema, path: string, structural: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const checks = new RuleChecks();
  const place: Place = {
    checks: structural ? checks : undefined,
    root: true,
    uncorrelatable: undefined,
    maxCount: 1,
    insideMeta: false,
    noDefaults: undefined,
  };
  visit(schema, path, place, errors);
  return [...errors, ...checks.errorsIn(path)];
}

interface Place extends RulePlace {
  /** Undefined: rules are not looked into. */
  readonly checks: RuleChecks | undefined;
  /** In what every object has: apiVersion, kind and metadata, at the root or of an embedded object. */
  readonly insideMeta: boolean;
  /** Why there may be no defaults; undefined: there may. */
  readonly noDefaults: string | undefined;
}

const META_FIELDS = ['apiVersion', 'kind', 'metadata'];

function visit(schema: Schema, path: string, place: Place, errors: FieldError[]): void {
  if (typeof schema !== 'object' || schema === null) return;
  const before = errors.length;
  const type: string = schema.type ?? '';
  if (type !== '' && !TYPES.includes(type)) {
    errors.push(fieldError.notSupported(`${path}.type`, type, TYPES));
  }
  checkKeywords(schema, path, place, errors);
  const below: Place = { ...place, root: false, maxCount: countBelow(schema, place.maxCount) };
  visitFields(schema, path, below, place.root, errors);
  const plain: Place = { ...place, checks: undefined, root: false };
  if (schema.not !== undefined) visit(schema.not, `${path}.not`, plain, errors);
  for (const keyword of ['allOf', 'oneOf', 'anyOf'] as const) {
    schema[keyword]?.forEach((inner, index) => visit(inner, `${path}.${keyword}[${index}]`, plain, errors));
  }
  visitItems(schema, path, below, errors);
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    const at = `${path}.x-kubernetes-preserve-unknown-fields`;
    errors.push(fieldError.invalid(at, false, 'must be true or undefined'));
  }
  checkListAndMap(schema, path, errors);
  checkRuleForm(schema, path, errors);
  // What is wrong with a schema would make nonsense of what its rules are told to be.
  if (errors.length === before) place.checks?.check(schema, path, place);
}

function visitFields(
  schema: Schema,
  path: string,
  below: Place,
  isRoot: boolean,
  errors: FieldError[],
): void {
  const { additionalProperties, properties } = schema;
  if (typeof additionalProperties === 'object') {
    const noDefaults = 'inside additionalProperties applying to object metadata';
    const at = `${path}.additionalProperties`;
    visit(additionalProperties, at, below.insideMeta ? { ...below, noDefaults } : below, errors);
  }
  const isObject = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  for (const name of Object.keys(properties ?? {}).sort()) {
    const isMeta = isObject && META_FIELDS.includes(name);
    const noDefaults = isRoot ? `in top-level ${name}` : below.noDefaults;
    const place = isMeta ? { ...below, insideMeta: true, noDefaults } : below;
    visit(properties![name]!, `${path}.properties[${name}]`, place, errors);
  }
}

function visitItems(schema: Schema, path: string, below: Place, errors: FieldError[]): void {
  const { items } = schema;
  if (items === undefined || Array.isArray(items)) return;
  const isMap = schema['x-kubernetes-list-type'] === 'map';
  const uncorrelatable = below.uncorrelatable ?? (isMap ? undefined : path);
  visit(items, `${path}.items`, { ...below, uncorrelatable }, errors);
}

function checkKeywords(schema: Schema, path: string, place: Place, errors: FieldError[]): void {
  const values = schema as unknown as JsonObject;
  if (place.noDefaults !== undefined && isGiven(values['default'])) {
    errors.push(fieldError.forbidden(`${path}.default`, `must not be set ${place.noDefaults}`));
  }
  for (const [keyword, why] of Object.entries(UNSUPPORTED)) {
    if (isSet(values[keyword])) errors.push(fieldError.forbidden(`${path}.${keyword}`, why));
  }
  if ((schema.type as string) === 'null') {
    const why = 'type cannot be set to null, use nullable as an alternative';
    errors.push(fieldError.forbidden(`${path}.type`, why));
  }
  if (Array.isArray(schema.items)) {
    errors.push(fieldError.forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  }
  if (place.insideMeta && schema['x-kubernetes-embedded-resource'] === true) {
    const why = 'must not be used inside of resource meta';
    errors.push(fieldError.forbidden(`${path}.x-kubernetes-embedded-resource`, why));
  }
  if (schema.uniqueItems === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(fieldError.forbidden(`${path}.uniqueItems`, why));
  }
  const { additionalProperties, properties } = schema;
  if (additionalProperties !== undefined && properties !== undefined && !isEmpty(properties)) {
    if (additionalProperties !== true) {
      const why = 'additionalProperties and properties are mutual exclusive';
      errors.push(fieldError.forbidden(`${path}.additionalProperties`, why));
    }
  }
}

function mustBeType(schema: Schema, path: string, wanted: string, why: string, errors: FieldError[]): void {
  const type: string = schema.type ?? '';
  if (type === wanted) return;
  errors.push(
    type === '' ? fieldError.required(`${path}.type`, why) : fieldError.invalid(`${path}.type`, type, why),
  );
}

function checkListAndMap(schema: Schema, path: string, errors: FieldError[]): void {
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType !== undefined) {
    mustBeType(schema, path, 'object', 'must be object if x-kubernetes-map-type is specified', errors);
    if (!MAP_TYPES.includes(mapType)) {
      errors.push(fieldError.notSupported(`${path}.x-kubernetes-map-type`, mapType, MAP_TYPES));
    }
  }
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (listType !== undefined) {
    mustBeType(schema, path, 'array', 'must be array if x-kubernetes-list-type is specified', errors);
    if (listType === 'set' && schema.type === 'array') checkListSet(schema, path, errors);
    if (!LIST_TYPES.includes(listType)) {
      errors.push(fieldError.notSupported(`${path}.x-kubernetes-list-type`, listType, LIST_TYPES));
    }
  }
  if (keys.length > 0 && listType !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const at = `${path}.x-kubernetes-list-type`;
    errors.push(
      listType === undefined ? fieldError.required(at, why) : fieldError.invalid(at, listType, why),
    );
  }
  if (listType === 'map') checkListMap(schema, path, keys, errors);
  if (listType === 'map' || listType === 'set') checkMembers(schema, path, listType, keys, errors);
}

/** COMPAT: upstream shows the list type of the items, also where their map type is wrong. */
function checkListSet({ items }: Schema, path: string, errors: FieldError[]): void {
  if (items === undefined) return;
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'];
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    errors.push(fieldError.invalid(`${path}.items.x-kubernetes-map-type`, listType ?? null, why));
  }
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic') {
    errors.push(fieldError.invalid(`${path}.items.x-kubernetes-list-type`, listType, why));
  }
}

function checkListMap(schema: Schema, path: string, keys: readonly string[], errors: FieldError[]): void {
  const at = `${path}.x-kubernetes-list-map-keys`;
  const { items } = schema;
  if (keys.length === 0) {
    errors.push(fieldError.required(at, 'must not be empty if x-kubernetes-list-type is map'));
  }
  if (items === undefined) {
    const why = 'must have a schema if x-kubernetes-list-type is map';
    errors.push(fieldError.required(`${path}.items`, why));
    return;
  }
  if (items.type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(fieldError.invalid(`${path}.items.type`, items.type ?? '', why));
    return;
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const property = ownProperty(items, key);
    if (property === undefined) {
      errors.push(fieldError.invalid(at, keys, 'entries must all be names of item properties'));
    } else if (property.type === 'array' || property.type === 'object') {
      // COMPAT: upstream shows the type of the item.
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(fieldError.invalid(`${path}.items.properties[${key}].type`, items.type, why));
    }
    if (seen.has(key)) errors.push(fieldError.invalid(at, keys, 'must not contain duplicate entries'));
    seen.add(key);
  }
}

/** What is told apart by something must have it. */
function checkMembers(
  { items }: Schema,
  path: string,
  listType: 'map' | 'set',
  keys: readonly string[],
  errors: FieldError[],
): void {
  if (items === undefined) return;
  if (items.nullable === true) {
    const why = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(fieldError.forbidden(`${path}.items.nullable`, why));
  }
  for (const key of listType === 'map' ? keys : []) {
    const property = ownProperty(items, key);
    if (property === undefined) continue;
    const at = `${path}.items.properties[${key}]`;
    if (property.default === undefined && items.required?.includes(key) !== true) {
      const why =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.push(fieldError.required(`${at}.default`, why));
    }
    if (property.nullable === true) {
      const why = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable';
      errors.push(fieldError.forbidden(`${at}.nullable`, why));
    }
  }
}

export function ownProperty(schema: Schema, name: string): Schema | undefined {
  const { properties } = schema;
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** The steps of `.spec.replicas`, `.a['b.c']`; undefined when it is no such path. */
export function simplePath(path: string): string[] | undefined {
  const steps: string[] = [];
  const step = /\.([A-Za-z_$][\w$-]*)|\['((?:[^'\\]|\\.)*)'\]/y;
  while (step.lastIndex < path.length) {
    const match = step.exec(path);
    if (match === null) return undefined;
    steps.push(match[1] ?? match[2]!.replaceAll(/\\(.)/g, '$1'));
  }
  return steps.length === 0 ? undefined : steps;
}

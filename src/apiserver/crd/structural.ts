// Structural schemas: every value has one type, said in one place. Only then can unknown fields be pruned, defaults
// be filled in and lists be merged. Kube-apiserver's rules and words; the errors are sorted as it sorts them.
import type { JsonObject, JsonValue, Schema } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { compilePattern, deepEqual, fieldError, type FieldError } from '../../machinery/index.ts';

type Level = 'root' | 'item' | 'field';

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

const INT_OR_STRING: readonly Schema[] = [{ type: 'integer' }, { type: 'string' }];

const UNKNOWN = [
  'id',
  '$schema',
  '$ref',
  'patternProperties',
  'dependencies',
  'additionalItems',
  'definitions',
];

/** Whether the schema says something, at any depth, that no structural schema can say. */
export function isUnstructured(schema: Schema): boolean {
  if (Array.isArray(schema.items)) return true;
  const { items, properties = {}, additionalProperties, not, allOf = [], anyOf = [], oneOf = [] } = schema;
  const inner = [
    items,
    additionalProperties,
    not,
    ...Object.values(properties),
    ...allOf,
    ...anyOf,
    ...oneOf,
  ];
  return (
    UNKNOWN.some((keyword) => isSet((schema as unknown as JsonObject)[keyword])) ||
    inner.some((one) => typeof one === 'object' && one !== null && isUnstructured(one))
  );
}

export const isSet = (value: JsonValue | undefined): boolean =>
  value !== undefined &&
  value !== null &&
  value !== '' &&
  !(typeof value === 'object' && Object.keys(value).length === 0);

export function structuralErrors(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  checkInvariants(schema, 'root', path, errors);
  checkCompleteness(schema, schema, path, path, errors);
  return errors.sort((a, b) => (`${a.path}: ${a.message}` < `${b.path}: ${b.message}` ? -1 : 1));
}

function checkInvariants(schema: Schema, level: Level, path: string, errors: FieldError[]): void {
  const { items, properties, additionalProperties } = schema;
  if (schema.type === 'array' && items === undefined) {
    errors.push(fieldError.required(`${path}.items`, 'must be specified'));
  }
  if (items !== undefined) checkInvariants(items, 'item', `${path}.items`, errors);
  for (const [name, property] of Object.entries(properties ?? {})) {
    checkInvariants(property, 'field', `${path}.properties[${name}]`, errors);
  }
  if (additionalProperties !== undefined) {
    if (level === 'root') {
      errors.push(fieldError.forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
    }
    if (typeof additionalProperties === 'object') {
      checkInvariants(additionalProperties, 'field', `${path}.additionalProperties`, errors);
    }
  }
  checkExtensions(schema, path, errors);
  checkOwnType(schema, level, path, errors);
  if (level === 'root' || schema['x-kubernetes-embedded-resource'] === true) {
    checkResource(schema, level, path, errors);
  }
  checkValueValidation(schema, path, errors, {
    anyOf: deepEqual(schema.anyOf, INT_OR_STRING),
    firstAllOf: deepEqual(schema.allOf?.[0]?.anyOf, INT_OR_STRING),
  });
}

function checkExtensions(schema: Schema, path: string, errors: FieldError[]): void {
  if (schema['x-kubernetes-int-or-string'] !== true) return;
  const why = 'must be false if x-kubernetes-int-or-string is true';
  for (const extension of [
    'x-kubernetes-preserve-unknown-fields',
    'x-kubernetes-embedded-resource',
  ] as const) {
    if (schema[extension] === true) errors.push(fieldError.invalid(`${path}.${extension}`, true, why));
  }
}

function checkOwnType(schema: Schema, level: Level, path: string, errors: FieldError[]): void {
  const type: string = schema.type ?? '';
  const at = `${path}.type`;
  if (schema['x-kubernetes-embedded-resource'] === true && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? fieldError.required(at, why) : fieldError.invalid(at, type, why));
  } else if (
    type === '' &&
    schema['x-kubernetes-int-or-string'] !== true &&
    schema['x-kubernetes-preserve-unknown-fields'] !== true
  ) {
    errors.push(fieldError.required(at, EMPTY_TYPE[level]));
  }
  if (level === 'root' && type !== '' && type !== 'object') {
    errors.push(fieldError.invalid(at, type, 'must be object at the root'));
  }
}

/** A whole object, at the root or embedded: its meta fields are given, and may hardly be restricted. */
function checkResource(schema: Schema, level: Level, path: string, errors: FieldError[]): void {
  const { properties = {}, additionalProperties } = schema;
  if (schema['x-kubernetes-embedded-resource'] === true) {
    if (additionalProperties !== undefined) {
      const why = 'must not be used if x-kubernetes-embedded-resource is set';
      errors.push(fieldError.forbidden(`${path}.additionalProperties`, why));
    }
    if (schema['x-kubernetes-preserve-unknown-fields'] !== true && Object.keys(properties).length === 0) {
      const why =
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
      errors.push(fieldError.required(`${path}.properties`, why));
    }
  }
  for (const name of ['kind', 'apiVersion'] as const) {
    const type = properties[name]?.type;
    if (properties[name] !== undefined && type !== 'string') {
      const at = `${path}.properties[${name}].type`;
      errors.push(fieldError.invalid(at, type ?? '', 'must be string'));
    }
  }
  const { metadata } = properties;
  if (metadata === undefined) return;
  const at = `${path}.properties[metadata]`;
  if (metadata.type !== 'object') {
    errors.push(fieldError.invalid(`${at}.type`, metadata.type ?? '', 'must be object'));
  }
  if (level === 'root' && !restrictsOnlyNames(metadata)) {
    const why =
      'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(fieldError.forbidden(at, why));
  }
}

function restrictsOnlyNames({ type: _type, default: _default, properties, ...rest }: Schema): boolean {
  const named = Object.keys(properties ?? {}).every((name) => name === 'name' || name === 'generateName');
  return named && Object.keys(rest).length === 0;
}

interface Exceptions {
  readonly anyOf: boolean;
  readonly firstAllOf: boolean;
}

const NO_EXCEPTIONS: Exceptions = { anyOf: false, firstAllOf: false };

function checkValueValidation(
  schema: Schema,
  path: string,
  errors: FieldError[],
  exceptions: Exceptions,
): void {
  if (!exceptions.anyOf) {
    schema.anyOf?.forEach((inner, index) => checkNested(inner, `${path}.anyOf[${index}]`, errors));
  }
  schema.allOf?.forEach((inner, index) => {
    const skip = exceptions.firstAllOf && index === 0 ? { anyOf: true, firstAllOf: false } : NO_EXCEPTIONS;
    checkNested(inner, `${path}.allOf[${index}]`, errors, skip);
  });
  schema.oneOf?.forEach((inner, index) => checkNested(inner, `${path}.oneOf[${index}]`, errors));
  if (schema.not !== undefined) checkNested(schema.not, `${path}.not`, errors);
  const { pattern = '' } = schema;
  const wrong = pattern === '' ? undefined : patternError(pattern);
  if (wrong !== undefined) {
    const why = `must be a valid regular expression, but isn't: ${wrong}`;
    errors.push(fieldError.invalid(`${path}.pattern`, pattern, why));
  }
}

function patternError(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

/** What alternatives may not say, since it must be said outside of them. */
const OUTSIDE_ONLY: Readonly<Partial<Record<keyof Schema, string>>> = {
  type: 'must be empty to be structural',
  additionalProperties: 'must be undefined to be structural',
  default: 'must be undefined to be structural',
  title: 'must be empty to be structural',
  description: 'must be empty to be structural',
  nullable: 'must be false to be structural',
  'x-kubernetes-preserve-unknown-fields': 'must be false to be structural',
  'x-kubernetes-embedded-resource': 'must be false to be structural',
  'x-kubernetes-int-or-string': 'must be false to be structural',
  'x-kubernetes-list-map-keys': 'must be empty to be structural',
  'x-kubernetes-list-type': 'must be undefined to be structural',
  'x-kubernetes-map-type': 'must be undefined to be structural',
  'x-kubernetes-validations': 'must be empty to be structural',
};

function checkNested(
  schema: Schema,
  path: string,
  errors: FieldError[],
  exceptions: Exceptions = NO_EXCEPTIONS,
): void {
  checkValueValidation(schema, path, errors, exceptions);
  if (schema.items !== undefined) checkNested(schema.items, `${path}.items`, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const at = `${path}.properties[${name}]`;
    checkNested(property, at, errors);
    if (name === 'metadata')
      errors.push(fieldError.forbidden(at, 'must not be specified in a nested context'));
  }
  for (const [keyword, why] of Object.entries(OUTSIDE_ONLY)) {
    const value = schema[keyword as keyof Schema];
    if (value === undefined || value === false || value === '') continue;
    if (Array.isArray(value) && value.length === 0) continue;
    errors.push(fieldError.forbidden(`${path}.${keyword}`, why));
  }
}

/** Whatever alternatives speak of must be there outside of them. */
function checkCompleteness(
  validation: Schema,
  schema: Schema,
  schemaPath: string,
  validationPath: string,
  errors: FieldError[],
): void {
  const nested = (inner: Schema, path: string): void => {
    checkNestedCompleteness(inner, schema, schemaPath, path, errors);
  };
  if (validation.not !== undefined) nested(validation.not, `${validationPath}.not`);
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    validation[keyword]?.forEach((inner, index) => nested(inner, `${validationPath}.${keyword}[${index}]`));
  }
  if (validation !== schema) return;
  if (schema.items !== undefined) {
    const path = `${schemaPath}.items`;
    checkCompleteness(schema.items, schema.items, path, path, errors);
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const path = `${schemaPath}.properties[${name}]`;
    checkCompleteness(property, property, path, path, errors);
  }
  if (typeof schema.additionalProperties === 'object') {
    const path = `${schemaPath}.additionalProperties`;
    checkCompleteness(schema.additionalProperties, schema.additionalProperties, path, path, errors);
  }
}

function checkNestedCompleteness(
  validation: Schema,
  schema: Schema | undefined,
  schemaPath: string,
  validationPath: string,
  errors: FieldError[],
): void {
  if (schema === undefined) {
    errors.push(fieldError.required(schemaPath, `because it is defined in ${validationPath}`));
    return;
  }
  checkCompleteness(validation, schema, schemaPath, validationPath, errors);
  if (validation.items !== undefined) {
    const [at, from] = [`${schemaPath}.items`, `${validationPath}.items`];
    checkNestedCompleteness(validation.items, schema.items, at, from, errors);
  }
  for (const [name, property] of Object.entries(validation.properties ?? {})) {
    const from = `${validationPath}.properties[${name}]`;
    const own = schema.properties;
    const known = own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
    const { additionalProperties } = schema;
    if (known === undefined && typeof additionalProperties === 'object') {
      const at = `${schemaPath}.additionalProperties`;
      checkNestedCompleteness(property, additionalProperties, at, from, errors);
    } else {
      checkNestedCompleteness(property, known, `${schemaPath}.properties[${name}]`, from, errors);
    }
  }
}

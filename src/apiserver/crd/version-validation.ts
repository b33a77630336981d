// What the versions of a custom resource definition say: schemas, subresources, columns, selectable fields. COMPAT: what
// all versions have in common is reported as if it stood at the top of the spec (`spec.validation`,
// `spec.subresources`), where the first version of this API had it.
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  Schema,
  SelectableField,
} from '../../api/index.ts';
import {
  RulePathError,
  byteLength,
  deepEqual,
  fieldError,
  isDns1035Label,
  isPrintable,
  parseRulePath,
  type FieldError,
} from '../../machinery/index.ts';
import { schemaErrors } from './schema-rules.ts';
import { isUnstructured, structuralErrors } from './structural.ts';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
/** LIMIT: as upstream, since every one of them costs on each list. */
const MAX_SELECTABLE_FIELDS = 8;
const MAX_WARNING_BYTES = 256;

export interface DefinitionRules {
  /** Checks that defaults fit their schemas; returns the errors of the defaults below `path`. */
  readonly checkDefaults?: (schema: Schema, path: string) => readonly FieldError[];
}

type Version = CustomResourceDefinitionVersion;

/** Errors of the versions one by one, and of what all have in common. */
export function versionsErrors(
  versions: readonly Version[],
  rules: DefinitionRules,
): { readonly each: FieldError[]; readonly shared: FieldError[] } {
  const parts = partsOf(versions, rules);
  const each: FieldError[] = [];
  versions.forEach(({ schema }, index) => {
    if (schema?.openAPIV3Schema !== undefined) return;
    each.push(fieldError.required(`spec.versions[${index}].schema.openAPIV3Schema`));
  });
  versions.forEach((version, index) => {
    const path = `spec.versions[${index}]`;
    const complaints = isDns1035Label(version.name);
    if (complaints.length > 0) {
      each.push(fieldError.invalid(`${path}.name`, version.name, complaints.join(',')));
    }
    each.push(...deprecationErrors(version, path), ...parts.flatMap((part) => part.ofVersion(version, path)));
  });
  if (new Set(versions.map(({ name }) => name)).size !== versions.length) {
    each.push(fieldError.invalidUnseen('spec.versions', 'must contain unique version names'));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const why = 'must have exactly one version marked as storage version';
    each.push(fieldError.invalidUnseen('spec.versions', why));
  }
  return { each, shared: parts.flatMap((part) => part.ofAll()) };
}

interface Part {
  ofVersion(version: Version, path: string): FieldError[];
  ofAll(): FieldError[];
}

/** Something that each version may say for itself, or all of them alike. */
function partOf<T>(
  versions: readonly Version[],
  of: (version: Version) => T | undefined,
  shared: string,
  each: string,
  check: (value: T, path: string, versions: readonly Version[]) => FieldError[],
): Part {
  const [first] = versions;
  const alike = first !== undefined && versions.every((version) => deepEqual(of(version), of(first)));
  return {
    ofVersion(version, path) {
      const value = alike ? undefined : of(version);
      return value === undefined ? [] : check(value, `${path}.${each}`, [version]);
    },
    ofAll() {
      const value = alike ? of(first) : undefined;
      return value === undefined ? [] : check(value, `spec.${shared}`, versions);
    },
  };
}

function partsOf(versions: readonly Version[], rules: DefinitionRules): readonly Part[] {
  return [
    partOf(
      versions,
      (version) => version.schema?.openAPIV3Schema,
      'validation.openAPIV3Schema',
      'schema.openAPIV3Schema',
      (schema, path, of) => {
        const hasStatus = of.some(({ subresources }) => subresources?.status !== undefined);
        return rootSchemaErrors(schema, path, hasStatus, rules);
      },
    ),
    partOf(
      versions,
      ({ subresources }) => subresources,
      'subresources',
      'subresources',
      (value, path) => subresourceErrors(value, path),
    ),
    partOf(
      versions,
      ({ additionalPrinterColumns }) => additionalPrinterColumns,
      'additionalPrinterColumns',
      'additionalPrinterColumns',
      (columns, path) => columns.flatMap((column, i) => columnErrors(column, `${path}[${i}]`)),
    ),
    partOf(
      versions,
      ({ selectableFields }) => selectableFields,
      'selectableFields',
      'selectableFields',
      (fields, path, of) => selectableErrors(fields, path, of[0]?.schema?.openAPIV3Schema ?? {}),
    ),
  ];
}

function deprecationErrors(version: Version, path: string): FieldError[] {
  const { deprecationWarning: warning, deprecated } = version;
  if (warning === undefined) return [];
  const at = `${path}.deprecationWarning`;
  if (deprecated !== true) {
    return [fieldError.invalid(at, warning, 'can only be set for deprecated versions')];
  }
  const complaints: string[] = [];
  if (byteLength(warning) > MAX_WARNING_BYTES) {
    complaints.push(`must be <= ${MAX_WARNING_BYTES} characters long`);
  }
  if (warning === '') complaints.push('must not be an empty string');
  const index = unprintableIndex(warning);
  if (index >= 0) {
    complaints.push(
      `must only contain printable UTF-8 characters; non-printable character found at index ${index}`,
    );
  }
  return complaints.map((why) => fieldError.invalid(at, warning, why));
}

/** In bytes; -1: there is none. */
function unprintableIndex(text: string): number {
  let index = 0;
  for (const character of text) {
    if (!isPrintable(character)) return index;
    index += byteLength(character);
  }
  return -1;
}

/** Beside these, nothing may stand at the root when status is checked apart from the rest. */
const ALLOWED_AT_ROOT: Readonly<Record<string, string>> = {
  description: 'Description',
  type: 'Type',
  format: 'Format',
  title: 'Title',
  maximum: 'Maximum',
  exclusiveMaximum: 'ExclusiveMaximum',
  minimum: 'Minimum',
  exclusiveMinimum: 'ExclusiveMinimum',
  maxLength: 'MaxLength',
  minLength: 'MinLength',
  pattern: 'Pattern',
  maxItems: 'MaxItems',
  minItems: 'MinItems',
  uniqueItems: 'UniqueItems',
  multipleOf: 'MultipleOf',
  required: 'Required',
  items: 'Items',
  properties: 'Properties',
  externalDocs: 'ExternalDocs',
  example: 'Example',
  'x-kubernetes-preserve-unknown-fields': 'XPreserveUnknownFields',
  'x-kubernetes-validations': 'XValidations',
};

function rootSchemaErrors(
  schema: Schema,
  path: string,
  hasStatus: boolean,
  rules: DefinitionRules,
): FieldError[] {
  const errors: FieldError[] = hasStatus ? statusRootErrors(schema, path) : [];
  if (schema.nullable === true) {
    errors.push(fieldError.forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  }
  // What structural schemas do not know is told of by itself.
  const known = !isUnstructured(schema);
  const structure = known ? structuralErrors(schema, path) : [];
  // Whether defaults fit can only be told of schemas that are right in themselves.
  const defaults = known && structure.length === 0 ? (rules.checkDefaults?.(schema, path) ?? []) : [];
  const sound = known && structure.length + defaults.length === 0;
  return [...errors, ...structure, ...defaults, ...schemaErrors(schema, path, sound)];
}

function statusRootErrors(schema: Schema, path: string): FieldError[] {
  if (schema.type !== undefined && schema.type !== 'object') {
    const why =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [fieldError.invalid(`${path}.type`, schema.type, why)];
  }
  if (Object.keys(schema).every((keyword) => Object.hasOwn(ALLOWED_AT_ROOT, keyword))) return [];
  const fields = Object.values(ALLOWED_AT_ROOT).join(' ');
  const why = `only [${fields}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return [fieldError.invalidUnseen(path, why)];
}

function subresourceErrors({ scale }: CustomResourceSubresources, path: string): FieldError[] {
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  const check = (field: keyof typeof scale, roots: readonly string[], where: string): void => {
    const at = `${path}.scale.${field}`;
    const value = scale[field] ?? '';
    if (value === '') {
      if (field !== 'labelSelectorPath') errors.push(fieldError.required(at));
    } else if (!value.startsWith('.')) {
      errors.push(fieldError.invalid(at, value, NO_SIMPLE_PATH));
    } else if (!roots.some((root) => value.startsWith(root))) {
      errors.push(fieldError.invalid(at, value, `should be a json path under ${where}`));
    }
  };
  check('specReplicasPath', ['.spec.'], '.spec');
  check('statusReplicasPath', ['.status.'], '.status');
  check('labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status');
  return errors;
}

const NO_SIMPLE_PATH = 'must be a simple json path starting with .';

function columnErrors(
  { name, type, format = '', jsonPath }: CustomResourceColumnDefinition,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (name === '') errors.push(fieldError.required(`${path}.name`));
  const types = `must be one of ${COLUMN_TYPES.join(',')}`;
  if (type === '') errors.push(fieldError.required(`${path}.type`, types));
  else if (!COLUMN_TYPES.includes(type)) errors.push(fieldError.invalid(`${path}.type`, type, types));
  if (format !== '' && !COLUMN_FORMATS.includes(format)) {
    const why = `must be one of ${COLUMN_FORMATS.join(',')}`;
    errors.push(fieldError.invalid(`${path}.format`, format, why));
  }
  // COMPAT: upstream spells this path so, and does not look into it further.
  const at = `${path}.JSONPath`;
  if (jsonPath === '') errors.push(fieldError.required(at));
  else if (!jsonPath.startsWith('.')) errors.push(fieldError.invalid(at, jsonPath, NO_SIMPLE_PATH));
  return errors;
}

function selectableErrors(fields: readonly SelectableField[], path: string, schema: Schema): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  fields.forEach(({ jsonPath }, index) => {
    const at = `${path}[${index}].jsonPath`;
    if (jsonPath === '') return void errors.push(fieldError.required(at));
    let found;
    try {
      found = parseRulePath(jsonPath, schema, { brackets: false });
    } catch (error) {
      if (!(error instanceof RulePathError)) throw error;
      return void errors.push(fieldError.invalid(at, jsonPath, `is an invalid path: ${error.message}`));
    }
    if (/^metadata([.[]|$)/.test(found.text)) {
      errors.push(fieldError.invalid(at, jsonPath, 'must not point to fields in metadata'));
    }
    if (!['string', 'boolean', 'integer'].includes(found.schema.type ?? '')) {
      const why =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(fieldError.invalid(at, jsonPath, why));
    }
    if (seen.has(found.text)) errors.push(fieldError.duplicate(at, jsonPath));
    seen.add(found.text);
  });
  if (seen.size > MAX_SELECTABLE_FIELDS) {
    errors.push(fieldError.tooMany(path, seen.size, MAX_SELECTABLE_FIELDS));
  }
  return errors;
}

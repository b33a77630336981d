// Checks of CustomResourceDefinition objects, in kube-apiserver's words. COMPAT: what all versions have in common is
// reported as if it stood at the top of the spec (`spec.validation`, `spec.subresources`), where the first version of
// this API had it.
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  Schema,
  SelectableField,
} from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import {
  compileFieldPath,
  deepEqual,
  fieldError,
  isDns1035Label,
  isDns1123Subdomain,
  validateImmutable,
  type FieldError,
} from '../../machinery/index.ts';
import { isEstablished } from './conditions.ts';
import { schemaAt, schemaErrors, simplePath } from './schema-rules.ts';
import { structuralErrors } from './structural.ts';
import { versionsOf } from './versions.ts';

const SCOPES = ['Cluster', 'Namespaced'];
const STRATEGIES = ['None', 'Webhook'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
/** LIMIT: as upstream, since every one of them costs on each list. */
const MAX_SELECTABLE_FIELDS = 8;
const MAX_WARNING_BYTES = 256;
const APPROVAL_ANNOTATION = 'api-approved.kubernetes.io';

export interface DefinitionRules {
  /** Checks that defaults fit their schemas; returns the errors of the defaults below `path`. */
  readonly checkDefaults?: (schema: Schema, path: string) => readonly FieldError[];
}

export function validateDefinition(crd: CustomResourceDefinition, rules: DefinitionRules): FieldError[] {
  const { spec, metadata } = crd;
  const wanted = `${spec.names.plural}.${spec.group}`;
  const why = 'must be spec.names.plural+"."+spec.group';
  const errors = definitionErrors(crd, rules);
  return metadata.name === wanted
    ? errors
    : [fieldError.invalid('metadata.name', metadata.name ?? '', why), ...errors];
}

function definitionErrors(crd: CustomResourceDefinition, rules: DefinitionRules): FieldError[] {
  const { spec } = crd;
  const versions = versionsOf(crd);
  const errors: FieldError[] = groupErrors(spec.group);
  if (!SCOPES.includes(spec.scope)) {
    errors.push(
      spec.scope === ''
        ? fieldError.required('spec.scope')
        : fieldError.notSupported('spec.scope', spec.scope, SCOPES),
    );
  }
  if (spec.preserveUnknownFields === true) {
    const why =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(fieldError.invalid('spec.preserveUnknownFields', true, why));
  }
  errors.push(
    ...versionListErrors(versions),
    ...versionErrors(versions, rules),
    ...namesErrors(spec.names),
    ...conversionErrors(spec.conversion),
    ...storedVersionErrors(crd),
    ...approvalErrors(crd),
  );
  return errors;
}

export function validateDefinitionUpdate(
  next: CustomResourceDefinition,
  old: CustomResourceDefinition,
  rules: DefinitionRules,
): FieldError[] {
  const errors = definitionErrors(next, rules);
  if (isEstablished(old)) {
    errors.push(
      ...validateImmutable(next.spec.scope, old.spec.scope, 'spec.scope'),
      ...validateImmutable(next.spec.names.kind, old.spec.names.kind, 'spec.names.kind'),
    );
  }
  errors.push(
    ...validateImmutable(next.spec.group, old.spec.group, 'spec.group'),
    ...validateImmutable(next.spec.names.plural, old.spec.names.plural, 'spec.names.plural'),
  );
  return errors;
}

function groupErrors(group: string): FieldError[] {
  if (group === '') return [fieldError.required('spec.group')];
  const complaints = isDns1123Subdomain(group);
  if (complaints.length > 0) return [fieldError.invalid('spec.group', group, complaints.join(','))];
  return group.includes('.')
    ? []
    : [fieldError.invalid('spec.group', group, 'should be a domain with at least one dot')];
}

function versionListErrors(versions: readonly CustomResourceDefinitionVersion[]): FieldError[] {
  const errors: FieldError[] = [];
  const names = versions.map(({ name }) => name);
  versions.forEach(({ name }, index) => {
    const complaints = isDns1035Label(name);
    if (complaints.length > 0) {
      errors.push(fieldError.invalid(`spec.versions[${index}].name`, name, complaints.join(',')));
    }
  });
  if (new Set(names).size !== names.length) {
    errors.push(fieldError.invalidUnseen('spec.versions', 'must contain unique version names'));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const why = 'must have exactly one version marked as storage version';
    errors.push(fieldError.invalidUnseen('spec.versions', why));
  }
  return errors;
}

/** What each version says, or once what all of them say. */
function eachOrShared<T>(
  versions: readonly CustomResourceDefinitionVersion[],
  of: (version: CustomResourceDefinitionVersion) => T | undefined,
  shared: string,
  each: string,
  check: (value: T, path: string, versions: readonly CustomResourceDefinitionVersion[]) => FieldError[],
): FieldError[] {
  const [first] = versions;
  if (first !== undefined && versions.every((version) => deepEqual(of(version), of(first)))) {
    const value = of(first);
    return value === undefined ? [] : check(value, `spec.${shared}`, versions);
  }
  return versions.flatMap((version, index) => {
    const value = of(version);
    return value === undefined ? [] : check(value, `spec.versions[${index}].${each}`, [version]);
  });
}

function versionErrors(
  versions: readonly CustomResourceDefinitionVersion[],
  rules: DefinitionRules,
): FieldError[] {
  const errors: FieldError[] = [];
  versions.forEach((version, index) => {
    const path = `spec.versions[${index}]`;
    if (version.schema?.openAPIV3Schema === undefined) {
      errors.push(fieldError.required(`${path}.schema.openAPIV3Schema`, 'schemas are required'));
    }
    errors.push(...deprecationErrors(version, path));
  });
  return [
    ...errors,
    ...eachOrShared(
      versions,
      (version) => version.schema?.openAPIV3Schema,
      'validation.openAPIV3Schema',
      'schema.openAPIV3Schema',
      (schema, path, of) => {
        const hasStatus = of.some(({ subresources }) => subresources?.status !== undefined);
        return rootSchemaErrors(schema, path, hasStatus, rules);
      },
    ),
    ...eachOrShared(
      versions,
      ({ subresources }) => subresources,
      'subresources',
      'subresources',
      (value, path) => subresourceErrors(value, path),
    ),
    ...eachOrShared(
      versions,
      ({ additionalPrinterColumns }) => additionalPrinterColumns,
      'additionalPrinterColumns',
      'additionalPrinterColumns',
      (columns, path) => columns.flatMap((column, i) => columnErrors(column, `${path}[${i}]`)),
    ),
    ...eachOrShared(
      versions,
      ({ selectableFields }) => selectableFields,
      'selectableFields',
      'selectableFields',
      (fields, path, of) => selectableErrors(fields, path, of[0]?.schema?.openAPIV3Schema ?? {}),
    ),
  ];
}

function deprecationErrors(version: CustomResourceDefinitionVersion, path: string): FieldError[] {
  const { deprecationWarning: warning, deprecated } = version;
  if (warning === undefined) return [];
  const at = `${path}.deprecationWarning`;
  if (deprecated !== true) {
    return [fieldError.invalid(at, warning, 'can only be set for deprecated versions')];
  }
  if (Buffer.byteLength(warning) > MAX_WARNING_BYTES) {
    return [fieldError.invalid(at, warning, `must be <= ${MAX_WARNING_BYTES} characters`)];
  }
  if (warning === '') return [fieldError.invalid(at, warning, 'must not be an empty string')];
  return /\p{Cc}/u.test(warning)
    ? [fieldError.invalid(at, warning, 'must only contain printable UTF-8 characters')]
    : [];
}

/** Beside these, nothing may stand at the root when status is checked apart from the rest. */
const ALLOWED_AT_ROOT: ReadonlySet<string> = new Set(
  (
    'description type format title maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern ' +
    'maxItems minItems uniqueItems multipleOf required items properties externalDocs example ' +
    'x-kubernetes-preserve-unknown-fields x-kubernetes-validations'
  ).split(' '),
);

function rootSchemaErrors(
  schema: Schema,
  path: string,
  hasStatus: boolean,
  rules: DefinitionRules,
): FieldError[] {
  const errors: FieldError[] = [];
  if (hasStatus) {
    if (schema.type !== undefined && schema.type !== 'object') {
      const why =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      errors.push(fieldError.invalid(`${path}.type`, schema.type, why));
    }
    if (Object.keys(schema).some((keyword) => !ALLOWED_AT_ROOT.has(keyword))) {
      const why = `only ${[...ALLOWED_AT_ROOT].join(' ')} fields are allowed at the root of the schema if the status subresource is enabled`;
      errors.push(fieldError.invalidUnseen(path, why));
    }
  }
  if (schema.nullable === true) {
    errors.push(fieldError.forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  }
  const structure = structuralErrors(schema, path);
  const form = schemaErrors(schema, path, structure.length === 0);
  // Whether defaults fit can only be told of schemas that are right in themselves.
  const sound = errors.length + form.length + structure.length === 0;
  return [...errors, ...form, ...structure, ...(sound ? (rules.checkDefaults?.(schema, path) ?? []) : [])];
}

/** What is wrong with a JSONPath; empty when nothing is. */
function pathError(path: string): string {
  if (!path.startsWith('.')) return 'must be a simple json path starting with .';
  try {
    compileFieldPath(path);
    return '';
  } catch (error) {
    return errorMessage(error);
  }
}

function subresourceErrors({ scale }: CustomResourceSubresources, path: string): FieldError[] {
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  const check = (field: keyof typeof scale, roots: readonly string[], where: string): void => {
    const at = `${path}.scale.${field}`;
    const value = scale[field] ?? '';
    if (value === '') {
      if (field !== 'labelSelectorPath') errors.push(fieldError.required(at));
      return;
    }
    const wrong = pathError(value) || (simplePath(value) === undefined ? 'must be a simple json path' : '');
    if (wrong !== '') errors.push(fieldError.invalid(at, value, wrong));
    else if (!roots.some((root) => value.startsWith(root))) {
      errors.push(fieldError.invalid(at, value, `should be a json path under ${where}`));
    }
  };
  check('specReplicasPath', ['.spec.'], '.spec');
  check('statusReplicasPath', ['.status.'], '.status');
  check('labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status');
  return errors;
}

function columnErrors(
  { name, type, format = '', jsonPath }: CustomResourceColumnDefinition,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (name === '') errors.push(fieldError.required(`${path}.name`));
  if (type === '') {
    errors.push(fieldError.required(`${path}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
  } else if (!COLUMN_TYPES.includes(type)) {
    const why = `must be one of ${COLUMN_TYPES.join(',')}`;
    errors.push(fieldError.invalid(`${path}.type`, type, why));
  }
  if (format !== '' && !COLUMN_FORMATS.includes(format)) {
    const why = `must be one of ${COLUMN_FORMATS.join(',')}`;
    errors.push(fieldError.invalid(`${path}.format`, format, why));
  }
  // COMPAT: upstream spells this path so.
  const at = `${path}.JSONPath`;
  if (jsonPath === '') errors.push(fieldError.required(at));
  else {
    const wrong = pathError(jsonPath);
    if (wrong !== '') errors.push(fieldError.invalid(at, jsonPath, wrong));
  }
  return errors;
}

function selectableErrors(fields: readonly SelectableField[], path: string, schema: Schema): FieldError[] {
  const errors: FieldError[] = [];
  if (fields.length > MAX_SELECTABLE_FIELDS) {
    errors.push(fieldError.tooMany(path, fields.length, MAX_SELECTABLE_FIELDS));
  }
  const seen = new Set<string>();
  fields.forEach(({ jsonPath }, index) => {
    const at = `${path}[${index}].jsonPath`;
    if (jsonPath === '') return void errors.push(fieldError.required(at));
    if (seen.has(jsonPath)) errors.push(fieldError.duplicate(at, jsonPath));
    seen.add(jsonPath);
    const steps = simplePath(jsonPath);
    const found = steps === undefined ? undefined : schemaAt(schema, steps);
    if (found === undefined) {
      const why = 'is an invalid path: does not refer to a valid field';
      errors.push(fieldError.invalid(at, jsonPath, why));
    } else if (steps?.[0] === 'metadata') {
      errors.push(fieldError.invalid(at, jsonPath, 'must not point to fields in metadata'));
    } else if (!['string', 'boolean', 'integer'].includes(found.type ?? '')) {
      const why =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(fieldError.invalid(at, jsonPath, why));
    }
  });
  return errors;
}

function namesErrors(names: CustomResourceDefinitionNames): FieldError[] {
  const errors: FieldError[] = [];
  const label = (path: string, value: string): void => {
    const complaints = isDns1035Label(value);
    if (complaints.length > 0) errors.push(fieldError.invalid(path, value, complaints.join(',')));
  };
  const mixedCase = (path: string, value: string): void => {
    const complaints = isDns1035Label(value.toLowerCase());
    if (complaints.length === 0) return;
    const why = `may have mixed case, but should otherwise match: ${complaints.join(',')}`;
    errors.push(fieldError.invalid(path, value, why));
  };
  const { plural, singular = '', kind, listKind = '', shortNames, categories } = names;
  if (plural === '') errors.push(fieldError.required('spec.names.plural'));
  else label('spec.names.plural', plural);
  if (singular !== '') label('spec.names.singular', singular);
  if (kind === '') errors.push(fieldError.required('spec.names.kind'));
  else mixedCase('spec.names.kind', kind);
  if (listKind !== '') mixedCase('spec.names.listKind', listKind);
  shortNames?.forEach((name, index) => label(`spec.names.shortNames[${index}]`, name));
  if (kind !== '' && kind === listKind) {
    const why = 'kind and listKind may not be the same';
    errors.push(fieldError.invalid('spec.names.listKind', listKind, why));
  }
  categories?.forEach((name, index) => label(`spec.names.categories[${index}]`, name));
  return errors;
}

function conversionErrors(conversion: CustomResourceConversion | undefined): FieldError[] {
  if (conversion === undefined) return [];
  const path = 'spec.conversion';
  const { strategy, webhook } = conversion;
  if (strategy === '') return [fieldError.required(`${path}.strategy`)];
  if (!STRATEGIES.includes(strategy)) {
    return [fieldError.notSupported(`${path}.strategy`, strategy, STRATEGIES)];
  }
  const clientConfig = webhook?.clientConfig;
  const versions = webhook?.conversionReviewVersions ?? [];
  const at = `${path}.conversionReviewVersions`;
  if (strategy === 'None') {
    const why = 'should not be set when strategy is not set to Webhook';
    return [
      ...(clientConfig === undefined ? [] : [fieldError.forbidden(`${path}.webhookClientConfig`, why)]),
      ...(versions.length === 0 ? [] : [fieldError.forbidden(at, why)]),
    ];
  }
  const errors: FieldError[] = [];
  if (clientConfig === undefined) {
    const why = 'required when strategy is set to Webhook';
    errors.push(fieldError.required(`${path}.webhookClientConfig`, why));
  } else if ((clientConfig.url === undefined) === (clientConfig.service === undefined)) {
    const why = 'exactly one of url or service is required';
    errors.push(fieldError.required(`${path}.webhookClientConfig`, why));
  } else if (clientConfig.url !== undefined) {
    errors.push(...urlErrors(clientConfig.url, `${path}.webhookClientConfig.url`));
  }
  if (versions.length === 0) return [...errors, fieldError.required(at)];
  versions.forEach((version, index) => {
    const complaints = isDns1035Label(version);
    if (complaints.length > 0) {
      errors.push(fieldError.invalid(`${at}[${index}]`, version, complaints.join(',')));
    }
    if (versions.indexOf(version) < index) errors.push(fieldError.duplicate(`${at}[${index}]`, version));
  });
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    const why = `must include at least one of ${REVIEW_VERSIONS.join(', ')}`;
    errors.push(fieldError.invalid(at, versions, why));
  }
  return errors;
}

function urlErrors(url: string, path: string): FieldError[] {
  const form = '; desired format: https://host[/path]';
  if (!URL.canParse(url)) {
    return [fieldError.required(path, `url must be a valid URL: cannot parse ${JSON.stringify(url)}${form}`)];
  }
  const { protocol, host, username, password, hash, search } = new URL(url);
  const errors: FieldError[] = [];
  if (protocol !== 'https:') {
    const why = `'https' is the only allowed URL scheme${form}`;
    errors.push(fieldError.invalid(path, protocol.slice(0, -1), why));
  }
  if (host === '') errors.push(fieldError.invalid(path, host, `host must be specified${form}`));
  if (username !== '' || password !== '') {
    errors.push(fieldError.invalid(path, username, `user information is not permitted in the URL${form}`));
  }
  if (hash !== '')
    errors.push(fieldError.invalid(path, hash, `fragments are not permitted in the URL${form}`));
  if (search !== '') {
    errors.push(fieldError.invalid(path, search, `query parameters are not permitted in the URL${form}`));
  }
  return errors;
}

function storedVersionErrors(crd: CustomResourceDefinition): FieldError[] {
  const stored = crd.status?.storedVersions ?? [];
  const path = 'status.storedVersions';
  if (stored.length === 0) return [fieldError.invalid(path, stored, 'must have at least one stored version')];
  const versions = versionsOf(crd);
  const names = versions.map(({ name }) => name);
  const errors = stored.flatMap((version, index) =>
    names.includes(version)
      ? []
      : [fieldError.invalid(`${path}[${index}]`, version, 'missing from spec.versions')],
  );
  const storage = versions.find((version) => version.storage)?.name;
  if (storage !== undefined && !stored.includes(storage)) {
    const why = `must have the storage version ${storage}`;
    errors.push(fieldError.invalid(path, stored, why));
  }
  return errors;
}

function approvalErrors({ spec, metadata }: CustomResourceDefinition): FieldError[] {
  const protectedGroup = /(^|\.)(k8s|kubernetes)\.io$/.test(spec.group);
  if (!protectedGroup) return [];
  const path = `metadata.annotations[${APPROVAL_ANNOTATION}]`;
  const annotations = metadata.annotations ?? {};
  const value = Object.hasOwn(annotations, APPROVAL_ANNOTATION) ? annotations[APPROVAL_ANNOTATION]! : '';
  const where = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (value === '') {
    const why = `protected groups must have approval annotation "${APPROVAL_ANNOTATION}", ${where}`;
    return [fieldError.required(path, why)];
  }
  const approved = value.startsWith('unapproved') || /^https?:\/\/[^/]/.test(value);
  const why = `protected groups must have approval annotation "${APPROVAL_ANNOTATION}" with either a URL or a reason starting with "unapproved", ${where}`;
  return approved ? [] : [fieldError.invalid(path, value, why)];
}

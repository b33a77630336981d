// Checks of CustomResourceDefinition objects, in kube-apiserver's words and order.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from '../../api/index.ts';
import {
  fieldError,
  isDns1035Label,
  isDns1123Subdomain,
  validateImmutable,
  type FieldError,
} from '../../machinery/index.ts';
import { isEstablished } from './conditions.ts';
import { conversionErrors } from './conversion-validation.ts';
import { versionsErrors, type DefinitionRules } from './version-validation.ts';
import { versionsOf } from './versions.ts';

const SCOPES = ['Cluster', 'Namespaced'];
const APPROVAL_ANNOTATION = 'api-approved.kubernetes.io';

export function validateDefinition(crd: CustomResourceDefinition, rules: DefinitionRules): FieldError[] {
  const { spec, metadata } = crd;
  const wanted = `${spec.names.plural}.${spec.group}`;
  const why = 'must be spec.names.plural+"."+spec.group';
  return [
    ...(metadata.name === wanted ? [] : [fieldError.invalid('metadata.name', metadata.name ?? '', why)]),
    ...specErrors(crd, rules),
    ...storedVersionErrors(crd),
    ...approvalErrors(crd, undefined),
    ...unknownFieldsErrors(spec, undefined),
  ];
}

export function validateDefinitionUpdate(
  next: CustomResourceDefinition,
  old: CustomResourceDefinition,
  rules: DefinitionRules,
): FieldError[] {
  const errors = specErrors(next, rules);
  if (isEstablished(old)) {
    errors.push(
      ...validateImmutable(next.spec.scope, old.spec.scope, 'spec.scope'),
      ...validateImmutable(next.spec.names.kind, old.spec.names.kind, 'spec.names.kind'),
    );
  }
  errors.push(
    ...validateImmutable(next.spec.group, old.spec.group, 'spec.group'),
    ...validateImmutable(next.spec.names.plural, old.spec.names.plural, 'spec.names.plural'),
    ...storedVersionErrors(next),
    ...approvalErrors(next, old),
    ...unknownFieldsErrors(next.spec, old.spec),
  );
  return errors;
}

function specErrors(crd: CustomResourceDefinition, rules: DefinitionRules): FieldError[] {
  const { spec } = crd;
  const errors: FieldError[] = groupErrors(spec.group);
  if (!SCOPES.includes(spec.scope)) {
    errors.push(
      spec.scope === ''
        ? fieldError.required('spec.scope')
        : fieldError.notSupported('spec.scope', spec.scope, SCOPES),
    );
  }
  const { each, shared } = versionsErrors(versionsOf(crd), rules);
  errors.push(...each, ...namesErrors(spec.names), ...shared, ...conversionErrors(spec.conversion));
  return errors;
}

function unknownFieldsErrors(
  { preserveUnknownFields }: CustomResourceDefinitionSpec,
  old: CustomResourceDefinitionSpec | undefined,
): FieldError[] {
  if (preserveUnknownFields !== true || old?.preserveUnknownFields === true) return [];
  const why =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [fieldError.invalid('spec.preserveUnknownFields', true, why)];
}

function groupErrors(group: string): FieldError[] {
  if (group === '') return [fieldError.required('spec.group')];
  const complaints = isDns1123Subdomain(group);
  if (complaints.length > 0) return [fieldError.invalid('spec.group', group, complaints.join(','))];
  return group.includes('.')
    ? []
    : [fieldError.invalid('spec.group', group, 'should be a domain with at least one dot')];
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
  for (const [field, value] of Object.entries({ plural, singular, kind, listKind })) {
    if (value === '') errors.push(fieldError.required(`spec.names.${field}`));
  }
  if (plural !== '') label('spec.names.plural', plural);
  if (singular !== '') label('spec.names.singular', singular);
  if (kind !== '') mixedCase('spec.names.kind', kind);
  if (listKind !== '') mixedCase('spec.names.listKind', listKind);
  shortNames?.forEach((name, index) => label(`spec.names.shortNames[${index}]`, name));
  if (kind !== '' && kind === listKind) {
    const why = 'kind and listKind may not be the same';
    errors.push(fieldError.invalid('spec.names.listKind', listKind, why));
  }
  categories?.forEach((name, index) => label(`spec.names.categories[${index}]`, name));
  return errors;
}

function storedVersionErrors(crd: CustomResourceDefinition): FieldError[] {
  const stored = crd.status?.storedVersions ?? [];
  const path = 'status.storedVersions';
  if (stored.length === 0) return [fieldError.invalid(path, stored, 'must have at least one stored version')];
  const versions = versionsOf(crd);
  const errors = versions
    .filter(({ name, storage }) => storage && !stored.includes(name))
    .map(({ name }) => fieldError.invalid(path, stored, `must have the storage version ${name}`));
  const names = versions.map(({ name }) => name);
  stored.forEach((version, index) => {
    if (names.includes(version)) return;
    const why =
      `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions ` +
      `until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    errors.push(fieldError.invalid(`${path}[${index}]`, version, why));
  });
  return errors;
}

type Approval = 'approved' | 'bypassed' | 'missing' | 'invalid';

function approvalOf({ metadata }: CustomResourceDefinition): {
  readonly state: Approval;
  readonly value: string;
} {
  const annotations = metadata.annotations ?? {};
  const value = Object.hasOwn(annotations, APPROVAL_ANNOTATION) ? annotations[APPROVAL_ANNOTATION]! : '';
  if (value === '') return { state: 'missing', value };
  if (value.startsWith('unapproved')) return { state: 'bypassed', value };
  return { state: /^https?:\/\/[^/]/.test(value) ? 'approved' : 'invalid', value };
}

/** COMPAT: an approval that is wrong may stay so. */
function approvalErrors(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  const protectedGroup = /(^|\.)(k8s|kubernetes)\.io$/.test(crd.spec.group);
  if (!protectedGroup) return [];
  const { state, value } = approvalOf(crd);
  if (old !== undefined && approvalOf(old).state === state) return [];
  const path = `metadata.annotations[${APPROVAL_ANNOTATION}]`;
  const must = `protected groups must have approval annotation "${APPROVAL_ANNOTATION}"`;
  const where = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (state === 'missing') return [fieldError.required(path, `${must}, ${where}`)];
  if (state !== 'invalid') return [];
  const why = `${must} with either a URL or a reason starting with "unapproved", ${where}`;
  return [fieldError.invalid(path, value, why)];
}

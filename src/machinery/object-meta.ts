// What kube-apiserver checks in every object's metadata, whatever its kind, and in its words.
import type { KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../api/index.ts';
import { parseApiVersion } from '../api/index.ts';
import { byteLength, goQuote, isPrintable } from './go-text.ts';
import { semanticEqual } from './json.ts';
import type { LabelSelector } from './label-selector.ts';
import { isLabelValue, isQualifiedName, nameIsDnsLabel, type NameRule } from './names.ts';
import { fieldError, type FieldError } from './status-error.ts';

type Labels = Readonly<Record<string, string>>;

export const FIELD_IMMUTABLE = 'field is immutable';

/** LIMIT: upstream's bound on the keys and values of all annotations of an object together. */
const ANNOTATIONS_MAX_BYTES = 256 * 1024;
const MANAGER_MAX_BYTES = 128;
const SUBRESOURCE_MAX_BYTES = 256;

export function validateLabels(labels: Labels | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    for (const message of isQualifiedName(key)) errors.push(fieldError.invalid(path, key, message));
    const value = labels[key] ?? '';
    for (const message of isLabelValue(value)) errors.push(fieldError.invalid(path, value, message));
  }
  return errors;
}

export function validateAnnotations(annotations: Labels | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const key in annotations) {
    for (const message of isQualifiedName(key.toLowerCase())) {
      errors.push(fieldError.invalid(path, key, message));
    }
    bytes += byteLength(key) + byteLength(annotations[key] ?? '');
  }
  if (bytes > ANNOTATIONS_MAX_BYTES) errors.push(fieldError.tooLong(path, ANNOTATIONS_MAX_BYTES));
  return errors;
}

/** A meta/v1 LabelSelector inside a spec. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (selector === undefined) return [];
  const errors = validateLabels(selector.matchLabels, `${path}.matchLabels`);
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        const detail = "must be specified when `operator` is 'In' or 'NotIn'";
        errors.push(fieldError.required(`${at}.values`, detail));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(fieldError.forbidden(`${at}.values`, detail));
      }
    } else {
      errors.push(fieldError.invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    }
    for (const message of isQualifiedName(key)) errors.push(fieldError.invalid(`${at}.key`, key, message));
    values.forEach((value, valueIndex) => {
      for (const message of isLabelValue(value)) {
        errors.push(fieldError.invalid(`${at}.values[${valueIndex}]`, value, message));
      }
    });
  });
  return errors;
}

/** The name a writer gives itself in a request or in managedFields. */
export function validateFieldManager(manager: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (byteLength(manager) > MANAGER_MAX_BYTES) errors.push(fieldError.tooLong(path, MANAGER_MAX_BYTES));
  let position = 0;
  for (const character of manager) {
    if (!isPrintable(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      const detail = `invalid character U+${code} (at position ${position})`;
      errors.push(fieldError.invalid(path, manager, detail));
    }
    position += byteLength(character);
  }
  return errors;
}

/** In the order of Go's struct, as messages print it. */
function inOrder(reference: OwnerReference): OwnerReference {
  const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = reference;
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(controller === undefined ? {} : { controller }),
    ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
  };
}

function validateOwnerReferences(
  references: readonly OwnerReference[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let first: string | undefined;
  for (const reference of references ?? []) {
    const { apiVersion, kind, name, uid } = reference;
    // COMPAT: the paths carry no index.
    if (parseApiVersion(apiVersion ?? '').version === '') {
      errors.push(fieldError.invalid(`${path}.apiVersion`, apiVersion ?? '', 'version must not be empty'));
    }
    for (const [field, value] of Object.entries({ kind, name, uid })) {
      if ((value ?? '') === '') errors.push(fieldError.invalid(`${path}.${field}`, '', 'must not be empty'));
    }
    if (apiVersion === 'v1' && kind === 'Event') {
      const detail = '/v1, Kind=Event is disallowed from being an owner';
      errors.push(fieldError.invalid(path, inOrder(reference), detail));
    }
    if (reference.controller !== true) continue;
    const called = `${kind}/${name}`;
    if (first === undefined) {
      first = called;
      continue;
    }
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${called}`;
    errors.push(fieldError.invalid(path, (references ?? []).map(inOrder), detail));
  }
  return errors;
}

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';
const STANDARD_FINALIZERS = ['kubernetes', ORPHAN, FOREGROUND];

function validateFinalizers(finalizers: readonly string[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const finalizer of finalizers ?? []) {
    for (const message of isQualifiedName(finalizer)) {
      errors.push(fieldError.invalid(path, finalizer, message));
    }
  }
  if (finalizers?.includes(ORPHAN) === true && finalizers.includes(FOREGROUND)) {
    const detail = `finalizer ${ORPHAN} and ${FOREGROUND} cannot be both set`;
    errors.push(fieldError.invalid(path, finalizers, detail));
  }
  return errors;
}

function validateBuiltInFinalizers(finalizers: readonly string[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  finalizers?.forEach((finalizer, index) => {
    if (finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer)) return;
    const detail = 'name is neither a standard finalizer name nor is it fully qualified';
    errors.push(fieldError.invalid(`${path}[${index}]`, finalizer, detail));
  });
  return errors;
}

function validateManagedFields(
  entries: readonly ManagedFieldsEntry[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  entries?.forEach((entry, index) => {
    const at = `${path}[${index}]`;
    const operation = entry.operation ?? '';
    if (operation === '') errors.push(fieldError.required(`${at}.operation`, 'must not be empty'));
    else if (operation !== 'Apply' && operation !== 'Update') {
      errors.push(fieldError.notSupported(`${at}.operation`, operation, ['Apply', 'Update']));
    }
    const type = entry.fieldsType ?? '';
    if (type !== '' && type !== 'FieldsV1') {
      errors.push(fieldError.invalid(`${at}.fieldsType`, type, 'must be `FieldsV1`'));
    }
    errors.push(...validateFieldManager(entry.manager ?? '', `${at}.manager`));
    if (byteLength(entry.subresource ?? '') > SUBRESOURCE_MAX_BYTES) {
      errors.push(fieldError.tooLong(`${at}.subresource`, SUBRESOURCE_MAX_BYTES));
    }
  });
  return errors;
}

export interface ObjectMetaRules {
  readonly namespaced: boolean;
  readonly nameRule: NameRule;
  /** Kubernetes' own kinds additionally want finalizers to be standard or to have a domain. */
  readonly builtIn: boolean;
  /** Default `metadata`. */
  readonly path?: string;
}

/** Checks an object's metadata at creation, after its name was generated. */
export function validateObjectMeta(metadata: ObjectMeta, rules: ObjectMetaRules): FieldError[] {
  const path = rules.path ?? 'metadata';
  const errors: FieldError[] = [];
  const { name = '', generateName = '', namespace = '' } = metadata;
  if (generateName !== '') {
    for (const message of rules.nameRule(generateName, true)) {
      errors.push(fieldError.invalid(`${path}.generateName`, generateName, message));
    }
  }
  if (name === '') {
    errors.push(fieldError.required(`${path}.name`, 'name or generateName is required'));
  } else {
    for (const message of rules.nameRule(name, false)) {
      errors.push(fieldError.invalid(`${path}.name`, name, message));
    }
  }
  if (!rules.namespaced) {
    if (namespace !== '') errors.push(fieldError.forbidden(`${path}.namespace`, 'not allowed on this type'));
  } else if (namespace === '') {
    errors.push(fieldError.required(`${path}.namespace`));
  } else {
    for (const message of nameIsDnsLabel(namespace, false)) {
      errors.push(fieldError.invalid(`${path}.namespace`, namespace, message));
    }
  }
  if ((metadata.generation ?? 0) < 0) {
    const detail = 'must be greater than or equal to 0';
    errors.push(fieldError.invalid(`${path}.generation`, metadata.generation, detail));
  }
  errors.push(
    ...validateOpenParts(metadata, undefined, path),
    ...validateFinalizers(metadata.finalizers, `${path}.finalizers`),
  );
  errors.push(...validateManagedFields(metadata.managedFields, `${path}.managedFields`));
  if (rules.builtIn) {
    errors.push(...validateBuiltInFinalizers(metadata.finalizers, `${path}.finalizers`));
  }
  return errors;
}

/** Parts that are the very ones of `old` were checked when they came. */
function validateOpenParts(metadata: ObjectMeta, old: ObjectMeta | undefined, path: string): FieldError[] {
  const { labels, annotations, ownerReferences } = metadata;
  return [
    ...(labels === old?.labels ? [] : validateLabels(labels, `${path}.labels`)),
    ...(annotations === old?.annotations ? [] : validateAnnotations(annotations, `${path}.annotations`)),
    ...(ownerReferences === old?.ownerReferences
      ? []
      : validateOwnerReferences(ownerReferences, `${path}.ownerReferences`)),
  ];
}

const IMMUTABLE_TEXTS = ['name', 'namespace', 'uid'] as const;
const IMMUTABLE = ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

/** Checks metadata that is to replace `old`. `resourceVersion` must be set in both. */
export function validateObjectMetaUpdate(
  metadata: ObjectMeta,
  old: ObjectMeta,
  rules: Pick<ObjectMetaRules, 'builtIn' | 'path'>,
): FieldError[] {
  const path = rules.path ?? 'metadata';
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const before = new Set(old.finalizers);
    const added = [...new Set(metadata.finalizers)].filter((finalizer) => !before.has(finalizer)).sort();
    if (added.length > 0) {
      const shown = `[]string{${added.map(goQuote).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`;
      errors.push(fieldError.forbidden(`${path}.finalizers`, detail));
    }
  }
  if ((metadata.resourceVersion ?? '') === '') {
    errors.push(fieldError.invalid(`${path}.resourceVersion`, '', 'must be specified for an update'));
  }
  if ((metadata.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(
      fieldError.invalid(`${path}.generation`, metadata.generation ?? 0, 'must not be decremented'),
    );
  }
  for (const field of IMMUTABLE_TEXTS) {
    errors.push(...validateImmutable(metadata[field] ?? '', old[field] ?? '', `${path}.${field}`));
  }
  for (const field of IMMUTABLE) {
    errors.push(...validateImmutable(metadata[field], old[field], `${path}.${field}`));
  }
  errors.push(...validateOpenParts(metadata, old, path));
  errors.push(...validateManagedFields(metadata.managedFields, `${path}.managedFields`));
  if (rules.builtIn) {
    errors.push(...validateBuiltInFinalizers(metadata.finalizers, `${path}.finalizers`));
  }
  return errors;
}

/** A field that may not change once it is there. */
export function validateImmutable(value: unknown, old: unknown, path: string): FieldError[] {
  return semanticEqual(value, old) ? [] : [fieldError.invalid(path, value, FIELD_IMMUTABLE)];
}

/** Whether anything but metadata and status differs: what makes kube-apiserver count up `generation`. */
export function specChanged(object: KubeObject, old: KubeObject): boolean {
  for (const field in object) if (counts(field) && !semanticEqual(object[field], old[field])) return true;
  for (const field in old)
    if (counts(field) && !Object.hasOwn(object, field) && !semanticEqual(undefined, old[field])) return true;
  return false;
}

function counts(field: string): boolean {
  return field !== 'metadata' && field !== 'status' && field !== 'apiVersion' && field !== 'kind';
}

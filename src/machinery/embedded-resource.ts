// Resources inside resources (`x-kubernetes-embedded-resource`): they need an apiVersion, a kind and sound metadata.
import { resolveRef, type JsonObject, type ObjectMeta, type Schema } from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { isDns1035Label, nameIsPathSegment } from './names.ts';
import { validateObjectMeta } from './object-meta.ts';
import { fieldError, type FieldError } from './status-error.ts';
import { decodeTyped } from './typed-decode.ts';

/** ObjectMeta by reference, so that messages name its type. */
export const OBJECT_META: Schema = {
  $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
};

export function validateEmbeddedResource(resource: JsonObject, path: string): FieldError[] {
  const at = (field: string): string => (path === '' ? field : `${path}.${field}`);
  const errors: FieldError[] = [];
  for (const field of ['apiVersion', 'kind'] as const) {
    const value = resource[field];
    if (value === undefined) errors.push(fieldError.required(at(field)));
    else if (typeof value !== 'string') errors.push(fieldError.invalid(at(field), value, 'must be a string'));
    else if (value === '') errors.push(fieldError.invalid(at(field), value, 'must not be empty'));
    else errors.push(...(field === 'kind' ? kindErrors(value, at(field)) : versionErrors(value, at(field))));
  }
  const { metadata } = resource;
  if (metadata === undefined) return errors;
  try {
    const decoded = decodeTyped(metadata, OBJECT_META, resolveRef).value as ObjectMeta;
    // COMPAT: the name may be missing, and then anything passes for it.
    const named = (decoded.name ?? '') === '' ? { ...decoded, name: 'fakename' } : decoded;
    const namespaced = (decoded.namespace ?? '') !== '';
    const rules = { namespaced, nameRule: nameIsPathSegment, builtIn: false, path: at('metadata') };
    errors.push(...validateObjectMeta(named, rules));
  } catch (error) {
    errors.push(fieldError.invalid(at('metadata'), metadata, errorMessage(error)));
  }
  return errors;
}

function kindErrors(kind: string, path: string): FieldError[] {
  const complaints = isDns1035Label(kind.toLowerCase());
  if (complaints.length === 0) return [];
  const detail = `may have mixed case, but should otherwise match: ${complaints.join(',')}`;
  return [fieldError.invalid(path, kind, detail)];
}

function versionErrors(apiVersion: string, path: string): FieldError[] {
  if (apiVersion.split('/').length <= 2) return [];
  return [fieldError.invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
}

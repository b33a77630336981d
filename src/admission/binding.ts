// ResourceBindings: what a dependency annotation and components must look like (upstream: the validating webhook).
import { DEPENDENCIES_ANNOTATION, type ResourceBinding } from '../api/index.ts';
import { fieldError, type FieldError } from '../machinery/index.ts';

/** @param components whether bindings may have some: the gate MultiplePodTemplatesScheduling */
export function validateBinding({ metadata, spec }: ResourceBinding, components: boolean): FieldError[] {
  const errors = validateDependencies(metadata.annotations?.[DEPENDENCIES_ANNOTATION]);
  // Upstream looks at the components only when the annotations are in order.
  return errors.length > 0 || !components ? errors : validateComponents(spec.components ?? []);
}

function validateDependencies(text: string | undefined): FieldError[] {
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    const isReference = (one: unknown): boolean => typeof one === 'object' && !Array.isArray(one);
    if (parsed === null || (Array.isArray(parsed) && parsed.every(isReference))) return [];
  } catch {
    // Not even JSON.
  }
  const path = `metadata.annotations.${DEPENDENCIES_ANNOTATION}`;
  return [fieldError.invalid(path, text, 'annotation value must be a valid JSON')];
}

function validateComponents(components: readonly { readonly name: string }[]): FieldError[] {
  const names = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, { name }] of components.entries()) {
    const path = `spec.components[${index}].name`;
    if (name === '') errors.push(fieldError.invalid(path, name, 'component names must be non-empty'));
    else if (names.has(name)) errors.push(fieldError.invalid(path, name, 'component names must be unique'));
    names.add(name);
  }
  return errors;
}

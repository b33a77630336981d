// What a cluster may be called: its name is part of a namespace and of other names.
import { fieldError, isDns1123Label, type FieldError } from '../machinery/index.ts';

// LIMIT: 63 characters of a namespace less "karmada-es-", and room for what upstream appends elsewhere.
const MAX_LENGTH = 48;

export function validateClusterName(name: string): FieldError[] {
  const path = 'metadata.name';
  if (name === '') return [fieldError.invalid(path, name, 'must be not empty')];
  if (name.length > MAX_LENGTH) {
    return [fieldError.invalid(path, name, `must be no more than ${MAX_LENGTH} characters`)];
  }
  return isDns1123Label(name).map((why) => fieldError.invalid(path, name, why));
}

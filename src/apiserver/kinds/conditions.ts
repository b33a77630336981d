// meta/v1 Conditions, as the kinds have them whose controllers write them.
import type { Condition } from '../../api/index.ts';
import {
  byteLength,
  fieldError,
  isQualifiedName,
  patternComplaint,
  type FieldError,
} from '../../machinery/index.ts';
import { named, oneOfIfGiven } from './checks.ts';

const STATUSES = ['False', 'True', 'Unknown'];
// LIMIT: as upstream.
const REASON_BYTES_MAX = 1024;
const MESSAGE_BYTES_MAX = 32 * 1024;
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonPattern = new RegExp(`^${REASON}$`);

function validateReason(reason: string, path: string): FieldError[] {
  if (reason === '') return [fieldError.required(path, 'must be set')];
  const says =
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
  const examples = ['my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB'];
  return [
    ...(reasonPattern.test(reason)
      ? []
      : [fieldError.invalid(path, reason, patternComplaint(says, REASON, ...examples))]),
    ...(byteLength(reason) > REASON_BYTES_MAX ? [fieldError.tooLong(path, REASON_BYTES_MAX)] : []),
  ];
}

export function validateConditions(conditions: readonly Condition[], path: string): FieldError[] {
  const seen = new Set<string>();
  return conditions.flatMap((condition, i) => {
    const at = `${path}[${i}]`;
    const {
      type = '',
      status,
      observedGeneration = 0,
      reason = '',
      message = '',
    } = condition as Partial<Condition>;
    const errors = seen.has(type) ? [fieldError.duplicate(`${at}.type`, type)] : [];
    seen.add(type);
    errors.push(...named(isQualifiedName(type), type, `${at}.type`));
    errors.push(...oneOfIfGiven(status ?? '', STATUSES, `${at}.status`));
    if (observedGeneration < 0) {
      const why = 'must be greater than or equal to zero';
      errors.push(fieldError.invalid(`${at}.observedGeneration`, observedGeneration, why));
    }
    if ((condition.lastTransitionTime ?? null) === null) {
      errors.push(fieldError.required(`${at}.lastTransitionTime`, 'must be set'));
    }
    errors.push(...validateReason(reason, `${at}.reason`));
    if (byteLength(message) > MESSAGE_BYTES_MAX) {
      errors.push(fieldError.tooLong(`${at}.message`, MESSAGE_BYTES_MAX));
    }
    return errors;
  });
}

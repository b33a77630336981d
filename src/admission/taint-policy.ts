// ClusterTaintPolicy: no taint twice, and evicting taints only where the operator allows them.
import type { ClusterTaintPolicy } from '../api/index.ts';
import { fieldError, type FieldError } from '../machinery/index.ts';
import { validateAffinity } from './placement-validation.ts';

/** @param allowNoExecute the flag `--allow-no-execute-taint-policy` */
export function validateTaintPolicy(policy: ClusterTaintPolicy, allowNoExecute: boolean): FieldError[] {
  const errors = validateAffinity(policy.spec.targetClusters, 'spec.targetClusters');
  const seen = new Set<string>();
  for (const [index, { key, effect }] of policy.spec.taints.entries()) {
    const path = `spec.taints[${index}]`;
    if (effect === 'NoExecute' && !allowNoExecute) {
      errors.push(
        fieldError.forbidden(`${path}.effect`, 'NoExecute taints are not allowed by this control plane'),
      );
    }
    const identity = `${key}\n${effect}`;
    if (seen.has(identity)) {
      // COMPAT: upstream names the list's first index and puts the sentence where the value belongs (case adm-ctp).
      const text = `Duplicate taint with the same key(${key}) and effect(${effect}) is not allowed`;
      errors.push(fieldError.duplicate('spec.taints[0]', text));
    }
    seen.add(identity);
  }
  return errors;
}

// node.k8s.io: RuntimeClass. The words and the order are kube-apiserver's.
import type { KubeObject, RuntimeClass, Toleration } from '../../api/index.ts';
import { fieldError, isDns1123Label, validateLabels, type FieldError } from '../../machinery/index.ts';
import type { BuiltinKind } from './builtin.ts';
import { immutable, named } from './checks.ts';
import { validateToleration } from './pod-placement.ts';
import { validateResources } from './pod-resources.ts';
import * as printers from '../table/printers.ts';

function validateTolerations(tolerations: readonly Toleration[], path: string): FieldError[] {
  const errors = tolerations.flatMap((toleration, i) => validateToleration(toleration, `${path}[${i}]`));
  const seen = new Set<string>();
  for (const [i, toleration] of tolerations.entries()) {
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds = null } = toleration;
    const same = JSON.stringify([key, operator, value, effect]);
    if (seen.has(same)) {
      // COMPAT: shown with the names of upstream's own type.
      const shown = {
        Key: key,
        Operator: operator,
        Value: value,
        Effect: effect,
        TolerationSeconds: tolerationSeconds,
      };
      errors.push(fieldError.duplicate(`${path}[${i}]`, shown));
    }
    seen.add(same);
  }
  return errors;
}

function validateRuntimeClass(object: KubeObject): FieldError[] {
  const { handler = '', overhead, scheduling } = object as unknown as Partial<RuntimeClass>;
  return [
    ...named(isDns1123Label(handler), handler, 'handler'),
    ...(overhead?.podFixed === undefined
      ? []
      : validateResources({ limits: overhead.podFixed }, [], 'overhead')),
    ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
    ...validateTolerations(scheduling?.tolerations ?? [], 'scheduling.tolerations'),
  ];
}

export const runtimeClass: BuiltinKind = {
  strategy: {
    requiresResourceVersion: true,
    validate: validateRuntimeClass,
    validateUpdate: (next, old) => [
      ...validateRuntimeClass(next),
      ...immutable(next['handler'], old['handler'], 'handler'),
    ],
  },
  printer: printers.runtimeClasses,
};

// Kubernetes' own admission rules, as far as a hub and its members need them. Each has the name under which
// kube-apiserver's --disable-admission-plugins knows it.
import type { AdmissionPlugin } from '../../machinery/index.ts';
import type { ObjectAccess } from '../object-access.ts';
import { defaultClasses } from './default-classes.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { podPriority } from './pod-priority.ts';
import { podTolerations } from './pod-tolerations.ts';
import { serviceAccounts } from './service-accounts.ts';
import { storageProtection } from './storage-protection.ts';

export interface AdmissionEnvironment {
  readonly objects: ObjectAccess;
  readonly suffix: () => string;
}

/** In kube-apiserver's order. */
export function builtinAdmission(
  environment: AdmissionEnvironment,
  disabled: readonly string[],
): readonly AdmissionPlugin[] {
  const { objects } = environment;
  return [
    namespaceLifecycle(objects),
    limitRanger(objects),
    serviceAccounts(environment),
    podTolerations,
    podPriority(objects),
    ...defaultClasses(objects),
    storageProtection,
  ].filter(({ name }) => !disabled.includes(name));
}

// Kubernetes' own admission rules, as far as a hub and its members need them. Each has the name under which
// kube-apiserver's --disable-admission-plugins knows it.
import { OperatingError } from '../../base/index.ts';
import type { AdmissionPlugin } from '../../machinery/index.ts';
import type { Authorizer } from '../contract.ts';
import type { ObjectAccess } from '../object-access.ts';
import { certificateSigners } from './certificate-signers.ts';
import { certificateSubjects } from './certificate-subjects.ts';
import { defaultClasses } from './default-classes.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeTaints } from './node-taints.ts';
import { podPriority } from './pod-priority.ts';
import { podTolerations } from './pod-tolerations.ts';
import { podTopology } from './pod-topology.ts';
import { podSecurity } from './pod-security/admission.ts';
import { resourceQuotas } from './resource-quota.ts';
import { runtimeClasses } from './runtime-class.ts';
import { serviceAccounts } from './service-accounts.ts';
import { storageProtection } from './storage-protection.ts';
import { volumeResize } from './volume-resize.ts';

export interface AdmissionEnvironment {
  readonly objects: ObjectAccess;
  readonly suffix: () => string;
  readonly authorizer: Authorizer | undefined;
  /** Whether a Pod whose service account is not there is taken as it is, instead of refused. */
  readonly podsAreTemplates: boolean;
}

export interface BuiltinAdmission {
  /** In kube-apiserver's order. */
  readonly plugins: readonly AdmissionPlugin[];
  /** What must come after all others, since it counts what is really going to be written. */
  readonly last: readonly AdmissionPlugin[];
}

/** `disabled`: names of plugins, as for kube-apiserver; throws OperatingError BAD_ADMISSION_PLUGIN at another name. */
export function builtinAdmission(
  environment: AdmissionEnvironment,
  disabled: readonly string[],
): BuiltinAdmission {
  const { objects } = environment;
  const enabled = ({ name }: AdmissionPlugin): boolean => !disabled.includes(name);
  const plugins = [
    namespaceLifecycle(objects),
    limitRanger(objects),
    serviceAccounts(environment),
    nodeTaints,
    podSecurity(objects),
    podPriority(objects),
    podTolerations,
    ...defaultClasses(objects),
    storageProtection,
    volumeResize(objects),
    runtimeClasses(objects),
    ...certificateSigners(environment.authorizer),
    certificateSubjects,
    podTopology(objects),
  ];
  const last = [resourceQuotas(objects)];
  const names = [...plugins, ...last].map(({ name }) => name);
  const unknown = disabled.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new OperatingError(
      'BAD_ADMISSION_PLUGIN',
      `there is no admission plugin "${unknown}" to disable`,
      `choose among ${names.join(', ')}`,
    );
  return { plugins: plugins.filter(enabled), last: last.filter(enabled) };
}

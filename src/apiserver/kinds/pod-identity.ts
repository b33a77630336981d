// As whom the containers of a pod run, and what they may: security contexts. The words and the order are
// kube-apiserver's.
import type { AppArmorProfile, Container, PodSpec, SeccompProfile, Sysctl } from '../../api/index.ts';
import { fieldError, type FieldError } from '../../machinery/index.ts';
import { inside, oneOf, oneOfIfGiven } from './checks.ts';
import { validateWindowsOptions } from './pod-windows.ts';

const ID_MAX = 2_147_483_647;
const SYSCTL_NAME_MAX = 253;
const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL_NAME = `^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`;
const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const PROFILE_NAME_MAX = 4095;

function validateId(id: number | undefined, path: string): FieldError[] {
  if (id === undefined || (id >= 0 && id <= ID_MAX)) return [];
  return [fieldError.invalid(path, id, `must be between 0 and ${ID_MAX}, inclusive`)];
}

export function validatePodIdentity(spec: PodSpec, path: string): FieldError[] {
  const { securityContext = {}, hostPID, shareProcessNamespace } = spec;
  const { fsGroup, runAsUser, runAsGroup, supplementalGroups = [], sysctls = [] } = securityContext;
  const at = `${path}.securityContext`;
  const both = 'ShareProcessNamespace and HostPID cannot both be enabled';
  return [
    ...validateId(fsGroup, `${at}.fsGroup`),
    ...validateId(runAsUser, `${at}.runAsUser`),
    ...validateId(runAsGroup, `${at}.runAsGroup`),
    ...supplementalGroups.flatMap((id, i) => validateId(id, `${at}.supplementalGroups[${i}]`)),
    ...(hostPID === true && shareProcessNamespace === true
      ? [fieldError.invalid(`${at}.shareProcessNamespace`, true, both)]
      : []),
    ...validateSysctls(sysctls, spec, `${at}.sysctls`),
    ...oneOfIfGiven(
      securityContext.fsGroupChangePolicy,
      ['Always', 'OnRootMismatch'],
      `${at}.fsGroupChangePolicy`,
    ),
    ...validateSeccomp(securityContext.seccompProfile, `${at}.seccompProfile`),
    ...validateWindowsOptions(securityContext.windowsOptions, `${at}.windowsOptions`),
    ...validateAppArmor(securityContext.appArmorProfile, `${at}.appArmorProfile`),
    ...oneOfIfGiven(
      securityContext.supplementalGroupsPolicy,
      ['Merge', 'Strict'],
      `${at}.supplementalGroupsPolicy`,
    ),
    ...oneOfIfGiven(
      securityContext.seLinuxChangePolicy,
      ['MountOption', 'Recursive'],
      `${at}.seLinuxChangePolicy`,
    ),
  ];
}

/** The kernel's settings: those of a namespace are the machine's where the pod has no such namespace. */
function validateSysctls(sysctls: readonly Sysctl[], spec: PodSpec, path: string): FieldError[] {
  const names = new Set<string>();
  return sysctls.flatMap(({ name }, i) => {
    const at = `${path}[${i}].name`;
    const errors: FieldError[] = [];
    if (name === '') errors.push(fieldError.required(at));
    else if (name.length > SYSCTL_NAME_MAX || !new RegExp(SYSCTL_NAME).test(name)) {
      const why = `must have at most ${SYSCTL_NAME_MAX} characters and match regex ${SYSCTL_NAME}`;
      errors.push(fieldError.invalid(at, name, why));
    } else if (names.has(name)) errors.push(fieldError.duplicate(at, name));
    names.add(name);
    const dotted = name.replaceAll('/', '.');
    const ofMachine =
      spec.hostNetwork === true && dotted.startsWith('net.')
        ? 'hostNetwork'
        : spec.hostIPC === true && /^(kernel\.(sem|shm|msg)|fs\.mqueue\.)/.test(dotted)
          ? 'hostIPC'
          : undefined;
    if (ofMachine !== undefined) {
      errors.push(fieldError.invalid(at, name, `may not be specified when '${ofMachine}' is true`));
    }
    return errors;
  });
}

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const errors =
    (type as string) === ''
      ? [fieldError.required(`${path}.type`, 'type is required when seccompProfile is set')]
      : oneOf(type, PROFILE_TYPES, `${path}.type`);
  const at = `${path}.localhostProfile`;
  if (type !== 'Localhost') {
    const why = 'can only be set when seccomp type is Localhost';
    return localhostProfile === undefined ? errors : [...errors, fieldError.invalid(at, profile, why)];
  }
  return localhostProfile === undefined
    ? [...errors, fieldError.required(at, 'must be set when seccomp type is Localhost')]
    : [...errors, ...inside(localhostProfile, at)];
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  if ((type as string) === '') {
    return [fieldError.required(`${path}.type`, 'type is required when appArmorProfile is set')];
  }
  const errors = oneOf(type, PROFILE_TYPES, `${path}.type`);
  if (errors.length > 0) return errors;
  const at = `${path}.localhostProfile`;
  if (type !== 'Localhost') {
    const why = 'can only be set when AppArmor type is Localhost';
    return localhostProfile === undefined ? [] : [fieldError.invalid(at, localhostProfile, why)];
  }
  if (localhostProfile === undefined || localhostProfile === '') {
    return [fieldError.required(at, 'must be set when AppArmor type is Localhost')];
  }
  return [
    ...(localhostProfile === localhostProfile.trim()
      ? []
      : [fieldError.invalid(at, localhostProfile, 'must not be padded with whitespace')]),
    ...(localhostProfile.length > PROFILE_NAME_MAX ? [fieldError.tooLong(at, PROFILE_NAME_MAX)] : []),
  ];
}

export function validateContainerIdentity(
  { securityContext }: Container,
  spec: PodSpec,
  path: string,
): FieldError[] {
  if (securityContext === undefined) return [];
  const at = `${path}.securityContext`;
  const { runAsUser, runAsGroup, procMount, privileged, allowPrivilegeEscalation, capabilities } =
    securityContext;
  const errors = [
    ...validateId(runAsUser, `${at}.runAsUser`),
    ...validateId(runAsGroup, `${at}.runAsGroup`),
    ...oneOfIfGiven(procMount, ['Default', 'Unmasked'], `${at}.procMount`),
    ...(procMount === 'Unmasked' && spec.hostUsers !== false
      ? [fieldError.invalid(`${at}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`')]
      : []),
    ...validateSeccomp(securityContext.seccompProfile, `${at}.seccompProfile`),
  ];
  const refuse = (what: string): void => {
    const why = `cannot set \`allowPrivilegeEscalation\` to false and ${what}`;
    errors.push(fieldError.invalid(at, securityContext, why));
  };
  if (allowPrivilegeEscalation === false) {
    if (privileged === true) refuse('`privileged` to true');
    if ((capabilities?.add ?? []).includes('CAP_SYS_ADMIN')) refuse('`capabilities.Add` CAP_SYS_ADMIN');
  }
  return [
    ...errors,
    ...validateWindowsOptions(securityContext.windowsOptions, `${at}.windowsOptions`),
    ...validateAppArmor(securityContext.appArmorProfile, `${at}.appArmorProfile`),
  ];
}

/** Users of its own go with none of the machine's namespaces. */
export function validateHostUsers(spec: PodSpec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const why = 'when `pod.Spec.HostUsers` is false';
  // COMPAT: the names as upstream prints them.
  return [
    ...(spec.hostNetwork === true ? [fieldError.forbidden(`${path}.hostNetwork`, why)] : []),
    ...(spec.hostPID === true ? [fieldError.forbidden(`${path}.HostPID`, why)] : []),
    ...(spec.hostIPC === true ? [fieldError.forbidden(`${path}.HostIPC`, why)] : []),
  ];
}

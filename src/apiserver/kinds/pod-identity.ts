// As whom the containers of a pod run, and what they may: security contexts. The words and the order are
// kube-apiserver's.
import type { Container, PodSpec } from '../../api/index.ts';
import { fieldError, type FieldError } from '../../machinery/index.ts';
import { oneOf } from './checks.ts';

const ID_MAX = 2_147_483_647;

function validateId(id: number | undefined, path: string): FieldError[] {
  if (id === undefined || (id >= 0 && id <= ID_MAX)) return [];
  return [fieldError.invalid(path, id, `must be between 0 and ${ID_MAX}, inclusive`)];
}

export function validatePodIdentity({ securityContext }: PodSpec, path: string): FieldError[] {
  const { fsGroup, runAsUser, runAsGroup, supplementalGroups = [] } = securityContext ?? {};
  const at = `${path}.securityContext`;
  return [
    ...validateId(fsGroup, `${at}.fsGroup`),
    ...validateId(runAsUser, `${at}.runAsUser`),
    ...validateId(runAsGroup, `${at}.runAsGroup`),
    ...supplementalGroups.flatMap((id, i) => validateId(id, `${at}.supplementalGroups[${i}]`)),
  ];
}

export function validateContainerIdentity({ securityContext }: Container, path: string): FieldError[] {
  if (securityContext === undefined) return [];
  const at = `${path}.securityContext`;
  const { runAsUser, runAsGroup, procMount, privileged, allowPrivilegeEscalation, capabilities } =
    securityContext;
  const errors = [
    ...validateId(runAsUser, `${at}.runAsUser`),
    ...validateId(runAsGroup, `${at}.runAsGroup`),
    ...oneOf(procMount, ['Default', 'Unmasked'], `${at}.procMount`),
  ];
  if (allowPrivilegeEscalation !== false) return errors;
  const refuse = (what: string): void => {
    const why = `cannot set \`allowPrivilegeEscalation\` to false and ${what}`;
    errors.push(fieldError.invalid(at, securityContext, why));
  };
  if (privileged === true) refuse('`privileged` to true');
  if ((capabilities?.add ?? []).includes('CAP_SYS_ADMIN')) refuse('`capabilities.Add` CAP_SYS_ADMIN');
  return errors;
}

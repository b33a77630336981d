// Role-based access control: who may do what. COMPAT: verdicts and their wording are kube-apiserver's; clients show
// the messages and tests of tools compare them.
import { StatusError, goQuote, type UserInfo } from '../../machinery/index.ts';
import type { Authorizer, RequestInfo, Verdict } from '../contract.ts';
import { MASTERS } from './authentication.ts';
import type { Grant, RbacIndex } from './rbac-index.ts';
import { allows, type AccessAttributes, type PolicyRule } from './rbac-rules.ts';

export interface UserRules {
  readonly rules: readonly PolicyRule[];
  /** Roles that bindings name and that do not exist. */
  readonly errors: readonly string[];
}

export interface RbacAuthorizer extends Authorizer {
  /** The same for what is no request, e.g. a SubjectAccessReview. */
  check(user: UserInfo, asked: AccessAttributes): Verdict;
  /** All that a user may do in a namespace. */
  rulesFor(user: UserInfo, namespace: string): UserRules;
}

export function createRbacAuthorizer(index: RbacIndex): RbacAuthorizer {
  const check = (user: UserInfo, asked: AccessAttributes): Verdict => {
    if (user.groups.includes(MASTERS)) return { allowed: true, reason: '' };
    const errors: string[] = [];
    for (const grant of index.grants(user, asked.isResource ? asked.namespace : '')) {
      const { roleRef, namespace } = grant.binding;
      const rules = index.rulesOf(roleRef, namespace);
      if (rules === undefined) errors.push(missingRole(grant));
      else if (rules.some((rule) => allows(rule, asked))) return { allowed: true, reason: allowedBy(grant) };
    }
    return { allowed: false, reason: errors.length === 0 ? '' : `RBAC: ${aggregate(errors)}` };
  };
  return {
    check,
    authorize: check,
    rulesFor(user, namespace) {
      // COMPAT: of the masters only what is bound to them is said, though they may do everything.
      const rules: PolicyRule[] = [];
      const errors: string[] = [];
      for (const grant of index.grants(user, namespace)) {
        const found = index.rulesOf(grant.binding.roleRef, grant.binding.namespace);
        if (found === undefined) errors.push(missingRole(grant));
        else rules.push(...found);
      }
      return { rules, errors };
    },
  };
}

function missingRole({ binding: { roleRef } }: Grant): string {
  return `${roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io ${goQuote(roleRef.name)} not found`;
}

/** Several errors as Go's aggregate prints them. */
export function aggregate(errors: readonly string[]): string {
  const unique = [...new Set(errors)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`;
}

function allowedBy({ binding, subject }: Grant): string {
  const kind = binding.namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding';
  const called = binding.namespace === '' ? binding.name : `${binding.name}/${binding.namespace}`;
  const who =
    subject.kind === 'ServiceAccount'
      ? `ServiceAccount ${goQuote(`${subject.name}/${subject.namespace ?? binding.namespace}`)}`
      : `${subject.kind} ${goQuote(subject.name)}`;
  const { roleRef } = binding;
  return `RBAC: allowed by ${kind} ${goQuote(called)} of ${roleRef.kind} ${goQuote(roleRef.name)} to ${who}`;
}

/** The 403 for a request that was not allowed. */
export function forbiddenRequest(user: UserInfo, info: AccessAttributes, reason: string): StatusError {
  const called = info.group === '' ? info.resource : `${info.resource}.${info.group}`;
  const subject = !info.isResource
    ? 'forbidden'
    : info.name === ''
      ? `${called} is forbidden`
      : `${called} ${goQuote(info.name)} is forbidden`;
  const message = `${subject}: ${describeAttempt(user, info)}${reason === '' ? '' : `: ${reason}`}`;
  return new StatusError(403, 'Forbidden', message, {
    ...(info.name === '' || !info.isResource ? {} : { name: info.name }),
    ...(info.group === '' ? {} : { group: info.group }),
    ...(info.isResource ? { kind: info.resource } : {}),
  });
}

function describeAttempt({ name }: UserInfo, info: AccessAttributes): string {
  const who = `User ${goQuote(name)} cannot ${info.verb}`;
  if (!info.isResource) return `${who} path ${goQuote(info.path)}`;
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  const what = `${who} resource ${goQuote(resource)} in API group ${goQuote(info.group)}`;
  return info.namespace === ''
    ? `${what} at the cluster scope`
    : `${what} in the namespace ${goQuote(info.namespace)}`;
}

/** Throws the 403 unless the user may. */
export function mustBeAllowed(authorizer: Authorizer, user: UserInfo, info: RequestInfo): void {
  const verdict = authorizer.authorize(user, info);
  if (!verdict.allowed) throw forbiddenRequest(user, info, verdict.reason);
}

// Nobody grants more than they have: checks on writes of roles and bindings. COMPAT: kube-apiserver's rules, including
// the verbs `escalate` and `bind` that lift them, and its messages.
import type { KubeObject } from '../../api/index.ts';
import {
  deepEqual,
  forbidden,
  goQuote,
  notFound,
  type AdmissionAttributes,
  type AdmissionPlugin,
  type UserInfo,
} from '../../machinery/index.ts';
import { MASTERS } from './authentication.ts';
import type { RbacIndex, RoleRef } from './rbac-index.ts';
import { describeRules, notCovered, quoteAll, type PolicyRule } from './rbac-rules.ts';
import { aggregate, type RbacAuthorizer } from './rbac.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ROLES = new Set(['roles', 'clusterroles']);
const BINDINGS = new Set(['rolebindings', 'clusterrolebindings']);
const FULL_AUTHORITY: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

export function rbacEscalationPlugin(rbac: RbacAuthorizer, index: RbacIndex): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    handles: ({ group, operation, subresource, resource }) =>
      group === GROUP &&
      (operation === 'CREATE' || operation === 'UPDATE') &&
      subresource === '' &&
      (ROLES.has(resource) || BINDINGS.has(resource)),
    validate(attributes) {
      const { object, oldObject, user, resource } = attributes;
      if (object === undefined || user.groups.includes(MASTERS)) return;
      if (oldObject !== undefined && isOnlyBookkeeping(object, oldObject)) return;
      if (ROLES.has(resource)) checkRole(rbac, attributes, object);
      else checkBinding(rbac, index, attributes, object);
    },
  };
}

/** Whoever finishes a deletion may touch these without holding the role's rights. */
function isOnlyBookkeeping(next: KubeObject, old: KubeObject): boolean {
  const strip = ({ metadata, ...rest }: KubeObject): unknown => ({
    ...rest,
    metadata: {
      ...metadata,
      finalizers: undefined,
      ownerReferences: undefined,
      managedFields: undefined,
      resourceVersion: undefined,
    },
  });
  return deepEqual(strip(next), strip(old));
}

function checkRole(rbac: RbacAuthorizer, attributes: AdmissionAttributes, role: KubeObject): void {
  const { user, namespace } = attributes;
  if (mayOn(rbac, attributes, 'escalate', attributes.resource, attributes.name)) return;
  const missing = whatIsMissing(rbac, user, namespace, (role['rules'] ?? []) as readonly PolicyRule[]);
  if (missing !== undefined) refuse(attributes, missing);
  const { clusterRoleSelectors = [] } = (role['aggregationRule'] ?? {}) as {
    readonly clusterRoleSelectors?: readonly unknown[];
  };
  // An aggregation gathers whatever others label for it, so it is worth everything.
  if (clusterRoleSelectors.length > 0 && whatIsMissing(rbac, user, namespace, FULL_AUTHORITY) !== undefined) {
    refuse(attributes, 'must have cluster-admin privileges to use the aggregationRule');
  }
}

function checkBinding(
  rbac: RbacAuthorizer,
  index: RbacIndex,
  attributes: AdmissionAttributes,
  binding: KubeObject,
): void {
  const roleRef = (binding['roleRef'] ?? { kind: '', name: '' }) as RoleRef;
  const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (mayOn(rbac, attributes, 'bind', resource, roleRef.name)) return;
  const rules = index.rulesOf(roleRef, attributes.namespace);
  if (rules === undefined) {
    throw notFound({ group: GROUP, resource: resource.slice(0, -1) }, roleRef.name);
  }
  const missing = whatIsMissing(rbac, attributes.user, attributes.namespace, rules);
  if (missing !== undefined) refuse(attributes, missing);
}

function mayOn(
  rbac: RbacAuthorizer,
  { user, namespace }: AdmissionAttributes,
  verb: string,
  resource: string,
  name: string,
): boolean {
  const asked = {
    isResource: true,
    verb,
    group: GROUP,
    resource,
    subresource: '',
    name,
    namespace,
    path: '',
  };
  return rbac.check(user, asked).allowed;
}

function whatIsMissing(
  rbac: RbacAuthorizer,
  user: UserInfo,
  namespace: string,
  wanted: readonly PolicyRule[],
): string | undefined {
  const held = rbac.rulesFor(user, namespace);
  const missing = notCovered(held.rules, wanted);
  if (missing.length === 0) return undefined;
  const list = describeRules(missing).join('\n');
  const errors = held.errors.length === 0 ? '' : `; resolution errors: ${aggregate(held.errors)}`;
  return `user ${goQuote(user.name)} (groups=${quoteAll(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${list}${errors}`;
}

function refuse({ group, resource, name }: AdmissionAttributes, why: string): never {
  throw forbidden({ group, resource }, name, why);
}

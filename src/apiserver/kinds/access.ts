// rbac.authorization.k8s.io: roles and bindings. Who may grant what is the business of the security part.
import type { ClusterRole, KubeObject, PolicyRule, RoleBinding, Subject } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Subdomain,
  nameIsPathSegment,
  semanticEqual,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { named, oneOf } from './checks.ts';
import * as printers from '../table/printers.ts';

const GROUP = 'rbac.authorization.k8s.io';

function validateRule(rule: PolicyRule, namespaced: boolean, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { verbs, nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
  if ((verbs ?? []).length === 0)
    errors.push(fieldError.required(`${at}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    if (namespaced) {
      const why = 'namespaced rules cannot apply to non-resource URLs';
      errors.push(fieldError.invalid(`${at}.nonResourceURLs`, nonResourceURLs, why));
    }
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      const why = 'rules cannot apply to both regular resources and non-resource URLs';
      errors.push(fieldError.invalid(`${at}.nonResourceURLs`, nonResourceURLs, why));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    errors.push(fieldError.required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (resources.length === 0) {
    errors.push(fieldError.required(`${at}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

function validateRole(object: KubeObject, namespaced: boolean): FieldError[] {
  const { rules, aggregationRule } = object as unknown as ClusterRole;
  const errors = (rules ?? []).flatMap((rule, i) => validateRule(rule, namespaced, `rules[${i}]`));
  if (aggregationRule === undefined) return errors;
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  const at = 'aggregationRule.clusterRoleSelectors';
  if (selectors.length === 0) {
    errors.push(
      fieldError.required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'),
    );
  }
  return [...errors, ...selectors.flatMap((selector, i) => validateLabelSelector(selector, `${at}[${i}]`))];
}

function role(namespaced: boolean): BuiltinKind {
  return {
    strategy: {
      nameRule: nameIsPathSegment,
      createsOnUpdate: true,
      validate: (object) => validateRole(object, namespaced),
    },
  };
}

function bindingDefaults(object: KubeObject): KubeObject {
  const binding = change(object as unknown as RoleBinding, 'roleRef', (reference) =>
    reference.apiGroup === '' ? { ...reference, apiGroup: GROUP } : fill(reference, { apiGroup: GROUP }),
  );
  return change(binding, 'subjects', (subjects) =>
    each(subjects, (subject) =>
      subject.kind === 'User' || subject.kind === 'Group' ? fill(subject, { apiGroup: GROUP }) : subject,
    ),
  );
}

function validateSubject(subject: Subject, namespaced: boolean, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name, kind, apiGroup = '', namespace = '' } = subject;
  if (name === '') errors.push(fieldError.required(`${at}.name`));
  if (kind === 'ServiceAccount') {
    if (name !== '') errors.push(...named(isDns1123Subdomain(name), name, `${at}.name`));
    if (apiGroup !== '') errors.push(fieldError.notSupported(`${at}.apiGroup`, apiGroup, ['']));
    if (namespace === '' && !namespaced) errors.push(fieldError.required(`${at}.namespace`));
    else if (namespace === '') errors.push(fieldError.required(`${at}.namespace`));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== GROUP) errors.push(fieldError.notSupported(`${at}.apiGroup`, apiGroup, [GROUP]));
  } else {
    errors.push(fieldError.notSupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
}

function validateBinding(object: KubeObject, namespaced: boolean): FieldError[] {
  const { roleRef, subjects = [] } = object as unknown as RoleBinding;
  const errors: FieldError[] = [];
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (roleRef.apiGroup !== GROUP)
    errors.push(fieldError.notSupported('roleRef.apiGroup', roleRef.apiGroup, [GROUP]));
  errors.push(...oneOf(roleRef.kind, kinds, 'roleRef.kind', false));
  if (roleRef.name === '') errors.push(fieldError.required('roleRef.name'));
  else errors.push(...named(nameIsPathSegment(roleRef.name, false), roleRef.name, 'roleRef.name'));
  return [...errors, ...subjects.flatMap((one, i) => validateSubject(one, namespaced, `subjects[${i}]`))];
}

function binding(namespaced: boolean): BuiltinKind {
  return {
    defaults: bindingDefaults,
    strategy: {
      nameRule: nameIsPathSegment,
      createsOnUpdate: true,
      validate: (object) => validateBinding(object, namespaced),
      validateUpdate(next, old) {
        const errors = validateBinding(next, namespaced);
        if (!semanticEqual(next['roleRef'], old['roleRef'])) {
          errors.push(fieldError.invalid('roleRef', next['roleRef'], 'cannot change roleRef'));
        }
        return errors;
      },
    },
    printer: printers.roleBindings,
  };
}

export const access: BuiltinKinds = {
  [`${GROUP}/roles`]: role(true),
  [`${GROUP}/clusterroles`]: role(false),
  [`${GROUP}/rolebindings`]: binding(true),
  [`${GROUP}/clusterrolebindings`]: binding(false),
};

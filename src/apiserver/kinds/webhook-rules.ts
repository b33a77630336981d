// Which requests a webhook or an admission policy wants to see, checked in kube-apiserver's words.
import {
  fieldError,
  nameIsPathSegment,
  validateLabelSelector,
  type FieldError,
  type LabelSelector,
} from '../../machinery/index.ts';
import type { Rule } from '../admission-policy/matching.ts';
import { fill } from '../typed/drafts.ts';
import { oneOfIfGiven } from './checks.ts';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
export const MATCH_POLICIES = ['Equivalent', 'Exact'];

export const ruleDefaults = (rule: Rule): Rule => fill(rule, { scope: '*' });

function wildcardErrors(values: readonly string[], path: string, others: string): FieldError[] {
  if (values.length === 0) return [fieldError.required(path)];
  if (values.length === 1 || !values.includes('*')) return [];
  return [fieldError.invalid(path, values, `if '*' is present, must not specify other ${others}`)];
}

function resourceErrors(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [fieldError.required(path)];
  const errors: FieldError[] = [];
  const whole = new Set<string>();
  const everywhere = new Set<string>();
  let hasPlain = false;
  resources.forEach((resource, index) => {
    const at = `${path}[${index}]`;
    if (resource === '') {
      errors.push(fieldError.required(at));
      return;
    }
    const slash = resource.indexOf('/');
    if (slash < 0) {
      // COMPAT: upstream remembers the last one only.
      hasPlain = resource !== '*';
      return;
    }
    const [name, sub] = [resource.slice(0, slash), resource.slice(slash + 1)];
    for (const covering of [
      ...(whole.has(name) ? [`${name}/*`] : []),
      ...(everywhere.has(sub) ? [`*/${sub}`] : []),
    ]) {
      const why = `if '${covering}' is present, must not specify ${resource}`;
      errors.push(fieldError.invalid(at, resource, why));
    }
    if (sub === '*') whole.add(name);
    if (name === '*') everywhere.add(sub);
  });
  if (resources.length > 1 && resources.includes('*/*')) {
    const why = "if '*/*' is present, must not specify other resources";
    errors.push(fieldError.invalid(path, resources, why));
  }
  if (resources.includes('*') && hasPlain) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(fieldError.invalid(path, resources, why));
  }
  return errors;
}

export function ruleErrors(rule: Rule, at: string): FieldError[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [] } = rule;
  return [
    ...wildcardErrors(operations, `${at}.operations`, 'operations'),
    ...operations.flatMap((one, i) => oneOfIfGiven(one, OPERATIONS, `${at}.operations[${i}]`)),
    ...wildcardErrors(apiGroups, `${at}.apiGroups`, 'API groups'),
    ...wildcardErrors(apiVersions, `${at}.apiVersions`, 'API versions'),
    ...apiVersions.flatMap((one, i) => (one === '' ? [fieldError.required(`${at}.apiVersions[${i}]`)] : [])),
    ...resourceErrors(resources, `${at}.resources`),
    ...oneOfIfGiven(rule.scope, ['*', 'Cluster', 'Namespaced'], `${at}.scope`),
  ];
}

export interface Match {
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly resourceRules?: readonly Rule[];
  readonly excludeResourceRules?: readonly Rule[];
}

function namedRuleErrors(rule: Rule, at: string): FieldError[] {
  const { resourceNames = [] } = rule;
  const names = resourceNames.flatMap((name, index) => {
    const path = `${at}.resourceNames[${index}]`;
    return [
      ...nameIsPathSegment(name, false).map((why) => fieldError.invalid(path, name, why)),
      ...(resourceNames.indexOf(name) < index ? [fieldError.duplicate(path, name)] : []),
    ];
  });
  return [...names, ...ruleErrors(rule, at)];
}

/** What a policy or its binding matches. */
export function matchErrors(match: Match, at: string): FieldError[] {
  const { matchPolicy, namespaceSelector, objectSelector } = match;
  const { resourceRules = [], excludeResourceRules = [] } = match;
  return [
    ...oneOfIfGiven(matchPolicy, MATCH_POLICIES, `${at}.matchPolicy`),
    ...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`),
    ...validateLabelSelector(objectSelector, `${at}.objectSelector`),
    ...resourceRules.flatMap((rule, i) => namedRuleErrors(rule, `${at}.resourceRules[${i}]`)),
    ...excludeResourceRules.flatMap((rule, i) => namedRuleErrors(rule, `${at}.excludeResourceRules[${i}]`)),
  ];
}

/** What is about objects that go has nothing that a policy could change. */
export function mutableErrors(match: Match | undefined, at: string): FieldError[] {
  const mutable = OPERATIONS.filter((operation) => operation !== 'DELETE');
  return (match?.resourceRules ?? []).flatMap(({ operations = [] }) =>
    operations.flatMap((operation) => oneOfIfGiven(operation, mutable, `${at}.resourceRules.operations`)),
  );
}

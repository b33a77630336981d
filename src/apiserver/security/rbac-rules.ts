// What an RBAC rule allows, and whether some rules allow all that others do. Pure.
import { goQuote } from '../../machinery/index.ts';
import type { RequestInfo } from '../contract.ts';

/** rbac.authorization.k8s.io/v1 PolicyRule. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** What an access check asks for, of a request or of a review. */
export type AccessAttributes = Pick<
  RequestInfo,
  'isResource' | 'verb' | 'group' | 'resource' | 'subresource' | 'name' | 'path' | 'namespace'
>;

const NONE: readonly string[] = [];

export function allows(rule: PolicyRule, asked: AccessAttributes): boolean {
  if (!includes(rule.verbs, asked.verb)) return false;
  if (!asked.isResource) {
    return (rule.nonResourceURLs ?? NONE).some((url) => matchesUrl(url, asked.path));
  }
  return (
    includes(rule.apiGroups ?? NONE, asked.group) &&
    matchesResource(rule.resources ?? NONE, asked.resource, asked.subresource) &&
    matchesName(rule.resourceNames ?? NONE, asked.name)
  );
}

function includes(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function matchesResource(list: readonly string[], resource: string, subresource: string): boolean {
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  for (const entry of list) {
    if (entry === '*' || entry === combined) return true;
    if (subresource !== '' && entry.length === subresource.length + 2 && entry === `*/${subresource}`) {
      return true;
    }
  }
  return false;
}

function matchesName(list: readonly string[], name: string): boolean {
  return list.length === 0 || list.includes(name);
}

function matchesUrl(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1));
}

/** The rules of `wanted`, taken apart, that no rule of `held` covers by itself. */
export function notCovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(takeApart).filter((one) => !held.some((rule) => covers(rule, one)));
}

/** Rules with one group, resource, verb and name each. */
function takeApart(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const group of rule.apiGroups ?? NONE) {
    for (const resource of rule.resources ?? NONE) {
      for (const verb of rule.verbs) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] };
        const names = rule.resourceNames ?? NONE;
        if (names.length === 0) parts.push(part);
        else for (const name of names) parts.push({ ...part, resourceNames: [name] });
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? NONE) {
    for (const verb of rule.verbs) parts.push({ nonResourceURLs: [url], verbs: [verb] });
  }
  return parts;
}

function covers(held: PolicyRule, part: PolicyRule): boolean {
  const all = (list: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean =>
    (wanted ?? NONE).every((value) => includes(list ?? NONE, value));
  if (!all(held.verbs, part.verbs) || !all(held.apiGroups, part.apiGroups)) return false;
  for (const resource of part.resources ?? NONE) {
    const slash = resource.indexOf('/');
    const known = held.resources ?? NONE;
    const isCovered =
      includes(known, resource) || (slash >= 0 && known.includes(`*${resource.slice(slash)}`));
    if (!isCovered) return false;
  }
  for (const url of part.nonResourceURLs ?? NONE) {
    if (!(held.nonResourceURLs ?? NONE).some((pattern) => matchesUrl(pattern, url))) return false;
  }
  const heldNames = held.resourceNames ?? NONE;
  const partNames = part.resourceNames ?? NONE;
  return (
    heldNames.length === 0 || (partNames.length > 0 && partNames.every((name) => heldNames.includes(name)))
  );
}

/** Rules about the same resource as one, then each as messages show it, sorted. */
export function describeRules(rules: readonly PolicyRule[]): string[] {
  const merged = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs]);
    const known = rule.nonResourceURLs === undefined ? merged.get(key) : undefined;
    const unique = rule.nonResourceURLs === undefined ? key : `${key} ${rule.verbs.join()}`;
    merged.set(unique, known === undefined ? rule : { ...known, verbs: [...known.verbs, ...rule.verbs] });
  }
  return [...new Set([...merged.values()].map(describeRule))].sort();
}

function describeRule(rule: PolicyRule): string {
  const parts: string[] = [];
  const add = (name: string, values: readonly string[] | undefined): void => {
    if (values !== undefined && values.length > 0) parts.push(`${name}:${quoteAll(values)}`);
  };
  add('APIGroups', rule.apiGroups);
  add('Resources', rule.resources);
  add('NonResourceURLs', rule.nonResourceURLs);
  add('ResourceNames', rule.resourceNames);
  add('Verbs', rule.verbs);
  return `{${parts.join(', ')}}`;
}

/** `["a" "b"]`: how Go prints a list of quoted strings. */
export function quoteAll(values: readonly string[]): string {
  return `[${values.map(goQuote).join(' ')}]`;
}

// What of a request goes into the audit log: audit.k8s.io/v1 Policy. The first rule that matches decides. Pure but for
// reading YAML.
import { OperatingError, errorMessage } from '../../base/index.ts';
import type { UserInfo } from '../../machinery/index.ts';
import type { RequestInfo } from '../contract.ts';
import { parseYaml } from '../listen/yaml.ts';

export type AuditLevel = 'None' | 'Metadata' | 'Request' | 'RequestResponse';
export type AuditStage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic';

const LEVELS: readonly AuditLevel[] = ['None', 'Metadata', 'Request', 'RequestResponse'];
const STAGES: readonly AuditStage[] = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'];
const VERSIONS = ['audit.k8s.io/v1'];

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface AuditRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

export const atLeast = (level: AuditLevel, wanted: AuditLevel): boolean =>
  LEVELS.indexOf(level) >= LEVELS.indexOf(wanted);

const NOTHING: AuditDecision = { level: 'None', omitStages: [], omitManagedFields: false };

/** @param user undefined: who it was could not be told */
export function decideAudit(
  policy: AuditPolicy,
  user: UserInfo | undefined,
  info: RequestInfo,
): AuditDecision {
  const rule = policy.rules.find((one) => matches(one, user, info));
  if (rule === undefined || rule.level === 'None') return NOTHING;
  return {
    level: rule.level,
    omitStages: [...(policy.omitStages ?? []), ...(rule.omitStages ?? [])],
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

function matches(rule: AuditRule, user: UserInfo | undefined, info: RequestInfo): boolean {
  const {
    users = [],
    userGroups = [],
    verbs = [],
    resources = [],
    namespaces = [],
    nonResourceURLs = [],
  } = rule;
  if (users.length > 0 && !users.includes(user?.name ?? '')) return false;
  if (userGroups.length > 0 && !userGroups.some((one) => user?.groups.includes(one))) return false;
  if (verbs.length > 0 && !verbs.includes(info.verb)) return false;
  if (namespaces.length > 0 || resources.length > 0) return matchesResource(resources, namespaces, info);
  if (nonResourceURLs.length > 0) return matchesUrl(nonResourceURLs, info);
  return true;
}

function matchesResource(
  resources: readonly GroupResources[],
  namespaces: readonly string[],
  info: RequestInfo,
): boolean {
  if (!info.isResource) return false;
  if (namespaces.length > 0 && !namespaces.includes(info.namespace)) return false;
  if (resources.length === 0) return true;
  const { resource, subresource } = info;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some(({ group = '', resources: names = [], resourceNames = [] }) => {
    if (group !== info.group && group !== '*') return false;
    if (names.length === 0) return true;
    if (resourceNames.length > 0 && !resourceNames.includes(info.name)) return false;
    return names.some(
      (name) =>
        name === '*' ||
        name === full ||
        (name.startsWith('*/') && subresource !== '' && name.slice(2) === subresource) ||
        (name.endsWith('/*') && name.slice(0, -2) === resource),
    );
  });
}

function matchesUrl(urls: readonly string[], { isResource, path }: RequestInfo): boolean {
  return (
    !isResource && urls.some((url) => (url.endsWith('*') ? path.startsWith(url.slice(0, -1)) : url === path))
  );
}

// ---- the file

/** Throws OperatingError BAD_AUDIT_POLICY that names the field. */
export function readAuditPolicy(text: string): AuditPolicy {
  let file: { readonly apiVersion?: string; readonly kind?: string } & Partial<AuditPolicy>;
  try {
    file = parseYaml(text) ?? {};
  } catch (error) {
    throw refuse('', errorMessage(error));
  }
  if (file.kind !== 'Policy' || !VERSIONS.includes(file.apiVersion ?? '')) {
    throw refuse('kind', `it is no Policy of ${VERSIONS.join()}`);
  }
  const { rules = [], omitStages, omitManagedFields } = file;
  if (!Array.isArray(rules) || rules.length === 0) throw refuse('rules', 'at least one must be given');
  checkStages(omitStages, 'omitStages');
  rules.forEach((rule: AuditRule, index) => checkRule(rule, `rules[${index}]`));
  return {
    rules,
    ...(omitStages === undefined ? {} : { omitStages }),
    ...(omitManagedFields === undefined ? {} : { omitManagedFields }),
  };
}

function refuse(field: string, why: string): OperatingError {
  const at = field === '' ? '' : ` at ${field}`;
  return new OperatingError(
    'BAD_AUDIT_POLICY',
    `the audit policy cannot be used${at}: ${why}`,
    'mend the file that --audit-policy-file names',
  );
}

function checkStages(stages: readonly string[] | undefined, field: string): void {
  for (const stage of stages ?? []) {
    if (!(STAGES as readonly string[]).includes(stage))
      throw refuse(field, `there is no stage ${JSON.stringify(stage)}; choose among ${STAGES.join(', ')}`);
  }
}

function checkRule(rule: AuditRule | null, at: string): void {
  const {
    level,
    omitStages,
    resources,
    namespaces,
    nonResourceURLs = [],
  } = rule ?? ({} as Partial<AuditRule>);
  if (level === undefined || !LEVELS.includes(level)) {
    throw refuse(`${at}.level`, `${JSON.stringify(level ?? '')} is none of ${LEVELS.join(', ')}`);
  }
  checkStages(omitStages, `${at}.omitStages`);
  const aboutResources = (resources ?? []).length > 0 || (namespaces ?? []).length > 0;
  if (nonResourceURLs.length > 0 && aboutResources) {
    throw refuse(`${at}.nonResourceURLs`, 'a rule cannot be about both resources and other URLs');
  }
  for (const url of nonResourceURLs) {
    if (url === '*') continue;
    if (!url.startsWith('/')) throw refuse(`${at}.nonResourceURLs`, `${url} must begin with "/"`);
    if (url.slice(0, -1).includes('*'))
      throw refuse(`${at}.nonResourceURLs`, `${url} may have "*" at its end only`);
  }
}

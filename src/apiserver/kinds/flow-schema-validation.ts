// What makes FlowSchemas valid. The words, the paths and the order are kube-apiserver's.
import type { KubeObject } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import { SUGGESTED_SCHEMAS } from '../flow-control/suggested.ts';
import { named } from './checks.ts';

interface Subject {
  readonly kind?: string;
  readonly serviceAccount?: { readonly name?: string; readonly namespace?: string };
  readonly user?: { readonly name?: string };
  readonly group?: { readonly name?: string };
}

interface ResourceRule {
  readonly verbs?: readonly string[] | null;
  readonly apiGroups?: readonly string[] | null;
  readonly resources?: readonly string[] | null;
  readonly clusterScope?: boolean;
  readonly namespaces?: readonly string[] | null;
}

interface NonResourceRule {
  readonly verbs?: readonly string[] | null;
  readonly nonResourceURLs?: readonly string[] | null;
}

interface Rule {
  readonly subjects?: readonly Subject[] | null;
  readonly resourceRules?: readonly ResourceRule[] | null;
  readonly nonResourceRules?: readonly NonResourceRule[] | null;
}

interface Spec {
  readonly matchingPrecedence?: number;
  readonly priorityLevelConfiguration?: { readonly name?: string };
  readonly distinguisherMethod?: { readonly type?: string };
  readonly rules?: readonly Rule[] | null;
}

const PRECEDENCE_MAX = 10_000;
const METHODS = ['ByNamespace', 'ByUser'];
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];

export function validateFlowSchema(object: KubeObject): FieldError[] {
  const spec = (object as unknown as { readonly spec?: Spec }).spec ?? {};
  const { matchingPrecedence: precedence = 0, distinguisherMethod } = spec;
  const rules = spec.rules ?? [];
  const level = spec.priorityLevelConfiguration?.name ?? '';
  const { name } = object.metadata;
  const errors: FieldError[] = [];
  const refuse = (why: string): void =>
    void errors.push(fieldError.invalid('spec.matchingPrecedence', precedence, why));
  if (precedence <= 0) refuse('must be a positive value');
  if (precedence > PRECEDENCE_MAX) refuse(`must not be greater than ${PRECEDENCE_MAX}`);
  if (precedence === 1 && name !== 'exempt') {
    refuse("only the schema named 'exempt' may have matchingPrecedence 1");
  }
  if (distinguisherMethod !== undefined && !METHODS.includes(distinguisherMethod.type ?? '')) {
    errors.push(fieldError.notSupported('spec.distinguisherMethod.type', distinguisherMethod, METHODS));
  }
  const at = 'spec.priorityLevelConfiguration.name';
  if (level === '') errors.push(fieldError.required(at, 'must reference a priority level'));
  else errors.push(...named(isDns1123Subdomain(level), level, at));
  errors.push(...rules.flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)));
  const fixed = SUGGESTED_SCHEMAS.find(
    ({ metadata }) => metadata.name === name && (name === 'exempt' || name === 'catch-all'),
  );
  if (fixed !== undefined && !semanticEqual(spec, fixed['spec'])) {
    errors.push(fieldError.invalid('spec', spec, `spec of '${name}' must equal the fixed value`));
  }
  return errors;
}

function validateRule(rule: Rule, path: string): FieldError[] {
  const subjects = rule.subjects ?? [];
  const resourceRules = rule.resourceRules ?? [];
  const nonResourceRules = rule.nonResourceRules ?? [];
  const errors =
    subjects.length === 0
      ? [fieldError.required(`${path}.subjects`, 'subjects must contain at least one value')]
      : subjects.flatMap((subject, i) => validateSubject(subject, `${path}.subjects[${i}]`));
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    const why = 'at least one of resourceRules and nonResourceRules has to be non-empty';
    errors.push(fieldError.required(path, why));
  }
  return [
    ...errors,
    ...resourceRules.flatMap((one, i) => validateResourceRule(one, `${path}.resourceRules[${i}]`)),
    ...nonResourceRules.flatMap((one, i) => validateNonResourceRule(one, `${path}.nonResourceRules[${i}]`)),
  ];
}

const FIELDS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const;

function validateSubject(subject: Subject, path: string): FieldError[] {
  const { kind = '' } = subject;
  if (!Object.hasOwn(FIELDS, kind)) {
    return [fieldError.notSupported(`${path}.kind`, kind, ['Group', 'ServiceAccount', 'User'])];
  }
  const own = FIELDS[kind as keyof typeof FIELDS];
  const errors: FieldError[] = [];
  const at = `${path}.${own}`;
  const given = subject[own];
  if (given === undefined) {
    errors.push(fieldError.required(at, `${own} is required when subject kind is '${kind}'`));
  } else {
    const { name = '' } = given;
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    if (subject.serviceAccount !== undefined && own === 'serviceAccount') {
      errors.push(...validateAccount(subject.serviceAccount, at));
    }
  }
  for (const [other, field] of Object.entries(FIELDS)) {
    if (field === own || subject[field] === undefined) continue;
    const why = `${field} is forbidden when subject kind is not '${other}'`;
    errors.push(fieldError.forbidden(`${path}.${field}`, why));
  }
  return errors;
}

function validateAccount(
  { name = '', namespace = '' }: NonNullable<Subject['serviceAccount']>,
  path: string,
): FieldError[] {
  const errors = name === '' || name === '*' ? [] : named(isDns1123Subdomain(name), name, `${path}.name`);
  const at = `${path}.namespace`;
  return namespace === ''
    ? [...errors, fieldError.required(at, 'must specify namespace for service account')]
    : [...errors, ...named(isDns1123Label(namespace), namespace, at)];
}

/** One that was left out is null. */
type List = readonly string[] | null | undefined;

/** `*`, alone, or at least one. */
function validateList(given: List, path: string, required: string, others: string): FieldError[] {
  const values = given ?? [];
  if (values.length === 0) return [fieldError.required(path, required)];
  const why = `if '*' is present, must not specify other ${others}`;
  return values.includes('*') && values.length > 1 ? [fieldError.invalid(path, values, why)] : [];
}

function validateVerbs(given: List, path: string): FieldError[] {
  const verbs = given ?? [];
  const errors = validateList(verbs, path, 'verbs must contain at least one value', 'verbs');
  if (errors.length > 0 || verbs.includes('*') || verbs.every((verb) => VERBS.includes(verb))) return errors;
  return [fieldError.notSupported(path, verbs, VERBS)];
}

function validateResourceRule(rule: ResourceRule, path: string): FieldError[] {
  const { verbs, apiGroups, resources, clusterScope = false } = rule;
  const namespaces = rule.namespaces ?? [];
  const at = `${path}.namespaces`;
  const errors = [
    ...validateVerbs(verbs, `${path}.verbs`),
    ...validateList(
      apiGroups,
      `${path}.apiGroups`,
      'resource rules must supply at least one api group',
      'api groups',
    ),
    ...validateList(
      resources,
      `${path}.resources`,
      'resource rules must supply at least one resource',
      'resources',
    ),
  ];
  if (namespaces.length === 0) {
    const why = 'resource rules that are not cluster scoped must supply at least one namespace';
    return clusterScope ? errors : [...errors, fieldError.required(at, why)];
  }
  if (namespaces.includes('*')) return [...errors, ...validateList(namespaces, at, '', 'namespaces')];
  return [
    ...errors,
    ...namespaces.flatMap((name, i) =>
      isDns1123Label(name).map((why) =>
        fieldError.invalid(
          `${at}[${i}]`,
          name,
          `each member of this list must be '*' or a DNS-1123 label; ${why}`,
        ),
      ),
    ),
  ];
}

function validateNonResourceRule({ verbs, nonResourceURLs }: NonResourceRule, path: string): FieldError[] {
  const urls = nonResourceURLs ?? [];
  const at = `${path}.nonResourceURLs`;
  const errors = [
    ...validateVerbs(verbs, `${path}.verbs`),
    ...validateList(urls, at, 'nonResourceURLs must contain at least one value', 'non-resource URLs'),
  ];
  if (urls.includes('*')) return errors;
  return [
    ...errors,
    ...urls.flatMap((url, i) => {
      const why = urlProblem(url);
      return why === undefined ? [] : [fieldError.invalid(`${at}[${i}]`, url, why)];
    }),
  ];
}

function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const wildcards = url.split('*').length - 1;
  return wildcards > 1 || (wildcards === 1 && !url.endsWith('/*'))
    ? 'wildcard can only do suffix matching'
    : undefined;
}

// Where a pod may run, as its spec says: affinity, host ports, names that it is known by, what it tolerates. The words and
// the order are kube-apiserver's.
import type {
  Affinity,
  LabelSelector,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  isDns1123SubdomainWithUnderscore,
  isLabelValue,
  isQualifiedName,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { named, oneOf, oneOfIfGiven, validAddress } from './checks.ts';

const WEIGHT = 'must be in the range 1-100';
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;

export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  const errors: FieldError[] = [];
  const weighed = (weight: number, at: string): void => {
    if (weight < 1 || weight > 100) errors.push(fieldError.invalid(`${at}.weight`, weight, WEIGHT));
  };
  if (nodeAffinity !== undefined) {
    const required = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    if (required !== undefined) {
      const at = `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
      const terms = required.nodeSelectorTerms ?? [];
      if (terms.length === 0) {
        errors.push(fieldError.required(at, 'must have at least one node selector term'));
      }
      errors.push(...terms.flatMap((term, i) => validateNodeTerm(term, `${at}[${i}]`)));
    }
    const preferred = nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const [i, { weight, preference }] of preferred.entries()) {
      const at = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      weighed(weight, at);
      // COMPAT: values that no label has are let pass here.
      errors.push(...validateNodeTerm(preference, `${at}.preference`, false));
    }
  }
  for (const [field, terms] of Object.entries({ podAffinity, podAntiAffinity })) {
    const required = terms?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const [i, term] of required.entries()) {
      const at = `${path}.${field}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`;
      errors.push(...validatePodTerm(term, at));
    }
    const preferred = terms?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const [i, { weight, podAffinityTerm }] of preferred.entries()) {
      const at = `${path}.${field}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      weighed(weight, at);
      errors.push(...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`));
    }
  }
  return errors;
}

export function validateNodeTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  path: string,
  checksValues = true,
): FieldError[] {
  const ofLabels = matchExpressions.flatMap(({ key, operator, values = [] }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const errors: FieldError[] = [];
    if (operator === 'In' || operator === 'NotIn') {
      const why = "must be specified when `operator` is 'In' or 'NotIn'";
      if (values.length === 0) errors.push(fieldError.required(`${at}.values`, why));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      if (values.length > 0) errors.push(fieldError.forbidden(`${at}.values`, why));
    } else if (operator === 'Gt' || operator === 'Lt') {
      const why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      if (values.length !== 1) errors.push(fieldError.required(`${at}.values`, why));
    } else {
      errors.push(fieldError.invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    }
    errors.push(...named(isQualifiedName(key), key, `${at}.key`));
    if (!checksValues) return errors;
    return [
      ...errors,
      ...values.flatMap((value, j) => named(isLabelValue(value), value, `${at}.values[${j}]`)),
    ];
  });
  return [
    ...ofLabels,
    ...matchFields.flatMap(({ key, operator, values = [] }, i) => {
      const at = `${path}.matchFields[${i}]`;
      const errors: FieldError[] = [];
      if (operator !== 'In' && operator !== 'NotIn') {
        errors.push(fieldError.invalid(`${at}.operator`, operator, 'not a valid selector operator'));
      } else if (values.length !== 1) {
        const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
        errors.push(fieldError.required(`${at}.values`, why));
      }
      if (key !== 'metadata.name') {
        return [...errors, fieldError.invalid(`${at}.key`, key, 'not a valid field selector key')];
      }
      return [
        ...errors,
        ...values.flatMap((value, j) => named(isDns1123Subdomain(value), value, `${at}.values[${j}]`)),
      ];
    }),
  ];
}

const ABSENT_SELECTOR = 'must not be specified when labelSelector is not set';

function validatePodTerm(term: PodAffinityTerm, path: string): FieldError[] {
  const { labelSelector, namespaceSelector, namespaces = [], topologyKey } = term;
  const { matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  const keys = (field: string, given: readonly string[]): FieldError[] => {
    if (given.length === 0) return [];
    if (labelSelector === undefined) return [fieldError.forbidden(`${path}.${field}`, ABSENT_SELECTOR)];
    return given.flatMap((key, i) => named(isQualifiedName(key), key, `${path}.${field}[${i}]`));
  };
  return [
    ...(labelSelector === undefined ? [] : validateLabelSelector(labelSelector, `${path}.labelSelector`)),
    ...(namespaceSelector === undefined
      ? []
      : validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`)),
    ...namespaces.flatMap((name) => named(isDns1123Label(name), name, `${path}.namespace`)),
    ...keys('matchLabelKeys', matchLabelKeys),
    ...keys('mismatchLabelKeys', mismatchLabelKeys),
    ...matchLabelKeys.flatMap((key, i) =>
      mismatchLabelKeys.includes(key)
        ? [
            fieldError.invalid(
              `${path}.matchLabelKeys[${i}]`,
              key,
              'exists in both matchLabelKeys and mismatchLabelKeys',
            ),
          ]
        : [],
    ),
    ...(topologyKey === '' ? [fieldError.required(`${path}.topologyKey`, 'can not be empty')] : []),
    ...named(isQualifiedName(topologyKey), topologyKey, `${path}.topologyKey`),
  ];
}

export function validateTopologySpread(
  { topologySpreadConstraints: constraints = [] }: PodSpec,
  path: string,
): FieldError[] {
  return constraints.flatMap((constraint, i) => {
    const at = `${path}.topologySpreadConstraints[${i}]`;
    const { topologyKey, whenUnsatisfiable } = constraint;
    const errors = validateSpread(constraint, at);
    const again = constraints
      .slice(i + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (again) {
      const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
      errors.push(fieldError.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    }
    return [...errors, ...validateSpreadOptions(constraint, at)];
  });
}

function validateSpread(
  { maxSkew, topologyKey, whenUnsatisfiable }: TopologySpreadConstraint,
  path: string,
): FieldError[] {
  const actions = ['DoNotSchedule', 'ScheduleAnyway'];
  return [
    ...(maxSkew > 0 ? [] : [fieldError.invalid(`${path}.maxSkew`, maxSkew, 'must be greater than zero')]),
    ...(topologyKey === '' ? [fieldError.required(`${path}.topologyKey`, 'can not be empty')] : []),
    ...(actions.includes(whenUnsatisfiable)
      ? []
      : [fieldError.notSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable, actions)]),
  ];
}

function validateSpreadOptions(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const { minDomains, whenUnsatisfiable, matchLabelKeys = [], labelSelector } = constraint;
  const errors: FieldError[] = [];
  if (minDomains !== undefined) {
    const at = `${path}.minDomains`;
    if (minDomains <= 0) errors.push(fieldError.invalid(at, minDomains, 'must be greater than zero'));
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.push(fieldError.invalid(at, minDomains, why));
    }
  }
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
    errors.push(...oneOfIfGiven(constraint[field], ['Honor', 'Ignore'], `${path}.${field}`));
  }
  if (matchLabelKeys.length > 0) {
    const at = `${path}.matchLabelKeys`;
    if (labelSelector === undefined) errors.push(fieldError.forbidden(at, ABSENT_SELECTOR));
    const selected = keysOf(labelSelector);
    for (const [i, key] of matchLabelKeys.entries()) {
      errors.push(...named(isQualifiedName(key), key, `${at}[${i}]`));
      if (selected.has(key)) {
        errors.push(
          fieldError.invalid(`${at}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'),
        );
      }
    }
  }
  return labelSelector === undefined
    ? errors
    : [...errors, ...validateLabelSelector(labelSelector, `${path}.labelSelector`)];
}

function keysOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): ReadonlySet<string> {
  return new Set([...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)]);
}

export function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  const errors: FieldError[] = [];
  if (key !== '') errors.push(...named(isQualifiedName(key), key, `${path}.key`));
  if (key === '' && operator !== 'Exists') {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(fieldError.invalid(`${path}.operator`, operator, why));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(fieldError.invalid(`${path}.effect`, effect, why));
  }
  if (operator === '' || operator === 'Equal') {
    const complaints = isLabelValue(value);
    if (complaints.length > 0) {
      errors.push(fieldError.invalid(`${path}.operator`, value, complaints.join(';')));
    }
  } else if (operator === 'Exists' && value !== '') {
    const why = "value must be empty when `operator` is 'Exists'";
    errors.push(fieldError.invalid(`${path}.operator`, value, why));
  }
  errors.push(...oneOf(operator, ['Equal', 'Exists', 'Gt', 'Lt'], `${path}.operator`));
  errors.push(...oneOf(effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${path}.effect`));
  return errors;
}

export function validateHostAliases({ hostAliases = [] }: PodSpec, path: string): FieldError[] {
  return hostAliases.flatMap(({ ip, hostnames = [] }, i) => {
    const at = `${path}.hostAliases[${i}]`;
    return [
      ...validAddress(ip, `${at}.ip`),
      ...hostnames.flatMap((name, j) => named(isDns1123Subdomain(name), name, `${at}.hostnames[${j}]`)),
    ];
  });
}

export function validateDns({ dnsPolicy, dnsConfig }: PodSpec, path: string): FieldError[] {
  const at = `${path}.dnsConfig`;
  if (dnsConfig === undefined) {
    const why = 'must provide `dnsConfig` when `dnsPolicy` is None';
    return dnsPolicy === 'None' ? [fieldError.required(at, why)] : [];
  }
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  const errors: FieldError[] = [];
  if (dnsPolicy === 'None' && nameservers.length === 0) {
    const why = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    return [fieldError.required(`${at}.nameservers`, why)];
  }
  const refuse = (field: string, value: readonly string[], why: string): void =>
    void errors.push(fieldError.invalid(`${at}.${field}`, value, `must not have more than ${why}`));
  if (nameservers.length > MAX_NAMESERVERS) {
    refuse('nameservers', nameservers, `${MAX_NAMESERVERS} nameservers`);
  }
  errors.push(...nameservers.flatMap((address, i) => validAddress(address, `${at}.nameservers[${i}]`)));
  if (searches.length > MAX_SEARCHES) refuse('searches', searches, `${MAX_SEARCHES} search paths`);
  if (searches.join(' ').length > MAX_SEARCH_CHARACTERS) {
    refuse('searches', searches, `${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`);
  }
  for (const [i, search] of searches.entries()) {
    const name = search.replace(/\.$/, '');
    if (search === '.') continue;
    errors.push(...named(isDns1123SubdomainWithUnderscore(name), name, `${at}.searches[${i}]`));
  }
  for (const [i, { name = '' }] of options.entries()) {
    if (name === '') errors.push(fieldError.required(`${at}.options[${i}]`, 'must not be empty'));
  }
  return errors;
}

export function validateGates(
  { readinessGates = [], schedulingGates = [] }: PodSpec,
  path: string,
): FieldError[] {
  const errors = readinessGates.flatMap(({ conditionType }, i) =>
    named(isQualifiedName(conditionType), conditionType, `${path}.readinessGates[${i}].conditionType`),
  );
  const names = new Set<string>();
  for (const [i, { name }] of schedulingGates.entries()) {
    const at = `${path}.schedulingGates[${i}]`;
    errors.push(...named(isQualifiedName(name), name, at));
    if (names.has(name)) errors.push(fieldError.duplicate(at, name));
    names.add(name);
  }
  return errors;
}
